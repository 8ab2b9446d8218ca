#include "operations/operations_internal.h"
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
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
