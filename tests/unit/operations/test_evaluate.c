#include "operations/evaluate_operations.h"
#include "operations/operations_internal.h"
#include "operations/token_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static struct evaluate_result got;
static struct task_view task;

#define SUBJECT  "{\"id\":\"sam\",\"type\":\"user\"}"
#define RESOURCE "{\"id\":\"4711\",\"type\":\"order\"}"

static void set_up(void)
{
    scenario_start(&s, NULL);
    got = (struct evaluate_result){0};
    task = (struct task_view){0};
}

static void tear_down(void)
{
    scenario_end(&s);
}

static const char *action_text(const char *name)
{
    return arena_printf(s.arena, "{\"name\":\"%s\"}", name);
}

static struct evaluate_item item(const char *action, const char *context, const char *approval)
{
    return (struct evaluate_item){.asked = {.subject = SUBJECT,
                                            .subject_key = "user/sam",
                                            .action = action_text(action),
                                            .action_name = action,
                                            .resource = RESOURCE,
                                            .resource_key = "order/4711",
                                            .context = context},
                                  .approval = approval};
}

static bool try_evaluate(enum cast who, const struct evaluate_item *items, size_t count,
                         enum evaluate_semantic semantic, bool is_batch)
{
    struct evaluate_input input = {
        .items = items, .count = count, .semantic = semantic, .is_batch = is_batch};
    struct operation *operation = scenario_begin(&s, who);
    s.error = (struct error){0};
    return scenario_settle(&s, operation_evaluate(operation, &input, &got, &s.error));
}

static struct evaluation evaluate(enum cast who, const char *action, const char *context,
                                  const char *approval)
{
    struct evaluate_item one = item(action, context, approval);
    ck_assert_msg(try_evaluate(who, &one, 1, EVALUATE_ALL, false), "%s", s.error.message);
    ck_assert_uint_eq(got.count, 1);
    return got.evaluations[0];
}

static bool try_ask(enum cast who, const char *evaluation, const char *action, const char *context)
{
    struct evaluate_item asked = item(action, context, NULL);
    struct task_item one = {.asked = asked.asked, .evaluation = evaluation};
    struct task_input input = {.items = &one, .count = 1};
    struct operation *operation = scenario_begin(&s, who);
    s.error = (struct error){0};
    return scenario_settle(&s, operation_submit_task(operation, &input, &task, &s.error));
}

/* Asked for and approved by dana; the approval's id. */
static const char *approved(const char *action)
{
    struct evaluation denied = evaluate(RUNNER, action, "{}", NULL);
    ck_assert_msg(try_ask(RUNNER, denied.id, action, "{}"), "%s", s.error.message);
    vote(&s, DANA, task.items[0].request.id, true);
    return arena_text(s.arena, look(&s, task.items[0].request.id).grant.id);
}

static void expect_error(const char *code)
{
    ck_assert_ptr_nonnull(s.error.code);
    ck_assert_str_eq(s.error.code, code);
}

START_TEST(evaluate__says_what_policy_says_and_makes_no_request)
{
    ck_assert_int_eq(evaluate(RUNNER, "free.run", "{}", NULL).evaluated, EVALUATED_YES);
    struct evaluation needs = evaluate(RUNNER, "ops.run", "{}", NULL);
    ck_assert_int_eq(needs.evaluated, EVALUATED_APPROVAL_REQUIRED);
    ck_assert(needs.is_requestable);
    ck_assert_int_eq(needs.expires_at, s.now + EVALUATION_KEEP_MS);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"evaluated\""), 2);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.submitted\""), 0);
    ck_assert(!evaluate_has_redeemed(&got));
}
END_TEST

START_TEST(evaluate__is_for_callers_that_speak_for_an_agent)
{
    struct evaluate_item one = item("free.run", "{}", NULL);
    ck_assert(!try_evaluate(DANA, &one, 1, EVALUATE_ALL, false));
    expect_error("not_allowed");
    ck_assert(!try_evaluate(PAYMENTS, &one, 1, EVALUATE_ALL, false));
    expect_error("agent_not_registered");
    ck_assert(!try_evaluate(OTHER, &one, 1, EVALUATE_ALL, false));
    expect_error("agent_ambiguous");
    one.asked.agent = "crane";
    ck_assert(try_evaluate(OTHER, &one, 1, EVALUATE_ALL, false));
    one.asked.subject_key = "robot/r2";
    ck_assert(!try_evaluate(OTHER, &one, 1, EVALUATE_ALL, false));
    expect_error("subject_not_registered");
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"evaluated\""), 1);
}
END_TEST

