#include "formats/canonical.h"
#include "operations/operations_internal.h"
#include "operations/policy_operations.h"
#include "tests/support/rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct error error;

#define RULES(rules)                                                                               \
    "version: 1\n"                                                                                 \
    "defaults:\n"                                                                                  \
    "  verdict: require_approval\n"                                                                \
    "  approval:\n"                                                                                \
    "    groups: [ops]\n"                                                                          \
    "    timeout: 1h\n" rules

static const char asking[] = RULES("");
static const char denying[] = RULES("rules:\n"
                                    "  - name: no-pay\n"
                                    "    match: { action: \"pay.*\" }\n"
                                    "    verdict: deny\n");
static const char asking_more[] = RULES("rules:\n"
                                        "  - name: two\n"
                                        "    match: { action: \"pay.*\" }\n"
                                        "    verdict: require_approval\n"
                                        "    approval: { groups: [ops], quorum: 2 }\n");

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

static struct policy *compile(const char *yaml)
{
    struct policy_file file = {.name = "rules.yaml", .bytes = yaml, .length = strlen(yaml)};
    struct policy *policy = policy_compile(&file, 1, &error);
    ck_assert_msg(policy != NULL, "%s", error.message);
    return policy;
}

static struct request_row read_row(const char *request)
{
    struct request_row row;
    struct arena *arena = arena_create();
    ck_assert(store_read_request(rig.store, "default", request, arena, &row, &error));
    arena_destroy(arena);
    return row;
}

struct search {
    const char *text;
    size_t count;
};

static bool count_text(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    search->count += strstr(entry->bytes, search->text) != NULL;
    return true;
}

static size_t entries_with(const char *text)
{
    struct search search = {.text = text};
    ck_assert(store_each_entry(rig.store, 1, 0, 100000, count_text, &search, &error));
    return search.count;
}

START_TEST(publish__a_new_version_is_an_entry_and_in_force)
{
    bool changed = false;
    struct policy *policy = compile(asking);
    char version[POLICY_VERSION_BYTES];
    strcpy(version, policy_version(policy));
    ck_assert(operation_publish_policy(rig_begin_system(&rig), policy, "{\"a\":\"b\"}", &changed,
                                       &error));
    ck_assert(changed);
    rig_commit(&rig);
    ck_assert_str_eq(operations_policy_version(rig.operations), version);
    ck_assert_uint_eq(entries_with("\"type\":\"policy.published\""), 1);
    ck_assert_uint_eq(entries_with(version), 1);
    struct policy_row row;
    bool found;
    struct arena *arena = arena_create();
    ck_assert(store_current_policy(rig.store, arena, &row, &found, &error));
    ck_assert(found);
    ck_assert_str_eq(row.version, version);
    ck_assert_str_eq(row.files, "{\"a\":\"b\"}");
    ck_assert_str_eq(row.published_by, "system");
    arena_destroy(arena);
}
END_TEST

START_TEST(publish__the_same_version_again_is_no_entry)
{
    bool changed = true;
    rig_publish(&rig, asking);
    ck_assert(
        operation_publish_policy(rig_begin_system(&rig), compile(asking), "{}", &changed, &error));
    ck_assert(!changed);
    rig_commit(&rig);
    rig_close(&rig);
    rig_open(&rig); /* a restart loads the folder again */
    ck_assert_str_eq(operations_policy_version(rig.operations), "");
    rig_publish(&rig, asking);
    ck_assert_uint_eq(strlen(operations_policy_version(rig.operations)), 64);
    ck_assert_uint_eq(entries_with("\"type\":\"policy.published\""), 1);
}
END_TEST

START_TEST(publish__back_to_a_former_version_is_an_entry_again)
{
    rig_publish(&rig, asking);
    rig_publish(&rig, denying);
    rig_publish(&rig, asking);
    ck_assert_uint_eq(entries_with("\"type\":\"policy.published\""), 3);
    struct policy_row row;
    bool found;
    struct arena *arena = arena_create();
    ck_assert(store_current_policy(rig.store, arena, &row, &found, &error));
    ck_assert_str_eq(row.version, operations_policy_version(rig.operations));
    arena_destroy(arena);
}
END_TEST

