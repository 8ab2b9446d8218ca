#include "base/clock.h"
#include "formats/text.h"
#include "tests/support/authority.h"
#include "tests/support/minter.h"
#include "tests/support/run_suite.h"
#include "trust/trust.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char keys_path[96];
static char bundle_path[96];
static struct error error;
static struct minter *minter;
static struct authority *root;
static struct trust *trust;
static const int64_t now = INT64_C(1800000000000);

static const char *const audiences[] = {"gate", NULL};
static const char *const names[] = {"bot"};
static const char *const paths[] = {"/bot"};
static const struct matcher_claim by_name = {"sub", names, 1};
static const struct matcher_claim by_path = {"path", paths, 1};
static const struct matcher of_issuer = {&by_name, 1, "runner", NULL};
static const struct matcher of_domain = {&by_path, 1, "runner", "bot"};
static struct trust_issuer issuers[3];
static struct trust_domain domains[1];
static size_t service_count; /* 1: the third issuer too */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void append_keys(const struct minter *by, const char *id, struct builder *out)
{
    char more[64];
    snprintf(more, sizeof more, "\"kid\":\"%s\",", id);
    builder_text(out, "{\"keys\":[");
    minter_append_jwk(by, more, out);
    builder_text(out, "]}");
}

static void open_trust(void)
{
    struct token_terms terms = {.audiences = audiences,
                                .algorithms = 1U << JWK_ES256,
                                .leeway_ms = 1000,
                                .lifetime_max_ms = 3600 * 1000,
                                .matchers = &of_issuer,
                                .matcher_count = 1};
    issuers[0] = (struct trust_issuer){.name = "file", .terms = terms, .keys_file = keys_path};
    issuers[0].terms.issuer = "file";
    issuers[1] = (struct trust_issuer){.name = "url",
                                       .terms = terms,
                                       .keys_url = "https://issuer.example/keys",
                                       .refresh_ms = 300 * 1000,
                                       .stale_max_ms = 3600 * 1000};
    issuers[1].terms.issuer = "url";
    issuers[2] = (struct trust_issuer){.name = "chat",
                                       .is_service = true,
                                       .metadata_url = "https://login.example/v1/openid",
                                       .refresh_ms = 20 * 3600 * 1000,
                                       .stale_max_ms = 24 * 3600 * 1000,
                                       .refetch_ms = 3600 * 1000};
    issuers[2].terms.issuer = "https://api.example";
    domains[0] = (struct trust_domain){.name = "d.example",
                                       .bundle_file = bundle_path,
                                       .matchers = &of_domain,
                                       .matcher_count = 1};
    trust = trust_create(&(struct trust_options){.issuers = issuers,
                                                 .issuer_count = service_count + 2,
                                                 .domains = domains,
                                                 .domain_count = 1,
                                                 .audiences = audiences,
                                                 .leeway_ms = 1000,
                                                 .svid_lifetime_max_ms = 3600 * 1000},
                         &error);
}

