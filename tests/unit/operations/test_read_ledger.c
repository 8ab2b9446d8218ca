#include "formats/text.h"
#include "ledger/proof.h"
#include "ledger/verify.h"
#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct error error;
static struct credential runner;
static struct credential dana;

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    runner = rig_add_caller(&rig, "runner");
    dana = rig_add_person(&rig, "dana", "ops", false);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

/* The newest entries get their checkpoint now. */
static void sign(void)
{
    rig.operations->watch.covered_tick -= 5000;
    rig_begin_system(&rig);
    rig_commit(&rig);
}

static struct note_key key_of(const char *origin)
{
    struct note_key key;
    ck_assert(note_key_of_signer(&key, origin, rig.ledger_signer, &error));
    return key;
}

static void add_noise(size_t batches)
{
    static struct refusal_note notes[200];
    for (size_t i = 0; i < 200; i++) {
        notes[i] = (struct refusal_note){
            .source = "203.0.113.7", .kind = "bad_key", .count = 3, .since_at = 1000};
    }
    for (size_t i = 0; i < batches; i++) {
        ck_assert(operation_note_refusals(rig_begin_system(&rig), notes, 200, &error));
        rig_commit(&rig);
    }
}

START_TEST(head__is_the_newest_checkpoint_with_the_key_that_opens_it)
{
    struct ledger_head head;
    struct note_key key;
    struct checkpoint checkpoint;
    sign();
    ck_assert(operation_read_head(rig_begin_host(&rig), &head, &error));
    ck_assert_int_eq(head.epoch, 1);
    ck_assert_str_eq(head.origin, RIG_ORIGIN);
    ck_assert(note_key_parse(&key, head.vkey, strlen(head.vkey), &error));
    ck_assert(checkpoint_open(&checkpoint, NULL, head.checkpoint, strlen(head.checkpoint), &key, 1,
                              head.origin, &error));
    ck_assert_uint_eq(checkpoint.size, (uint64_t)head.size);
    ck_assert_uint_eq(checkpoint.size, rig.operations->tree.size);
    rig_undo(&rig);
}
END_TEST

