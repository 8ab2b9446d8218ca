#include "formats/text.h"
#include "identity/confirmation.h"
#include "identity/token_rules.h"
#include "tests/support/minter.h"
#include "tests/support/run_suite.h"
#include <stdio.h>
#include <string.h>

static const int64_t now = INT64_C(1800000000000);
static struct error error;
static struct builder token;
static struct jwt jwt;
static struct minter *minter;

#define K8S_SUB "system:serviceaccount:agents:billing"

static const char *const subjects[] = {K8S_SUB};
static const char *const spaces[] = {"agents", "other"};
static const struct matcher_claim claims_of_billing[] = {{"sub", subjects, 1},
                                                         {"/kubernetes.io/namespace", spaces, 2}};
static const struct matcher matchers[] = {{claims_of_billing, 2, "runner", "billing-bot"}};
static const char *const audiences[] = {"https://gate.example", "gate", NULL};

static struct token_terms terms_of(void)
{
    return (struct token_terms){.issuer = "https://issuer.example",
                                .audiences = audiences,
                                .algorithms = 1U << JWK_ES256,
                                .leeway_ms = 30 * 1000,
                                .lifetime_max_ms = 3600 * 1000,
                                .matchers = matchers,
                                .matcher_count = 1};
}

static void start(void)
{
    error = (struct error){0};
    builder_init(&token, 0);
    jwt = (struct jwt){0};
    minter = minter_create(JWK_ES256);
}

static void stop(void)
{
    builder_finish(&token);
    jwt_finish(&jwt);
    minter_destroy(minter);
}

static bool judge_with(const struct token_terms *terms, const char *header, const char *claims,
                       struct proof *out)
{
    builder_clear(&token);
    jwt_finish(&jwt);
    error = (struct error){0};
    minter_append_token(minter, header, claims, &token);
    ck_assert_msg(jwt_read(token.bytes, token.length, false, &jwt, &error), "%s: %s", error.message,
                  claims);
    return token_judge(&jwt, terms, now, out, &error);
}