static void start(void)
{
    service_count = 0;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    error = (struct error){0};
    snprintf(folder, sizeof folder, "/tmp/countersign-trust-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(keys_path, sizeof keys_path, "%s/keys", folder);
    snprintf(bundle_path, sizeof bundle_path, "%s/bundle", folder);
    minter = minter_create(JWK_ES256);
    root = authority_create("root", NULL);
    append_keys(minter, "a", &text);
    write_text(keys_path, text.bytes);
    builder_clear(&text);
    authority_append_pem(root, &text);
    write_text(bundle_path, text.bytes);
    open_trust();
    ck_assert_msg(trust != NULL, "%s", error.message);
}

static void stop(void)
{
    trust_destroy(trust);
    minter_destroy(minter);
    authority_destroy(root);
    unlink(keys_path);
    unlink(bundle_path);
    rmdir(folder);
}

static void append_token(const struct minter *by, const char *issuer, const char *id,
                         struct builder *out)
{
    char header[96];
    char claims[256];
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", id);
    snprintf(claims, sizeof claims,
             "{\"iss\":\"%s\",\"sub\":\"bot\",\"aud\":\"gate\",\"iat\":1800000000,\"exp\":"
             "1800000600}",
             issuer);
    minter_append_token(by, header, claims, out);
}

static bool check(const struct minter *by, const char *issuer, const char *id, int64_t tick)
{
    struct proof proof;
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    append_token(by, issuer, id, &token);
    error = (struct error){0};
    return trust_check_token(trust, token.bytes, token.length, now, tick, &proof, &error);
}

static enum trust_answer look(const struct builder *token, int64_t at)
{
    struct proof proof;
    error = (struct error){0};
    return trust_look_token(trust, token->bytes, token->length, at, 0, &proof, &error);
}

START_TEST(trust__a_token_is_asked_about_once_and_remembered_until_it_is_over)
{
    struct proof proof;
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    append_token(minter, "file", "a", &token);
    ck_assert_int_eq(look(&token, now), TRUST_ASKS);
    ck_assert_msg(trust_check_token(trust, token.bytes, token.length, now, 0, &proof, &error), "%s",
                  error.message);
    ck_assert_str_eq(proof.caller, "runner");
    ck_assert_int_eq(look(&token, now), TRUST_PROVEN);
    ck_assert_int_eq(look(&token, now + 600999), TRUST_PROVEN);
    ck_assert_int_eq(look(&token, now + 601000), TRUST_REFUSED);
    ck_assert_str_eq(error.code, "expired");
}
END_TEST

START_TEST(trust__what_was_proven_is_forgotten_when_keys_change)
{
    struct proof proof;
    struct builder token BUILDER_SCOPE;
    struct builder keys BUILDER_SCOPE;
    const char *path = NULL;
    builder_init(&token, 0);
    builder_init(&keys, 0);
    append_token(minter, "file", "a", &token);
    ck_assert(trust_check_token(trust, token.bytes, token.length, now, 0, &proof, &error));
    append_keys(minter, "b", &keys);
    write_text(keys_path, keys.bytes);
    ck_assert_int_eq(trust_reread_file(trust, 1, true, &path, &error), TRUST_FILE_READ);
    ck_assert_str_eq(path, keys_path);
    ck_assert_int_eq(look(&token, now), TRUST_REFUSED);
    ck_assert_str_eq(error.code, "unknown_key");
}
END_TEST

START_TEST(trust__a_bad_signature_and_an_unknown_key_are_told_apart)
{
    struct minter *other = minter_create(JWK_ES256);
    ck_assert(!check(other, "file", "a", 0));
    ck_assert_str_eq(error.code, "bad_signature");
    ck_assert(!check(minter, "file", "zzz", 0));
    ck_assert_str_eq(error.code, "unknown_key");
    ck_assert(!check(minter, "nobody", "a", 0));
    ck_assert_str_eq(error.code, "unknown_issuer");
    minter_destroy(other);
}
END_TEST

START_TEST(trust__files_are_read_when_they_change_and_complained_of_once)
{
    const char *path = NULL;
    ck_assert_uint_eq(trust_file_count(trust), 3);
    ck_assert_int_eq(trust_reread_file(trust, 1, false, &path, &error), TRUST_FILE_SAME);
    ck_assert_int_eq(trust_reread_file(trust, 2, true, &path, &error), TRUST_FILE_SAME); /* a URL */
    write_text(keys_path, "<html>");
    ck_assert_int_eq(trust_reread_file(trust, 1, false, &path, &error), TRUST_FILE_BAD);
    ck_assert_str_eq(error.subject, keys_path);
    ck_assert_int_eq(trust_reread_file(trust, 1, false, &path, &error), TRUST_FILE_SAME);
    unlink(keys_path);
    error = (struct error){0};
    ck_assert_int_eq(trust_reread_file(trust, 1, false, &path, &error), TRUST_FILE_BAD);
    ck_assert_int_eq(trust_reread_file(trust, 1, false, &path, &error), TRUST_FILE_SAME);
    ck_assert(check(minter, "file", "a", 0));
}
END_TEST

START_TEST(trust__a_pipe_in_place_of_a_file_holds_up_nobody)
{
    const char *path = NULL;
    unlink(keys_path);
    ck_assert_int_eq(mkfifo(keys_path, 0600), 0);
    ck_assert_int_eq(trust_reread_file(trust, 1, true, &path, &error), TRUST_FILE_BAD);
}
END_TEST

static void take(const struct minter *by, const char *id, int64_t tick)
{
    struct builder keys BUILDER_SCOPE;
    builder_init(&keys, 0);
    append_keys(by, id, &keys);
    ck_assert_msg(trust_take_keys(trust, 1, keys.bytes, keys.length, tick, &error), "%s",
                  error.message);
}

START_TEST(trust__keys_are_fetched_at_once_then_after_their_time)
{
    size_t issuer = 9;
    ck_assert(!check(minter, "url", "a", 1000));
    ck_assert_str_eq(error.code, "keys_missing");
    ck_assert(trust_next_fetch(trust, 1000, &issuer));
    ck_assert_uint_eq(issuer, 1);
    ck_assert(!trust_next_fetch(trust, 1000, &issuer)); /* under way */
    take(minter, "a", 1000);
    ck_assert(check(minter, "url", "a", 1000));
    ck_assert(!trust_next_fetch(trust, 300999, &issuer));
    ck_assert(trust_next_fetch(trust, 301000, &issuer));
}
END_TEST

START_TEST(trust__a_flood_of_unknown_keys_is_one_fetch_in_thirty_seconds)
{
    size_t issuer;
    ck_assert(trust_next_fetch(trust, 1000, &issuer));
    take(minter, "a", 1000);
    for (int i = 0; i < 100; i++) {
        ck_assert(!check(minter, "url", "made-up", 2000));
    }
    ck_assert(!trust_next_fetch(trust, 30999, &issuer));
    ck_assert(trust_next_fetch(trust, 31000, &issuer));
    ck_assert(!check(minter, "url", "made-up", 31000));
    take(minter, "a", 31000);
    ck_assert(!trust_next_fetch(trust, 60999, &issuer));
}
END_TEST

START_TEST(trust__a_fetch_that_fails_is_tried_again_ever_more_seldom)
{
    static const int64_t pauses[] = {5000, 10000, 20000, 40000, 60000, 60000};
    size_t issuer;
    int64_t tick = 1000;
    ck_assert(trust_next_fetch(trust, tick, &issuer));
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        trust_fetch_failed(trust, 1, tick);
        ck_assert(!check(minter, "url", "a", tick)); /* nor does a token hurry it */
        ck_assert(!trust_next_fetch(trust, tick + pauses[i] - 1, &issuer));
        tick += pauses[i];
        ck_assert(trust_next_fetch(trust, tick, &issuer));
    }
    error = (struct error){0};
    ck_assert(!trust_take_keys(trust, 1, "<html>", 6, tick, &error));
    ck_assert_str_eq(error.code, "bad_key_set");
    ck_assert(!trust_next_fetch(trust, tick, &issuer));
}
END_TEST