START_TEST(head__is_for_auditors_admins_and_the_host)
{
    struct ledger_head head;
    sign();
    ck_assert(!operation_read_head(rig_begin(&rig, &dana), &head, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    rig_undo(&rig);
    error = (struct error){0};
    ck_assert(!operation_read_head(rig_begin(&rig, &runner), &head, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    rig_undo(&rig);
}
END_TEST

static struct sha256 leaf_of(int64_t seq)
{
    struct sha256 leaf;
    ck_assert(store_read_leaf(rig.store, 1, seq, &leaf, &error));
    return leaf;
}

static int64_t seq_of(const char *request, const char *type)
{
    struct entry_row *entries;
    size_t count;
    int64_t seq = -1;
    ck_assert(operation_read_timeline(rig_begin_host(&rig), request, &entries, &count, &error));
    for (size_t i = 0; i < count; i++) {
        seq = strcmp(entries[i].type, type) == 0 ? entries[i].seq : seq;
    }
    rig_undo(&rig);
    ck_assert_int_ge(seq, 0);
    return seq;
}

START_TEST(receipt__proves_a_decision_to_its_caller)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    struct note_key key = key_of(RIG_ORIGIN);
    rig_submit(&rig, &runner, "free.read", request);
    add_noise(6);
    sign();
    int64_t seq = seq_of(request, "request.approved");
    struct sha256 leaf = leaf_of(seq);
    ck_assert(operation_read_receipt(rig_begin(&rig, &runner), request, &proof, &error));
    uint64_t index;
    ck_assert(proof_verify(proof, strlen(proof), &leaf, &key, 1, RIG_ORIGIN, &index, NULL, &error));
    ck_assert_uint_eq(index, (uint64_t)seq);
    struct sha256 other = leaf_of(seq - 1);
    ck_assert(!proof_verify(proof, strlen(proof), &other, &key, 1, RIG_ORIGIN, NULL, NULL, &error));
    rig_undo(&rig);
}
END_TEST

START_TEST(receipt__waits_for_a_checkpoint)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    sign();
    rig_submit(&rig, &runner, "free.read", request);
    ck_assert(!operation_read_receipt(rig_begin(&rig, &runner), request, &proof, &error));
    ck_assert_int_eq(error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(error.code, "not_covered");
    rig_undo(&rig);
}
END_TEST

START_TEST(receipt__of_what_has_not_happened_does_not_exist)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    rig_submit(&rig, &runner, "pay.refund", request);
    ck_assert(!operation_read_receipt(rig_begin(&rig, &runner), request, &proof, &error));
    ck_assert_str_eq(error.code, "not_decided");
    rig_undo(&rig);
    error = (struct error){0};
    rig_submit(&rig, &runner, "free.read", request);
    struct request_view view = rig_read(&rig, &runner, request);
    ck_assert(!operation_read_receipt(rig_begin(&rig, &runner), view.grant.id, &proof, &error));
    ck_assert_str_eq(error.code, "not_redeemed");
    rig_undo(&rig);
}
END_TEST

START_TEST(receipt__proves_a_redemption_to_its_holder)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    struct note_key key = key_of(RIG_ORIGIN);
    rig_submit(&rig, &runner, "free.read", request);
    struct request_view view = rig_read(&rig, &runner, request);
    ck_assert(view.has_token);
    ck_assert_int_eq(rig_redeem(&rig, &runner, &view.token, "free.read").refusal, GRANT_ACCEPTED);
    sign();
    struct sha256 leaf = leaf_of(seq_of(request, "grant.redeemed"));
    ck_assert(operation_read_receipt(rig_begin(&rig, &runner), view.grant.id, &proof, &error));
    ck_assert(proof_verify(proof, strlen(proof), &leaf, &key, 1, RIG_ORIGIN, NULL, NULL, &error));
    rig_undo(&rig);
}
END_TEST

static const char other_rules[] =
    "version: 1\n"
    "defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"
    "rules:\n"
    "  - name: shop\n"
    "    match: { action: \"shop.*\" }\n"
    "    verdict: allow\n"
    "    grant: { audience: [\"https://shop.example\"] }\n"
    "  - name: blind\n"
    "    match: { action: \"wire.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: critical\n"
    "    approval:\n"
    "      groups: [ops]\n"
    "      quorum: 2\n"
    "      assurance: session\n"
    "      timeout: 1h\n";

/* `shop` redeems what `runner` asked for. */
static struct credential add_shop(void)
{
    struct caller_row caller;
    const char *const audiences[] = {"https://shop.example"};
    struct caller_input input = {.name = "shop", .audiences = audiences, .audience_count = 1};
    ck_assert(operation_add_caller(rig_begin_host(&rig), &input, &caller, &error));
    rig_commit(&rig);
    const char *const agents[] = {"bot"};
    const char *const subjects[] = {"**"};
    input = (struct caller_input){.name = "runner",
                                  .agents = agents,
                                  .agent_count = 1,
                                  .subjects = subjects,
                                  .subject_count = 1,
                                  .audiences = audiences,
                                  .audience_count = 1};
    ck_assert(operation_change_caller(rig_begin_host(&rig), &input, &caller, &error));
    rig_commit(&rig);
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input key = {.kind = CREDENTIAL_API_KEY, .owner = "shop"};
    ck_assert(operation_add_credential(rig_begin_host(&rig), &key, &row, secret, &error));
    rig_commit(&rig);
    return (struct credential){.kind = CREDENTIAL_API_KEY,
                               .hash = crypto_sha256(secret, strlen(secret))};
}

START_TEST(receipt__proves_a_redemption_to_who_redeemed)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    rig_publish(&rig, other_rules);
    struct credential shop = add_shop();
    rig_submit_for(&rig, &runner, "shop.buy", "https://shop.example", request);
    struct request_view view = rig_read(&rig, &runner, request);
    ck_assert_int_eq(rig_redeem(&rig, &shop, &view.token, "shop.buy").refusal, GRANT_ACCEPTED);
    sign();
    ck_assert(operation_read_receipt(rig_begin(&rig, &shop), view.grant.id, &proof, &error));
    rig_undo(&rig);
    /* The request itself is not its own. */
    ck_assert(!operation_read_receipt(rig_begin(&rig, &shop), request, &proof, &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    rig_undo(&rig);
}
END_TEST

static size_t votes_shown_to(const struct credential *person, const char *request)
{
    struct entry_row *entries;
    size_t count;
    size_t votes = 0;
    ck_assert(operation_read_timeline(rig_begin(&rig, person), request, &entries, &count, &error));
    for (size_t i = 0; i < count; i++) {
        votes += strcmp(entries[i].type, "vote") == 0;
    }
    rig_undo(&rig);
    return votes;
}

START_TEST(timeline__hides_the_first_vote_from_the_second_voter)
{
    char request[ID_BYTES];
    rig_publish(&rig, other_rules);
    struct credential erin = rig_add_person(&rig, "erin", "ops", true);
    struct credential audit = rig_add_person(&rig, "audit", NULL, true);
    rig_submit(&rig, &runner, "wire.money", request);
    rig_vote(&rig, &dana, request, true);
    ck_assert_uint_eq(votes_shown_to(&dana, request), 1);
    ck_assert_uint_eq(votes_shown_to(&erin, request), 0);
    ck_assert_uint_eq(votes_shown_to(&audit, request), 1);
    rig_vote(&rig, &erin, request, true);
    ck_assert_uint_eq(votes_shown_to(&erin, request), 2);
}
END_TEST

START_TEST(receipt__is_hidden_from_strangers)
{
    char request[ID_BYTES];
    const char *proof = NULL;
    rig_submit(&rig, &runner, "free.read", request);
    struct credential erin = rig_add_person(&rig, "erin", NULL, false);
    sign();
    const char *const ids[] = {request, "req_00000000000000000000000000", "grt_0", ""};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ck_assert(!operation_read_receipt(rig_begin(&rig, &erin), ids[i], &proof, &error));
        ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
        ck_assert_str_eq(error.code, "not_found");
        error = (struct error){0};
        rig_undo(&rig);
    }
}
END_TEST

START_TEST(consistency__leads_from_any_size_to_a_checkpoint)
{
    const char *text = NULL;
    struct ledger_head head;
    add_noise(3);
    sign();
    struct tree before = rig.operations->tree;
    struct sha256 old_root = tree_root(&before);
    add_noise(2);
    sign();
    ck_assert(operation_read_head(rig_begin_host(&rig), &head, &error));
    ck_assert(operation_read_consistency(&rig.operation, (int64_t)before.size, 0, &text, &error));
    struct sha256 root = tree_root(&rig.operations->tree);
    struct sha256 hashes[TREE_PROOF_HASHES_MAX];
    size_t count = 0;
    const char *line = strchr(text, '\n') + 1;
    while (*line != '\n') {
        size_t length = strcspn(line, "\n");
        size_t read;
        ck_assert(text_read_base64(line, length, hashes[count].bytes, SHA256_BYTES, &read));
        count++;
        line += length + 1;
    }
    ck_assert_str_eq(line + 1, head.checkpoint);
    ck_assert(tree_verify_consistency(before.size, &old_root, rig.operations->tree.size, &root,
                                      hashes, count));
    old_root.bytes[0] ^= 1;
    ck_assert(!tree_verify_consistency(before.size, &old_root, rig.operations->tree.size, &root,
                                       hashes, count));
    rig_undo(&rig);
}
END_TEST

START_TEST(consistency__only_between_sizes_there_are)
{
    const char *text = NULL;
    add_noise(1);
    sign();
    int64_t size = (int64_t)rig.operations->tree.size;
    ck_assert(operation_read_consistency(rig_begin_host(&rig), 1, size, &text, &error));
    ck_assert(!operation_read_consistency(&rig.operation, 1, size + 1, &text, &error));
    ck_assert_str_eq(error.code, "no_such_checkpoint");
    error = (struct error){0};
    ck_assert(!operation_read_consistency(&rig.operation, 1, size - 5, &text, &error));
    ck_assert_str_eq(error.code, "no_such_checkpoint"); /* there are so many, but nobody signed */
    error = (struct error){0};
    ck_assert(!operation_read_consistency(&rig.operation, 3, 2, &text, &error));
    ck_assert_str_eq(error.code, "bad_sizes");
    error = (struct error){0};
    ck_assert(!operation_read_consistency(&rig.operation, size + 1, 0, &text, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    rig_undo(&rig);
}
END_TEST

START_TEST(timeline__tells_the_life_of_a_request)
{
    char request[ID_BYTES];
    struct entry_row *entries;
    size_t count;
    rig_submit(&rig, &runner, "pay.refund", request);
    rig_vote(&rig, &dana, request, true);
    static const char *const types[] = {"request.submitted", "policy.decided", "vote",
                                        "request.approved", "grant.issued"};
    ck_assert(operation_read_timeline(rig_begin(&rig, &dana), request, &entries, &count, &error));
    ck_assert_uint_eq(count, sizeof types / sizeof *types);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(entries[i].type, types[i]);
    }
    rig_undo(&rig);
}
END_TEST

/* Exports. */

struct reading {
    const char *at;
    const char *end;
};

static bool read_line(void *context, const char **out_line, size_t *out_length, struct error *why)
{
    struct reading *reading = context;
    (void)why;
    if (reading->at == reading->end) {
        return false;
    }
    const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
    ck_assert_ptr_nonnull(newline);
    *out_line = reading->at;
    *out_length = (size_t)(newline - reading->at);
    reading->at = newline + 1;
    return true;
}

static struct ledger_verify_report verify(const struct builder *text)
{
    struct note_key key = key_of(RIG_ORIGIN);
    struct ledger_verify_options options = {.keys = &key, .key_count = 1};
    struct reading reading = {.at = text->bytes, .end = text->bytes + text->length};
    struct ledger_verify_report report;
    ck_assert(ledger_verify(&options, read_line, &reading, &report, &error));
    return report;
}

static void export(struct export_cursor cursor, size_t bytes_max, struct builder *out)
{
    bool is_done = false;
    for (int calls = 0; !is_done; calls++) {
        size_t before = out->length;
        ck_assert_int_lt(calls, 100000);
        ck_assert(operation_export_ledger(rig_begin_host(&rig), &cursor, out, bytes_max, &is_done,
                                          &error));
        ck_assert_uint_le(out->length - before, bytes_max + (size_t)3 * 1024);
        rig_undo(&rig);
    }
}

/* An allowed, an approved and redeemed, and a denied request; `free`, `approved` and `denied` name
 * their actions, for the same may not be asked again after a denial. */
static void live_a_little(const char *free, const char *approved, const char *denied)
{
    char request[ID_BYTES];
    rig_submit(&rig, &runner, free, request);
    rig_submit(&rig, &runner, approved, request);
    rig_vote(&rig, &dana, request, true);
    struct request_view view = rig_read(&rig, &runner, request);
    ck_assert_int_eq(rig_redeem(&rig, &runner, &view.token, approved).refusal, GRANT_ACCEPTED);
    rig_submit(&rig, &runner, denied, request);
    rig_vote(&rig, &dana, request, false);
}

static void expect_good(const struct ledger_verify_report *report)
{
    ck_assert_msg(report->is_good, "line %d: %s: %s", (int)report->line,
                  report->finding == NULL ? "" : report->finding, report->message);
}

START_TEST(export__holds_everything_and_verifies)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    live_a_little("free.a", "pay.a", "drop.a");
    add_noise(4);
    live_a_little("free.b", "pay.b", "drop.b");
    sign();
    export((struct export_cursor){0}, 1 << 20, &text);
    struct ledger_verify_report report = verify(&text);
    expect_good(&report);
    ck_assert_uint_eq(report.size, rig.operations->tree.size);
    ck_assert_uint_eq(report.covered, report.size);
    ck_assert_uint_eq(report.request_count, 6);
    ck_assert_uint_eq(report.grant_count, 4);
}
END_TEST

START_TEST(export__in_small_pieces_is_the_same_text)
{
    struct builder whole BUILDER_SCOPE;
    struct builder pieces BUILDER_SCOPE;
    builder_init(&whole, 0);
    builder_init(&pieces, 0);
    live_a_little("free.a", "pay.a", "drop.a");
    add_noise(2);
    sign();
    export((struct export_cursor){0}, 1 << 20, &whole);
    export((struct export_cursor){0}, 1, &pieces);
    ck_assert_uint_eq(whole.length, pieces.length);
    ck_assert_str_eq(whole.bytes, pieces.bytes);
}
END_TEST

START_TEST(export__goes_on_where_another_ended)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    live_a_little("free.a", "pay.a", "drop.a");
    sign();
    int64_t size = (int64_t)rig.operations->tree.size;
    export((struct export_cursor){0}, 1 << 20, &text);
    live_a_little("free.b", "pay.b", "drop.b");
    add_noise(3);
    sign();
    export((struct export_cursor){.epoch = 1, .seq = size}, 1 << 20, &text);
    export((struct export_cursor){.epoch = 1, .seq = (int64_t)rig.operations->tree.size}, 1 << 20,
           &text);
    struct ledger_verify_report report = verify(&text);
    expect_good(&report);
    ck_assert_uint_eq(report.size, rig.operations->tree.size);
    ck_assert_uint_eq(report.covered, report.size);
}
END_TEST

