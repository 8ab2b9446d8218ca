#include "formats/canonical.h"
#include "ledger/entry_internal.h"
#include "tests/unit/ledger/sample.h"
#include <stdio.h>

static const struct ledger_entry full = {
    .seq = 9007199254740991,
    .at_ms = 1764000000123,
    .tenant = "acme",
    .type = LEDGER_VOTE,
    .request = "req_1",
    .grant = "grt_1",
    .policy = SAMPLE_POLICY,
    .digest = SAMPLE_DIGEST,
    .actor = {.kind = "person", .id = "per_b\"\xc3\xbc", .via = "web", .assurance = "passkey"},
    .data = "{\"approve\":true}",
    .data_length = 16,
};

static bool is_written(struct ledger_entry entry, struct builder *out, struct error *error)
{
    *error = (struct error){0};
    builder_init(out, 0);
    return ledger_entry_append(out, &entry, error);
}

static void expect_refused(struct ledger_entry entry, enum error_kind kind, const char *code)
{
    struct builder out BUILDER_SCOPE;
    struct error error;
    ck_assert(!is_written(entry, &out, &error));
    ck_assert_int_eq(error.kind, kind);
    ck_assert_str_eq(error.code, code);
    ck_assert_uint_eq(out.length, 0);
    ck_assert_str_eq(out.bytes, "");
}

START_TEST(entry__is_written_in_canonical_form)
{
    struct builder out BUILDER_SCOPE;
    struct error error;
    ck_assert_msg(is_written(full, &out, &error), "%s", error.message);
    ck_assert_str_eq(
        out.bytes, "{\"actor\":{\"assurance\":\"passkey\",\"id\":\"per_b\\\"\xc3\xbc\",\"kind\":"
                   "\"person\",\"via\":\"web\"},\"at\":\"2025-11-24T16:00:00.123Z\",\"data\":{"
                   "\"approve\":true},\"digest\":\"" SAMPLE_DIGEST
                   "\",\"grant\":\"grt_1\",\"policy\":\"" SAMPLE_POLICY
                   "\",\"request\":\"req_1\",\"seq\":9007199254740991,\"tenant\":\"acme\",\"type\":"
                   "\"vote\",\"v\":1}");
    struct json_document *document = json_parse(out.bytes, out.length, &error);
    ck_assert_ptr_nonnull(document);
    struct builder again BUILDER_SCOPE;
    builder_init(&again, 0);
    canonical_append(&again, json_root(document));
    ck_assert_str_eq(out.bytes, again.bytes);
    json_destroy(document);
}
END_TEST

START_TEST(entry__leaves_out_what_is_not_there)
{
    struct builder out BUILDER_SCOPE;
    struct error error;
    struct ledger_entry entry = {.tenant = "", .type = LEDGER_GATEWAY_STARTED};
    entry.actor = (struct ledger_actor){.kind = "system", .id = "system"};
    ck_assert_msg(is_written(entry, &out, &error), "%s", error.message);
    ck_assert_str_eq(out.bytes, "{\"actor\":{\"id\":\"system\",\"kind\":\"system\"},\"at\":\"1970-"
                                "01-01T00:00:00.000Z\",\"data\":{},\"seq\":0,\"tenant\":\"\","
                                "\"type\":\"gateway.started\",\"v\":1}");
}
END_TEST

START_TEST(entry__longer_than_a_bundle_can_frame_is_a_limit)
{
    static char data[LEDGER_ENTRY_BYTES_MAX + 64];
    struct ledger_entry entry = full;
    struct builder out BUILDER_SCOPE;
    struct error error;
    ck_assert(is_written(full, &out, &error));
    size_t room = LEDGER_ENTRY_BYTES_MAX - (out.length - full.data_length);
    memset(data, 'x', sizeof data);
    memcpy(data, "{\"x\":\"", 6);
    memcpy(data + room - 2, "\"}", 2);
    entry.data = data;
    entry.data_length = room;
    builder_finish(&out);
    ck_assert_msg(is_written(entry, &out, &error), "%s", error.message);
    ck_assert_uint_eq(out.length, LEDGER_ENTRY_BYTES_MAX);
    memcpy(data + room - 2, "xx\"}", 4);
    entry.data_length = room + 2;
    expect_refused(entry, ERROR_LIMIT, "entry_too_long");
}
END_TEST

