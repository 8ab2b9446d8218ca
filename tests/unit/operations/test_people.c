#include "operations/people_operations.h"
#include "tests/support/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct error error;

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

/* Refused for this reason, and nothing of it stays. */
static void expect_refusal(bool ok, enum error_kind kind, const char *code)
{
    ck_assert(!ok);
    ck_assert_int_eq(error.kind, kind);
    ck_assert_str_eq(error.code, code);
    error = (struct error){0};
    rig_undo(&rig);
}

static bool add_person(struct operation *operation, const char *name)
{
    struct person_view view;
    return operation_add_person(operation, &(struct person_input){.name = name}, &view, &error);
}

/* Whether this credential lets anyone in. */
static bool lets_in(const struct credential *credential)
{
    struct arena *arena = arena_create();
    struct operation operation;
    struct error refused = {0};
    bool ok = operation_begin(&operation, rig.operations, rig.store, arena, rig.now, credential,
                              &refused);
    ck_assert(ok || refused.kind == ERROR_UNAUTHENTICATED);
    arena_destroy(arena);
    return ok;
}

struct search {
    const char *text;
    size_t count;
};

static bool count_text(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    search->count +=
        memmem(entry->bytes, entry->length, search->text, strlen(search->text)) != NULL;
    return true;
}

static size_t entries_with(const char *text)
{
    struct error failed = {0};
    struct search search = {.text = text};
    ck_assert(store_each_entry(rig.store, 1, 0, 10000, count_text, &search, &failed));
    return search.count;
}

START_TEST(people__the_host_adds_the_first_admin_who_adds_others)
{
    struct credential token = rig_add_person(&rig, "dana", NULL, true);
    struct credential dana = rig_step_up(&rig, "dana");
    expect_refusal(add_person(rig_begin(&rig, &token), "erin"), ERROR_FORBIDDEN, "step_up_needed");
    ck_assert(add_person(rig_begin(&rig, &dana), "erin"));
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"person.added\""), 2);
}
END_TEST

START_TEST(people__others_may_not_add_anyone)
{
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    struct credential runner = rig_add_caller(&rig, "runner");
    expect_refusal(add_person(rig_begin(&rig, &dana), "erin"), ERROR_FORBIDDEN, "not_allowed");
    expect_refusal(add_person(rig_begin(&rig, &runner), "erin"), ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

START_TEST(people__a_person_is_the_subject_of_the_same_name)
{
    struct person_view view;
    const char *subjects[] = {"user/Dana@example.com"};
    const char *groups[] = {"ops", "finance", "ops"};
    struct person_input input = {.name = "dana",
                                 .display = "Dana",
                                 .groups = groups,
                                 .group_count = 3,
                                 .subjects = subjects,
                                 .subject_count = 1};
    ck_assert(operation_add_person(rig_begin_host(&rig), &input, &view, &error));
    ck_assert_uint_eq(view.group_count, 2);
    ck_assert_str_eq(view.groups[0], "finance");
    ck_assert_uint_eq(view.subject_count, 2);
    char owner[ID_BYTES];
    ck_assert(
        store_find_person_by_subject(rig.store, "default", "user/dana@EXAMPLE.com", owner, &error));
    ck_assert_str_eq(owner, view.person.id);
    ck_assert(store_find_person_by_subject(rig.store, "default", "user/dana", owner, &error));
    ck_assert_str_eq(owner, view.person.id);
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"group.changed\""), 2);
}
END_TEST

START_TEST(people__names_and_texts_are_checked)
{
    expect_refusal(add_person(rig_begin_host(&rig), "Dana"), ERROR_INVALID, "bad_name");
    expect_refusal(add_person(rig_begin_host(&rig), ""), ERROR_INVALID, "bad_name");
    struct person_view view;
    struct person_input input = {.name = "dana", .display = "line\nbreak"};
    expect_refusal(operation_add_person(rig_begin_host(&rig), &input, &view, &error), ERROR_INVALID,
                   "bad_display");
    const char *group = "No Such";
    input = (struct person_input){.name = "dana", .groups = &group, .group_count = 1};
    expect_refusal(operation_add_person(rig_begin_host(&rig), &input, &view, &error), ERROR_INVALID,
                   "bad_name");
    const char *const subjects[] = {"dana", "/dana", "user/", "user/a\nb"};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        input = (struct person_input){.name = "dana", .subjects = &subjects[i], .subject_count = 1};
        expect_refusal(operation_add_person(rig_begin_host(&rig), &input, &view, &error),
                       ERROR_INVALID, "bad_subject");
    }
    input = (struct person_input){.name = "dana", .group_count = 65};
    expect_refusal(operation_add_person(rig_begin_host(&rig), &input, &view, &error), ERROR_LIMIT,
                   "too_many");
}
END_TEST