START_TEST(evaluate__a_batch_ends_where_its_semantic_says_and_bears_faults)
{
    struct evaluate_item items[4] = {item("free.run", "{}", NULL), item("ops.run", "{}", NULL),
                                     item("free.run", "{}", NULL), item("free.run", "{}", NULL)};
    error_set(&items[2].fault, ERROR_INVALID, "wrong_type", "/subject", "no subject");
    ck_assert(try_evaluate(RUNNER, items, 4, EVALUATE_ALL, true));
    ck_assert_uint_eq(got.count, 4);
    ck_assert_int_eq(got.evaluations[2].evaluated, EVALUATED_FAULTY);
    ck_assert_str_eq(got.evaluations[2].fault.code, "wrong_type");
    ck_assert_int_eq(got.evaluations[3].evaluated, EVALUATED_YES);
    ck_assert(try_evaluate(RUNNER, items, 4, EVALUATE_DENY_ON_FIRST_DENY, true));
    ck_assert_uint_eq(got.count, 2);
    ck_assert(try_evaluate(RUNNER, items + 1, 3, EVALUATE_PERMIT_ON_FIRST_PERMIT, true));
    ck_assert_uint_eq(got.count, 3);
    ck_assert(!try_evaluate(RUNNER, items + 2, 1, EVALUATE_ALL, false));
    expect_error("wrong_type");
}
END_TEST

START_TEST(evaluate__an_approval_redeems_once)
{
    const char *approval = approved("ops.run");
    struct evaluation yes = evaluate(RUNNER, "ops.run", "{}", approval);
    ck_assert_int_eq(yes.evaluated, EVALUATED_YES);
    ck_assert(evaluate_has_redeemed(&got));
    ck_assert_str_eq(yes.redemption.grant, approval);
    ck_assert_int_gt(yes.redemption.fence, 0);
    struct evaluation no = evaluate(RUNNER, "ops.run", "{}", approval);
    ck_assert_int_eq(no.evaluated, EVALUATED_APPROVAL_EXPIRED);
    ck_assert(no.is_requestable && !evaluate_has_redeemed(&got));
    ck_assert_uint_eq(count_entries(&s, "\"how\":\"evaluation\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.refused\""), 1);
}
END_TEST

START_TEST(evaluate__an_approval_is_of_its_caller_agent_and_action)
{
    const char *approval = approved("ops.run");
    ck_assert_int_eq(evaluate(RUNNER, "free.run", "{}", approval).evaluated,
                     EVALUATED_OUT_OF_SCOPE);
    ck_assert_int_eq(evaluate(RUNNER, "ops.run", "{}", "grt_none").evaluated,
                     EVALUATED_APPROVAL_UNVERIFIABLE);
    struct evaluate_item other = item("ops.run", "{}", approval);
    other.asked.agent = "bot";
    ck_assert(try_evaluate(OTHER, &other, 1, EVALUATE_ALL, false));
    ck_assert_int_eq(got.evaluations[0].evaluated, EVALUATED_APPROVAL_UNVERIFIABLE);
    ck_assert(!got.evaluations[0].is_requestable);
    ck_assert_int_eq(evaluate(RUNNER, "ops.run", "{\"more\":1}", approval).evaluated,
                     EVALUATED_YES);
}
END_TEST

START_TEST(evaluate__a_freeze_and_lost_votes_are_a_no)
{
    const char *approval = approved("ops.run");
    set_member(&s, DANA, "ops", false);
    struct evaluation lost = evaluate(RUNNER, "ops.run", "{}", approval);
    ck_assert_int_eq(lost.evaluated, EVALUATED_APPROVAL_EXPIRED);
    freeze(&s, FREEZE_TENANT, NULL);
    ck_assert_int_eq(evaluate(RUNNER, "free.run", "{}", NULL).evaluated, EVALUATED_FROZEN);
    ck_assert_int_eq(evaluate(RUNNER, "ops.run", "{}", approval).evaluated, EVALUATED_FROZEN);
}
END_TEST

