#include "operations/edit_operations.h"
#include "operations/operations_internal.h"
#include "tests/support/chance.h"
#include "tests/support/request_model.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The gateway against a model of it: random interleavings of votes, edits, time, cancels, freezes,
 * changes of groups and accounts, and publications; requests of every risk, under policies that
 * read their arguments or do not. After each step both must agree on the request, on what a refusal
 * is called, and on who may know of the votes on a critical one. The model is written from the
 * description of the life of a request and shares no code with the gateway: it counts by arithmetic
 * where the gateway matches, and by one number of time where the gateway settles clocks. The
 * offline verifier reads every ledger.
 *
 *     SEED=7 ROUNDS=10000 build/tests/unit/operations/test_model
 */

enum {
    ROUNDS_DEFAULT = 1000,
    ROUNDS_OF_SCENARIO = 100,
    STEPS_LEAST = 6,
    STEPS_MORE = 12,
    STEPS_OF_EDITING = 40, /* of a round that is to reach the most edits there may be */
};
static const char *const group_names[] = {"ops", "finance", "leads"};

static struct scenario s;
static struct model model;
static struct chance chance;
static char request[ID_BYTES];
static char freeze_id[ID_BYTES];
static uint64_t seed;
static int round_number;
static int differences;
static bool edits_much; /* in this round */
static int blind_looks; /* at votes that there were */
/* What must have been met, or the rounds went past it. */
static struct {
    const char *refusal;
    int count;
} met[] = {{"not_found", 0},    {"not_eligible", 0},   {"separation_of_duties", 0},
           {"frozen", 0},       {"editor_alone", 0},   {"too_many_edits", 0},
           {"edit_denied", 0},  {"retype_missing", 0}, {"retype_mismatch", 0},
           {"denial_stands", 0}};
static char story[4096]; /* of this round */

static void tell(const char *format, ...) PRINTF_LIKE(1, 2);
static void tell(const char *format, ...)
{
    size_t length = strlen(story);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(story + length, sizeof story - length, format, arguments);
    va_end(arguments);
}

static void differ(const char *what, const char *found, const char *expected)
{
    differences++;
    fprintf(stderr, "SEED=%llu round %d: %s is `%s`, the model says `%s` after:%s\n",
            (unsigned long long)seed, round_number, what, found, expected, story);
}

static void compare_numbers(const char *what, int64_t found, int64_t expected)
{
    if (found != expected) {
        differ(what, arena_printf(s.arena, "%lld", (long long)found),
               arena_printf(s.arena, "%lld", (long long)expected));
    }
}

static void compare(void)
{
    struct request_view view = look(&s, request);
    const struct request_row *row = &view.request;
    if (row->state != model.state) {
        differ("state", request_state_name(row->state), request_state_name(model.state));
    }
    if (row->reason != model.reason) {
        differ("reason", request_reason_name(row->reason), request_reason_name(model.reason));
    }
    compare_numbers("revision", row->revision, model.revision);
    compare_numbers("grant", view.has_grant, model.state == REQUEST_APPROVED);
    if (view.has_grant) {
        compare_numbers("the grant's digest",
                        memcmp(view.grant.digest.bytes, row->digest.bytes, SHA256_BYTES), 0);
    }
    if (row->state == REQUEST_PENDING && model.state == REQUEST_PENDING) {
        compare_numbers("missing", view.missing, model_missing(&model));
        compare_numbers("that nobody can approve", view.nobody_can_approve,
                        model_nobody_can(&model));
        compare_numbers("that it is stranded", row->is_stranded, model_nobody_can(&model));
        compare_numbers("timeout", row->timeout_at - row->asked_at, TIMEOUT);
    }
}

/* What one person, of those who may read it, is shown of the votes. */
static void compare_blindness(int who)
{
    struct request_view view;
    if (model.state != REQUEST_PENDING || !try_read(&s, (enum cast)who, request, false, &view)) {
        return;
    }
    if (model_is_blind(&model, who)) {
        blind_looks += model_has_vote(&model);
        compare_numbers(arena_printf(s.arena, "what %d sees of the votes", who),
                        (int64_t)view.vote_count, 0);
    } else if (model_has_vote(&model)) {
        compare_numbers(arena_printf(s.arena, "that %d sees votes", who), view.vote_count > 0,
                        true);
    }
}

/* A stopped clock may have let somebody know of it early; what they may do is the same. */
static void compare_refusal(bool ok, const char *expected)
{
    const char *found = ok ? "taken" : s.error.code;
    for (size_t i = 0; i < sizeof met / sizeof *met; i++) {
        met[i].count += strcmp(met[i].refusal, found) == 0;
    }
    bool is_same = expected == NULL ? ok : !ok && strcmp(found, expected) == 0;
    bool is_alike = !ok && expected != NULL && model.was_frozen &&
                    strcmp(found, "not_eligible") == 0 && strcmp(expected, "not_found") == 0;
    bool is_alike_frozen = !ok && expected != NULL && model.was_frozen &&
                           strcmp(found, "frozen") == 0 && strcmp(expected, "not_found") == 0;
    if (!is_same && !is_alike && !is_alike_frozen) {
        differ("the answer", found, expected == NULL ? "taken" : expected);
    }
}