START_TEST(publish__is_not_for_everyone)
{
    bool changed;
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    ck_assert(
        !operation_publish_policy(rig_begin(&rig, &dana), compile(asking), "{}", &changed, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    rig_undo(&rig);
    ck_assert_str_eq(operations_policy_version(rig.operations), "");
}
END_TEST

START_TEST(publish__what_is_rolled_back_leaves_the_former_in_force)
{
    bool changed;
    rig_publish(&rig, asking);
    char version[POLICY_VERSION_BYTES];
    strcpy(version, operations_policy_version(rig.operations));
    ck_assert(
        operation_publish_policy(rig_begin_system(&rig), compile(denying), "{}", &changed, &error));
    ck_assert_str_ne(operations_policy_version(rig.operations), version);
    rig_undo(&rig);
    ck_assert_str_eq(operations_policy_version(rig.operations), version);
    ck_assert_uint_eq(entries_with("\"type\":\"policy.published\""), 1);
    /* A job alone, in a batch that goes on. */
    struct operation *operation = rig_begin_system(&rig);
    ck_assert(operation_publish_policy(operation, compile(denying), "{}", &changed, &error));
    rig.hooks.rollback(rig.hooks.context);
    ck_assert_str_eq(operations_policy_version(rig.operations), version);
    rig_undo(&rig);
}
END_TEST

START_TEST(publish__each_job_of_a_batch_may_publish)
{
    bool changed;
    char before[POLICY_VERSION_BYTES];
    rig_publish(&rig, asking);
    strcpy(before, operations_policy_version(rig.operations));
    struct operation *operation = rig_begin_system(&rig);
    ck_assert(operation_publish_policy(operation, compile(denying), "{}", &changed, &error));
    rig.hooks.savepoint(rig.hooks.context);
    ck_assert(operation_publish_policy(operation, compile(asking_more), "{}", &changed, &error));
    char version[POLICY_VERSION_BYTES];
    strcpy(version, operations_policy_version(rig.operations));
    rig.hooks.savepoint(rig.hooks.context);
    ck_assert(operation_publish_policy(operation, compile(asking), "{}", &changed, &error));
    rig.hooks.rollback(rig.hooks.context);
    ck_assert_str_eq(operations_policy_version(rig.operations), version);
    rig_undo(&rig); /* the whole batch: back to the one before it */
    ck_assert_str_eq(operations_policy_version(rig.operations), before);
    rig_publish(&rig, denying);
}
END_TEST

START_TEST(publish__a_deny_ends_what_is_pending)
{
    char request[ID_BYTES];
    rig_publish(&rig, asking);
    struct credential runner = rig_add_caller(&rig, "runner");
    rig_submit(&rig, &runner, "pay.refund", request);
    rig_publish(&rig, denying);
    struct request_row row = read_row(request);
    ck_assert_int_eq(row.state, REQUEST_DENIED);
    ck_assert_int_eq(row.reason, REASON_POLICY_DENY);
}
END_TEST

START_TEST(publish__requirements_of_what_is_pending_grow)
{
    char request[ID_BYTES];
    rig_publish(&rig, asking);
    struct credential runner = rig_add_caller(&rig, "runner");
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    struct credential erin = rig_add_person(&rig, "erin", "ops", false);
    struct credential finn = rig_add_person(&rig, "finn", "ops", false);
    rig_submit(&rig, &runner, "pay.refund", request);
    rig_publish(&rig, asking_more);
    rig_vote(&rig, &dana, request, true);
    ck_assert_int_eq(read_row(request).state, REQUEST_PENDING);
    rig_vote(&rig, &erin, request, true);
    rig_vote(&rig, &finn, request, true);
    ck_assert_int_eq(read_row(request).state, REQUEST_APPROVED);
}
END_TEST

enum { MANY = 450 }; /* more than two batches */

static void submit_many(void)
{
    struct credential runner = rig_add_caller(&rig, "runner");
    for (int i = 0; i < MANY; i++) {
        char action[32];
        char request[ID_BYTES];
        snprintf(action, sizeof action, "pay.n%d", i);
        rig_submit(&rig, &runner, action, request);
    }
}

static int64_t count_pending(void)
{
    int64_t count;
    ck_assert(store_count_pending(rig.store, "default", NULL, &count, &error));
    return count;
}

static void do_due_work(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        size_t done;
        int64_t next;
        ck_assert(operation_escalate_due(rig_begin_system(&rig), 200, &done, &next, &error));
        rig_commit(&rig);
    }
}

START_TEST(publish__many_pending_are_looked_at_in_batches)
{
    rig_publish(&rig, asking);
    submit_many();
    rig_publish(&rig, denying);
    ck_assert_int_eq(count_pending(), MANY - 200);
    ck_assert_int_ne(operations_next_due_at(rig.operations), 0);
    ck_assert_int_le(operations_next_due_at(rig.operations), rig.now);
    do_due_work(4);
    ck_assert_int_eq(count_pending(), 0);
    int64_t cursor;
    ck_assert(store_get_number(rig.store, "reevaluation_cursor", &cursor, &error));
    ck_assert_int_eq(cursor, 0);
}
END_TEST

START_TEST(publish__batches_go_on_after_a_restart)
{
    rig_publish(&rig, asking);
    submit_many();
    rig_publish(&rig, denying);
    rig_drop(&rig);
    rig_open(&rig);
    do_due_work(1); /* no policy yet: nothing is decided */
    ck_assert_int_eq(count_pending(), MANY - 200);
    rig_publish(&rig, denying);
    do_due_work(4);
    ck_assert_int_eq(count_pending(), 0);
}
END_TEST

/* ---- versions and rollback ---- */

static const char *files_of(struct arena *arena, const char *yaml)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"rules.yaml\":");
    canonical_append_string(&text, yaml, strlen(yaml));
    builder_char(&text, '}');
    return arena_copy(arena, text.bytes, text.length);
}

