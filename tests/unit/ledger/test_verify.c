#include "formats/text.h"
#include "tests/unit/ledger/sample.h"

static struct sample sample;

static void setup(void)
{
    sample_init(&sample);
    sample_header(&sample);
}

static void teardown(void)
{
    sample_finish(&sample);
}

static void close_export(void)
{
    sample_checkpoint(&sample);
    sample_end(&sample);
}

static void expect_good(void)
{
    close_export();
    sample_expect_good(&sample);
}

static void expect_found(const char *finding)
{
    close_export();
    sample_expect_found(&sample, finding);
}

/* Coverage. */

START_TEST(verify__says_what_it_covered)
{
    sample_people_cycle(&sample, "req_1");
    sample_checkpoint(&sample);
    sample_allow_cycle(&sample, "req_2");
    sample_end(&sample);
    sample_expect_good(&sample);
    ck_assert_uint_eq(sample.report.size, 16);
    ck_assert_uint_eq(sample.report.covered, 9);
    ck_assert_str_eq(sample.report.covered_at, "2025-11-24T16:00:00.008Z");
    ck_assert_uint_eq(sample.report.request_count, 2);
    ck_assert_uint_eq(sample.report.grant_count, 2);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &sample.report);
    ck_assert_str_eq(text.bytes,
                     "log gate.example/ledger: 16 entries, 1 checkpoints, 2 requests, 2 "
                     "grants\nnot covered by a signature: entries 9 to 15\ncomplete "
                     "to entry 8 at 2025-11-24T16:00:00.008Z\n");
}
END_TEST

START_TEST(verify__without_a_checkpoint_nothing_is_covered)
{
    sample_allow_cycle(&sample, "req_1");
    sample_end(&sample);
    sample_expect_good(&sample);
    ck_assert_uint_eq(sample.report.covered, 0);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &sample.report);
    ck_assert_ptr_nonnull(strstr(text.bytes, "complete to nothing"));
}
END_TEST

START_TEST(verify__finding_is_named_with_entry_line_and_reason)
{
    sample_pending(&sample, "req_1");
    sample_approved(&sample, "req_1", "approved_by_people", sample_bob_and_carol, 2);
    expect_found("approved_without_votes");
    ck_assert(sample.report.has_seq);
    ck_assert_uint_eq(sample.report.seq, 2);
    ck_assert_uint_eq(sample.report.line, 4);
    ck_assert_str_eq(sample.report.subject, "req_1");
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &sample.report);
    ck_assert_ptr_nonnull(strstr(text.bytes, "FOUND approved_without_votes, entry 2, line 4, req_1"
                                             "\n  Approved, but `per_bob` is counted without"));
}
END_TEST

START_TEST(verify__an_export_for_one_tenant_holds_others_as_hashes)
{
    sample_withhold(&sample, "theirs");
    sample_allow_cycle(&sample, "req_1");
    sample_withhold(&sample, "theirs too");
    close_export();
    sample_expect_found(&sample, "entry_withheld");
    ck_assert_uint_eq(sample.report.seq, 0);
    sample.allows_withheld = true;
    sample_expect_good(&sample);
    ck_assert_uint_eq(sample.report.withheld_count, 2);
    ck_assert_uint_eq(sample.report.covered, sample.report.entry_count);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &sample.report);
    ck_assert_ptr_nonnull(strstr(text.bytes, "\n2 entries are withheld: of them only"));
}
END_TEST

START_TEST(verify__a_withheld_entry_still_has_its_place)
{
    sample.allows_withheld = true;
    sample_allow_cycle(&sample, "req_1");
    sample_withhold(&sample, "theirs");
    close_export();
    char *line = strstr(sample.lines.bytes, "{\"withheld\":\"");
    ck_assert_ptr_nonnull(line);
    char *digit = line + strlen("{\"withheld\":\"");
    *digit = *digit == 'a' ? 'b' : 'a';
    sample_expect_found(&sample, "root_mismatch");
    *digit = 'x';
    sample_expect_found(&sample, "line_malformed");
}
END_TEST