START_TEST(trust__keys_that_cannot_be_fetched_anew_end)
{
    size_t issuer;
    ck_assert(trust_next_fetch(trust, 1000, &issuer));
    take(minter, "a", 1000);
    ck_assert(check(minter, "url", "a", 3601000));
    ck_assert(!check(minter, "url", "a", 3601001));
    ck_assert_str_eq(error.code, "keys_stale");
}
END_TEST

/* ---- services ---- */

#define METADATA(issuer, keys) "{\"issuer\":\"" issuer "\",\"jwks_uri\":\"" keys "\"}"
#define GOOD_METADATA          METADATA("https://api.example", "https://login.example/v1/keys")

static void start_service(void)
{
    size_t which;
    trust_destroy(trust);
    service_count = 1;
    open_trust();
    ck_assert(trust_next_fetch(trust, 0, &which) && which == 1);
    ck_assert(trust_next_fetch(trust, 0, &which) && which == 2);
    trust_fetch_failed(trust, 1, 0);
}

static bool take_answer(const char *text, int64_t tick)
{
    error = (struct error){0};
    return trust_take_keys(trust, 2, text, strlen(text), tick, &error);
}

static void take_service_keys(const char *id, const char *endorsements, int64_t tick)
{
    struct builder text BUILDER_SCOPE;
    char more[128];
    builder_init(&text, 0);
    snprintf(more, sizeof more, "\"kid\":\"%s\",\"endorsements\":%s,", id, endorsements);
    builder_text(&text, "{\"keys\":[");
    minter_append_jwk(minter, more, &text);
    builder_text(&text, "]}");
    ck_assert(take_answer(text.bytes, tick));
}

