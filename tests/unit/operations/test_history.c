#include "operations/history_internal.h"
#include "policy/policy_internal.h"
#include "requests/binding.h"
#include "store/history_rows.h"
#include "tests/support/chance.h"
#include "tests/support/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct error error;
static struct credential runner, dana;

enum { HOUR_MS = 3600 * 1000 };

static const char rules[] = "version: 1\n"
                            "defaults:\n"
                            "  verdict: require_approval\n"
                            "  approval:\n"
                            "    groups: [ops]\n"
                            "    timeout: 1h\n"
                            "rules:\n"
                            "  - name: free\n"
                            "    match: { action: \"free.*\" }\n"
                            "    verdict: allow\n";

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
    rig_publish(&rig, rules);
    runner = rig_add_caller(&rig, "runner");
    dana = rig_add_person(&rig, "dana", "ops", false);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

/* As a publication of rules that read just these sets. */
static void follow(unsigned first, unsigned second)
{
    struct policy_file file = {.name = "rules.yaml", .bytes = rules, .length = strlen(rules)};
    struct policy *policy = policy_compile(&file, 1, &error);
    ck_assert(policy != NULL);
    policy->history_kinds[0] = first;
    policy->history_kinds[1] = second;
    policy->history_kind_count = first == 0 ? 0 : second == 0 ? 1 : 2;
    ck_assert(follow_history(rig_begin_system(&rig), policy, &error));
    rig_commit(&rig);
    policy_destroy(policy);
}

static void count_past(void)
{
    bool has_more = true;
    for (size_t i = 0; has_more && i < 1000; i++) {
        ck_assert_msg(count_past_history(rig_begin_system(&rig), &has_more, &error), "%s",
                      error.message);
        rig_commit(&rig);
    }
    ck_assert(!has_more);
}

enum { UNKNOWN = -1 };

/* What the rules would read for a new request of the same action. */
static int64_t count(const char *action, unsigned parts, enum policy_past past)
{
    struct operation *operation = rig_begin_system(&rig);
    struct request_row request = {.tenant = "default",
                                  .agent_name = "bot",
                                  .action_name = action,
                                  .resource_key = "order/4711",
                                  .subject_key = "user/sam",
                                  .created_at = operation->now};
    struct history_reader reader;
    int64_t number = UNKNOWN;
    open_history(&reader, operation, &request);
    bool known = reader.history.count(reader.history.context, parts, past, HOUR_MS, &number);
    const char *read;
    ck_assert(close_history(&reader, &read, &error));
    ck_assert(known || number == UNKNOWN);
    rig_undo(&rig);
    return number;
}

static int64_t count_own(const char *request, enum policy_past past)
{
    struct operation *operation = rig_begin_system(&rig);
    struct request_row row;
    struct history_reader reader;
    int64_t number = UNKNOWN;
    ck_assert(store_read_request(rig.store, "default", request, operation->arena, &row, &error));
    open_history(&reader, operation, &row);
    ck_assert(reader.history.count(reader.history.context, POLICY_HISTORY_DEFAULT, past, HOUR_MS,
                                   &number));
    const char *read;
    ck_assert(close_history(&reader, &read, &error));
    rig_undo(&rig);
    return number;
}

static void run_once(const char *action, bool fails)
{
    char request[ID_BYTES];
    rig_submit(&rig, &runner, action, request);
    struct request_view view = rig_read(&rig, &runner, request);
    struct redeem_result redeemed = rig_redeem(&rig, &runner, &view.token, action);
    ck_assert_int_eq(redeemed.refusal, GRANT_ACCEPTED);
    struct effect_input effect = {.grant = redeemed.grant,
                                  .report = fails ? GRANT_REPORT_FAILED : GRANT_REPORT_SUCCEEDED};
    struct effect_result result;
    ck_assert(operation_report_effect(rig_begin(&rig, &runner), &effect, &result, &error));
    rig_commit(&rig);
}

static void do_some_of_everything(void)
{
    char request[ID_BYTES];
    run_once("free.read", false);
    run_once("free.read", true);
    rig_submit(&rig, &runner, "pay.refund", request);
    rig_vote(&rig, &dana, request, false);
    rig_submit(&rig, &runner, "pay.charge", request);
}

static void check_some_of_everything(void)
{
    const unsigned parts = POLICY_HISTORY_DEFAULT;
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_ANY), 2);
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_APPROVED), 2);
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_REDEEMED), 2);
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_SUCCEEDED), 1);
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_FAILED), 1);
    ck_assert_int_eq(count("free.read", parts, POLICY_PAST_PENDING), 0);
    ck_assert_int_eq(count("pay.refund", parts, POLICY_PAST_ANY), 1);
    ck_assert_int_eq(count("pay.refund", parts, POLICY_PAST_DENIED), 1);
    ck_assert_int_eq(count("pay.refund", parts, POLICY_PAST_PENDING), 0);
    ck_assert_int_eq(count("pay.charge", parts, POLICY_PAST_ANY), 1);
    ck_assert_int_eq(count("pay.charge", parts, POLICY_PAST_PENDING), 1);
    ck_assert_int_eq(count("pay.never", parts, POLICY_PAST_ANY), 0);
}