START_TEST(verify__the_empty_export_is_a_finding)
{
    sample.lines.length = 0;
    sample_expect_found(&sample, "empty");
}
END_TEST

START_TEST(verify__a_log_without_entries_is_good)
{
    expect_good();
    ck_assert_uint_eq(sample.report.size, 0);
}
END_TEST

static bool fail_to_read(void *context, const char **out_line, size_t *out_length,
                         struct error *error)
{
    (void)context;
    (void)out_line;
    (void)out_length;
    return error_set(error, ERROR_INTERNAL, "read_failed", NULL, "no");
}

START_TEST(verify__a_reader_that_fails_is_an_error_and_never_good)
{
    struct ledger_verify_options options = {.keys = &sample.named, .key_count = 1};
    struct ledger_verify_report report;
    struct error error = {0};
    ck_assert(!ledger_verify(&options, fail_to_read, NULL, &report, &error));
    ck_assert_str_eq(error.code, "read_failed");
    ck_assert(!report.is_good);
}
END_TEST

/* Lines. */

static void replace_first(const char *old, const char *new)
{
    char *at = strstr(sample.lines.bytes, old);
    ck_assert_ptr_nonnull(at);
    struct builder changed;
    builder_init(&changed, 0);
    builder_append(&changed, sample.lines.bytes, (size_t)(at - sample.lines.bytes));
    builder_text(&changed, new);
    builder_text(&changed, at + strlen(old));
    builder_finish(&sample.lines);
    sample.lines = changed;
}

START_TEST(verify__a_changed_entry_is_named)
{
    sample_allow_cycle(&sample, "req_1");
    close_export();
    replace_first("payments.refund", "payments.refuse");
    sample_expect_found(&sample, "leaf_mismatch");
    ck_assert_uint_eq(sample.report.seq, 0);
}
END_TEST

START_TEST(verify__a_changed_entry_with_its_leaf_recomputed_breaks_the_root)
{
    sample_allow_cycle(&sample, "req_1");
    struct tree honest = sample.tree;
    sample.lines.length = 0;
    tree_init(&sample.tree);
    sample.now -= 7;
    sample_header(&sample);
    sample_allow_cycle(&sample, "req_2");
    sample.tree = honest; /* what was signed */
    close_export();
    sample_expect_found(&sample, "root_mismatch");
}
END_TEST

START_TEST(verify__unordered_or_spaced_json_is_refused)
{
    sample_allow_cycle(&sample, "req_1");
    close_export();
    replace_first("{\"countersign_export\":1,", "{\"countersign_export\": 1,");
    sample_expect_found(&sample, "line_malformed");
}
END_TEST

START_TEST(verify__header_with_other_members_is_refused)
{
    close_export();
    replace_first("\"from\":0,", "\"extra\":0,\"from\":0,");
    sample_expect_found(&sample, "line_malformed");
}
END_TEST

START_TEST(verify__end_with_other_counts_is_refused)
{
    sample_allow_cycle(&sample, "req_1");
    sample_checkpoint(&sample);
    ledger_export_end(&sample.lines, 7, 2);
    sample_expect_found(&sample, "lines_missing");
}
END_TEST

START_TEST(verify__without_its_end_line_it_is_cut_short)
{
    sample_allow_cycle(&sample, "req_1");
    sample_checkpoint(&sample);
    sample_expect_found(&sample, "cut_short");
}
END_TEST

START_TEST(verify__a_section_within_a_section_is_refused)
{
    sample_header(&sample);
    close_export();
    sample_expect_found(&sample, "cut_short");
}
END_TEST

START_TEST(verify__lines_outside_a_section_are_refused)
{
    close_export();
    sample_end(&sample);
    sample_expect_found(&sample, "line_unexpected");
}
END_TEST

START_TEST(verify__a_checkpoint_twice_is_refused)
{
    sample_allow_cycle(&sample, "req_1");
    sample_checkpoint(&sample);
    expect_found("checkpoint_repeated");
}
END_TEST