START_TEST(people__a_taken_name_says_what_to_do)
{
    rig_add_person(&rig, "dana", NULL, false);
    ck_assert(!add_person(rig_begin_host(&rig), "dana"));
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(error.code, "name_taken");
    ck_assert_str_eq(error.message, "there is already a person `dana`; choose another name");
    rig_undo(&rig);
}
END_TEST

START_TEST(people__a_subject_is_one_person)
{
    struct person_view view;
    rig_add_person(&rig, "dana", NULL, false);
    const char *subjects[] = {"user/dana"};
    struct person_input input = {.name = "erin", .subjects = subjects, .subject_count = 1};
    expect_refusal(operation_add_person(rig_begin_host(&rig), &input, &view, &error),
                   ERROR_CONFLICT, "subject_taken");
}
END_TEST

START_TEST(people__the_last_admin_may_not_leave_by_mistake)
{
    struct person_view view;
    rig_add_person(&rig, "dana", NULL, true);
    struct credential dana = rig_step_up(&rig, "dana");
    expect_refusal(operation_set_roles(rig_begin(&rig, &dana), "dana", false, false, &view, &error),
                   ERROR_CONFLICT, "last_admin");
    expect_refusal(operation_enable_person(rig_begin(&rig, &dana), "dana", false, &view, &error),
                   ERROR_CONFLICT, "last_admin");
    rig_add_person(&rig, "erin", NULL, true);
    ck_assert(operation_set_roles(rig_begin(&rig, &dana), "dana", false, true, &view, &error));
    ck_assert(view.person.is_auditor && !view.person.is_admin);
    rig_commit(&rig);
    expect_refusal(add_person(rig_begin(&rig, &dana), "frank"), ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

START_TEST(people__disabling_ends_tokens_at_once)
{
    struct person_view view;
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    ck_assert(lets_in(&dana));
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &view, &error));
    ck_assert(!view.person.is_enabled);
    rig_commit(&rig);
    ck_assert(!lets_in(&dana));
    ck_assert_uint_eq(entries_with("\"type\":\"person.disabled\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"token.disabled\""), 1);
    /* Disabled once more, only what is enabled is ended. */
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", true, &view, &error));
    rig_commit(&rig);
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &view, &error));
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"token.disabled\""), 1);
    /* Enabled again, the person needs a new token. */
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", true, &view, &error));
    rig_commit(&rig);
    ck_assert(!lets_in(&dana));
    /* Nothing changes twice. */
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", true, &view, &error));
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"person.changed\""), 2);
}
END_TEST

static const char two_of_ops[] = "version: 1\n"
                                 "defaults:\n"
                                 "  verdict: require_approval\n"
                                 "  approval: { groups: [ops], quorum: 2, timeout: 1h }\n";

START_TEST(people__disabling_takes_back_what_rests_on_the_person)
{
    struct person_view view;
    char approved[ID_BYTES];
    char pending[ID_BYTES];
    rig_publish(&rig, two_of_ops);
    struct credential runner = rig_add_caller(&rig, "runner");
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    struct credential erin = rig_add_person(&rig, "erin", "ops", false);
    rig_submit(&rig, &runner, "pay.one", approved);
    rig_vote(&rig, &dana, approved, true);
    rig_vote(&rig, &erin, approved, true);
    ck_assert_int_eq(rig_read(&rig, &runner, approved).grant.state, GRANT_ISSUED);
    rig_submit(&rig, &runner, "pay.two", pending);
    rig_vote(&rig, &dana, pending, true);
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &view, &error));
    rig_commit(&rig);
    ck_assert_int_eq(rig_read(&rig, &runner, approved).grant.state, GRANT_REVOKED);
    ck_assert_uint_eq(entries_with("\"reason\":\"approver_disabled\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"vote.uncounted\""), 1);
    rig_vote(&rig, &erin, pending, true);
    ck_assert_int_eq(rig_read(&rig, &runner, pending).request.state, REQUEST_PENDING);
}
END_TEST

