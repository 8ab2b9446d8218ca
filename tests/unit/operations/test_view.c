#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static char request[ID_BYTES];
static struct request_view view;

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void ask(const char *action, const char *subject)
{
    struct submit_result result = submit(&s, RUNNER, ASK(.action = action, .subject = subject));
    memcpy(request, result.request, sizeof request);
}

static bool can_read(enum cast who)
{
    bool ok = try_read(&s, who, request, false, &view);
    if (!ok) {
        ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
        ck_assert_str_eq(s.error.code, "not_found");
    }
    return ok;
}

START_TEST(read__is_for_those_it_concerns)
{
    ask("ops.run", NULL);
    ck_assert(can_read(RUNNER));
    ck_assert(can_read(DANA));
    ck_assert(can_read(OLGA));
    ck_assert(can_read(ADA));
    ck_assert(can_read(AUDREY));
    ck_assert(can_read(HOST));
    ck_assert(!can_read(OTHER));
    ck_assert(!can_read(PAYMENTS));
    ck_assert(!can_read(NORA));
    ck_assert(!can_read(GINA));
}
END_TEST

START_TEST(read__the_subject_may_know)
{
    ask("ops.run", "Nora");
    ck_assert(can_read(NORA));
    ck_assert(!view.may_approve);
    ck_assert(view.may_deny);
}
END_TEST

START_TEST(read__the_agents_owner_may_know_without_being_asked)
{
    set_member(&s, OLGA, "ops", false);
    ask("ops.run", NULL);
    ck_assert(can_read(OLGA));
}
END_TEST

START_TEST(read__who_voted_may_know_after_leaving)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    set_member(&s, DANA, "ops", false);
    ck_assert(can_read(DANA));
    ck_assert(!view.may_approve);
    ck_assert(!view.may_deny);
}
END_TEST

START_TEST(read__who_joins_a_group_that_was_asked_may_know)
{
    ask("ops.run", NULL);
    set_member(&s, NORA, "ops", true);
    ck_assert(can_read(NORA));
    ck_assert(view.may_approve);
}
END_TEST

START_TEST(read__who_would_have_been_asked_after_the_end_may_not)
{
    ask("ladder.go", NULL);
    vote(&s, GINA, request, false);
    pass(&s, HOUR);
    ck_assert(!can_read(HANK));
    ck_assert(can_read(GINA));
}
END_TEST

START_TEST(read__says_what_this_person_may_do)
{
    ask("ops.run", NULL);
    ck_assert(can_read(DANA));
    ck_assert(view.may_approve && view.may_deny);
    ck_assert(can_read(OLGA));
    ck_assert(!view.may_approve && view.may_deny);
    ck_assert(can_read(AUDREY));
    ck_assert(!view.may_approve && !view.may_deny);
    freeze(&s, FREEZE_EVERYTHING, NULL);
    ck_assert(can_read(DANA));
    ck_assert(!view.may_approve && view.may_deny && view.is_frozen);
    vote(&s, DANA, request, false);
    ck_assert(can_read(DANA));
    ck_assert(!view.may_approve && !view.may_deny);
}
END_TEST

START_TEST(read__shows_votes_and_how_many_are_missing)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    ck_assert(can_read(ERIN));
    ck_assert_uint_eq(view.vote_count, 1);
    ck_assert_str_eq(view.votes[0].person_name, "dana");
    ck_assert_uint_eq(view.approved[0], 1);
    ck_assert_uint_eq(view.missing, 1);
    vote(&s, ERIN, request, true);
    ck_assert(can_read(RUNNER));
    ck_assert_uint_eq(view.missing, 0);
    ck_assert_uint_eq(view.vote_count, 2);
}
END_TEST

START_TEST(read__of_a_reader_needs_no_writer)
{
    ask("two.go", NULL);
    struct store_options options = {.path = s.rig.store_path};
    struct store *reader = store_open_reader(&options, &s.error);
    ck_assert_ptr_nonnull(reader);
    struct operation operation;
    ck_assert(operation_begin(&operation, s.rig.operations, reader, s.arena, s.now + HOUR,
                              &s.cast[DANA], &s.error));
    ck_assert(operation_read_request(&operation, request, false, &view, &s.error));
    ck_assert_int_eq(view.request.state, REQUEST_PENDING);
    struct request_view *views;
    size_t count;
    const char *next;
    struct list_input input = {.state = -1, .limit = 10};
    ck_assert(operation_list_requests(&operation, &input, &views, &count, &next, &s.error));
    ck_assert_uint_eq(count, 1);
    store_close(reader);
}
END_TEST

static size_t listed(enum cast who, const struct list_input *input, const char **out_next,
                     struct request_view **out)
{
    size_t count = 0;
    ck_assert(
        operation_list_requests(scenario_begin(&s, who), input, out, &count, out_next, &s.error));
    scenario_undo(&s);
    return count;
}

static size_t count_listed(enum cast who, const struct list_input *input)
{
    struct request_view *views;
    const char *next;
    return listed(who, input, &next, &views);
}

