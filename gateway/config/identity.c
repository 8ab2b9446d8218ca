#include "config/config_internal.h"
#include "formats/text.h"
#include "identity/principal.h"
#include "identity/spiffe.h"
#include <string.h>

/* Who may call: trust domains, token issuers, and which registered caller each workload is. */

static const char *const identity_keys[] = {"audiences", "leeway",      "trust_domains",
                                            "issuers",   "dpop_nonces", NULL};
static const char *const domain_keys[] = {"name", "bundle", "callers", NULL};
static const char *const issuer_keys[] = {
    "name",         "issuer",     "keys_url",       "keys_file", "ca",         "proxy",
    "proxy_file",   "allow_http", "allow_networks", "audiences", "algorithms", "types",
    "lifetime_max", "refresh",    "stale_max",      "callers",   NULL};
static const char *const caller_keys[] = {"match", "caller", "agent", NULL};

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { CALLERS_MAX = 256, LIST_MAX = 64 };

struct reader {
    const char *file;
    struct arena *arena;
    struct config *config;
    struct error *error;
};

static bool fail(struct reader *reader, const struct yaml_node *node, const char *code,
                 const char *message)
{
    return yaml_fail(reader->file, node, reader->error, code, "%s", message);
}

static bool read_text(struct reader *reader, const struct yaml_node *mapping, const char *key,
                      const char **out)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_text(reader->file, node, out, reader->error);
}

static bool read_time(struct reader *reader, const struct yaml_node *mapping, const char *key,
                      int64_t least, int64_t most, int64_t *out)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_duration(reader->file, node, least, most, out, reader->error);
}

/* One text or a list, NULL-terminated; unset stays as it was. */
static bool read_list(struct reader *reader, const struct yaml_node *node, size_t most,
                      const char *const **out, size_t *out_count)
{
    const char **texts = NULL;
    size_t count = 0;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(reader->file, node, true, reader->arena, &texts, &count, reader->error)) {
        return false;
    }
    if (count == 0 || count > most) {
        return fail(reader, node, "wrong_count", "write 1 to 64 texts");
    }
    const char **list = arena_array(reader->arena, count + 1, sizeof *list);
    memcpy(list, texts, count * sizeof *list);
    *out = list;
    if (out_count != NULL) {
        *out_count = count;
    }
    return true;
}

/* ---- callers ---- */

static bool read_match(struct reader *reader, const struct yaml_node *match, struct matcher *out)
{
    if (match == NULL || match->type != YAML_MAPPING || match->count == 0 ||
        match->count > MATCHER_CLAIMS_MAX) {
        return fail(reader, match, "no_match",
                    "`match` needs 1 to 16 claims, such as `match: { sub: \"…\" }`");
    }
    struct matcher_claim *claims = arena_array(reader->arena, match->count, sizeof *claims);
    for (size_t i = 0; i < match->count; i++) {
        claims[i].claim = match->keys[i]->text;
        if (!read_list(reader, match->items[i], MATCHER_VALUES_MAX, &claims[i].values,
                       &claims[i].value_count)) {
            return false;
        }
    }
    out->claims = claims;
    out->claim_count = match->count;
    return true;
}

static bool read_caller(struct reader *reader, const struct yaml_node *node, bool is_svid,
                        struct matcher *out)
{
    if (!yaml_only_keys(reader->file, node, caller_keys, reader->error) ||
        !read_text(reader, node, "caller", &out->caller) ||
        !read_text(reader, node, "agent", &out->agent)) {
        return false;
    }
    if (yaml_member(node, "match") == NULL) {
        return fail(reader, node, "no_match", "a caller needs `match`: the claims it must have");
    }
    if (!identity_is_name(out->caller) || (out->agent != NULL && !identity_is_name(out->agent))) {
        return fail(reader, node, "bad_name",
                    "a caller needs `caller`: the name of a registered caller; `agent`, where it "
                    "is given, the name of one agent");
    }
    if (!read_match(reader, yaml_member(node, "match"), out)) {
        return false;
    }
    for (size_t i = 0; is_svid && i < out->claim_count; i++) {
        if (strcmp(out->claims[i].claim, "sub") != 0 && strcmp(out->claims[i].claim, "path") != 0) {
            return fail(reader, yaml_member(node, "match"), "unknown_value",
                        "a SPIFFE ID is matched by `path`, or whole by `sub`");
        }
    }
    return true;
}