static const char *check_service(const struct minter *by, const char *header, int64_t tick)
{
    struct jwt jwt JWT_SCOPE = {0};
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    error = (struct error){0};
    minter_append_token(by, header, "{}", &token);
    ck_assert(jwt_read(token.bytes, token.length, false, &jwt, &error));
    struct jwk_set *keys = trust_look_service(trust, "chat", &jwt, tick, &error);
    bool is_good = keys != NULL && trust_check_service(keys, &jwt, "msteams", &error);
    jwk_set_unref(keys);
    return is_good ? "good" : error.code;
}

START_TEST(trust__a_service_is_asked_for_its_metadata_then_for_its_keys)
{
    size_t which = 0;
    start_service();
    ck_assert_str_eq(trust_fetch_url(trust, 2), "https://login.example/v1/openid");
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"a\"}", 0), "keys_missing");
    ck_assert(take_answer(GOOD_METADATA, 0));
    ck_assert(trust_next_fetch(trust, 0, &which) && which == 2);
    ck_assert_str_eq(trust_fetch_url(trust, 2), "https://login.example/v1/keys");
    take_service_keys("a", "[\"msteams\"]", 0);
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"a\"}", 0), "good");
    ck_assert_str_eq(trust_fetch_url(trust, 2), "https://login.example/v1/openid");
}
END_TEST

START_TEST(trust__metadata_that_leads_elsewhere_is_not_followed)
{
    static const char *const bad[] = {
        METADATA("https://api.example/", "https://login.example/v1/keys"),
        METADATA("https://api.example", "https://login.example.evil/v1/keys"),
        METADATA("https://api.example", "https://login.example:444/v1/keys"),
        METADATA("https://api.example", "https://login.example@evil/keys"),
        METADATA("https://api.example", "http://login.example/v1/keys"),
        METADATA("https://api.example", "https://login.example"),
        METADATA("https://api.example", "https://login.example/v1/ keys"),
        "{\"issuer\":\"https://api.example\"}",
        "[]",
        "<html>"};
    size_t which;
    start_service();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!take_answer(bad[i], 0), "%s", bad[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_str_eq(trust_fetch_url(trust, 2), "https://login.example/v1/openid");
        while (trust_next_fetch(trust, 60 * 1000, &which) && which != 2) {
        }
    }
}
END_TEST

START_TEST(trust__a_services_keys_must_sign_endorse_and_be_named)
{
    struct minter *other = minter_create(JWK_ES256);
    start_service();
    ck_assert(take_answer(GOOD_METADATA, 0));
    take_service_keys("a", "[\"webchat\"]", 0);
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"a\"}", 0), "not_endorsed");
    ck_assert_str_eq(check_service(other, "{\"alg\":\"ES256\",\"kid\":\"a\"}", 0), "bad_signature");
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"b\"}", 0), "unknown_key");
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\"}", 0), "unknown_key");
    minter_destroy(other);
}
END_TEST

