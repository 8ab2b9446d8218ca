#include "base/check.h"
#include "base/memory.h"
#include "trust/trust_internal.h"
#include <stdlib.h>
#include <string.h>

/* What vouches: made, read again, fetched. Who is vouched for is in vouch.c. */

enum { FOUND_URL_BYTES_MAX = 500 };

#define URL_CHARACTERS                                                                             \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"

static bool is_same_stamp(const struct file_stamp *left, const struct file_stamp *right)
{
    return left->inode == right->inode && left->bytes == right->bytes &&
           left->modified.tv_sec == right->modified.tv_sec &&
           left->modified.tv_nsec == right->modified.tv_nsec;
}

/* ---- putting in force ---- */

static bool install_bundle(struct trust *trust, size_t domain, const struct file_stamp *stamp,
                           struct x509_bundle *bundle, struct jwk_set *keys, struct error *error)
{
    struct domain_state *state = &trust->domains[domain];
    pthread_mutex_lock(&trust->mutex);
    /* SPIFFE bundle section 4.1.1: a sequence number only grows. */
    bool is_older = keys != NULL && state->keys != NULL &&
                    jwk_set_sequence(keys) < jwk_set_sequence(state->keys);
    state->stamp = *stamp;
    struct x509_bundle *old_bundle = is_older ? bundle : state->bundle;
    struct jwk_set *old_keys = is_older ? keys : state->keys;
    if (!is_older) {
        state->bundle = bundle;
        state->keys = keys;
        trust->generation++;
    }
    pthread_mutex_unlock(&trust->mutex);
    x509_bundle_unref(old_bundle);
    jwk_set_unref(old_keys);
    const char *path = trust->options.domains[domain].bundle_file;
    return !is_older || error_set(error, ERROR_INVALID, "older_bundle", path,
                                  "`%s` has an older `spiffe_sequence` than what was read before; "
                                  "the newer bundle stays in force",
                                  path);
}

static void install_keys(struct trust *trust, size_t issuer, struct jwk_set *keys, int64_t tick)
{
    struct issuer_state *state = &trust->issuers[issuer];
    pthread_mutex_lock(&trust->mutex);
    struct jwk_set *old = state->keys;
    state->keys = keys;
    state->taken_tick = tick;
    trust->generation++;
    pthread_mutex_unlock(&trust->mutex);
    jwk_set_unref(old);
}

/* ---- files ---- */

static bool read_bundle(struct trust *trust, size_t domain, const char *bytes, size_t length,
                        const struct file_stamp *stamp, struct error *error)
{
    struct x509_bundle *bundle = NULL;
    struct jwk_set *keys = NULL;
    return trust_read_bundle(trust->options.domains[domain].bundle_file, bytes, length, &bundle,
                             &keys, error) &&
           install_bundle(trust, domain, stamp, bundle, keys, error);
}

static bool read_keys(struct trust *trust, size_t issuer, const char *bytes, size_t length,
                      struct error *error)
{
    struct error cause = {0};
    const char *path = trust->options.issuers[issuer].keys_file;
    struct jwk_set *keys = jwk_set_parse(bytes, length, &cause);
    if (keys == NULL) {
        return error_set(error, ERROR_INVALID, "trust_file", path, "`%s` cannot be used: %s", path,
                         cause.message);
    }
    install_keys(trust, issuer, keys, 0);
    return true;
}

static const char *path_of(const struct trust *trust, size_t file)
{
    size_t domains = trust->options.domain_count;
    return file < domains ? trust->options.domains[file].bundle_file
                          : trust->options.issuers[file - domains].keys_file;
}

static struct file_stamp *stamp_of(struct trust *trust, size_t file)
{
    size_t domains = trust->options.domain_count;
    return file < domains ? &trust->domains[file].stamp : &trust->issuers[file - domains].stamp;
}

size_t trust_file_count(const struct trust *trust)
{
    return trust->options.domain_count + trust->options.issuer_count;
}

