#include "base/clock.h"
#include "crypto/x509.h"
#include "formats/text.h"
#include "identity/spiffe.h"
#include "tests/support/authority.h"
#include "tests/support/run_suite.h"
#include <string.h>

static struct error error;
static struct authority *root;
static struct authority *middle;
static struct authority *stranger;
static struct x509_bundle *bundle;

#define GOOD_NAME "URI:spiffe://prod.example/ns/agents/sa/billing"

static void start(void)
{
    struct builder pem BUILDER_SCOPE;
    builder_init(&pem, 0);
    error = (struct error){0};
    root = authority_create("root", NULL);
    middle = authority_create("middle", root);
    stranger = authority_create("root", NULL); /* of the same name */
    authority_append_pem(root, &pem);
    bundle = x509_bundle_read_pem(pem.bytes, pem.length, &error);
    ck_assert_msg(bundle != NULL, "%s", error.message);
}

static void stop(void)
{
    authority_destroy(root);
    authority_destroy(middle);
    authority_destroy(stranger);
    x509_bundle_unref(bundle);
}

static struct x509_chain *issue(const struct authority *authority,
                                const struct authority_leaf *leaf, bool with_issuer)
{
    struct builder der BUILDER_SCOPE;
    builder_init(&der, 0);
    authority_append_leaf(authority, leaf, with_issuer, &der);
    struct x509_chain *chain =
        x509_chain_read((const unsigned char *)der.bytes, der.length, &error);
    ck_assert_msg(chain != NULL, "%s", error.message);
    return chain;
}

static bool judge(const struct authority_leaf *leaf, struct spiffe_id *out)
{
    struct x509_facts facts;
    struct x509_chain *chain = issue(root, leaf, false);
    error = (struct error){0};
    bool is_good = x509_chain_facts(chain, &facts, &error) &&
                   spiffe_judge_leaf(&facts, clock_wall_ms(), out, &error);
    x509_chain_destroy(chain);
    return is_good;
}

START_TEST(svid__a_whole_leaf_is_taken_for_its_workload)
{
    struct spiffe_id id;
    struct authority_leaf leaf = authority_good_leaf("DNS:billing.internal," GOOD_NAME);
    ck_assert_msg(judge(&leaf, &id), "%s", error.message);
    ck_assert_str_eq(id.trust_domain, "prod.example");
    ck_assert_str_eq(id.text + id.path_at, "/ns/agents/sa/billing");
    leaf.extended = NULL;
    ck_assert_msg(judge(&leaf, &id), "%s", error.message);
    leaf.subject = NULL;
    leaf.names = "critical," GOOD_NAME;
    ck_assert_msg(judge(&leaf, &id), "%s", error.message);
}
END_TEST

#define USAGE "critical,digitalSignature"
#define LEAF  "critical,CA:FALSE"

static const struct {
    const char *code;
    struct authority_leaf leaf;
} wrong[] = {
    {"svid_uri_count",
     {GOOD_NAME ",URI:spiffe://prod.example/other", USAGE, NULL, LEAF, "w", -60, 60}},
    {"svid_uri_count", {"DNS:billing.internal", USAGE, NULL, LEAF, "w", -60, 60}},
    {"svid_uri_count", {NULL, USAGE, NULL, LEAF, "w", -60, 60}},
    {"svid_id", {"URI:https://prod.example/ns", USAGE, NULL, LEAF, "w", -60, 60}},
    {"svid_id", {"URI:spiffe://prod.example", USAGE, NULL, LEAF, "w", -60, 60}},
    {"svid_is_ca", {GOOD_NAME, USAGE, NULL, "critical,CA:TRUE", "w", -60, 60}},
    {"svid_key_usage", {GOOD_NAME, NULL, NULL, LEAF, "w", -60, 60}},
    {"svid_key_usage", {GOOD_NAME, "digitalSignature", NULL, LEAF, "w", -60, 60}},
    {"svid_key_usage", {GOOD_NAME, "critical,keyEncipherment", NULL, LEAF, "w", -60, 60}},
    {"svid_key_usage",
     {GOOD_NAME, "critical,digitalSignature,keyCertSign", NULL, LEAF, "w", -60, 60}},
    {"svid_key_usage", {GOOD_NAME, "critical,digitalSignature,cRLSign", NULL, LEAF, "w", -60, 60}},
    {"svid_extended_usage", {GOOD_NAME, USAGE, "serverAuth", LEAF, "w", -60, 60}},
    {"svid_extended_usage", {GOOD_NAME, USAGE, "clientAuth", LEAF, "w", -60, 60}},
    {"svid_subject", {GOOD_NAME, USAGE, NULL, LEAF, NULL, -60, 60}},
    {"svid_not_yet_valid", {GOOD_NAME, USAGE, NULL, LEAF, "w", 3600, 7200}},
    {"svid_expired", {GOOD_NAME, USAGE, NULL, LEAF, "w", -7200, -3600}},
};