START_TEST(verify__a_checkpoint_of_another_key_is_refused)
{
    unsigned char seed[32] = "another";
    sample_allow_cycle(&sample, "req_1");
    signer_close(sample.signer);
    sample.signer = signer_from_seed(SIGNER_ED25519, seed);
    expect_found("checkpoint_bad");
}
END_TEST

START_TEST(verify__a_log_of_another_key_is_refused)
{
    unsigned char seed[32] = "another";
    close_export();
    struct signer *other = signer_from_seed(SIGNER_ED25519, seed);
    ck_assert(note_key_of_signer(&sample.named, SAMPLE_ORIGIN, other, NULL));
    sample_expect_found(&sample, "other_key");
    signer_close(other);
}
END_TEST

START_TEST(verify__a_log_of_another_name_is_refused)
{
    close_export();
    ck_assert(note_key_of_signer(&sample.named, "gate.example/led", sample.signer, NULL));
    sample_expect_found(&sample, "other_key");
}
END_TEST

START_TEST(verify__entries_out_of_order_are_found)
{
    sample_submitted(&sample, "req_1");
    sample.tree.size++;
    sample_submitted(&sample, "req_2");
    sample_end(&sample);
    sample_expect_found(&sample, "seq_out_of_order");
    ck_assert_uint_eq(sample.report.seq, 1);
}
END_TEST

START_TEST(verify__time_that_falls_is_found)
{
    sample_submitted(&sample, "req_1");
    sample.now -= 2;
    sample_submitted(&sample, "req_2");
    expect_found("time_fell");
}
END_TEST

START_TEST(verify__time_that_stands_still_is_fine)
{
    sample_submitted(&sample, "req_1");
    sample.now--;
    sample_submitted(&sample, "req_2");
    expect_good();
}
END_TEST

/* Sections and epochs. */

START_TEST(verify__an_export_is_carried_on_by_another_section)
{
    sample_people_cycle(&sample, "req_1");
    sample_pending(&sample, "req_2");
    close_export();
    sample_header(&sample);
    sample_people_approve(&sample, "req_2");
    expect_good();
    ck_assert_uint_eq(sample.report.covered, 14);
    ck_assert_uint_eq(sample.report.unjudged_count, 0);
}
END_TEST

START_TEST(verify__a_gap_between_sections_is_found)
{
    sample_allow_cycle(&sample, "req_1");
    close_export();
    struct sha256 leaf = {0};
    tree_append(&sample.tree, &leaf, NULL, NULL);
    sample_header(&sample);
    expect_found("section_gap");
}
END_TEST

START_TEST(verify__a_late_section_alone_reaches_the_signed_root)
{
    sample_pending(&sample, "req_1");
    sample.lines.length = 0;
    sample_header(&sample);
    sample_people_approve(&sample, "req_1");
    sample_allow_cycle(&sample, "req_2");
    expect_good();
    ck_assert_uint_eq(sample.report.unjudged_count, 3);
    ck_assert_uint_eq(sample.report.entry_count, 10);
    ck_assert_uint_eq(sample.report.covered, 12);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &sample.report);
    ck_assert_ptr_nonnull(strstr(text.bytes, "begins at entry 2 of gate.example/ledger: what was "
                                             "before is not in it\n"));
}
END_TEST

START_TEST(verify__a_false_range_misses_the_signed_root)
{
    sample_pending(&sample, "req_1");
    sample.lines.length = 0;
    struct tree false_range = sample.tree;
    false_range.roots[0].bytes[3] ^= 1;
    ledger_export_header(&sample.lines, &false_range, &sample.key);
    sample_allow_cycle(&sample, "req_2");
    expect_found("root_mismatch");
}
END_TEST