/* ---- steps ---- */

static int any_enabled(void)
{
    int who = (int)chance_below(&chance, PEOPLE);
    while (!model.is_enabled[who]) {
        who = (who + 1) % PEOPLE;
    }
    return who;
}

/* Around every bound that a rule has, on it, and none at all. */
static int any_amount(void)
{
    static const int amounts[] = {NO_AMOUNT, 1,         SMALL,    SMALL + 1,    LARGE,
                                  LARGE + 1, LARGE + 1, TOO_MUCH, TOO_MUCH + 1, 50};
    return amounts[chance_below(&chance, sizeof amounts / sizeof *amounts)];
}

static const char *arguments_with(int amount)
{
    static int serial;
    return amount == NO_AMOUNT
               ? arena_printf(s.arena, "{\"n\":%d}", serial++)
               : arena_printf(s.arena, "{\"amount\":%d,\"n\":%d}", amount, serial++);
}

static const char *typed_text(enum typing typing)
{
    static const char *const wrong[] = {"\"0\"", "\" 1\"", "\"\"", "\"1e3\"", "\"1.0\""};
    if (typing == TYPES_NOTHING) {
        return NULL;
    }
    return typing == TYPES_RIGHT
               ? arena_printf(s.arena, "{\"amount\":\"%d\"}", model.amount)
               : arena_printf(s.arena, "{\"amount\":%s}",
                              wrong[chance_below(&chance, sizeof wrong / sizeof *wrong)]);
}

static enum typing any_typing(void)
{
    unsigned pick = chance_below(&chance, 10);
    return pick == 0 ? TYPES_NOTHING : pick == 1 ? TYPES_WRONG : TYPES_RIGHT;
}

static void step_vote(void)
{
    struct vote_result result;
    struct request_view view = look(&s, request);
    int who = any_enabled();
    bool approves = chance_below(&chance, 4) != 0;
    enum typing typing = any_typing();
    struct vote_input input = {.request = request,
                               .revision = view.request.revision,
                               .digest = view.request.digest,
                               .approves = approves,
                               .retyped = typed_text(typing)};
    tell(" %d %s%s;", who, approves ? "approves" : "denies",
         typing == TYPES_RIGHT   ? ""
         : typing == TYPES_WRONG ? ", typing wrongly"
                                 : ", typing nothing");
    bool ok = scenario_settle(
        &s, operation_cast_vote(scenario_begin(&s, (enum cast)who), &input, &result, &s.error));
    compare_refusal(ok, model_vote(&model, who, approves, typing));
}

static void step_edit(void)
{
    int who = any_enabled();
    int amount = any_amount();
    struct request_view view = look(&s, request);
    struct edit_input input = {
        .request = request,
        .revision = view.request.revision,
        .digest = view.request.digest,
        .arguments = arguments_with(amount),
    };
    struct edit_result result;
    tell(" %d edits to %d;", who, amount);
    bool ok = scenario_settle(
        &s, operation_edit_request(scenario_begin(&s, (enum cast)who), &input, &result, &s.error));
    compare_refusal(ok, model_edit(&model, who, amount));
}

static void step_time(void)
{
    int64_t ms = (1 + (int64_t)chance_below(&chance, 11 * MINUTE));
    tell(" %lld ms pass;", (long long)ms);
    pass(&s, ms);
    escalate(&s);
    model_pass(&model, ms);
}

static void step_cancel(void)
{
    struct cancel_result result;
    tell(" it is withdrawn;");
    if (try_cancel(&s, RUNNER, request, &result)) {
        model_end(&model, REQUEST_CANCELLED, REASON_WITHDRAWN);
    }
}

static void thaw_all(void)
{
    if (model.is_frozen) {
        tell(" thaw;");
        pass(&s, 1);
        model_pass(&model, 1);
        ck_assert(try_thaw(&s, HOST, freeze_id));
        escalate(&s);
        model.is_frozen = false;
    }
}

static void step_freeze(void)
{
    if (model.is_frozen) {
        thaw_all();
        return;
    }
    tell(" freeze;");
    struct freeze_row row = freeze(&s, FREEZE_EVERYTHING, "");
    memcpy(freeze_id, row.id, sizeof freeze_id);
    model.is_frozen = model.was_frozen = true;
}

static void step_group(void)
{
    int who = (int)chance_below(&chance, PEOPLE);
    enum group group = (enum group)chance_below(&chance, GROUPS);
    bool *is_member = &model.is_member[who][group];
    *is_member = !*is_member;
    tell(" %d %s %s;", who, *is_member ? "joins" : "leaves", group_names[group]);
    set_member(&s, (enum cast)who, group_names[group], *is_member);
    if (!*is_member) {
        model_take_back(&model, who);
    }
}

static int count_enabled(void)
{
    int count = 0;
    for (int who = 0; who < PEOPLE; who++) {
        count += model.is_enabled[who];
    }
    return count;
}