START_TEST(svid__a_leaf_that_breaks_one_rule_is_refused_by_its_name)
{
    struct spiffe_id id;
    ck_assert_msg(!judge(&wrong[_i].leaf, &id), "%s was taken", wrong[_i].code);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, wrong[_i].code);
}
END_TEST

/* ---- chains ---- */

static bool verify(const struct x509_chain *chain, const struct x509_bundle *with)
{
    error = (struct error){0};
    return x509_chain_verify(chain, with, clock_wall_ms(), &error);
}

START_TEST(svid__a_chain_leads_to_the_bundle_or_is_refused)
{
    struct authority_leaf leaf = authority_good_leaf(GOOD_NAME);
    struct x509_chain *direct = issue(root, &leaf, false);
    struct x509_chain *whole = issue(middle, &leaf, true);
    struct x509_chain *cut = issue(middle, &leaf, false);
    struct x509_chain *strange = issue(stranger, &leaf, true);
    ck_assert_msg(verify(direct, bundle), "%s", error.message);
    ck_assert_msg(verify(whole, bundle), "%s", error.message);
    ck_assert(!verify(cut, bundle));
    ck_assert_str_eq(error.code, "untrusted_chain");
    ck_assert(!verify(strange, bundle)); /* brings its own root, which is no anchor */
    x509_chain_destroy(direct);
    x509_chain_destroy(whole);
    x509_chain_destroy(cut);
    x509_chain_destroy(strange);
}
END_TEST

START_TEST(svid__a_chain_is_not_valid_outside_its_time)
{
    struct authority_leaf leaf = authority_good_leaf(GOOD_NAME);
    struct x509_chain *chain = issue(root, &leaf, false);
    ck_assert(!x509_chain_verify(chain, bundle, clock_wall_ms() + 7200 * 1000, &error));
    ck_assert_str_eq(error.code, "untrusted_chain");
    x509_chain_destroy(chain);
}
END_TEST

START_TEST(svid__a_leaf_cannot_vouch_for_another)
{
    struct builder der BUILDER_SCOPE;
    struct authority_leaf leaf = authority_good_leaf(GOOD_NAME);
    builder_init(&der, 0);
    authority_append_leaf(root, &leaf, false, &der);
    struct jwk_set *set = NULL;
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    builder_text(&json, "{\"keys\":[{\"use\":\"x509-svid\",\"x5c\":[\"");
    text_append_base64(&json, (const unsigned char *)der.bytes, der.length);
    builder_text(&json, "\"]}]}");
    set = jwk_set_parse(json.bytes, json.length, &error);
    ck_assert_uint_eq(jwk_set_count(set), 1);
    ck_assert_ptr_null(x509_bundle_of_set(set, &error));
    ck_assert_str_eq(error.code, "bad_bundle");
    jwk_set_unref(set);
}
END_TEST

START_TEST(svid__an_empty_bundle_trusts_nobody)
{
    struct authority_leaf leaf = authority_good_leaf(GOOD_NAME);
    struct x509_chain *chain = issue(root, &leaf, false);
    struct jwk_set *set = jwk_set_parse("{\"keys\":[]}", 11, &error);
    struct x509_bundle *empty = x509_bundle_of_set(set, &error);
    ck_assert_ptr_nonnull(empty);
    ck_assert_uint_eq(x509_bundle_count(empty), 0);
    ck_assert(!verify(chain, empty));
    x509_chain_destroy(chain);
    x509_bundle_unref(empty);
    jwk_set_unref(set);
}
END_TEST