START_TEST(tasks__a_denial_is_of_who_got_it_and_of_what_was_evaluated)
{
    struct evaluation denied = evaluate(RUNNER, "ops.run", "{\"env\":\"a\"}", NULL);
    ck_assert(!try_ask(RUNNER, denied.id, "ops.stop", "{\"env\":\"a\"}"));
    expect_error("invalid_denial_binding");
    ck_assert(!try_ask(RUNNER, denied.id, "ops.run", "{\"env\":\"b\"}"));
    expect_error("invalid_denial_binding");
    ck_assert(!try_ask(RUNNER, denied.id, "ops.run", "{}"));
    expect_error("invalid_denial_binding");
    ck_assert(!try_ask(RUNNER, "evl_none", "ops.run", "{\"env\":\"a\"}"));
    expect_error("invalid_denial_binding");
    struct evaluation free_run = evaluate(RUNNER, "free.run", "{}", NULL);
    ck_assert(!try_ask(RUNNER, free_run.id, "free.run", "{}"));
    expect_error("invalid_denial_binding");
    pass(&s, EVALUATION_KEEP_MS);
    ck_assert(!try_ask(RUNNER, denied.id, "ops.run", "{\"env\":\"a\"}"));
    expect_error("expired_denial");
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.submitted\""), 0);
}
END_TEST

START_TEST(tasks__additions_to_the_context_are_not_bound)
{
    struct evaluation denied = evaluate(RUNNER, "ops.run", "{\"env\":\"a\"}", NULL);
    ck_assert(try_ask(RUNNER, denied.id, "ops.run", "{\"env\":\"a\",\"why\":\"x\"}"));
    ck_assert_int_eq(task.state, TASK_PENDING);
    ck_assert_str_eq(look(&s, task.items[0].request.id).request.context, "{\"env\":\"a\"}");
    char id[ID_BYTES];
    memcpy(id, task.id, sizeof id);
    ck_assert(try_ask(RUNNER, denied.id, "ops.run", "{\"env\":\"a\"}"));
    ck_assert_str_eq(task.id, id);
    ck_assert(task.was_known);
}
END_TEST

START_TEST(tasks__are_hidden_from_others_and_cancelled_once)
{
    struct evaluation denied = evaluate(RUNNER, "ops.run", "{}", NULL);
    char id[ID_BYTES];
    ck_assert(try_ask(RUNNER, denied.id, "ops.run", "{}"));
    memcpy(id, task.id, sizeof id);
    s.error = (struct error){0};
    ck_assert(
        !scenario_settle(&s, operation_read_task(scenario_begin(&s, OTHER), id, &task, &s.error)));
    expect_error("unknown_task");
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    s.error = (struct error){0};
    ck_assert(scenario_settle(
        &s, operation_cancel_task(scenario_begin(&s, RUNNER), id, "why", &task, &s.error)));
    ck_assert_int_eq(task.state, TASK_CANCELLED);
    ck_assert(!scenario_settle(
        &s, operation_cancel_task(scenario_begin(&s, RUNNER), id, NULL, &task, &s.error)));
    expect_error("invalid_task_state");
}
END_TEST

START_TEST(names__of_states_and_reasons)
{
    ck_assert_str_eq(task_state_name(TASK_PARTIAL), "partial");
    ck_assert_str_eq(task_state_name(TASK_NONE), "failed");
    ck_assert_str_eq(task_state_name(TASK_STATE_COUNT), "failed");
    ck_assert_str_eq(evaluated_name(EVALUATED_OUT_OF_SCOPE), "out_of_scope");
    ck_assert_str_eq(evaluated_name(EVALUATED_YES), "");
    ck_assert_str_eq(evaluated_name(EVALUATED_COUNT), "");
}
END_TEST

/* ---- tokens and keys ---- */

static bool is_active(enum cast who, enum token_kind kind, const struct grant_claims *claims)
{
    struct introspect_input input = {.kind = kind,
                                     .tenant = claims->tenant,
                                     .grant = claims->grant,
                                     .token = claims->token,
                                     .expires_at = claims->expires_at};
    bool is = false;
    s.error = (struct error){0};
    ck_assert(scenario_settle(
        &s, operation_introspect_token(scenario_begin(&s, who), &input, &is, &s.error)));
    return is;
}