START_TEST(history__is_counted_as_it_happens)
{
    follow(POLICY_HISTORY_DEFAULT, 0);
    do_some_of_everything();
    check_some_of_everything();
}
END_TEST

START_TEST(history__that_nobody_read_before_is_counted_from_what_is_stored)
{
    do_some_of_everything();
    follow(POLICY_HISTORY_DEFAULT, 0);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY), UNKNOWN);
    count_past();
    check_some_of_everything();
}
END_TEST

START_TEST(history__what_happens_while_the_past_is_counted_counts_once)
{
    char waiting[ID_BYTES];
    char later[ID_BYTES];
    rig_submit(&rig, &runner, "pay.refund", waiting);
    run_once("free.read", false);
    follow(POLICY_HISTORY_DEFAULT, 0);
    /* Before the first step: one that waited ends, another is asked. */
    rig_vote(&rig, &dana, waiting, true);
    rig_submit(&rig, &runner, "pay.refund", later);
    run_once("free.read", false);
    count_past();
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY), 2);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_REDEEMED), 2);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY), 2);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_APPROVED), 1);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_PENDING), 1);
}
END_TEST

START_TEST(history__survives_a_restart_and_a_kill)
{
    follow(POLICY_HISTORY_DEFAULT, 0);
    count_past();
    do_some_of_everything();
    rig_close(&rig);
    rig_open(&rig);
    check_some_of_everything();
    rig_drop(&rig);
    rig_open(&rig);
    check_some_of_everything();
}
END_TEST

START_TEST(history__a_restart_amid_counting_goes_on_where_it_was)
{
    do_some_of_everything();
    follow(POLICY_HISTORY_DEFAULT, 0);
    rig_close(&rig);
    rig_open(&rig);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY), UNKNOWN);
    count_past();
    check_some_of_everything();
}
END_TEST

START_TEST(history__what_is_undone_is_not_counted)
{
    char request[ID_BYTES];
    follow(POLICY_HISTORY_DEFAULT, 0);
    rig_submit(&rig, &runner, "pay.refund", request);
    struct operation *operation = rig_begin(&rig, &runner);
    struct cancel_result cancelled;
    ck_assert(operation_cancel_request(operation, request, NULL, &cancelled, &error));
    rig_undo(&rig);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_PENDING), 1);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_CANCELLED), 0);
}
END_TEST

START_TEST(history__a_publication_that_is_undone_changes_nothing_that_is_counted)
{
    struct policy_file file = {.name = "rules.yaml", .bytes = rules, .length = strlen(rules)};
    struct policy *policy = policy_compile(&file, 1, &error);
    follow(POLICY_HISTORY_DEFAULT, 0);
    ck_assert(follow_history(rig_begin_system(&rig), policy, &error));
    ck_assert_uint_eq(rig.operations->history.count, 0);
    rig_undo(&rig);
    ck_assert_uint_eq(rig.operations->history.count, 1);
    policy_destroy(policy);
}
END_TEST

START_TEST(history__the_request_itself_is_never_counted)
{
    char first[ID_BYTES];
    char second[ID_BYTES];
    follow(POLICY_HISTORY_DEFAULT, 0);
    rig_submit(&rig, &runner, "free.read", first);
    ck_assert_int_eq(count_own(first, POLICY_PAST_ANY), 0);
    ck_assert_int_eq(count_own(first, POLICY_PAST_APPROVED), 0);
    rig_submit(&rig, &runner, "pay.refund", second);
    ck_assert_int_eq(count_own(second, POLICY_PAST_ANY), 0);
    ck_assert_int_eq(count_own(second, POLICY_PAST_PENDING), 0);
}
END_TEST

START_TEST(history__a_set_of_parts_holds_just_those_equal)
{
    const unsigned pair = POLICY_HISTORY_AGENT | POLICY_HISTORY_RESOURCE;
    follow(POLICY_HISTORY_DEFAULT, pair);
    run_once("free.read", false);
    run_once("free.write", false);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_REDEEMED), 1);
    ck_assert_int_eq(count("free.read", pair, POLICY_PAST_REDEEMED), 2);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_SUBJECT, POLICY_PAST_REDEEMED), UNKNOWN);
}
END_TEST

START_TEST(history__what_rules_read_again_is_counted_anew)
{
    follow(POLICY_HISTORY_DEFAULT, 0);
    run_once("free.read", false);
    follow(0, 0);
    run_once("free.read", false);
    follow(POLICY_HISTORY_DEFAULT, 0);
    count_past();
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_REDEEMED), 2);
}
END_TEST