static void publish_files(const char *yaml)
{
    bool changed;
    struct operation *operation = rig_begin_system(&rig);
    ck_assert_msg(operation_publish_policy(operation, compile(yaml),
                                           files_of(operation->arena, yaml), &changed, &error),
                  "%s", error.message);
    rig_commit(&rig);
}

static void version_of(const char *yaml, char out[POLICY_VERSION_BYTES])
{
    struct policy *policy = compile(yaml);
    strcpy(out, policy_version(policy));
    policy_destroy(policy);
}

static void roll_back_to(const char *yaml)
{
    bool changed = false;
    char version[POLICY_VERSION_BYTES];
    struct policy_row row;
    version_of(yaml, version);
    struct operation *operation = rig_begin_host(&rig);
    ck_assert(operation_read_policy(operation, version, &row, &error));
    struct policy *policy = operations_compile_policy(row.files, operation->arena, &error);
    ck_assert_msg(policy != NULL, "%s", error.message);
    ck_assert(operation_roll_back_policy(operation, policy, row.files, &changed, &error));
    ck_assert(changed);
    rig_commit(&rig);
}

static void start_again(const char *yaml, bool forgets, char kept[POLICY_VERSION_BYTES])
{
    struct arena *arena = arena_create();
    struct start_policy start = {
        .policy_take = compile(yaml), .files = files_of(arena, yaml), .forgets_choice = forgets};
    rig_close(&rig);
    rig_open(&rig);
    ck_assert_msg(
        operations_publish_at_start(rig.operations, rig.store, rig.now, &start, kept, &error), "%s",
        error.message);
    arena_destroy(arena);
}

static void check_in_force(const char *yaml)
{
    char version[POLICY_VERSION_BYTES];
    version_of(yaml, version);
    ck_assert_str_eq(operations_policy_version(rig.operations), version);
}

START_TEST(rollback__puts_a_former_version_in_force_and_says_so)
{
    char request[ID_BYTES];
    struct policy_versions versions;
    publish_files(denying);
    publish_files(asking);
    struct credential runner = rig_add_caller(&rig, "runner");
    rig_submit(&rig, &runner, "pay.refund", request);
    roll_back_to(denying);
    check_in_force(denying);
    ck_assert_int_eq(read_row(request).state, REQUEST_DENIED); /* what is pending is asked again */
    ck_assert_uint_eq(entries_with("\"rollback\":true"), 1);
    ck_assert(operation_list_policies(rig_begin_host(&rig), 0, 10, &versions, &error));
    ck_assert_uint_eq(versions.count, 2);
    ck_assert_str_eq(versions.in_force, versions.rows[0].version);
    ck_assert_str_eq(versions.chosen, versions.in_force);
    ck_assert_str_eq(versions.rows[0].published_by, "host");
    ck_assert_ptr_null(versions.rows[0].files);
    rig_undo(&rig);
}
END_TEST