START_TEST(list__shows_each_what_they_may_see)
{
    struct list_input all = {.state = -1, .limit = 50};
    ask("ops.run", NULL);
    ask("ladder.go", NULL);
    submit(&s, OTHER, ASK(.action = "free.run", .agent = "crane"));
    ck_assert_uint_eq(count_listed(RUNNER, &all), 2);
    ck_assert_uint_eq(count_listed(OTHER, &all), 1);
    ck_assert_uint_eq(count_listed(PAYMENTS, &all), 0);
    ck_assert_uint_eq(count_listed(DANA, &all), 1);
    ck_assert_uint_eq(count_listed(GINA, &all), 1);
    ck_assert_uint_eq(count_listed(OLGA, &all), 2);
    ck_assert_uint_eq(count_listed(NORA, &all), 0);
    ck_assert_uint_eq(count_listed(AUDREY, &all), 3);
    ck_assert_uint_eq(count_listed(HOST, &all), 3);
}
END_TEST

START_TEST(list__filters_by_state_and_agent)
{
    ask("ops.run", NULL);
    submit(&s, OTHER, ASK(.action = "free.run", .agent = "crane"));
    struct list_input pending = {.state = REQUEST_PENDING, .limit = 50};
    struct list_input crane = {.state = -1, .agent = "crane", .limit = 50};
    struct list_input nobody = {.state = -1, .agent = "nobody", .limit = 50};
    ck_assert_uint_eq(count_listed(ADA, &pending), 1);
    ck_assert_uint_eq(count_listed(ADA, &crane), 1);
    ck_assert_uint_eq(count_listed(ADA, &nobody), 0);
    ck_assert_uint_eq(count_listed(RUNNER, &crane), 0);
}
END_TEST

START_TEST(list__what_is_mine_to_decide_leaves_out_what_i_may_not)
{
    struct list_input mine = {.state = -1, .only_mine_to_decide = true, .limit = 50};
    ask("ops.run", NULL);
    ask("two.go", NULL);
    ask("ladder.go", NULL);
    ck_assert_uint_eq(count_listed(DANA, &mine), 2);
    ck_assert_uint_eq(count_listed(AUDREY, &mine), 0);
    ck_assert_uint_eq(count_listed(HOST, &mine), 0);
    vote(&s, GINA, request, true);
    ck_assert_uint_eq(count_listed(GINA, &mine), 0);
}
END_TEST

START_TEST(list__pages_newest_first_without_gaps)
{
    char ids[12][ID_BYTES];
    for (int i = 0; i < 12; i++) {
        pass(&s, 1);
        ask(i % 3 == 0 ? "ladder.go" : "ops.run", arena_printf(s.arena, "u%d", i));
        memcpy(ids[i], request, ID_BYTES);
    }
    struct list_input input = {.state = -1, .limit = 3};
    struct request_view *views;
    const char *next = "";
    int expected = 11;
    size_t seen = 0;
    while (next != NULL) {
        input.before_id = next;
        size_t count = listed(DANA, &input, &next, &views);
        for (size_t i = 0; i < count; i++, expected--) {
            expected -= expected % 3 == 0 ? 1 : 0;
            ck_assert_str_eq(views[i].request.id, ids[expected]);
        }
        seen += count;
    }
    ck_assert_uint_eq(seen, 8);
}
END_TEST

START_TEST(list__looks_past_many_that_are_somebody_elses)
{
    struct list_input all = {.state = -1, .limit = 10};
    ask("ops.run", NULL);
    for (int i = 0; i < 210; i++) {
        ask("ladder.go", arena_printf(s.arena, "u%d", i));
    }
    ck_assert_uint_eq(count_listed(DANA, &all), 1);
}
END_TEST

START_TEST(list__says_where_to_go_on_when_it_has_looked_at_enough)
{
    struct list_input all = {.state = -1, .limit = 10};
    struct request_view *views;
    const char *next = "";
    char mine[ID_BYTES];
    ask("ops.run", NULL);
    memcpy(mine, request, ID_BYTES);
    for (int i = 0; i < 5010; i++) {
        ask("ladder.go", arena_printf(s.arena, "u%d", i));
    }
    ck_assert_uint_eq(listed(DANA, &all, &next, &views), 0);
    ck_assert_ptr_nonnull(next);
    all.before_id = next;
    ck_assert_uint_eq(listed(DANA, &all, &next, &views), 1);
    ck_assert_str_eq(views[0].request.id, mine);
    ck_assert_ptr_null(next);
}
END_TEST

START_TEST(list__gives_no_tokens)
{
    struct list_input all = {.state = -1, .limit = 50};
    struct request_view *views;
    const char *next;
    ask("free.run", NULL);
    ck_assert_uint_eq(listed(RUNNER, &all, &next, &views), 1);
    ck_assert(views[0].has_grant);
    ck_assert(!views[0].has_token);
}
END_TEST