START_TEST(trust__a_service_is_asked_again_for_an_unknown_key_once_an_hour_and_ends_after_a_day)
{
    const int64_t hour = 3600 * 1000;
    size_t which;
    start_service();
    ck_assert(take_answer(GOOD_METADATA, 0));
    ck_assert(trust_next_fetch(trust, 0, &which) && which == 2);
    take_service_keys("a", "[\"msteams\"]", 0);
    trust_fetch_failed(trust, 1, 30 * hour);
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"b\"}", 1), "unknown_key");
    ck_assert(!trust_next_fetch(trust, hour - 1, &which));
    ck_assert(trust_next_fetch(trust, hour, &which) && which == 2);
    ck_assert(take_answer(GOOD_METADATA, hour));
    ck_assert(trust_next_fetch(trust, hour, &which) && which == 2);
    take_service_keys("b", "[\"msteams\"]", hour);
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"b\"}", 2 * hour), "good");
    ck_assert(!trust_next_fetch(trust, 21 * hour - 1, &which));
    ck_assert(trust_next_fetch(trust, 21 * hour, &which) && which == 2);
    trust_fetch_failed(trust, 2, 21 * hour);
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"b\"}", 25 * hour), "good");
    ck_assert_str_eq(check_service(minter, "{\"alg\":\"ES256\",\"kid\":\"b\"}", 25 * hour + 1),
                     "keys_stale");
}
END_TEST

START_TEST(trust__a_service_vouches_for_no_caller_and_an_issuer_for_no_callback)
{
    struct jwt jwt JWT_SCOPE = {0};
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    start_service();
    ck_assert(take_answer(GOOD_METADATA, 0));
    take_service_keys("a", "[\"msteams\"]", 0);
    ck_assert(!check(minter, "https://api.example", "a", 0));
    ck_assert_str_eq(error.code, "unknown_issuer");
    minter_append_token(minter, "{\"alg\":\"ES256\",\"kid\":\"a\"}", "{}", &token);
    ck_assert(jwt_read(token.bytes, token.length, false, &jwt, &error));
    ck_assert_ptr_null(trust_look_service(trust, "file", &jwt, 0, &error));
    trust_destroy(trust);
    trust = trust_create(
        &(struct trust_options){.issuers = &issuers[2], .issuer_count = 1, .audiences = audiences},
        &error);
    ck_assert(!trust_takes_tokens(trust));
}
END_TEST

START_TEST(trust__a_certificate_is_proven_and_remembered)
{
    struct proof proof;
    struct builder der BUILDER_SCOPE;
    int64_t wall = clock_wall_ms();
    struct authority_leaf leaf = authority_good_leaf("URI:spiffe://d.example/bot");
    builder_init(&der, 0);
    authority_append_leaf(root, &leaf, false, &der);
    const unsigned char *bytes = (const unsigned char *)der.bytes;
    ck_assert_int_eq(trust_look_chain(trust, bytes, der.length, wall, &proof, &error), TRUST_ASKS);
    ck_assert_msg(trust_check_chain(trust, bytes, der.length, wall, &proof, &error), "%s",
                  error.message);
    ck_assert_str_eq(proof.id, "spiffe://d.example/bot");
    ck_assert_str_eq(proof.agent, "bot");
    ck_assert_int_eq(strncmp(proof.confirmation, "x5t#S256:", 9), 0);
    ck_assert_int_eq(trust_look_chain(trust, bytes, der.length, wall, &proof, &error),
                     TRUST_PROVEN);
    ck_assert_int_eq(
        trust_look_chain(trust, bytes, der.length, wall + TRUST_CHAIN_GOOD_MS, &proof, &error),
        TRUST_ASKS);
}
END_TEST