static bool read_callers(struct reader *reader, const struct yaml_node *owner, bool is_svid,
                         const struct matcher **out, size_t *out_count)
{
    const struct yaml_node *list = yaml_member(owner, "callers");
    if (list == NULL || list->type != YAML_SEQUENCE || list->count == 0 ||
        list->count > CALLERS_MAX) {
        return fail(reader, list == NULL ? owner : list, "no_callers",
                    "write `callers:` with 1 to 256 items such as "
                    "`- { match: { sub: \"…\" }, caller: runner }`");
    }
    struct matcher *matchers = arena_array(reader->arena, list->count, sizeof *matchers);
    for (size_t i = 0; i < list->count; i++) {
        if (!read_caller(reader, list->items[i], is_svid, &matchers[i])) {
            return false;
        }
    }
    *out = matchers;
    *out_count = list->count;
    return true;
}

/* ---- trust domains ---- */

static bool read_domain(struct reader *reader, const struct yaml_node *node,
                        struct trust_domain *out)
{
    if (!yaml_only_keys(reader->file, node, domain_keys, reader->error) ||
        !read_text(reader, node, "name", &out->name) ||
        !read_text(reader, node, "bundle", &out->bundle_file)) {
        return false;
    }
    if (!spiffe_is_trust_domain(out->name)) {
        return fail(reader, node, "bad_name",
                    "a trust domain needs `name`, such as prod.example.com, without spiffe://");
    }
    for (const struct trust_domain *other = reader->config->domains; other < out; other++) {
        if (strcmp(other->name, out->name) == 0) {
            return fail(reader, node, "bad_name", "this trust domain is configured twice");
        }
    }
    if (out->bundle_file == NULL) {
        return fail(reader, node, "missing_key",
                    "a trust domain needs `bundle`: a file of PEM certificates, or a SPIFFE bundle "
                    "in JSON");
    }
    return read_callers(reader, node, true, &out->matchers, &out->matcher_count);
}

/* ---- issuers ---- */

static bool read_algorithms(struct reader *reader, const struct yaml_node *node, unsigned *out)
{
    const char *const *names = NULL;
    size_t count = 0;
    *out = 1U << JWK_RS256 | 1U << JWK_ES256;
    if (node == NULL) {
        return true;
    }
    if (!read_list(reader, node, JWK_ALGORITHM_COUNT, &names, &count)) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        enum jwk_algorithm algorithm = jwk_algorithm_find(names[i]);
        if (algorithm == JWK_ALGORITHM_NONE) {
            return fail(reader, node, "unknown_value",
                        "write algorithms of RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
                        "ES384, ES512 and EdDSA");
        }
        *out |= 1U << algorithm;
    }
    return true;
}

/* `typ` in lower case, as it is compared. */
static bool read_types(struct reader *reader, const struct yaml_node *node, const char *const **out)
{
    if (!read_list(reader, node, LIST_MAX, out, NULL)) {
        return false;
    }
    for (const char *const *type = *out; type != NULL && *type != NULL; type++) {
        if (strlen(*type) >= JWT_TYPE_BYTES ||
            strspn(*type, "abcdefghijklmnopqrstuvwxyz0123456789+.-") != strlen(*type)) {
            return fail(reader, node, "unknown_value",
                        "write types in lower case without `application/`, such as at+jwt");
        }
    }
    return true;
}

static bool read_source(struct reader *reader, const struct yaml_node *node,
                        struct trust_issuer *out, struct courier_source *source)
{
    const struct yaml_node *allow_http = yaml_member(node, "allow_http");
    if (!read_text(reader, node, "keys_file", &out->keys_file) ||
        !read_text(reader, node, "keys_url", &out->keys_url) ||
        !read_text(reader, node, "ca", &source->reach.ca_file) ||
        (allow_http != NULL &&
         !yaml_read_bool(reader->file, allow_http, &source->reach.allows_http, reader->error))) {
        return false;
    }
    if ((out->keys_file == NULL) == (out->keys_url == NULL)) {
        return fail(reader, node, "missing_key",
                    "an issuer needs one of `keys_url` and `keys_file`: where its keys are");
    }
    source->reach.channel.url = out->keys_url;
    source->reach.channel.name = out->name;
    return out->keys_url == NULL ||
           (config_read_own_proxy(reader->file, node, reader->arena, &source->reach,
                                  reader->error) &&
            config_check_url(reader->file, node, &source->reach, "keys_url", reader->error) &&
            config_read_networks(reader->file, yaml_member(node, "allow_networks"), reader->arena,
                                 &source->reach, reader->error));
}

