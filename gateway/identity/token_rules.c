#include "identity/token_rules.h"

#include "identity/confirmation.h"
#include "identity/spiffe.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool refuse(struct error *error, const char *code, const char *message)
{
    return error_set(error, ERROR_UNAUTHENTICATED, code, NULL, "%s", message);
}

static const char *text_of(const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    return text != NULL && strlen(text) == json_text_length(value) ? text : NULL;
}

const char *token_text(const struct jwt *jwt, const char *claim)
{
    return text_of(jwt->claims, claim);
}

static bool is_in(const char *text, const char *const *list)
{
    while (*list != NULL && strcmp(*list, text) != 0) {
        list++;
    }
    return *list != NULL;
}

static bool judge_kind(const struct jwt *jwt, const struct token_terms *terms, struct error *error)
{
    static const char *const usual[] = {"", "jwt", "jose", NULL};
    if (!is_in(jwt->type, terms->types == NULL ? usual : terms->types)) {
        return refuse(error, "wrong_type",
                      "the token's `typ` says it is another kind of token than this issuer's");
    }
    return (terms->algorithms & 1U << jwt->algorithm) != 0 ||
           refuse(error, "wrong_algorithm",
                  "the token is signed with an algorithm this issuer is not allowed");
}

/* RFC 7519 section 4.1.3: a text or a list of texts. */
static bool judge_audience(const struct json *claims, const struct token_terms *terms,
                           struct error *error)
{
    const struct json *audience = json_member(claims, "aud");
    const char *only = text_of(claims, "aud");
    bool is_ours = only != NULL && is_in(only, terms->audiences);
    for (size_t i = 0; !is_ours && i < json_count(audience) && i < MATCHER_ELEMENTS_MAX; i++) {
        const char *one = json_text(json_element(audience, i));
        is_ours =
            json_type(audience) == JSON_TYPE_ARRAY && one != NULL && is_in(one, terms->audiences);
    }
    return is_ours ||
           refuse(error, "wrong_audience", "the token's `aud` does not name this gateway");
}

/* NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction. Absent is 0 in milliseconds.
 */
static bool read_time(const struct json *claims, const char *name, int64_t *out_ms)
{
    static const double seconds_max = 253402300799.0; /* the end of the year 9999 */
    const struct json *value = json_member(claims, name);
    double seconds = json_number(value);
    *out_ms = 0;
    if (value == NULL) {
        return true;
    }
    if (json_type(value) != JSON_TYPE_NUMBER || !isfinite(seconds) || seconds < 1 ||
        seconds > seconds_max) {
        return false;
    }
    *out_ms = (int64_t)(seconds * 1000);
    return true;
}

static bool judge_times(const struct json *claims, const struct token_terms *terms,
                        int64_t leeway_max, int64_t now, int64_t *out_until_at, struct error *error)
{
    int64_t expires_at;
    int64_t begins_at;
    int64_t issued_at;
    int64_t leeway = terms->leeway_ms > leeway_max ? leeway_max : terms->leeway_ms;
    if (!read_time(claims, "exp", &expires_at) || !read_time(claims, "nbf", &begins_at) ||
        !read_time(claims, "iat", &issued_at)) {
        return refuse(error, "malformed_claims", "`exp`, `nbf` or `iat` is no time");
    }
    if (expires_at == 0) {
        return refuse(error, "no_expiry", "the token has no `exp`: it would be good for ever");
    }
    if (now >= expires_at + leeway) {
        return refuse(error, "expired", "the token is expired");
    }
    if (begins_at > now + leeway) {
        return refuse(error, "not_yet_valid", "the token is not valid yet (`nbf`)");
    }
    if (issued_at > now + leeway) {
        return refuse(error, "issued_in_future", "the token was issued in the future (`iat`)");
    }
    if (expires_at - (issued_at == 0 ? now : issued_at) > terms->lifetime_max_ms) {
        return refuse(error, "lives_too_long",
                      "the token lives longer than the configuration lets tokens of this issuer");
    }
    *out_until_at = expires_at + leeway;
    return true;
}