START_TEST(begin__nobody_gets_in_with_what_is_unknown_disabled_or_expired)
{
    struct operation operation;
    struct credential unknown = {.kind = CREDENTIAL_TOKEN};
    ck_assert(!operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now, &unknown,
                               &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_UNAUTHENTICATED);
    s.error = (struct error){0};
    struct credential swapped = s.cast[DANA];
    swapped.kind = CREDENTIAL_API_KEY;
    ck_assert(!operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now, &swapped,
                               &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_UNAUTHENTICATED);
    s.error = (struct error){0};
    set_enabled(&s, DANA, false);
    ck_assert(!operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now,
                               &s.cast[DANA], &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_UNAUTHENTICATED);
}
END_TEST

START_TEST(begin__a_disabled_key_lets_nobody_in)
{
    struct operation operation;
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input input = {.kind = CREDENTIAL_API_KEY, .owner = "runner"};
    ck_assert(operation_add_credential(scenario_begin(&s, HOST), &input, &row, secret, &s.error));
    scenario_commit(&s);
    struct credential key = {.kind = CREDENTIAL_API_KEY,
                             .hash = crypto_sha256(secret, strlen(secret))};
    ck_assert(
        operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now, &key, &s.error));
    ck_assert(operation_disable_credential(scenario_begin(&s, HOST), row.id, &row, &s.error));
    scenario_commit(&s);
    ck_assert(!operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now, &key,
                               &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_UNAUTHENTICATED);
}
END_TEST

START_TEST(begin__who_says_nothing_is_nobody_and_may_do_nothing)
{
    struct operation operation;
    struct submit_result submitted;
    struct redeem_result redeemed;
    struct vote_result voted;
    ask("ops.run", NULL);
    ck_assert(operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now,
                              &(struct credential){0}, &s.error));
    ck_assert_int_eq(operation.principal.kind, PRINCIPAL_NONE);
    ck_assert(!operation_read_request(&operation, request, true, &view, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    s.error = (struct error){0};
    struct submit_input input = {.action = "{}"};
    ck_assert(!operation_submit_request(&operation, &input, &submitted, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
    s.error = (struct error){0};
    ck_assert(!operation_redeem_grant(&operation, &(struct redeem_input){0}, &redeemed, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
    s.error = (struct error){0};
    struct vote_input ballot = {.request = request, .revision = 1, .approves = true};
    ck_assert(!operation_cast_vote(&operation, &ballot, &voted, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(begin__a_credential_ends_at_its_instant)
{
    struct operation operation;
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input input = {
        .kind = CREDENTIAL_TOKEN, .owner = "dana", .expires_in_ms = MINUTE};
    ck_assert(operation_add_credential(scenario_begin(&s, HOST), &input, &row, secret, &s.error));
    scenario_commit(&s);
    struct credential short_lived = {.kind = CREDENTIAL_TOKEN,
                                     .hash = crypto_sha256(secret, strlen(secret))};
    ck_assert(operation_begin(&operation, s.rig.operations, s.rig.store, s.arena,
                              s.now + MINUTE - 1, &short_lived, &s.error));
    ck_assert_int_eq(operation.principal.kind, PRINCIPAL_PERSON);
    ck_assert_int_eq(operation.principal.assurance, ASSURANCE_SESSION);
    ck_assert(!operation_begin(&operation, s.rig.operations, s.rig.store, s.arena, s.now + MINUTE,
                               &short_lived, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_UNAUTHENTICATED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: view");
    TCase *cases = tcase_create("view");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, read__is_for_those_it_concerns);
    tcase_add_test(cases, read__the_subject_may_know);
    tcase_add_test(cases, read__the_agents_owner_may_know_without_being_asked);
    tcase_add_test(cases, read__who_voted_may_know_after_leaving);
    tcase_add_test(cases, read__who_joins_a_group_that_was_asked_may_know);
    tcase_add_test(cases, read__who_would_have_been_asked_after_the_end_may_not);
    tcase_add_test(cases, read__says_what_this_person_may_do);
    tcase_add_test(cases, read__shows_votes_and_how_many_are_missing);
    tcase_add_test(cases, read__of_a_reader_needs_no_writer);
    tcase_add_test(cases, list__shows_each_what_they_may_see);
    tcase_add_test(cases, list__filters_by_state_and_agent);
    tcase_add_test(cases, list__what_is_mine_to_decide_leaves_out_what_i_may_not);
    tcase_add_test(cases, list__pages_newest_first_without_gaps);
    tcase_add_test(cases, list__looks_past_many_that_are_somebody_elses);
    tcase_add_test(cases, list__says_where_to_go_on_when_it_has_looked_at_enough);
    tcase_add_test(cases, list__gives_no_tokens);
    tcase_add_test(cases, begin__nobody_gets_in_with_what_is_unknown_disabled_or_expired);
    tcase_add_test(cases, begin__a_disabled_key_lets_nobody_in);
    tcase_add_test(cases, begin__who_says_nothing_is_nobody_and_may_do_nothing);
    tcase_add_test(cases, begin__a_credential_ends_at_its_instant);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