START_TEST(people__leaving_the_group_takes_back_the_vote)
{
    char pending[ID_BYTES];
    rig_publish(&rig, two_of_ops);
    struct credential runner = rig_add_caller(&rig, "runner");
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    struct credential erin = rig_add_person(&rig, "erin", "ops", false);
    rig_submit(&rig, &runner, "pay.two", pending);
    rig_vote(&rig, &dana, pending, true);
    ck_assert(operation_join_group(rig_begin_host(&rig), "ops", "dana", false, &error));
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"vote.uncounted\""), 1);
    rig_vote(&rig, &erin, pending, true);
    ck_assert_int_eq(rig_read(&rig, &runner, pending).request.state, REQUEST_PENDING);
}
END_TEST

START_TEST(people__groups_are_joined_and_left_once)
{
    rig_add_person(&rig, "dana", NULL, false);
    for (int i = 0; i < 2; i++) {
        ck_assert(operation_join_group(rig_begin_host(&rig), "ops", "dana", true, &error));
        rig_commit(&rig);
    }
    ck_assert_uint_eq(entries_with("\"type\":\"group.changed\""), 1);
    struct group_row *groups;
    size_t count;
    ck_assert(operation_list_groups(rig_begin_host(&rig), &groups, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(groups[0].name, "ops");
    ck_assert_int_eq(groups[0].member_count, 1);
    rig_undo(&rig);
    for (int i = 0; i < 2; i++) {
        ck_assert(operation_join_group(rig_begin_host(&rig), "ops", "dana", false, &error));
        rig_commit(&rig);
    }
    ck_assert_uint_eq(entries_with("\"type\":\"group.changed\""), 2);
    expect_refusal(operation_join_group(rig_begin_host(&rig), "ops", "nobody", true, &error),
                   ERROR_NOT_FOUND, "unknown_person");
}
END_TEST

START_TEST(people__are_listed_by_name_in_pages)
{
    rig_add_person(&rig, "carol", NULL, false);
    rig_add_person(&rig, "alice", "ops", false);
    rig_add_person(&rig, "bob", NULL, false);
    struct person_view *people;
    size_t count;
    ck_assert(operation_list_people(rig_begin_host(&rig), "", 2, &people, &count, &error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(people[0].person.name, "alice");
    ck_assert_str_eq(people[0].groups[0], "ops");
    ck_assert_str_eq(people[1].person.name, "bob");
    rig_undo(&rig);
    ck_assert(operation_list_people(rig_begin_host(&rig), "bob", 2, &people, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(people[0].person.name, "carol");
    rig_undo(&rig);
}
END_TEST

START_TEST(agents__have_an_owner_and_can_be_disabled)
{
    struct agent_row agent;
    rig_add_person(&rig, "dana", NULL, false);
    expect_refusal(operation_add_agent(rig_begin_host(&rig), "bot", "nobody", &agent, &error),
                   ERROR_NOT_FOUND, "unknown_person");
    ck_assert(operation_add_agent(rig_begin_host(&rig), "bot", "dana", &agent, &error));
    ck_assert_mem_eq(agent.owner, "per_", 4);
    rig_commit(&rig);
    ck_assert(!operation_add_agent(rig_begin_host(&rig), "bot", NULL, &agent, &error));
    ck_assert_str_eq(error.message, "there is already an agent `bot`; choose another name");
    expect_refusal(false, ERROR_CONFLICT, "name_taken");
    ck_assert(operation_enable_agent(rig_begin_host(&rig), "bot", false, &agent, &error));
    ck_assert(!agent.is_enabled);
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"agent.disabled\""), 1);
    expect_refusal(operation_enable_agent(rig_begin_host(&rig), "bat", false, &agent, &error),
                   ERROR_NOT_FOUND, "unknown_agent");
}
END_TEST

START_TEST(callers__speak_only_for_known_agents)
{
    struct caller_row caller;
    const char *agents[] = {"nobody"};
    struct caller_input input = {.name = "runner", .agents = agents, .agent_count = 1};
    expect_refusal(operation_add_caller(rig_begin_host(&rig), &input, &caller, &error),
                   ERROR_INVALID, "unknown_agent");
    struct agent_row agent;
    ck_assert(operation_add_agent(rig_begin_host(&rig), "bot", NULL, &agent, &error));
    rig_commit(&rig);
    const char *subjects[] = {"user/*"};
    const char *audiences[] = {"https://pay.example"};
    agents[0] = "bot";
    input = (struct caller_input){.name = "runner",
                                  .agents = agents,
                                  .agent_count = 1,
                                  .subjects = subjects,
                                  .subject_count = 1,
                                  .audiences = audiences,
                                  .audience_count = 1};
    ck_assert(operation_add_caller(rig_begin_host(&rig), &input, &caller, &error));
    rig_commit(&rig);
    struct caller_row *callers;
    size_t count;
    ck_assert(operation_list_callers(rig_begin_host(&rig), "", 10, &callers, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(callers[0].agents[0], agent.id);
    ck_assert_str_eq(callers[0].subjects[0], "user/*");
    ck_assert_str_eq(callers[0].audiences[0], "https://pay.example");
    rig_undo(&rig);
    ck_assert(!operation_add_caller(rig_begin_host(&rig), &input, &caller, &error));
    ck_assert_str_eq(error.message, "there is already a caller `runner`; choose another name");
    expect_refusal(false, ERROR_CONFLICT, "name_taken");
    input.agent_count = 0;
    ck_assert(operation_change_caller(rig_begin_host(&rig), &input, &caller, &error));
    ck_assert_uint_eq(caller.agent_count, 0);
    rig_commit(&rig);
    ck_assert_uint_eq(entries_with("\"type\":\"caller.changed\""), 1);
}
END_TEST

START_TEST(callers__disabled_are_let_in_no_more)
{
    struct caller_row caller;
    struct credential runner = rig_add_caller(&rig, "runner");
    ck_assert(lets_in(&runner));
    ck_assert(operation_enable_caller(rig_begin_host(&rig), "runner", false, &caller, &error));
    rig_commit(&rig);
    ck_assert(!lets_in(&runner));
    ck_assert_uint_eq(entries_with("\"type\":\"caller.disabled\""), 1);
    ck_assert(operation_enable_caller(rig_begin_host(&rig), "runner", true, &caller, &error));
    rig_commit(&rig);
    ck_assert(lets_in(&runner));
}
END_TEST

START_TEST(credentials__the_secret_is_shown_once_and_stored_nowhere)
{
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    rig_add_person(&rig, "dana", NULL, false);
    struct credential_input input = {
        .kind = CREDENTIAL_TOKEN, .owner = "dana", .label = "laptop", .expires_in_ms = 60000};
    struct operation *operation = rig_begin_host(&rig);
    ck_assert(operation_add_credential(operation, &input, &row, secret, &error));
    ck_assert_int_eq(row.expires_at, operation->now + 60000);
    rig_commit(&rig);
    ck_assert_mem_eq(secret, "cst_", 4);
    ck_assert_mem_eq(row.id, "tok_", 4);
    struct credential credential = {.kind = CREDENTIAL_TOKEN,
                                    .hash = crypto_sha256(secret, strlen(secret))};
    ck_assert(lets_in(&credential));
    rig.now += 60001;
    ck_assert(!lets_in(&credential));
    ck_assert_uint_eq(entries_with(secret), 0);
    ck_assert_uint_eq(entries_with("\"type\":\"token.added\""), 2);
}
END_TEST

START_TEST(credentials__are_checked_before_they_are_made)
{
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES] = "";
    struct person_view view;
    rig_add_person(&rig, "dana", NULL, false);
    struct credential_input input = {.kind = CREDENTIAL_TOKEN, .owner = "nobody"};
    expect_refusal(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error),
                   ERROR_NOT_FOUND, "unknown_person");
    input = (struct credential_input){.kind = CREDENTIAL_API_KEY, .owner = "dana"};
    expect_refusal(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error),
                   ERROR_NOT_FOUND, "unknown_caller");
    input = (struct credential_input){.kind = CREDENTIAL_HOST, .owner = "dana"};
    expect_refusal(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error),
                   ERROR_INVALID, "bad_kind");
    input =
        (struct credential_input){.kind = CREDENTIAL_TOKEN, .owner = "dana", .expires_in_ms = -1};
    expect_refusal(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error),
                   ERROR_INVALID, "bad_expiry");
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &view, &error));
    rig_commit(&rig);
    input = (struct credential_input){.kind = CREDENTIAL_TOKEN, .owner = "dana"};
    expect_refusal(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error),
                   ERROR_CONFLICT, "owner_disabled");
    ck_assert_str_eq(secret, "");
}
END_TEST