static void begin_epoch(const char *origin, const struct sha256 *root)
{
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    text_append_hex(&hex, root->bytes, SHA256_BYTES);
    const struct ledger_epoch epoch = {.epoch = 2,
                                       .previous_origin = SAMPLE_ORIGIN,
                                       .previous_size = sample.tree.size,
                                       .previous_root = hex.bytes,
                                       .reason = "rolled_back"};
    ck_assert(note_key_of_signer(&sample.key, origin, sample.signer, NULL));
    tree_init(&sample.tree);
    sample_header(&sample);
    ledger_data_epoch(&sample.data, &epoch);
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_EPOCH_BEGUN, .tenant = ""});
}

START_TEST(verify__a_later_epoch_is_chained_to_the_log_before)
{
    sample_pending(&sample, "req_1");
    close_export();
    struct sha256 root = tree_root(&sample.tree);
    begin_epoch(SAMPLE_ORIGIN "/e2", &root);
    sample_ended(&sample, "req_1", LEDGER_REQUEST_CANCELLED, "rolled_back");
    expect_good();
    ck_assert_str_eq(sample.report.origin, SAMPLE_ORIGIN "/e2");
    ck_assert_uint_eq(sample.report.unjudged_count, 0);
}
END_TEST

START_TEST(verify__a_later_epoch_that_names_another_root_is_found)
{
    sample_pending(&sample, "req_1");
    close_export();
    struct sha256 root = tree_root(&sample.tree);
    root.bytes[0] ^= 1;
    begin_epoch(SAMPLE_ORIGIN "/e2", &root);
    expect_found("epoch_unchained");
}
END_TEST

START_TEST(verify__a_later_epoch_without_epoch_begun_is_found)
{
    close_export();
    ck_assert(note_key_of_signer(&sample.key, SAMPLE_ORIGIN "/e2", sample.signer, NULL));
    sample_header(&sample);
    sample_submitted(&sample, "req_1");
    expect_found("epoch_unchained");
}
END_TEST

START_TEST(verify__a_later_epoch_alone_is_good)
{
    sample.lines.length = 0;
    struct sha256 root = tree_root(&sample.tree);
    begin_epoch(SAMPLE_ORIGIN "/e3", &root);
    sample_ended(&sample, "req_1", LEDGER_REQUEST_CANCELLED, "rolled_back");
    expect_good();
    ck_assert_uint_eq(sample.report.unjudged_count, 1);
}
END_TEST

/* Kept checkpoints. */

START_TEST(verify__meets_a_kept_checkpoint)
{
    sample_allow_cycle(&sample, "req_1");
    sample_keep(&sample);
    sample_allow_cycle(&sample, "req_2");
    expect_good();
}
END_TEST

START_TEST(verify__truncation_shows_against_a_kept_checkpoint)
{
    sample_allow_cycle(&sample, "req_1");
    struct tree shorter = sample.tree;
    size_t length = sample.lines.length;
    sample_allow_cycle(&sample, "req_2");
    sample_keep(&sample);
    sample.tree = shorter;
    sample.lines.length = length;
    close_export();
    sample_expect_found(&sample, "truncated");
    sample.has_kept = false; /* and only against it */
    sample_expect_good(&sample);
}
END_TEST

START_TEST(verify__a_fork_shows_against_a_kept_checkpoint)
{
    sample_allow_cycle(&sample, "req_1");
    sample_keep(&sample);
    sample.lines.length = 0;
    tree_init(&sample.tree);
    sample_header(&sample);
    sample_allow_cycle(&sample, "req_9");
    sample_allow_cycle(&sample, "req_8");
    expect_found("forked");
    sample.has_kept = false;
    sample_expect_good(&sample);
}
END_TEST

START_TEST(verify__a_kept_checkpoint_that_was_changed_is_not_used)
{
    sample_allow_cycle(&sample, "req_1");
    sample_keep(&sample);
    sample.kept.note.bytes[sample.kept.note.length - 5] ^= 1;
    expect_found("kept_checkpoint_bad");
}
END_TEST