static bool read_file(struct trust *trust, size_t file, struct error *error)
{
    char *bytes MEMORY_SCOPE = NULL;
    size_t length = 0;
    size_t domains = trust->options.domain_count;
    struct file_stamp stamp = {0};
    if (!trust_read_file(path_of(trust, file), &bytes, &length, &stamp, error)) {
        return false;
    }
    /* Kept though it may be bad: it is complained of once. Only this thread reads stamps. */
    *stamp_of(trust, file) = stamp;
    return file < domains ? read_bundle(trust, file, bytes, length, &stamp, error)
                          : read_keys(trust, file - domains, bytes, length, error);
}

enum trust_file trust_reread_file(struct trust *trust, size_t file, bool whatever_its_time,
                                  const char **out_path, struct error *error)
{
    struct stat about = {0};
    *out_path = path_of(trust, file);
    if (*out_path == NULL) {
        return TRUST_FILE_SAME;
    }
    struct file_stamp now = {0};
    if (stat(*out_path, &about) == 0) {
        now = (struct file_stamp){about.st_mtim, about.st_ino, about.st_size};
    }
    if (!whatever_its_time && is_same_stamp(&now, stamp_of(trust, file))) {
        return TRUST_FILE_SAME;
    }
    if (read_file(trust, file, error)) {
        return TRUST_FILE_READ;
    }
    *stamp_of(trust, file) = now;
    return TRUST_FILE_BAD;
}

/* ---- fetches ---- */

bool trust_next_fetch(struct trust *trust, int64_t tick, size_t *out_issuer)
{
    bool is_found = false;
    pthread_mutex_lock(&trust->mutex);
    for (size_t i = 0; !is_found && i < trust->options.issuer_count; i++) {
        struct issuer_state *state = &trust->issuers[i];
        if (trust->options.issuers[i].keys_file == NULL && !state->is_fetching &&
            (!state->was_tried || tick >= state->next_tick)) {
            state->is_fetching = true;
            state->was_tried = true;
            state->tried_tick = tick;
            *out_issuer = i;
            is_found = true;
        }
    }
    pthread_mutex_unlock(&trust->mutex);
    return is_found;
}

/* OpenID Connect Discovery section 3, as far as it concerns us. The keys are of the origin that the
 * operator named, so that what answers there can send us nowhere else. */
static char *read_metadata(const struct trust_issuer *issuer, const char *bytes, size_t length,
                           struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, error);
    const struct json *root = document == NULL ? NULL : json_root(document);
    const char *name = json_text(json_member(root, "issuer"));
    const char *url = json_text(json_member(root, "jwks_uri"));
    const char *scheme_end = strstr(issuer->metadata_url, "://");
    size_t origin = scheme_end == NULL ? 0
                                       : (size_t)(scheme_end + 3 - issuer->metadata_url) +
                                             strcspn(scheme_end + 3, "/?#");
    if (name == NULL || strcmp(name, issuer->terms.issuer) != 0) {
        error_set(error, ERROR_INVALID, "bad_metadata", NULL,
                  "the metadata is of another `issuer` than `%s`", issuer->terms.issuer);
        return NULL;
    }
    if (url == NULL || origin == 0 || strncmp(url, issuer->metadata_url, origin) != 0 ||
        url[origin] != '/' || strlen(url) > FOUND_URL_BYTES_MAX ||
        strspn(url, URL_CHARACTERS) != strlen(url)) {
        error_set(error, ERROR_INVALID, "bad_metadata", NULL,
                  "the metadata's `jwks_uri` is not of the same origin as `%s`",
                  issuer->metadata_url);
        return NULL;
    }
    char *found = memory_zeroed(1, strlen(url) + 1);
    memcpy(found, url, strlen(url));
    return found;
}

static bool take_metadata(struct trust *trust, size_t issuer, const char *bytes, size_t length,
                          int64_t tick, struct error *error)
{
    struct issuer_state *state = &trust->issuers[issuer];
    char *found = read_metadata(&trust->options.issuers[issuer], bytes, length, error);
    if (found == NULL) {
        trust_fetch_failed(trust, issuer, tick);
        return false;
    }
    pthread_mutex_lock(&trust->mutex);
    state->found_url = found;
    state->is_fetching = false;
    state->next_tick = tick;
    pthread_mutex_unlock(&trust->mutex);
    return true;
}