START_TEST(credentials__disabled_ones_let_nobody_in)
{
    struct credential_row *rows;
    struct credential_row row;
    size_t count;
    struct credential dana = rig_add_person(&rig, "dana", NULL, false);
    ck_assert(operation_list_credentials(rig_begin_host(&rig), "dana", &rows, &count, &error));
    ck_assert_uint_eq(count, 1);
    char id[ID_BYTES];
    memcpy(id, rows[0].id, sizeof id);
    rig_undo(&rig);
    for (int i = 0; i < 2; i++) {
        ck_assert(operation_disable_credential(rig_begin_host(&rig), id, &row, &error));
        ck_assert(!row.is_enabled);
        rig_commit(&rig);
    }
    ck_assert(!lets_in(&dana));
    ck_assert_uint_eq(entries_with("\"type\":\"token.disabled\""), 1);
    expect_refusal(
        operation_list_credentials(rig_begin_host(&rig), "nobody", &rows, &count, &error),
        ERROR_NOT_FOUND, "unknown_owner");
}
END_TEST

START_TEST(self__everyone_learns_who_they_are)
{
    struct person_view person;
    struct caller_row caller;
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    struct credential runner = rig_add_caller(&rig, "runner");
    ck_assert(operation_describe_self(rig_begin(&rig, &dana), &person, &caller, &error));
    ck_assert_str_eq(person.person.name, "dana");
    ck_assert_str_eq(person.groups[0], "ops");
    ck_assert_str_eq(caller.name, "");
    rig_undo(&rig);
    ck_assert(operation_describe_self(rig_begin(&rig, &runner), &person, &caller, &error));
    ck_assert_str_eq(caller.name, "runner");
    ck_assert_str_eq(person.person.name, "");
    rig_undo(&rig);
    ck_assert(operation_describe_self(rig_begin_host(&rig), &person, &caller, &error));
    ck_assert_str_eq(person.person.name, "");
    rig_undo(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/people");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, people__the_host_adds_the_first_admin_who_adds_others);
    tcase_add_test(tests, people__others_may_not_add_anyone);
    tcase_add_test(tests, people__a_person_is_the_subject_of_the_same_name);
    tcase_add_test(tests, people__names_and_texts_are_checked);
    tcase_add_test(tests, people__a_taken_name_says_what_to_do);
    tcase_add_test(tests, people__a_subject_is_one_person);
    tcase_add_test(tests, people__the_last_admin_may_not_leave_by_mistake);
    tcase_add_test(tests, people__disabling_ends_tokens_at_once);
    tcase_add_test(tests, people__disabling_takes_back_what_rests_on_the_person);
    tcase_add_test(tests, people__leaving_the_group_takes_back_the_vote);
    tcase_add_test(tests, people__groups_are_joined_and_left_once);
    tcase_add_test(tests, people__are_listed_by_name_in_pages);
    tcase_add_test(tests, agents__have_an_owner_and_can_be_disabled);
    tcase_add_test(tests, callers__speak_only_for_known_agents);
    tcase_add_test(tests, callers__disabled_are_let_in_no_more);
    tcase_add_test(tests, credentials__the_secret_is_shown_once_and_stored_nowhere);
    tcase_add_test(tests, credentials__are_checked_before_they_are_made);
    tcase_add_test(tests, credentials__disabled_ones_let_nobody_in);
    tcase_add_test(tests, self__everyone_learns_who_they_are);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