static bool judge(const char *claims, struct proof *out)
{
    struct token_terms terms = terms_of();
    return judge_with(&terms, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", claims, out);
}

#define MORE  "\"sub\":\"" K8S_SUB "\",\"kubernetes.io\":{\"namespace\":\"agents\"}"
#define TIMES "\"iat\":1799999990,\"exp\":1800000600"
#define AUD   "\"aud\":[\"other\",\"gate\"]"
#define GOOD  "{" AUD "," TIMES "," MORE "}"

START_TEST(token__good_claims_prove_the_registered_caller)
{
    struct proof proof;
    ck_assert_msg(judge(GOOD, &proof), "%s", error.message);
    ck_assert_int_eq(proof.kind, CREDENTIAL_JWT);
    ck_assert_str_eq(proof.caller, "runner");
    ck_assert_str_eq(proof.agent, "billing-bot");
    ck_assert_str_eq(proof.id, "https://issuer.example " K8S_SUB);
    ck_assert_str_eq(proof.confirmation, "");
    ck_assert_int_eq(proof.until_at, INT64_C(1800000630000));
    ck_assert(judge("{\"aud\":\"gate\"," TIMES "," MORE "}", &proof));
}
END_TEST

static const struct {
    const char *code, *claims;
} refused[] = {
    {"no_expiry", "{" AUD "," MORE "}"},
    {"malformed_claims", "{" AUD ",\"exp\":\"1800000600\"," MORE "}"},
    {"malformed_claims", "{" AUD ",\"exp\":-5," MORE "}"},
    {"malformed_claims", "{" AUD ",\"exp\":1e300," MORE "}"},
    {"malformed_claims", "{" AUD ",\"exp\":1800000600,\"nbf\":\"x\"," MORE "}"},
    {"malformed_claims", "{" AUD ",\"exp\":1800000600,\"iat\":true," MORE "}"},
    {"expired", "{" AUD ",\"iat\":1799999000,\"exp\":1799999970," MORE "}"},
    {"not_yet_valid", "{" AUD ",\"nbf\":1800000031," TIMES "," MORE "}"},
    {"issued_in_future", "{" AUD ",\"iat\":1800000031,\"exp\":1800000600," MORE "}"},
    {"lives_too_long", "{" AUD ",\"iat\":1799999990,\"exp\":1800003591," MORE "}"},
    {"lives_too_long", "{" AUD ",\"exp\":1800003601," MORE "}"},
    {"wrong_audience", "{" TIMES "," MORE "}"},
    {"wrong_audience", "{\"aud\":\"gates\"," TIMES "," MORE "}"},
    {"wrong_audience", "{\"aud\":[]," TIMES "," MORE "}"},
    {"wrong_audience", "{\"aud\":{\"gate\":\"gate\"}," TIMES "," MORE "}"},
    {"wrong_audience", "{\"aud\":\"gate\\u0000\"," TIMES "," MORE "}"},
    {"malformed_claims", "{" AUD "," TIMES "}"},
    {"malformed_claims", "{" AUD "," TIMES ",\"sub\":7}"},
    {"malformed_claims", "{" AUD "," TIMES ",\"sub\":\"a\\nb\"}"},
    {"malformed_claims", "{" AUD "," TIMES ",\"act\":\"bot\"," MORE "}"},
    {"malformed_claims", "{" AUD "," TIMES ",\"act\":{\"iss\":\"x\"}," MORE "}"},
    {"malformed_claims", "{" AUD "," TIMES ",\"act\":{\"sub\":\"a\",\"act\":[]}," MORE "}"},
    {"act_too_deep",
     "{" AUD "," TIMES ",\"act\":{\"sub\":\"a\",\"act\":{\"sub\":\"b\",\"act\":{\"sub\":\"c\","
     "\"act\":{\"sub\":\"d\",\"act\":{\"sub\":\"e\"}}}}}," MORE "}"},
    {"unknown_confirmation", "{" AUD "," TIMES ",\"cnf\":{\"kid\":\"k\"}," MORE "}"},
    {"unknown_confirmation", "{" AUD "," TIMES ",\"cnf\":{}," MORE "}"},
    {"unknown_confirmation", "{" AUD "," TIMES ",\"cnf\":{\"jkt\":\"short\"}," MORE "}"},
    {"no_registration", "{" AUD "," TIMES ",\"sub\":\"system:serviceaccount:agents:other\","
                        "\"kubernetes.io\":{\"namespace\":\"agents\"}}"},
    {"no_registration", "{" AUD "," TIMES ",\"sub\":\"" K8S_SUB "\"}"},
    {"no_registration", "{" AUD "," TIMES ",\"sub\":\"" K8S_SUB
                        "\",\"kubernetes.io\":{\"namespace\":{\"agents\":1}}}"},
};

START_TEST(token__claims_with_one_thing_wrong_are_refused_by_its_name)
{
    struct proof proof = {0};
    ck_assert_msg(!judge(refused[_i].claims, &proof), "%s", refused[_i].claims);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_msg(strcmp(error.code, refused[_i].code) == 0, "%s instead of %s: %s", error.code,
                  refused[_i].code, refused[_i].claims);
    ck_assert_int_eq(proof.kind, CREDENTIAL_NONE);
}
END_TEST

START_TEST(token__the_leeway_is_used_to_its_millisecond_and_never_above_a_minute)
{
    struct proof proof;
    struct token_terms terms = terms_of();
    static const char header[] = "{\"alg\":\"ES256\"}";
    static const char late[] = "{" AUD ",\"iat\":1799999000,\"exp\":1799999971," MORE "}";
    static const char later[] = "{" AUD ",\"iat\":1799999000,\"exp\":1799999940," MORE "}";
    ck_assert_msg(judge_with(&terms, header, late, &proof), "%s", error.message);
    terms.leeway_ms = 29 * 1000;
    ck_assert(!judge_with(&terms, header, late, &proof));
    terms.leeway_ms = 3600 * 1000;
    ck_assert(!judge_with(&terms, header, later, &proof));
    ck_assert_str_eq(error.code, "expired");
}
END_TEST

START_TEST(token__another_kind_of_token_is_refused)
{
    struct proof proof;
    struct token_terms terms = terms_of();
    ck_assert(
        !judge_with(&terms, "{\"alg\":\"ES256\",\"typ\":\"countersign-grant+jwt\"}", GOOD, &proof));
    ck_assert_str_eq(error.code, "wrong_type");
    ck_assert(!judge_with(&terms, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", GOOD, &proof));
    static const char *const access[] = {"at+jwt", NULL};
    terms.types = access;
    ck_assert(judge_with(&terms, "{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}", GOOD, &proof));
    ck_assert(!judge_with(&terms, "{\"alg\":\"ES256\"}", GOOD, &proof));
}
END_TEST

START_TEST(token__an_algorithm_the_issuer_is_not_allowed_is_refused)
{
    struct proof proof;
    struct token_terms terms = terms_of();
    terms.algorithms = TOKEN_SVID_ALGORITHMS & ~(1U << JWK_ES256);
    ck_assert(!judge_with(&terms, "{\"alg\":\"ES256\"}", GOOD, &proof));
    ck_assert_str_eq(error.code, "wrong_algorithm");
    terms.algorithms = TOKEN_SVID_ALGORITHMS;
    ck_assert(!judge_with(&terms, "{\"alg\":\"EdDSA\"}", GOOD, &proof));
    ck_assert_str_eq(error.code, "wrong_algorithm");
}
END_TEST

START_TEST(token__actors_are_kept_in_order)
{
    struct proof proof;
    ck_assert(judge("{" AUD "," TIMES
                    ",\"act\":{\"sub\":\"now\",\"act\":{\"sub\":\"before\"}}," MORE "}",
                    &proof));
    ck_assert_uint_eq(proof.act_count, 2);
    ck_assert_str_eq(proof.act[0], "now");
    ck_assert_str_eq(proof.act[1], "before");
}
END_TEST

#define HASH "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

START_TEST(token__what_a_token_is_bound_to_is_kept)
{
    struct proof proof;
    ck_assert(judge("{" AUD "," TIMES ",\"cnf\":{\"x5t#S256\":\"" HASH "\"}," MORE "}", &proof));
    ck_assert_str_eq(proof.confirmation, "x5t#S256:" HASH);
}
END_TEST

/* ---- matchers ---- */

static bool matches(const char *claim, const char *value, const char *claims)
{
    const char *const values[] = {value};
    struct matcher_claim rule = {claim, values, 1};
    struct matcher one = {&rule, 1, "c", NULL};
    struct json_document *document JSON_SCOPE = json_parse(claims, strlen(claims), &error);
    ck_assert_ptr_nonnull(document);
    return matcher_find(&one, 1, json_root(document)) == &one;
}

START_TEST(matcher__values_are_exact_or_globs_and_lists_match_by_any_element)
{
    ck_assert(matches("ref", "refs/heads/main", "{\"ref\":\"refs/heads/main\"}"));
    ck_assert(!matches("ref", "refs/heads/main", "{\"ref\":\"refs/heads/main2\"}"));
    ck_assert(matches("ref", "refs/heads/*", "{\"ref\":\"refs/heads/main\"}"));
    ck_assert(!matches("ref", "refs/heads/*", "{\"ref\":\"refs/heads/a/b\"}"));
    ck_assert(matches("ref", "refs/**", "{\"ref\":\"refs/heads/a/b\"}"));
    ck_assert(matches("groups", "a", "{\"groups\":[\"b\",\"a\"]}"));
    ck_assert(!matches("groups", "a", "{\"groups\":[[\"a\"]]}"));
    ck_assert(matches("repository_id", "42", "{\"repository_id\":42}"));
    ck_assert(matches("repository_id", "42", "{\"repository_id\":\"42\"}"));
    ck_assert(matches("ok", "true", "{\"ok\":true}"));
    ck_assert(!matches("ok", "true", "{\"ok\":null}"));
    ck_assert(!matches("sub", "a", "{\"sub\":\"a\\u0000b\"}"));
    ck_assert(matches("/a~1b/c~0d", "x", "{\"a/b\":{\"c~d\":\"x\"}}"));
    ck_assert(!matches("/a/b", "x", "{\"a\":{\"b\":{\"c\":\"x\"}}}"));
    ck_assert(!matches("missing", "*", "{}"));
}
END_TEST

START_TEST(matcher__one_that_asks_nothing_matches_nobody)
{
    struct matcher nothing = {NULL, 0, "c", NULL};
    struct matcher_claim no_values = {"sub", NULL, 0};
    struct matcher nobody = {&no_values, 1, "c", NULL};
    struct json_document *document JSON_SCOPE = json_parse("{\"sub\":\"a\"}", 11, &error);
    ck_assert_ptr_null(matcher_find(&nothing, 1, json_root(document)));
    ck_assert_ptr_null(matcher_find(&nobody, 1, json_root(document)));
    ck_assert_ptr_null(matcher_find_spiffe(&nothing, 1, "spiffe://d/a", "/a"));
}
END_TEST

START_TEST(matcher__an_svid_is_matched_by_its_id_or_path)
{
    const char *const values[] = {"/ns/*/sa/billing"};
    struct matcher_claim rule = {"path", values, 1};
    struct matcher one = {&rule, 1, "c", NULL};
    ck_assert_ptr_nonnull(
        matcher_find_spiffe(&one, 1, "spiffe://d/ns/a/sa/billing", "/ns/a/sa/billing"));
    ck_assert_ptr_null(
        matcher_find_spiffe(&one, 1, "spiffe://d/ns/a/b/sa/billing", "/ns/a/b/sa/billing"));
    rule.claim = "aud";
    ck_assert_ptr_null(
        matcher_find_spiffe(&one, 1, "spiffe://d/ns/a/sa/billing", "/ns/a/sa/billing"));
}
END_TEST

/* ---- DPoP ---- */

#define URL "https://gate.example/v1/requests"

static struct dpop_terms dpop_terms_of(void)
{
    return (struct dpop_terms){.method = "POST", .url = URL, .token = "grant", .leeway_ms = 5000};
}

/* ath of "grant". */
static void append_hash(struct builder *out)
{
    struct sha256 hash = crypto_sha256("grant", 5);
    text_append_base64url(out, hash.bytes, sizeof hash.bytes);
}

static bool prove(const char *typ, const char *claims, const struct dpop_terms *terms,
                  struct dpop_proof *out)
{
    struct builder header BUILDER_SCOPE;
    builder_init(&header, 0);
    builder_printf(&header, "{\"alg\":\"ES256\",\"typ\":\"%s\",\"jwk\":", typ);
    minter_append_jwk(minter, "", &header);
    builder_text(&header, "}");
    builder_clear(&token);
    error = (struct error){0};
    minter_append_token(minter, header.bytes, claims, &token);
    return dpop_judge(token.bytes, token.length, terms, now, out, &error);
}

#define PROOF(htu, more) "{\"jti\":\"1\",\"htm\":\"POST\",\"htu\":\"" htu "\"" more "}"
#define IAT              ",\"iat\":1799999995"

START_TEST(dpop__a_proof_for_this_call_proves_its_key)
{
    struct dpop_terms terms = dpop_terms_of();
    struct dpop_proof first;
    struct dpop_proof second;
    char expected[CONFIRMATION_BYTES];
    ck_assert_msg(prove("dpop+jwt", PROOF(URL, IAT), &terms, &first), "%s", error.message);
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    minter_append_jwk(minter, "", &json);
    struct json_document *document JSON_SCOPE = json_parse(json.bytes, json.length, &error);
    struct jwk *key = jwk_read(json_root(document), &error);
    confirmation_of_key(key, expected);
    ck_assert_str_eq(first.confirmation, expected);
    ck_assert(confirmation_is(expected));
    jwk_destroy(key);
    ck_assert(prove("dpop+jwt", PROOF(URL "?q=1", IAT), &terms, &second));
    ck_assert_mem_eq(&first.once, &second.once, sizeof first.once);
    ck_assert(prove("dpop+jwt",
                    "{\"jti\":\"2\",\"htm\":\"POST\",\"htu\":\"HTTPS://GATE.example:443/v1/"
                    "requests#x\"" IAT "}",
                    &terms, &second));
    ck_assert_mem_ne(&first.once, &second.once, sizeof first.once);
}
END_TEST

static const struct {
    const char *typ, *claims;
} bad_proofs[] = {
    {"jwt", PROOF(URL, IAT)},
    {"dpop+jwt", "{\"htm\":\"POST\",\"htu\":\"" URL "\"" IAT "}"},
    {"dpop+jwt", "{\"jti\":\"\",\"htm\":\"POST\",\"htu\":\"" URL "\"" IAT "}"},
    {"dpop+jwt", "{\"jti\":\"1\",\"htm\":\"GET\",\"htu\":\"" URL "\"" IAT "}"},
    {"dpop+jwt", "{\"jti\":\"1\",\"htm\":\"post\",\"htu\":\"" URL "\"" IAT "}"},
    {"dpop+jwt", "{\"jti\":\"1\",\"htu\":\"" URL "\"" IAT "}"},
    {"dpop+jwt", "{\"jti\":\"1\",\"htm\":\"POST\"" IAT "}"},
    {"dpop+jwt", PROOF("https://gate.example/v1/requests/", IAT)},
    {"dpop+jwt", PROOF("https://gate.example/v1/Requests", IAT)},
    {"dpop+jwt", PROOF("http://gate.example/v1/requests", IAT)},
    {"dpop+jwt", PROOF("https://gate.example.evil/v1/requests", IAT)},
    {"dpop+jwt", PROOF("https://gate.example:8443/v1/requests", IAT)},
    {"dpop+jwt", PROOF(URL, "")},
    {"dpop+jwt", PROOF(URL, ",\"iat\":1800000006")},
    {"dpop+jwt", PROOF(URL, ",\"iat\":1799999934")},
    {"dpop+jwt", PROOF(URL, ",\"iat\":\"1799999995\"")},
    {"dpop+jwt", PROOF(URL, IAT ",\"ath\":\"" HASH "\"")},
    {"dpop+jwt", PROOF(URL, IAT ",\"ath\":7")},
};

START_TEST(dpop__a_proof_with_one_thing_wrong_is_refused)
{
    struct dpop_terms terms = dpop_terms_of();
    struct dpop_proof proof;
    ck_assert_msg(!prove(bad_proofs[_i].typ, bad_proofs[_i].claims, &terms, &proof), "%s",
                  bad_proofs[_i].claims);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "invalid_dpop_proof");
}
END_TEST

START_TEST(dpop__the_hash_of_the_token_is_checked_where_it_is_needed)
{
    struct dpop_terms terms = dpop_terms_of();
    struct dpop_proof proof;
    struct builder claims BUILDER_SCOPE;
    builder_init(&claims, 0);
    builder_text(&claims, "{\"jti\":\"1\",\"htm\":\"POST\",\"htu\":\"" URL "\"" IAT ",\"ath\":\"");
    append_hash(&claims);
    builder_text(&claims, "\"}");
    terms.needs_token_hash = true;
    ck_assert_msg(prove("dpop+jwt", claims.bytes, &terms, &proof), "%s", error.message);
    ck_assert(!prove("dpop+jwt", PROOF(URL, IAT), &terms, &proof));
    terms.token = NULL;
    ck_assert(!prove("dpop+jwt", claims.bytes, &terms, &proof));
}
END_TEST

START_TEST(dpop__the_nonce_of_a_proof_is_taken_where_it_could_be_ours)
{
    struct dpop_terms terms = dpop_terms_of();
    struct dpop_proof proof;
    ck_assert(prove("dpop+jwt", PROOF(URL, IAT ",\"nonce\":\"AbC_-9\""), &terms, &proof));
    ck_assert_str_eq(proof.nonce, "AbC_-9");
    ck_assert(prove("dpop+jwt", PROOF(URL, IAT), &terms, &proof));
    ck_assert_str_eq(proof.nonce, "");
    ck_assert(prove("dpop+jwt", PROOF(URL, IAT ",\"nonce\":7"), &terms, &proof));
    ck_assert_str_eq(proof.nonce, "");
    char huge[DPOP_NONCE_BYTES + 1];
    memset(huge, 'a', DPOP_NONCE_BYTES);
    huge[DPOP_NONCE_BYTES] = '\0';
    struct builder claims BUILDER_SCOPE;
    builder_init(&claims, 0);
    builder_printf(&claims,
                   "{\"jti\":\"1\",\"htm\":\"POST\",\"htu\":\"" URL "\"" IAT ",\"nonce\":\"%s\"}",
                   huge);
    ck_assert(prove("dpop+jwt", claims.bytes, &terms, &proof));
    ck_assert_str_eq(proof.nonce, "");
}
END_TEST

START_TEST(dpop__a_changed_proof_and_one_of_another_key_are_refused)
{
    struct dpop_terms terms = dpop_terms_of();
    struct dpop_proof proof;
    ck_assert(prove("dpop+jwt", PROOF(URL, IAT), &terms, &proof));
    char *dot = strrchr(token.bytes, '.');
    dot[5] = dot[5] == 'A' ? 'B' : 'A';
    error = (struct error){0};
    ck_assert(!dpop_judge(token.bytes, token.length, &terms, now, &proof, &error));
    ck_assert_str_eq(error.code, "invalid_dpop_proof");
    ck_assert(!dpop_judge("a.b.c", 5, &terms, now, &proof, &error));
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

#define SERVICE "\"iss\":\"https://service.example\",\"aud\":\"gate\","

static const char *judge_service(const char *claims, unsigned algorithms, int64_t leeway)
{
    struct token_terms terms = {.issuer = "https://service.example",
                                .audiences = audiences,
                                .algorithms = algorithms,
                                .leeway_ms = leeway,
                                .lifetime_max_ms = 24 * 3600 * 1000};
    builder_clear(&token);
    jwt_finish(&jwt);
    error = (struct error){0};
    minter_append_token(minter, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", claims, &token);
    ck_assert(jwt_read(token.bytes, token.length, false, &jwt, &error));
    return token_judge_service(&jwt, &terms, now, &error) ? "good" : error.code;
}

START_TEST(token__a_service_is_whose_for_whom_and_when_and_has_five_minutes)
{
    static const struct {
        const char *claims, *want;
    } cases[] = {
        {"{" SERVICE "\"nbf\":1799999990,\"exp\":1800000600}", "good"},
        {"{" SERVICE "\"nbf\":1800000300,\"exp\":1800000600}", "good"},
        {"{" SERVICE "\"nbf\":1800000301,\"exp\":1800000600}", "not_yet_valid"},
        {"{" SERVICE "\"exp\":1799999701}", "good"},
        {"{" SERVICE "\"exp\":1799999700}", "expired"},
        {"{" SERVICE "\"nbf\":1799999990}", "no_expiry"},
        {"{" SERVICE "\"exp\":\"1800000600\"}", "malformed_claims"},
        {"{" SERVICE "\"exp\":1900000600}", "lives_too_long"},
        {"{\"aud\":\"gate\",\"exp\":1800000600}", "wrong_issuer"},
        {"{\"iss\":\"https://service.example/\",\"aud\":\"gate\",\"exp\":1800000600}",
         "wrong_issuer"},
        {"{\"iss\":\"https://service.example\",\"aud\":\"gat\",\"exp\":1800000600}",
         "wrong_audience"},
        {"{\"iss\":\"https://service.example\",\"exp\":1800000600}", "wrong_audience"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(
            strcmp(judge_service(cases[i].claims, 1U << JWK_ES256, 300 * 1000), cases[i].want) == 0,
            "%s: %s", cases[i].claims, error.code);
    }
    ck_assert_str_eq(judge_service(cases[0].claims, 1U << JWK_RS256, 300 * 1000),
                     "wrong_algorithm");
    ck_assert_str_eq(judge_service("{" SERVICE "\"exp\":1799999700}", 1U << JWK_ES256, INT64_MAX),
                     "expired");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("token rules");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, token__good_claims_prove_the_registered_caller);
    tcase_add_loop_test(cases, token__claims_with_one_thing_wrong_are_refused_by_its_name, 0,
                        COUNT(refused));
    tcase_add_test(cases, token__the_leeway_is_used_to_its_millisecond_and_never_above_a_minute);
    tcase_add_test(cases, token__another_kind_of_token_is_refused);
    tcase_add_test(cases, token__an_algorithm_the_issuer_is_not_allowed_is_refused);
    tcase_add_test(cases, token__actors_are_kept_in_order);
    tcase_add_test(cases, token__what_a_token_is_bound_to_is_kept);
    tcase_add_test(cases, token__a_service_is_whose_for_whom_and_when_and_has_five_minutes);
    tcase_add_test(cases, matcher__values_are_exact_or_globs_and_lists_match_by_any_element);
    tcase_add_test(cases, matcher__one_that_asks_nothing_matches_nobody);
    tcase_add_test(cases, matcher__an_svid_is_matched_by_its_id_or_path);
    tcase_add_test(cases, dpop__a_proof_for_this_call_proves_its_key);
    tcase_add_loop_test(cases, dpop__a_proof_with_one_thing_wrong_is_refused, 0, COUNT(bad_proofs));
    tcase_add_test(cases, dpop__the_hash_of_the_token_is_checked_where_it_is_needed);
    tcase_add_test(cases, dpop__the_nonce_of_a_proof_is_taken_where_it_could_be_ours);
    tcase_add_test(cases, dpop__a_changed_proof_and_one_of_another_key_are_refused);
    Suite *suite = suite_create("token rules");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