static const char *const no_bundles[] = {
    "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "hello"};

START_TEST(svid__what_is_no_bundle_is_refused)
{
    ck_assert_ptr_null(x509_bundle_read_pem(no_bundles[_i], strlen(no_bundles[_i]), &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "bad_bundle");
}
END_TEST

START_TEST(svid__a_bundle_with_one_broken_certificate_is_refused_whole)
{
    struct builder pem BUILDER_SCOPE;
    builder_init(&pem, 0);
    authority_append_pem(root, &pem);
    builder_text(&pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    ck_assert_ptr_null(x509_bundle_read_pem(pem.bytes, pem.length, &error));
    ck_assert_str_eq(error.code, "bad_bundle");
}
END_TEST

START_TEST(svid__bytes_that_are_no_certificates_are_refused)
{
    ck_assert_ptr_null(x509_chain_read((const unsigned char *)"", 0, &error));
    error = (struct error){0};
    ck_assert_ptr_null(x509_chain_read((const unsigned char *)"\x30\x03\x02\x01", 4, &error));
    ck_assert_str_eq(error.code, "bad_certificate");
}
END_TEST

START_TEST(svid__more_than_eight_certificates_are_refused)
{
    struct builder der BUILDER_SCOPE;
    struct authority_leaf leaf = authority_good_leaf(GOOD_NAME);
    builder_init(&der, 0);
    for (int i = 0; i <= X509_CHAIN_MAX; i++) {
        authority_append_leaf(root, &leaf, false, &der);
    }
    ck_assert_ptr_null(x509_chain_read((const unsigned char *)der.bytes, der.length, &error));
    ck_assert_str_eq(error.code, "bad_certificate");
}
END_TEST

/* ---- names ---- */

static const char *const no_ids[] = {
    "",
    "spiffe://",
    "spiffe:///path",
    "spiffe://prod.example",
    "spiffe://prod.example/",
    "spiffe://prod.example/a/",
    "spiffe://prod.example//a",
    "spiffe://prod.example/./a",
    "spiffe://prod.example/a/..",
    "spiffe://prod.example/a%20b",
    "spiffe://prod.example/a?x=1",
    "spiffe://prod.example/a#f",
    "spiffe://Prod.example/a",
    "SPIFFE://prod.example/a",
    "spiffe://prod.example:443/a",
    "spiffe://user@prod.example/a",
    "spiffe://prod.example/\xc3\xa9",
    "http://prod.example/a",
};

START_TEST(spiffe__what_is_no_id_of_a_workload_is_refused)
{
    struct spiffe_id id;
    ck_assert_msg(!spiffe_read_id(no_ids[_i], strlen(no_ids[_i]), &id), "%s", no_ids[_i]);
}
END_TEST

START_TEST(spiffe__an_id_may_be_2048_bytes_and_no_more)
{
    struct spiffe_id id;
    char text[SPIFFE_ID_BYTES + 1] = "spiffe://d/";
    memset(text + 11, 'a', sizeof text - 11);
    ck_assert(spiffe_read_id(text, SPIFFE_ID_BYTES - 1, &id));
    ck_assert(!spiffe_read_id(text, SPIFFE_ID_BYTES, &id));
}
END_TEST

START_TEST(spiffe__a_trust_domain_is_a_bare_name)
{
    ck_assert(spiffe_is_trust_domain("prod.example-1_x"));
    ck_assert(!spiffe_is_trust_domain(""));
    ck_assert(!spiffe_is_trust_domain(NULL));
    ck_assert(!spiffe_is_trust_domain("spiffe://prod.example"));
    ck_assert(!spiffe_is_trust_domain("Prod"));
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
    TCase *cases = tcase_create("spiffe");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, svid__a_whole_leaf_is_taken_for_its_workload);
    tcase_add_loop_test(cases, svid__a_leaf_that_breaks_one_rule_is_refused_by_its_name, 0,
                        COUNT(wrong));
    tcase_add_test(cases, svid__a_chain_leads_to_the_bundle_or_is_refused);
    tcase_add_test(cases, svid__a_chain_is_not_valid_outside_its_time);
    tcase_add_test(cases, svid__a_leaf_cannot_vouch_for_another);
    tcase_add_test(cases, svid__an_empty_bundle_trusts_nobody);
    tcase_add_loop_test(cases, svid__what_is_no_bundle_is_refused, 0, COUNT(no_bundles));
    tcase_add_test(cases, svid__a_bundle_with_one_broken_certificate_is_refused_whole);
    tcase_add_test(cases, svid__bytes_that_are_no_certificates_are_refused);
    tcase_add_test(cases, svid__more_than_eight_certificates_are_refused);
    tcase_add_loop_test(cases, spiffe__what_is_no_id_of_a_workload_is_refused, 0, COUNT(no_ids));
    tcase_add_test(cases, spiffe__an_id_may_be_2048_bytes_and_no_more);
    tcase_add_test(cases, spiffe__a_trust_domain_is_a_bare_name);
    Suite *suite = suite_create("spiffe");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