START_TEST(rollback__survives_a_restart_until_the_next_publication)
{
    char kept[POLICY_VERSION_BYTES];
    char former[POLICY_VERSION_BYTES];
    version_of(denying, former);
    publish_files(denying);
    publish_files(asking);
    roll_back_to(denying);
    start_again(asking, false, kept);
    check_in_force(denying);
    ck_assert_str_eq(kept, former);
    start_again(asking_more, false, kept); /* a folder that changed does not end it either */
    check_in_force(denying);
    publish_files(asking);
    check_in_force(asking);
    start_again(asking, false, kept);
    check_in_force(asking);
    ck_assert_str_eq(kept, "");
    start_again(denying, false, kept); /* nothing is chosen: the folder decides */
    check_in_force(denying);
}
END_TEST

START_TEST(rollback__to_what_the_folder_holds_still_is_a_choice)
{
    char kept[POLICY_VERSION_BYTES];
    publish_files(denying);
    publish_files(asking);
    roll_back_to(denying);
    start_again(denying, false, kept);
    check_in_force(denying);
    ck_assert_str_eq(kept, "");
    start_again(asking, false, kept);
    check_in_force(denying);
}
END_TEST

START_TEST(rollback__is_forgotten_by_a_start_that_publishes)
{
    char kept[POLICY_VERSION_BYTES];
    publish_files(denying);
    publish_files(asking);
    roll_back_to(denying);
    start_again(asking, true, kept);
    check_in_force(asking);
    start_again(asking, false, kept);
    check_in_force(asking);
}
END_TEST