START_TEST(history__of_who_waits_is_not_purged_however_old_it_is)
{
    char waiting[ID_BYTES];
    int64_t purged = -1;
    int64_t never = INT64_MAX - 1;
    follow(POLICY_HISTORY_DEFAULT, 0);
    rig_submit(&rig, &runner, "pay.refund", waiting);
    run_once("free.read", false);
    rig_begin_system(&rig);
    ck_assert(store_purge_history(rig.store, never, 100, &purged, &error));
    rig_commit(&rig);
    ck_assert_int_eq(purged, 1);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_PENDING), 1);
    rig_vote(&rig, &dana, waiting, false);
    rig_begin_system(&rig);
    /* The first call ends the round, the next begins anew. */
    ck_assert(store_purge_history(rig.store, never, 100, &purged, &error));
    ck_assert(store_purge_history(rig.store, never, 100, &purged, &error));
    rig_commit(&rig);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_DENIED), 0);
}
END_TEST

START_TEST(history__a_damaged_series_stops_the_decision)
{
    follow(POLICY_HISTORY_DEFAULT, 0);
    run_once("free.read", false);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE history SET counts = x'0107'");
    rig_open(&rig);
    struct operation *operation = rig_begin_system(&rig);
    struct request_row request = {.tenant = "default",
                                  .agent_name = "bot",
                                  .action_name = "free.read",
                                  .created_at = operation->now};
    struct history_reader reader;
    int64_t number;
    open_history(&reader, operation, &request);
    ck_assert(!reader.history.count(reader.history.context, POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY,
                                    HOUR_MS, &number));
    const char *read;
    ck_assert(!close_history(&reader, &read, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    rig_undo(&rig);
}
END_TEST

/* Whatever order publications, requests and steps through the past come in. */
START_TEST(history__agrees_with_what_is_stored_whatever_comes_between)
{
    struct chance chance = {.state = 100 + (uint64_t)_i};
    int64_t asked = 0;
    int64_t redeemed = 0;
    int64_t pending = 0;
    char waiting[ID_BYTES] = "";
    for (size_t i = 0; i < 60; i++) {
        bool has_more;
        switch (chance_below(&chance, 7)) {
        case 0:
            follow(POLICY_HISTORY_DEFAULT, POLICY_HISTORY_SUBJECT);
            break;
        case 1:
            follow(POLICY_HISTORY_SUBJECT, 0);
            break;
        case 2:
            ck_assert(count_past_history(rig_begin_system(&rig), &has_more, &error));
            rig_commit(&rig);
            break;
        case 3:
            if (waiting[0] == '\0') {
                rig_submit(&rig, &runner, "pay.refund", waiting);
                pending++;
                asked++;
            }
            break;
        case 4:
            if (waiting[0] != '\0') {
                rig_vote(&rig, &dana, waiting, true);
                waiting[0] = '\0';
                pending--;
            }
            break;
        default:
            run_once("free.read", chance_below(&chance, 2) == 0);
            asked++;
            redeemed++;
        }
    }
    follow(POLICY_HISTORY_DEFAULT, POLICY_HISTORY_SUBJECT);
    count_past();
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_SUBJECT, POLICY_PAST_ANY), asked);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_SUBJECT, POLICY_PAST_REDEEMED), redeemed);
    ck_assert_int_eq(count("free.read", POLICY_HISTORY_DEFAULT, POLICY_PAST_REDEEMED), redeemed);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_DEFAULT, POLICY_PAST_PENDING), pending);
    ck_assert_int_eq(count("pay.refund", POLICY_HISTORY_SUBJECT, POLICY_PAST_PENDING), pending);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/history");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, history__is_counted_as_it_happens);
    tcase_add_test(tests, history__that_nobody_read_before_is_counted_from_what_is_stored);
    tcase_add_test(tests, history__what_happens_while_the_past_is_counted_counts_once);
    tcase_add_test(tests, history__survives_a_restart_and_a_kill);
    tcase_add_test(tests, history__a_restart_amid_counting_goes_on_where_it_was);
    tcase_add_test(tests, history__what_is_undone_is_not_counted);
    tcase_add_test(tests, history__a_publication_that_is_undone_changes_nothing_that_is_counted);
    tcase_add_test(tests, history__the_request_itself_is_never_counted);
    tcase_add_test(tests, history__a_set_of_parts_holds_just_those_equal);
    tcase_add_test(tests, history__what_rules_read_again_is_counted_anew);
    tcase_add_test(tests, history__of_who_waits_is_not_purged_however_old_it_is);
    tcase_add_test(tests, history__a_damaged_series_stops_the_decision);
    tcase_add_loop_test(tests, history__agrees_with_what_is_stored_whatever_comes_between, 0, 10);
    suite_add_tcase(suite, tests);
    SRunner *suite_runner = srunner_create(suite);
    srunner_run_all(suite_runner, CK_NORMAL);
    int failed = srunner_ntests_failed(suite_runner);
    srunner_free(suite_runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