/* RFC 8693 section 4.1: `act` within `act`; the outermost acts now. */
static bool read_act(const struct json *claims, struct proof *out, struct error *error)
{
    const struct json *act = json_member(claims, "act");
    for (; act != NULL; act = json_member(act, "act")) {
        const char *actor = text_of(act, "sub");
        if (json_type(act) != JSON_TYPE_OBJECT || actor == NULL || actor[0] == '\0' ||
            strlen(actor) >= PROOF_ACT_BYTES) {
            return refuse(error, "malformed_claims", "an `act` names no actor by a short `sub`");
        }
        if (out->act_count == PROOF_ACT_MAX) {
            return refuse(error, "act_too_deep", "more than 4 actors act for one another");
        }
        memcpy(out->act[out->act_count++], actor, strlen(actor) + 1);
    }
    return true;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool read_id(const struct jwt *jwt, const struct token_terms *terms, struct proof *out,
                    struct error *error)
{
    const char *subject = token_text(jwt, "sub");
    const char *issuer = terms->issuer == NULL ? "" : terms->issuer;
    int length = subject == NULL ? 0
                                 : snprintf(out->id, sizeof out->id, "%s%s%s", issuer,
                                            issuer[0] == '\0' ? "" : " ", subject);
    if (subject == NULL || subject[0] == '\0' || has_control(subject) ||
        length >= (int)sizeof out->id) {
        return refuse(error, "malformed_claims", "the token needs a `sub` of at most 400 bytes");
    }
    return true;
}

static const struct matcher *find_svid(const char *subject, const struct token_terms *terms)
{
    struct spiffe_id id;
    return spiffe_read_id(subject, strlen(subject), &id)
               ? matcher_find_spiffe(terms->matchers, terms->matcher_count, id.text,
                                     id.text + id.path_at)
               : NULL;
}

static bool take_registration(const struct jwt *jwt, const struct token_terms *terms,
                              struct proof *out, struct error *error)
{
    const struct matcher *found =
        terms->issuer == NULL ? find_svid(token_text(jwt, "sub"), terms)
                              : matcher_find(terms->matchers, terms->matcher_count, jwt->claims);
    if (found == NULL) {
        return refuse(error, "no_registration",
                      "no `callers` entry of this issuer matches the token's claims");
    }
    snprintf(out->caller, sizeof out->caller, "%s", found->caller);
    snprintf(out->agent, sizeof out->agent, "%s", found->agent == NULL ? "" : found->agent);
    return true;
}

bool token_judge(const struct jwt *jwt, const struct token_terms *terms, int64_t now,
                 struct proof *out, struct error *error)
{
    struct proof proof = {0};
    if (!judge_kind(jwt, terms, error) ||
        !judge_times(jwt->claims, terms, TOKEN_LEEWAY_MS_MAX, now, &proof.until_at, error) ||
        !judge_audience(jwt->claims, terms, error) || !read_id(jwt, terms, &proof, error) ||
        !confirmation_read(json_member(jwt->claims, "cnf"), proof.confirmation, error) ||
        !read_act(jwt->claims, &proof, error) || !take_registration(jwt, terms, &proof, error)) {
        return false;
    }
    proof.kind = CREDENTIAL_JWT;
    *out = proof;
    return true;
}

bool token_judge_service(const struct jwt *jwt, const struct token_terms *terms, int64_t now,
                         struct error *error)
{
    const char *issuer = token_text(jwt, "iss");
    int64_t until_at;
    if (!judge_kind(jwt, terms, error)) {
        return false;
    }
    if (issuer == NULL || strcmp(issuer, terms->issuer) != 0) {
        return refuse(error, "wrong_issuer", "the token's `iss` is not the service's");
    }
    return judge_audience(jwt->claims, terms, error) &&
           judge_times(jwt->claims, terms, TOKEN_SERVICE_LEEWAY_MS_MAX, now, &until_at, error);
}