START_TEST(export__ends_with_what_is_signed)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    sign();
    uint64_t size = rig.operations->tree.size;
    live_a_little("free.a", "pay.a", "drop.a"); /* within a second: not covered yet */
    export((struct export_cursor){0}, 1 << 20, &text);
    struct ledger_verify_report report = verify(&text);
    expect_good(&report);
    ck_assert_uint_eq(report.size, size);
}
END_TEST

START_TEST(export__of_a_quiet_log_carries_few_signatures_and_the_last)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < 10; i++) {
        add_noise(1);
        sign();
    }
    export((struct export_cursor){0}, 1 << 20, &text);
    struct ledger_verify_report report = verify(&text);
    expect_good(&report);
    ck_assert_uint_eq(report.covered, rig.operations->tree.size);
    ck_assert_uint_eq(report.checkpoint_count, 5); /* after every other batch */
}
END_TEST

START_TEST(export__is_for_auditors_admins_and_the_host)
{
    struct builder text BUILDER_SCOPE;
    struct export_cursor cursor = {0};
    bool is_done;
    builder_init(&text, 0);
    ck_assert(
        !operation_export_ledger(rig_begin(&rig, &dana), &cursor, &text, 1000, &is_done, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    ck_assert_uint_eq(text.length, 0);
    rig_undo(&rig);
}
END_TEST

START_TEST(export__of_a_changed_store_names_the_entry)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    live_a_little("free.a", "pay.a", "drop.a");
    sign();
    export((struct export_cursor){0}, 1 << 20, &text);
    char *found = strstr(text.bytes, "\"verdict\":\"require_approval\"");
    ck_assert_ptr_nonnull(found);
    found[12] = 'X';
    struct ledger_verify_report report = verify(&text);
    ck_assert(!report.is_good);
    ck_assert_str_eq(report.finding, "leaf_mismatch");
}
END_TEST

START_TEST(export__knows_its_entries)
{
    struct builder text BUILDER_SCOPE;
    struct export_cursor cursor = {.epoch = 1, .seq = 100000};
    bool is_done;
    builder_init(&text, 0);
    ck_assert(
        !operation_export_ledger(rig_begin_host(&rig), &cursor, &text, 1000, &is_done, &error));
    ck_assert_str_eq(error.code, "no_such_entry");
    rig_undo(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/read_ledger");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, head__is_the_newest_checkpoint_with_the_key_that_opens_it);
    tcase_add_test(tests, head__is_for_auditors_admins_and_the_host);
    tcase_add_test(tests, receipt__proves_a_decision_to_its_caller);
    tcase_add_test(tests, receipt__waits_for_a_checkpoint);
    tcase_add_test(tests, receipt__of_what_has_not_happened_does_not_exist);
    tcase_add_test(tests, receipt__proves_a_redemption_to_its_holder);
    tcase_add_test(tests, receipt__proves_a_redemption_to_who_redeemed);
    tcase_add_test(tests, timeline__hides_the_first_vote_from_the_second_voter);
    tcase_add_test(tests, receipt__is_hidden_from_strangers);
    tcase_add_test(tests, consistency__leads_from_any_size_to_a_checkpoint);
    tcase_add_test(tests, consistency__only_between_sizes_there_are);
    tcase_add_test(tests, timeline__tells_the_life_of_a_request);
    tcase_add_test(tests, export__holds_everything_and_verifies);
    tcase_add_test(tests, export__in_small_pieces_is_the_same_text);
    tcase_add_test(tests, export__goes_on_where_another_ended);
    tcase_add_test(tests, export__ends_with_what_is_signed);
    tcase_add_test(tests, export__of_a_quiet_log_carries_few_signatures_and_the_last);
    tcase_add_test(tests, export__is_for_auditors_admins_and_the_host);
    tcase_add_test(tests, export__of_a_changed_store_names_the_entry);
    tcase_add_test(tests, export__knows_its_entries);
    suite_add_tcase(suite, tests);
    SRunner *runner_of_suite = srunner_create(suite);
    srunner_run_all(runner_of_suite, CK_NORMAL);
    int failed = srunner_ntests_failed(runner_of_suite);
    srunner_free(runner_of_suite);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