void trust_fetch_failed(struct trust *trust, size_t issuer, int64_t tick)
{
    struct issuer_state *state = &trust->issuers[issuer];
    pthread_mutex_lock(&trust->mutex);
    int doublings = state->failures < 4 ? state->failures : 4;
    int64_t pause = (int64_t)TRUST_RETRY_MS << doublings;
    state->is_fetching = false;
    state->failures++;
    free(state->found_url);
    state->found_url = NULL;
    state->next_tick = tick + (pause > 60 * 1000 ? 60 * 1000 : pause);
    pthread_mutex_unlock(&trust->mutex);
}

const char *trust_fetch_url(const struct trust *trust, size_t issuer)
{
    const struct trust_issuer *options = &trust->options.issuers[issuer];
    const struct issuer_state *state = &trust->issuers[issuer];
    return options->metadata_url == NULL ? options->keys_url
           : state->found_url == NULL    ? options->metadata_url
                                         : state->found_url;
}

bool trust_take_keys(struct trust *trust, size_t issuer, const char *bytes, size_t length,
                     int64_t tick, struct error *error)
{
    struct issuer_state *state = &trust->issuers[issuer];
    if (trust->options.issuers[issuer].metadata_url != NULL && state->found_url == NULL) {
        return take_metadata(trust, issuer, bytes, length, tick, error);
    }
    struct jwk_set *keys = jwk_set_parse(bytes, length, error);
    if (keys == NULL) {
        trust_fetch_failed(trust, issuer, tick);
        return false;
    }
    install_keys(trust, issuer, keys, tick);
    pthread_mutex_lock(&trust->mutex);
    state->is_fetching = false;
    state->failures = 0;
    state->next_tick = tick + trust->options.issuers[issuer].refresh_ms;
    free(state->found_url); /* it is asked for again each time */
    state->found_url = NULL;
    pthread_mutex_unlock(&trust->mutex);
    return true;
}

/* ---- life ---- */

static bool read_all(struct trust *trust, struct error *error)
{
    for (size_t i = 0; i < trust_file_count(trust); i++) {
        if (path_of(trust, i) != NULL && !read_file(trust, i, error)) {
            return false;
        }
    }
    return true;
}

struct trust *trust_create(const struct trust_options *options, struct error *error)
{
    CHECK(options->issuer_count <= TRUST_ISSUERS_MAX && options->domain_count <= TRUST_DOMAINS_MAX);
    struct trust *trust = memory_zeroed(1, sizeof *trust);
    trust->options = *options;
    trust->generation = 1;
    trust->remembered = memory_zeroed(TRUST_REMEMBERED, sizeof *trust->remembered);
    CHECK(pthread_mutex_init(&trust->mutex, NULL) == 0);
    if (!read_all(trust, error)) {
        trust_destroy(trust);
        return NULL;
    }
    return trust;
}

void trust_destroy(struct trust *trust)
{
    if (trust == NULL) {
        return;
    }
    for (size_t i = 0; i < trust->options.issuer_count; i++) {
        jwk_set_unref(trust->issuers[i].keys);
        free(trust->issuers[i].found_url);
    }
    for (size_t i = 0; i < trust->options.domain_count; i++) {
        x509_bundle_unref(trust->domains[i].bundle);
        jwk_set_unref(trust->domains[i].keys);
    }
    trust_forget_all(trust);
    pthread_mutex_destroy(&trust->mutex);
    free(trust);
}

bool trust_takes_tokens(const struct trust *trust)
{
    for (size_t i = 0; i < trust->options.issuer_count; i++) {
        if (!trust->options.issuers[i].is_service) {
            return true;
        }
    }
    return trust->options.domain_count > 0;
}

bool trust_takes_certificates(const struct trust *trust)
{
    return trust->options.domain_count > 0;
}

int64_t trust_leeway_ms(const struct trust *trust)
{
    return trust->options.leeway_ms;
}