START_TEST(entry__data_that_is_not_canonical_is_ours_to_mend)
{
    static const char *const bad[] = {
        "",
        "[]",
        "1",
        "{\"b\":1,\"a\":2}",
        "{\"a\":1,\"a\":1}",
        "{\"a\": 1}",
        "{\"a\":1.5}",
        "{\"a\":1e3}",
        "{\"a\":01}",
        "{\"a\":-0}",
        "{\"a\":9007199254740992}",
        "{\"\\u0061\":1}",
        "{\"a\":\"\\u0041\"}",
        "{\"a\":\"\\/\"}",
        "{\"a\":\"\\u000a\"}",
        "{\"a\":\"\\u001F\"}",
        "{\"a\":\"\x01\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xc0\xaf\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}",
        "{\"a\":\"\xe2\x80\"}",
        "{\"a\":}",
        "{\"a\"}",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{\"a\":tru}",
        "{\"a\":1}}",
        "{\"a\":1} ",
        "{\"a\":\"",
        "{\"\xc3\xbc\":1}",
        "{\"a\":-}",
        "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ledger_entry entry = full;
        entry.data = bad[i];
        entry.data_length = strlen(bad[i]);
        struct builder out BUILDER_SCOPE;
        struct error error;
        ck_assert_msg(!is_written(entry, &out, &error), "accepted %s", bad[i]);
        ck_assert_str_eq(error.code, "entry_malformed");
    }
}
END_TEST

START_TEST(entry__every_value_of_canonical_data_is_accepted)
{
    static const char *const good[] = {
        "{}",
        "{\"\":null,\"a\":[],\"a.b\":{},\"b\":[true,false,null,0,-1,9007199254740991]}",
        "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f\"}",
        "{\"a\":\"\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbd\"}",
        "{\"a\":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct ledger_entry entry = full;
        entry.data = good[i];
        entry.data_length = strlen(good[i]);
        struct builder out BUILDER_SCOPE;
        struct error error;
        ck_assert_msg(is_written(entry, &out, &error), "refused %s", good[i]);
        struct json_document *document = json_parse(out.bytes, out.length, &error);
        ck_assert_msg(document != NULL, "%s", error.message);
        json_destroy(document);
    }
}
END_TEST

START_TEST(entry__members_of_another_form_are_ours_to_mend)
{
    struct ledger_entry entry = full;
    entry.digest = "abc";
    expect_refused(entry, ERROR_INTERNAL, "entry_malformed");
    entry = full;
    entry.policy = "3333333333333333333333333333333333333333333333333333333333333 33G";
    expect_refused(entry, ERROR_INTERNAL, "entry_malformed");
    entry = full;
    entry.request = "";
    expect_refused(entry, ERROR_INTERNAL, "entry_malformed");
    entry = full;
    entry.actor.kind = NULL;
    expect_refused(entry, ERROR_INTERNAL, "entry_malformed");
    entry = full;
    entry.tenant = "\xff";
    expect_refused(entry, ERROR_INTERNAL, "entry_malformed");
}
END_TEST

/* What a reader must refuse although it is canonical JSON. */
START_TEST(entry__reader_refuses_other_members_and_forms)
{
#define ACTOR "{\"actor\":{\"id\":\"a\",\"kind\":\"b\"},"
#define REST  "\"seq\":0,\"tenant\":\"\",\"type\":\"vote\",\"v\":1}"
#define AT    "\"at\":\"2026-01-01T00:00:00.000Z\","
    static const struct {
        const char *bytes;
        bool is_good;
    } cases[] = {
        {ACTOR AT "\"data\":{}," REST, true},
        {"", false},
        {"{}", false},
        {"{\"aaa\":1,\"actor\":{\"id\":\"a\",\"kind\":\"b\"}," AT "\"data\":{}," REST, false},
        {ACTOR AT "\"data\":{},\"extra\":1," REST, false},
        {ACTOR AT "\"data\":{},\"seq\":0,\"tenant\":\"\",\"type\":\"vote\",\"v\":1,\"w\":1}",
         false},
        {ACTOR AT "\"data\":{},\"seq\":0,\"tenant\":\"\",\"type\":\"vote\",\"v\":2}", false},
        {ACTOR AT "\"data\":{},\"seq\":-1,\"tenant\":\"\",\"type\":\"vote\",\"v\":1}", false},
        {ACTOR AT "\"data\":{},\"seq\":0,\"tenant\":\"\",\"type\":\"voted\",\"v\":1}", false},
        {ACTOR AT "\"data\":{},\"seq\":0,\"tenant\":1,\"type\":\"vote\",\"v\":1}", false},
        {ACTOR AT "\"data\":{},\"seq\":0,\"type\":\"vote\",\"v\":1}", false},
        {ACTOR AT "\"data\":[]," REST, false},
        {ACTOR "\"at\":\"2026-02-30T00:00:00.000Z\",\"data\":{}," REST, false},
        {ACTOR "\"at\":\"2026-01-01T00:00:00.0000Z\",\"data\":{}," REST, false},
        {ACTOR "\"at\":\"2026-01-01t00:00:00.000Z\",\"data\":{}," REST, false},
        {ACTOR "\"at\":1,\"data\":{}," REST, false},
        {ACTOR "\"data\":{}," AT REST, false},
        {ACTOR AT "\"data\":{}," REST " ", false},
        {"{\"actor\":{\"id\":\"a\"}," AT "\"data\":{}," REST, false},
        {"{\"actor\":{\"id\":\"a\",\"kind\":\"b\",\"x\":\"y\"}," AT "\"data\":{}," REST, false},
        {"{\"actor\":{\"id\":1,\"kind\":\"b\"}," AT "\"data\":{}," REST, false},
        {"{\"actor\":\"a\"," AT "\"data\":{}," REST, false},
        {ACTOR AT "\"data\":{},\"digest\":\"AA\"," REST, false},
        {ACTOR AT "\"data\":{},\"request\":\"\"," REST, false},
        {ACTOR AT "\"data\":{},\"request\":7," REST, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct entry_view view;
        const char *problem = NULL;
        struct span bytes = {.bytes = cases[i].bytes, .length = strlen(cases[i].bytes)};
        bool is_read = entry_read(&view, bytes, &problem);
        ck_assert_msg(is_read == cases[i].is_good, "%s: %s", cases[i].bytes, problem);
        ck_assert(is_read || problem != NULL);
    }
}
END_TEST

START_TEST(entry__reader_never_reads_past_a_cut)
{
    struct builder out BUILDER_SCOPE;
    struct error error;
    ck_assert(is_written(full, &out, &error));
    for (size_t length = 0; length < out.length; length++) {
        char *cut = malloc(length + 1); /* its own block, so that the sanitizer sees overreach */
        memcpy(cut, out.bytes, length);
        struct entry_view view;
        const char *problem;
        ck_assert(!entry_read(&view, (struct span){.bytes = cut, .length = length}, &problem));
        free(cut);
    }
}
END_TEST

START_TEST(entry__every_type_has_a_name_that_finds_it)
{
    for (int i = LEDGER_ENTRY_TYPE_NONE + 1; i < LEDGER_ENTRY_TYPE_COUNT; i++) {
        const char *name = ledger_entry_type_name((enum ledger_entry_type)i);
        ck_assert_ptr_nonnull(name);
        ck_assert_int_eq(ledger_entry_type_find(name, strlen(name)), i);
    }
    ck_assert_int_eq(ledger_entry_type_find("", 0), LEDGER_ENTRY_TYPE_NONE);
    ck_assert_int_eq(ledger_entry_type_find("votes", 5), LEDGER_ENTRY_TYPE_NONE);
}
END_TEST

/* Each writer's object, so that a change of the contract shows. */
START_TEST(data__is_written_as_the_contract_says)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    const struct ledger_refusals refusals = {
        .kind = "bad_key", .source = "192.0.2.1", .count = 7, .since_ms = 0};
    ledger_data_refusals(&out, &refusals);
    ledger_data_rung(&out, 1, 2, TEXTS("leads"));
    ledger_data_seen(&out, 1, NULL);
    ledger_data_edited(&out, 2, TEXTS("/action/properties/args/amount"));
    ledger_data_uncounted(&out, "per_a", "disabled");
    ledger_data_ended(&out, 1, "frozen");
    ledger_data_reason(&out, "expired");
    ledger_data_changed(&out, "key_1", "per_a", TEXTS("name"));
    ledger_data_group(&out, "finance", TEXTS("per_a"), NO_TEXTS);
    ledger_data_published(&out, NULL, false, 12);
    ledger_data_signin(&out, "password", "in");
    ledger_data_freeze(&out, "frz_1", "agent", "bot", "odd");
    ledger_data_detail(&out, "1.0.0");
    ledger_data_stepped(&out, -5000);
    ledger_data_erased(&out, 3, 0);
    ck_assert_str_eq(
        out.bytes,
        "{\"count\":7,\"kind\":\"bad_key\",\"since\":\"1970-01-01T00:00:00.000Z\",\"source\":"
        "\"192.0.2.1\"}"
        "{\"groups\":[\"leads\"],\"requirement\":1,\"rung\":2}"
        "{\"revision\":1}"
        "{\"changed\":[\"/action/properties/args/amount\"],\"revision\":2}"
        "{\"person\":\"per_a\",\"reason\":\"disabled\"}"
        "{\"reason\":\"frozen\",\"revision\":1}"
        "{\"reason\":\"expired\"}"
        "{\"changed\":[\"name\"],\"id\":\"key_1\",\"owner\":\"per_a\"}"
        "{\"added\":[\"per_a\"],\"group\":\"finance\",\"removed\":[]}"
        "{\"rule_count\":12}"
        "{\"method\":\"password\",\"outcome\":\"in\"}"
        "{\"freeze\":\"frz_1\",\"reason\":\"odd\",\"scope\":\"agent\",\"target\":\"bot\"}"
        "{\"detail\":\"1.0.0\"}"
        "{\"step_ms\":-5000}"
        "{\"before\":\"1970-01-01T00:00:00.000Z\",\"count\":3}");
}
END_TEST

START_TEST(data__of_the_other_types_is_written_as_the_contract_says)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    const struct ledger_notice notice = {.notice = "ntc_1",
                                         .channel = "slack",
                                         .purpose = "asked",
                                         .reason = "timeout",
                                         .attempt = 2};
    ledger_data_notice(&out, &notice);
    const struct ledger_epoch epoch = {.epoch = 2,
                                       .previous_origin = SAMPLE_ORIGIN,
                                       .previous_size = 5,
                                       .previous_root = SAMPLE_DIGEST,
                                       .reason = "rolled_back"};
    ledger_data_epoch(&out, &epoch);
    const struct ledger_submitted asked = {
        .action = "a", .agent = "b", .resource = "c", .subject = "d", .audience = "e"};
    ledger_data_submitted(&out, &asked);
    ledger_data_evaluated(&out, "evl_1", &asked, "allow", TEXTS("r"));
    const struct ledger_decided denied = {.revision = 1,
                                          .verdict = "deny",
                                          .risk = "low",
                                          .cause = "submitted",
                                          .cost = 3,
                                          .rules = TEXTS("r")};
    ledger_data_decided(&out, &denied);
    static const struct ledger_proof proof = {.passkey = "pky_1",
                                              .credential = "CC",
                                              .public_key = "DD",
                                              .rp_id = "a.example",
                                              .origin = "https://a.example",
                                              .statement = "{\"decision\":\"deny\"}",
                                              .client_data = "BB",
                                              .authenticator_data = "AA",
                                              .signature = "EE"};
    const struct ledger_vote vote = {
        .is_approve = false, .revision = 1, .comment_digest = "bb", .proof = &proof};
    ledger_data_vote(&out, &vote);
    ck_assert_str_eq(
        out.bytes,
        "{\"attempt\":2,\"channel\":\"slack\",\"notice\":\"ntc_1\",\"purpose\":\"asked\","
        "\"reason\":\"timeout\"}"
        "{\"epoch\":2,\"previous\":{\"origin\":\"" SAMPLE_ORIGIN "\",\"root\":\"" SAMPLE_DIGEST
        "\",\"size\":5},\"reason\":\"rolled_back\"}"
        "{\"action\":\"a\",\"agent\":\"b\",\"audience\":\"e\",\"parties\":[],\"resource\":\"c\","
        "\"subject\":\"d\"}"
        "{\"action\":\"a\",\"agent\":\"b\",\"evaluation\":\"evl_1\",\"resource\":\"c\","
        "\"rules\":[\"r\"],\"subject\":\"d\","
        "\"verdict\":\"allow\"}"
        "{\"cause\":\"submitted\",\"cost\":3,\"revision\":1,\"risk\":\"low\",\"rules\":[\"r\"],"
        "\"verdict\":\"deny\"}"
        "{\"approve\":false,\"comment_digest\":\"bb\",\"proof\":{\"authenticator_data\":\"AA\","
        "\"client_data\":\"BB\",\"credential\":\"CC\",\"origin\":\"https://"
        "a.example\",\"passkey\":\"pky_1\",\"public_key\":\"DD\",\"rp_id\":\"a.example\","
        "\"signature\":\"EE\",\"statement\":{\"decision\":\"deny\"}},\"revision\":1}");
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger entry");
    TCase *tests = tcase_create("entry");
    tcase_add_test(tests, entry__is_written_in_canonical_form);
    tcase_add_test(tests, entry__leaves_out_what_is_not_there);
    tcase_add_test(tests, entry__longer_than_a_bundle_can_frame_is_a_limit);
    tcase_add_test(tests, entry__data_that_is_not_canonical_is_ours_to_mend);
    tcase_add_test(tests, entry__every_value_of_canonical_data_is_accepted);
    tcase_add_test(tests, entry__members_of_another_form_are_ours_to_mend);
    tcase_add_test(tests, entry__reader_refuses_other_members_and_forms);
    tcase_add_test(tests, entry__reader_never_reads_past_a_cut);
    tcase_add_test(tests, entry__every_type_has_a_name_that_finds_it);
    tcase_add_test(tests, data__is_written_as_the_contract_says);
    tcase_add_test(tests, data__of_the_other_types_is_written_as_the_contract_says);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