static bool read_terms(struct reader *reader, const struct yaml_node *node,
                       struct trust_issuer *out)
{
    struct token_terms *terms = &out->terms;
    terms->audiences = reader->config->trust.audiences;
    terms->leeway_ms = reader->config->trust.leeway_ms;
    terms->lifetime_max_ms = HOUR;
    out->refresh_ms = 5 * MINUTE;
    out->stale_max_ms = DAY;
    return read_text(reader, node, "issuer", &terms->issuer) &&
           read_list(reader, yaml_member(node, "audiences"), LIST_MAX, &terms->audiences, NULL) &&
           read_types(reader, yaml_member(node, "types"), &terms->types) &&
           read_algorithms(reader, yaml_member(node, "algorithms"), &terms->algorithms) &&
           read_time(reader, node, "lifetime_max", MINUTE, 30 * DAY, &terms->lifetime_max_ms) &&
           read_time(reader, node, "refresh", SECOND, DAY, &out->refresh_ms) &&
           read_time(reader, node, "stale_max", MINUTE, 30 * DAY, &out->stale_max_ms) &&
           read_callers(reader, node, false, &terms->matchers, &terms->matcher_count);
}

static bool read_issuer(struct reader *reader, const struct yaml_node *node,
                        struct trust_issuer *out, struct courier_source *source)
{
    if (!yaml_only_keys(reader->file, node, issuer_keys, reader->error) ||
        !read_text(reader, node, "name", &out->name) || !read_terms(reader, node, out)) {
        return false;
    }
    if (out->name == NULL || !identity_is_name(out->name) || out->terms.issuer == NULL ||
        strlen(out->terms.issuer) > 255) {
        return fail(reader, node, "bad_name",
                    "an issuer needs `name`, 1 to 64 of a-z 0-9 . _ -, and `issuer`: what `iss` "
                    "of its tokens is, byte for byte");
    }
    for (const struct trust_issuer *other = reader->config->issuers; other < out; other++) {
        if (strcmp(other->terms.issuer, out->terms.issuer) == 0) {
            return fail(reader, node, "bad_name", "this issuer is configured twice");
        }
    }
    return read_source(reader, node, out, source);
}

/* ---- the section ---- */

static const struct yaml_node *list_of(struct reader *reader, const struct yaml_node *section,
                                       const char *key, size_t most, bool *out_ok)
{
    const struct yaml_node *list = yaml_member(section, key);
    *out_ok = list == NULL || (list->type == YAML_SEQUENCE && list->count <= most) ||
              fail(reader, list, "wrong_type", "this must be a list of at most 32 items");
    return list;
}

static bool read_domains(struct reader *reader, const struct yaml_node *section)
{
    bool ok;
    struct config *config = reader->config;
    const struct yaml_node *list =
        list_of(reader, section, "trust_domains", TRUST_DOMAINS_MAX, &ok);
    for (size_t i = 0; ok && list != NULL && i < list->count; i++) {
        ok = read_domain(reader, list->items[i], &config->domains[i]);
        config->trust.domain_count = i + 1;
    }
    return ok;
}

static bool read_issuers(struct reader *reader, const struct yaml_node *section)
{
    bool ok;
    struct config *config = reader->config;
    const struct yaml_node *list = list_of(reader, section, "issuers", TRUST_ISSUERS_MAX, &ok);
    for (size_t i = 0; ok && list != NULL && i < list->count; i++) {
        ok = read_issuer(reader, list->items[i], &config->issuers[i], &config->sources[i]);
        config->trust.issuer_count = i + 1;
    }
    return ok;
}

bool config_read_identity(const char *file, const struct yaml_node *section, struct arena *arena,
                          struct config *config, struct error *error)
{
    struct reader reader = {file, arena, config, error};
    struct trust_options *trust = &config->trust;
    *trust = (struct trust_options){.issuers = config->issuers,
                                    .domains = config->domains,
                                    .leeway_ms = 30 * SECOND,
                                    .svid_lifetime_max_ms = DAY};
    if (section == NULL) {
        return true;
    }
    const struct yaml_node *leeway = yaml_member(section, "leeway");
    const struct yaml_node *nonces = yaml_member(section, "dpop_nonces");
    if (!yaml_only_keys(file, section, identity_keys, error) ||
        !read_list(&reader, yaml_member(section, "audiences"), LIST_MAX, &trust->audiences, NULL) ||
        (leeway != NULL &&
         !yaml_read_duration(file, leeway, 0, TOKEN_LEEWAY_MS_MAX, &trust->leeway_ms, error)) ||
        (nonces != NULL && !yaml_read_bool(file, nonces, &config->dpop_nonces, error))) {
        return false;
    }
    bool takes_others =
        yaml_member(section, "trust_domains") != NULL || yaml_member(section, "issuers") != NULL;
    if (trust->audiences == NULL && (takes_others || nonces == NULL)) {
        return fail(&reader, section, "missing_key",
                    "`identity` needs `audiences`: what `aud` of tokens for this gateway is, such "
                    "as its own address");
    }
    return read_domains(&reader, section) && read_issuers(&reader, section);
}