static void step_account(void)
{
    int who = (int)chance_below(&chance, PEOPLE);
    if (model.is_enabled[who] && count_enabled() < 4) {
        return;
    }
    model.is_enabled[who] = !model.is_enabled[who];
    tell(" %d is %s;", who, model.is_enabled[who] ? "enabled" : "disabled");
    set_enabled(&s, (enum cast)who, model.is_enabled[who]);
    if (!model.is_enabled[who]) {
        model_take_back(&model, who);
    }
}

static void step_publish(void)
{
    int variant = (int)chance_below(&chance, MODEL_VARIANTS);
    tell(" policy %d;", variant);
    scenario_publish(&s, model_variants[variant].yaml);
    escalate(&s);
    model_publish(&model, variant);
}

static void any_step(void)
{
    static const struct {
        unsigned weight;
        void (*step)(void);
    } steps[] = {{40, step_vote},  {10, step_edit},  {12, step_time},   {2, step_cancel},
                 {6, step_freeze}, {16, step_group}, {6, step_account}, {8, step_publish}};
    if (edits_much && chance_below(&chance, 4) != 0) {
        step_edit();
        return;
    }
    unsigned pick = chance_below(&chance, 100);
    size_t i = 0;
    while (pick >= steps[i].weight) {
        pick -= steps[i++].weight;
    }
    steps[i].step();
}

static void begin_round(void)
{
    static const char *const names[] = {"dana", "erin", "fred", "gina", "hank", "olga", "nora"};
    static const char *const actions[] = {"low.go", "high.go", "critical.go"};
    enum risk risk = (enum risk)chance_below(&chance, CRITICAL + 1);
    enum cast subject = (enum cast)chance_below(&chance, PEOPLE + 3);
    int amount = any_amount();
    story[0] = '\0';
    edits_much = chance_below(&chance, 20) == 0;
    thaw_all();
    if (chance_below(&chance, 3) != 0 && model_variants[model.variant].stance != ASKS) {
        int variant = (int)chance_below(&chance, MODEL_VARIANTS_THAT_ASK);
        scenario_publish(&s, model_variants[variant].yaml);
        model.variant = variant;
    }
    struct submit_result result = submit(
        &s, RUNNER,
        ASK(.action = actions[risk], .subject = (int)subject < PEOPLE ? names[subject] : "sam",
            .args = arena_printf(s.arena, "{\"args\":%s}", arguments_with(amount))));
    memcpy(request, result.request, sizeof request);
    model_submit(&model, risk, amount, subject);
    tell(" %s of %d under policy %d for %d;", actions[risk], amount, model.variant, (int)subject);
    compare();
}

static void end_round(void)
{
    struct cancel_result result;
    if (model.state == REQUEST_PENDING && !try_cancel(&s, RUNNER, request, &result)) {
        differ("the cancel", s.error.code, "taken");
    }
}

static void begin_world(void)
{
    static const enum group first[PEOPLE] = {OPS, OPS, OPS, FINANCE, LEADS, OPS, GROUPS};
    scenario_start(&s, model_variants[0].yaml);
    model = (struct model){.editor = -1};
    for (int who = 0; who < PEOPLE; who++) {
        model.is_enabled[who] = true;
        if (first[who] != GROUPS) {
            model.is_member[who][first[who]] = true;
        }
    }
}

static long number_of(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? otherwise : strtol(text, NULL, 10);
}

START_TEST(model__agrees_with_the_gateway_whatever_happens_in_whatever_order)
{
    long rounds = number_of("ROUNDS", ROUNDS_DEFAULT);
    seed = (uint64_t)number_of("SEED", 20261125);
    chance = (struct chance){.state = seed};
    for (round_number = 0; round_number < rounds && differences < 5; round_number++) {
        if (round_number % ROUNDS_OF_SCENARIO == 0) {
            begin_world();
        }
        begin_round();
        int steps =
            edits_much ? STEPS_OF_EDITING : STEPS_LEAST + (int)chance_below(&chance, STEPS_MORE);
        for (int i = 0; i < steps && model.state == REQUEST_PENDING; i++) {
            any_step();
            compare();
            compare_blindness(any_enabled());
        }
        end_round();
        if ((round_number + 1) % ROUNDS_OF_SCENARIO == 0 || round_number + 1 == rounds) {
            scenario_end(&s);
        }
    }
    printf("model: %d rounds, SEED=%llu, %d differences\n", round_number, (unsigned long long)seed,
           differences);
    for (size_t i = 0; i < sizeof met / sizeof *met; i++) {
        ck_assert_msg(rounds < ROUNDS_DEFAULT || met[i].count > 0, "never refused as `%s`",
                      met[i].refusal);
    }
    ck_assert(rounds < ROUNDS_DEFAULT || blind_looks > 0);
    ck_assert_int_eq(differences, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: model");
    TCase *tests = tcase_create("model");
    tcase_set_timeout(tests, 3600);
    tcase_add_test(tests, model__agrees_with_the_gateway_whatever_happens_in_whatever_order);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