START_TEST(rollback__to_files_that_load_no_more_refuses_to_start)
{
    struct arena *arena = arena_create();
    char kept[POLICY_VERSION_BYTES];
    publish_files(denying);
    publish_files(asking);
    roll_back_to(denying);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE policies SET files = '{\"rules.yaml\":\"version: 7\"}'");
    rig_open(&rig);
    struct start_policy start = {.policy_take = compile(asking), .files = files_of(arena, asking)};
    ck_assert(
        !operations_publish_at_start(rig.operations, rig.store, rig.now, &start, kept, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "policy_choice_invalid");
    ck_assert_str_eq(operations_policy_version(rig.operations), "");
    arena_destroy(arena);
}
END_TEST

START_TEST(rollback__is_the_hosts_alone)
{
    bool changed;
    publish_files(denying);
    struct credential root = rig_add_person(&rig, "root", NULL, true);
    ck_assert(!operation_roll_back_policy(rig_begin(&rig, &root), compile(denying), "{}", &changed,
                                          &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    rig_undo(&rig);
}
END_TEST

START_TEST(versions__are_hidden_where_there_is_none)
{
    struct policy_row row;
    ck_assert(!operation_read_policy(rig_begin_host(&rig), NULL, &row, &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    rig_undo(&rig);
    error = (struct error){0};
    ck_assert(!operation_read_policy(rig_begin_host(&rig), "abc", &row, &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    rig_undo(&rig);
}
END_TEST

static const char *const bad_files[] = {"{}", "[]", "{\"a.yaml\":1}", "{\"a.yaml\":\"version: 2\"}",
                                        "{"};

START_TEST(versions__files_of_another_form_are_refused)
{
    struct arena *arena = arena_create();
    ck_assert_ptr_null(operations_compile_policy(bad_files[_i], arena, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    arena_destroy(arena);
}
END_TEST

/* ---- replay ---- */

static void replay(const char *yaml, struct replay *out)
{
    static struct policy *policy;
    bool done = false;
    policy_destroy(policy);
    policy = compile(yaml);
    replay_begin(out, policy, 0);
    for (size_t i = 0; !done && i < 100; i++) {
        ck_assert_msg(operation_replay_policy(rig_begin_host(&rig), out, &done, &error), "%s",
                      error.message);
        rig_undo(&rig);
    }
    ck_assert(done);
}

START_TEST(replay__finds_what_another_policy_would_loosen_and_tighten)
{
    char request[ID_BYTES];
    struct replay out;
    struct credential runner = rig_add_caller(&rig, "runner");
    rig_publish(&rig, asking);
    for (size_t i = 0; i < 250; i++) { /* more than a step */
        char action[32];
        snprintf(action, sizeof action, "pay.refund%zu", i);
        rig_submit(&rig, &runner, action, request);
    }
    rig_submit(&rig, &runner, "mail.send", request);
    replay(asking, &out);
    ck_assert_int_eq(out.looked_at, 251);
    ck_assert_int_eq(out.changed[REPLAY_LOOSENED] + out.changed[REPLAY_TIGHTENED], 0);
    replay_end(&out);
    replay(denying, &out);
    ck_assert_int_eq(out.changed[REPLAY_TIGHTENED], 250);
    ck_assert_int_eq(out.changed[REPLAY_LOOSENED], 0);
    ck_assert_str_eq(out.kept[REPLAY_TIGHTENED][0].rules, "[\"no-pay\"]");
    replay_end(&out);
    replay(RULES("rules:\n  - name: mail\n    match: { action: \"mail.*\" }\n"
                 "    verdict: allow\n"),
           &out);
    ck_assert_int_eq(out.changed[REPLAY_LOOSENED], 1);
    ck_assert_str_eq(out.kept[REPLAY_LOOSENED][0].request, request);
    ck_assert_int_eq(out.kept[REPLAY_LOOSENED][0].was, POLICY_REQUIRE_APPROVAL);
    ck_assert_int_eq(out.kept[REPLAY_LOOSENED][0].is, POLICY_ALLOW);
    replay_end(&out);
    replay(asking_more, &out); /* two people where one was asked */
    ck_assert_int_eq(out.changed[REPLAY_TIGHTENED], 250);
    replay_end(&out);
}
END_TEST

START_TEST(replay__stops_at_the_day_it_was_asked_for)
{
    char request[ID_BYTES];
    bool done = false;
    struct replay out;
    struct credential runner = rig_add_caller(&rig, "runner");
    rig_publish(&rig, asking);
    rig_submit(&rig, &runner, "pay.refund", request);
    struct policy *policy = compile(denying);
    replay_begin(&out, policy, INT64_MAX);
    ck_assert(operation_replay_policy(rig_begin_host(&rig), &out, &done, &error));
    rig_undo(&rig);
    ck_assert(done);
    ck_assert_int_eq(out.looked_at, 0);
    replay_end(&out);
    policy_destroy(policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/publish");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, publish__a_new_version_is_an_entry_and_in_force);
    tcase_add_test(tests, publish__the_same_version_again_is_no_entry);
    tcase_add_test(tests, publish__back_to_a_former_version_is_an_entry_again);
    tcase_add_test(tests, publish__is_not_for_everyone);
    tcase_add_test(tests, publish__what_is_rolled_back_leaves_the_former_in_force);
    tcase_add_test(tests, publish__each_job_of_a_batch_may_publish);
    tcase_add_test(tests, publish__a_deny_ends_what_is_pending);
    tcase_add_test(tests, publish__requirements_of_what_is_pending_grow);
    tcase_add_test(tests, publish__many_pending_are_looked_at_in_batches);
    tcase_add_test(tests, publish__batches_go_on_after_a_restart);
    tcase_add_test(tests, rollback__puts_a_former_version_in_force_and_says_so);
    tcase_add_test(tests, rollback__survives_a_restart_until_the_next_publication);
    tcase_add_test(tests, rollback__to_what_the_folder_holds_still_is_a_choice);
    tcase_add_test(tests, rollback__is_forgotten_by_a_start_that_publishes);
    tcase_add_test(tests, rollback__to_files_that_load_no_more_refuses_to_start);
    tcase_add_test(tests, rollback__is_the_hosts_alone);
    tcase_add_test(tests, versions__are_hidden_where_there_is_none);
    tcase_add_loop_test(tests, versions__files_of_another_form_are_refused, 0,
                        sizeof bad_files / sizeof *bad_files);
    tcase_add_test(tests, replay__finds_what_another_policy_would_loosen_and_tighten);
    tcase_add_test(tests, replay__stops_at_the_day_it_was_asked_for);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