START_TEST(verify__a_kept_checkpoint_before_the_export_begins_is_unmet)
{
    sample_allow_cycle(&sample, "req_1");
    sample_keep(&sample);
    sample_allow_cycle(&sample, "req_2");
    sample.lines.length = 0;
    sample_header(&sample);
    sample_allow_cycle(&sample, "req_3");
    expect_found("kept_checkpoint_unmet");
}
END_TEST

START_TEST(verify__a_rollback_is_visible_against_the_checkpoint_of_the_old_log)
{
    sample_allow_cycle(&sample, "req_1");
    struct tree restored = sample.tree;
    size_t length = sample.lines.length;
    sample_allow_cycle(&sample, "req_2");
    sample_keep(&sample);
    sample.tree = restored;
    sample.lines.length = length;
    close_export();
    struct sha256 root = tree_root(&sample.tree);
    begin_epoch(SAMPLE_ORIGIN "/e2", &root);
    expect_found("truncated");
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger verify");
    TCase *tests = tcase_create("verify");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, verify__says_what_it_covered);
    tcase_add_test(tests, verify__without_a_checkpoint_nothing_is_covered);
    tcase_add_test(tests, verify__finding_is_named_with_entry_line_and_reason);
    tcase_add_test(tests, verify__an_export_for_one_tenant_holds_others_as_hashes);
    tcase_add_test(tests, verify__a_withheld_entry_still_has_its_place);
    tcase_add_test(tests, verify__the_empty_export_is_a_finding);
    tcase_add_test(tests, verify__a_log_without_entries_is_good);
    tcase_add_test(tests, verify__a_reader_that_fails_is_an_error_and_never_good);
    tcase_add_test(tests, verify__a_changed_entry_is_named);
    tcase_add_test(tests, verify__a_changed_entry_with_its_leaf_recomputed_breaks_the_root);
    tcase_add_test(tests, verify__unordered_or_spaced_json_is_refused);
    tcase_add_test(tests, verify__header_with_other_members_is_refused);
    tcase_add_test(tests, verify__end_with_other_counts_is_refused);
    tcase_add_test(tests, verify__without_its_end_line_it_is_cut_short);
    tcase_add_test(tests, verify__a_section_within_a_section_is_refused);
    tcase_add_test(tests, verify__lines_outside_a_section_are_refused);
    tcase_add_test(tests, verify__a_checkpoint_twice_is_refused);
    tcase_add_test(tests, verify__a_checkpoint_of_another_key_is_refused);
    tcase_add_test(tests, verify__a_log_of_another_key_is_refused);
    tcase_add_test(tests, verify__a_log_of_another_name_is_refused);
    tcase_add_test(tests, verify__entries_out_of_order_are_found);
    tcase_add_test(tests, verify__time_that_falls_is_found);
    tcase_add_test(tests, verify__time_that_stands_still_is_fine);
    tcase_add_test(tests, verify__an_export_is_carried_on_by_another_section);
    tcase_add_test(tests, verify__a_gap_between_sections_is_found);
    tcase_add_test(tests, verify__a_late_section_alone_reaches_the_signed_root);
    tcase_add_test(tests, verify__a_false_range_misses_the_signed_root);
    tcase_add_test(tests, verify__a_later_epoch_is_chained_to_the_log_before);
    tcase_add_test(tests, verify__a_later_epoch_that_names_another_root_is_found);
    tcase_add_test(tests, verify__a_later_epoch_without_epoch_begun_is_found);
    tcase_add_test(tests, verify__a_later_epoch_alone_is_good);
    tcase_add_test(tests, verify__meets_a_kept_checkpoint);
    tcase_add_test(tests, verify__truncation_shows_against_a_kept_checkpoint);
    tcase_add_test(tests, verify__a_fork_shows_against_a_kept_checkpoint);
    tcase_add_test(tests, verify__a_kept_checkpoint_that_was_changed_is_not_used);
    tcase_add_test(tests, verify__a_kept_checkpoint_before_the_export_begins_is_unmet);
    tcase_add_test(tests, verify__a_rollback_is_visible_against_the_checkpoint_of_the_old_log);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