START_TEST(trust__a_certificate_of_another_domain_is_refused)
{
    struct proof proof;
    struct builder der BUILDER_SCOPE;
    struct authority_leaf leaf = authority_good_leaf("URI:spiffe://e.example/bot");
    builder_init(&der, 0);
    authority_append_leaf(root, &leaf, false, &der);
    ck_assert(!trust_check_chain(trust, (const unsigned char *)der.bytes, der.length,
                                 clock_wall_ms(), &proof, &error));
    ck_assert_str_eq(error.code, "unknown_trust_domain");
}
END_TEST

START_TEST(trust__a_proof_is_good_once_until_it_is_over)
{
    struct dpop_proof proof = {.once = crypto_sha256("a", 1), .until_at = now + 1000};
    struct dpop_proof other = {.once = crypto_sha256("b", 1), .until_at = now + 1000};
    ck_assert(trust_use_once(trust, &proof, now, &error));
    ck_assert(trust_use_once(trust, &other, now, &error));
    ck_assert(!trust_use_once(trust, &proof, now + 999, &error));
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "invalid_dpop_proof");
    proof.until_at = now + 2000;
    ck_assert(trust_use_once(trust, &proof, now + 1000, &error));
}
END_TEST

START_TEST(trust__no_proof_is_forgotten_for_another)
{
    bool was_full = false;
    for (uint64_t i = 0; i < 64 && !was_full; i++) {
        struct dpop_proof proof = {.until_at = now + 1000};
        memcpy(proof.once.bytes + 8, &i, sizeof i); /* all aim at one place */
        error = (struct error){0};
        was_full = !trust_use_once(trust, &proof, now, &error);
    }
    ck_assert(was_full);
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    ck_assert_str_eq(error.code, "too_many_proofs");
}
END_TEST

START_TEST(trust__an_unreadable_file_stops_the_start)
{
    trust_destroy(trust);
    unlink(bundle_path);
    open_trust();
    ck_assert_ptr_null(trust);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.subject, bundle_path);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("trust");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, trust__a_token_is_asked_about_once_and_remembered_until_it_is_over);
    tcase_add_test(cases, trust__what_was_proven_is_forgotten_when_keys_change);
    tcase_add_test(cases, trust__a_bad_signature_and_an_unknown_key_are_told_apart);
    tcase_add_test(cases, trust__files_are_read_when_they_change_and_complained_of_once);
    tcase_add_test(cases, trust__a_pipe_in_place_of_a_file_holds_up_nobody);
    tcase_add_test(cases, trust__keys_are_fetched_at_once_then_after_their_time);
    tcase_add_test(cases, trust__a_flood_of_unknown_keys_is_one_fetch_in_thirty_seconds);
    tcase_add_test(cases, trust__a_fetch_that_fails_is_tried_again_ever_more_seldom);
    tcase_add_test(cases, trust__keys_that_cannot_be_fetched_anew_end);
    tcase_add_test(cases, trust__a_service_is_asked_for_its_metadata_then_for_its_keys);
    tcase_add_test(cases, trust__metadata_that_leads_elsewhere_is_not_followed);
    tcase_add_test(cases, trust__a_services_keys_must_sign_endorse_and_be_named);
    tcase_add_test(
        cases,
        trust__a_service_is_asked_again_for_an_unknown_key_once_an_hour_and_ends_after_a_day);
    tcase_add_test(cases, trust__a_service_vouches_for_no_caller_and_an_issuer_for_no_callback);
    tcase_add_test(cases, trust__a_certificate_is_proven_and_remembered);
    tcase_add_test(cases, trust__a_certificate_of_another_domain_is_refused);
    tcase_add_test(cases, trust__a_proof_is_good_once_until_it_is_over);
    tcase_add_test(cases, trust__no_proof_is_forgotten_for_another);
    tcase_add_test(cases, trust__an_unreadable_file_stops_the_start);
    Suite *suite = suite_create("trust");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