START_TEST(introspect__a_grants_token_is_active_while_it_redeems)
{
    const struct ask pay = {.action = "pay.refund", .audience = "payments-api"};
    struct submit_result asked = submit(&s, RUNNER, &pay);
    struct grant_claims first = mint(&s, asked.request);
    ck_assert(is_active(RUNNER, TOKEN_OF_GRANT, &first));
    ck_assert(is_active(PAYMENTS, TOKEN_OF_GRANT, &first));
    struct grant_claims second = mint(&s, asked.request);
    ck_assert(!is_active(RUNNER, TOKEN_OF_GRANT, &first));
    struct grant_claims foreign = second;
    strcpy(foreign.tenant, "elsewhere");
    ck_assert(!is_active(RUNNER, TOKEN_OF_GRANT, &foreign));
    ck_assert(!is_active(RUNNER, TOKEN_OF_NOBODY, &second));
    struct redeem_result redeemed = redeem(&s, PAYMENTS, &second, &pay);
    ck_assert_int_eq(redeemed.refusal, GRANT_ACCEPTED);
    ck_assert(!is_active(RUNNER, TOKEN_OF_GRANT, &second));
    ck_assert(is_active(PAYMENTS, TOKEN_OF_REDEMPTION, &redeemed.token));
    struct effect_result effect;
    ck_assert(try_effect(&s, PAYMENTS, redeemed.grant, GRANT_REPORT_SUCCEEDED, &effect));
    ck_assert(!is_active(PAYMENTS, TOKEN_OF_REDEMPTION, &redeemed.token));
}
END_TEST

START_TEST(introspect__a_clock_that_steps_back_revives_nothing)
{
    const struct ask free_run = {.action = "free.run"};
    struct submit_result asked = submit(&s, RUNNER, &free_run);
    struct grant_claims claims = mint(&s, asked.request);
    pass(&s, 61 * SECOND);
    ck_assert(!is_active(RUNNER, TOKEN_OF_GRANT, &claims));
    s.now -= 61 * SECOND; /* the boot clock has seen it run out */
    ck_assert(!is_active(RUNNER, TOKEN_OF_GRANT, &claims));
}
END_TEST

START_TEST(signing_keys__are_noted_by_admins_and_the_host)
{
    s.error = (struct error){0};
    ck_assert(scenario_settle(&s, operation_note_signing_key(scenario_begin(&s, HOST), "kid-1",
                                                             "ES256", true, &s.error)));
    ck_assert_uint_eq(count_entries(&s, "\"id\":\"kid-1\""), 1);
    ck_assert_uint_eq(count_entries(&s, "drop_former"), 1);
    static const enum cast others[] = {DANA, RUNNER, AUDREY};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        s.error = (struct error){0};
        ck_assert(
            !scenario_settle(&s, operation_note_signing_key(scenario_begin(&s, others[i]), "kid-2",
                                                            "ES256", false, &s.error)));
        expect_error("not_allowed");
    }
}
END_TEST

static bool use_key(enum cast who, const char *key, unsigned char fill, bool *out_is_first)
{
    struct sha256 body;
    memset(body.bytes, fill, sizeof body.bytes);
    s.error = (struct error){0};
    return scenario_settle(
        &s, operation_use_key(scenario_begin(&s, who), key, &body, out_is_first, &s.error));
}

START_TEST(keys__are_each_principals_own_and_mean_one_call)
{
    bool is_first = false;
    ck_assert(use_key(ADA, "k", 1, &is_first) && is_first);
    ck_assert(use_key(ADA, "k", 1, &is_first) && !is_first);
    ck_assert(!use_key(ADA, "k", 2, &is_first));
    expect_error("idempotency_mismatch");
    ck_assert(use_key(DANA, "k", 2, &is_first) && is_first);
    ck_assert(use_key(HOST, "k", 2, &is_first) && is_first);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: evaluate");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, evaluate__says_what_policy_says_and_makes_no_request);
    tcase_add_test(tests, evaluate__is_for_callers_that_speak_for_an_agent);
    tcase_add_test(tests, evaluate__a_batch_ends_where_its_semantic_says_and_bears_faults);
    tcase_add_test(tests, evaluate__an_approval_redeems_once);
    tcase_add_test(tests, evaluate__an_approval_is_of_its_caller_agent_and_action);
    tcase_add_test(tests, evaluate__a_freeze_and_lost_votes_are_a_no);
    tcase_add_test(tests, tasks__a_denial_is_of_who_got_it_and_of_what_was_evaluated);
    tcase_add_test(tests, tasks__additions_to_the_context_are_not_bound);
    tcase_add_test(tests, tasks__are_hidden_from_others_and_cancelled_once);
    tcase_add_test(tests, names__of_states_and_reasons);
    tcase_add_test(tests, introspect__a_grants_token_is_active_while_it_redeems);
    tcase_add_test(tests, introspect__a_clock_that_steps_back_revives_nothing);
    tcase_add_test(tests, signing_keys__are_noted_by_admins_and_the_host);
    tcase_add_test(tests, keys__are_each_principals_own_and_mean_one_call);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
