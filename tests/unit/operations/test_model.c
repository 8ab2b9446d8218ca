#include "operations/edit_operations.h"
#include "operations/operations_internal.h"
#include "tests/support/chance.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The gateway against a model of it: random interleavings of votes, edits, time, cancels, freezes,
 * changes of groups and accounts, and publications. After each step both must agree on the request,
 * and on what a refusal is called. The model is written from the description of the life of a
 * request and shares no code with the gateway: it counts by arithmetic where the gateway matches,
 * and by one number of time where the gateway settles clocks. The offline verifier reads every
 * ledger.
 *
 *     SEED=7 ROUNDS=10000 build/tests/unit/operations/test_model
 */

enum {
    ROUNDS_DEFAULT = 1000,
    ROUNDS_OF_SCENARIO = 100,
    STEPS_LEAST = 6,
    STEPS_MORE = 12,
    PEOPLE = NORA + 1, /* DANA to NORA */
    TIMEOUT = 30 * MINUTE,
    RUNG = 10 * MINUTE,
};
enum group { OPS, FINANCE, LEADS, GROUPS };
static const char *const group_names[] = {"ops", "finance", "leads"};

/* ---- the rules, as text and as the model knows them ---- */

#define LADDER "ladder: [{ after: 0s, to: [ops] }, { after: 10m, to: [leads] }]"
#define RULE_A(name, action, risk, quorum)                                                         \
    "  - name: " name "\n    match: { action: \"" action "\" }\n"                                  \
    "    verdict: require_approval\n    risk: " risk "\n"                                          \
    "    approval: { groups: [ops], quorum: " quorum ", deny_quorum: 2, timeout: 30m, " LADDER     \
    " }\n"
#define RULES_A(quorum)                                                                            \
    RULE_A("a-low", "low.*", "low", quorum) RULE_A("a-high", "high.*", "high", quorum)
#define RULE_B                                                                                     \
    "  - name: b\n    match: { action: [\"low.*\", \"high.*\"] }\n"                                \
    "    verdict: require_approval\n    risk: low\n"                                               \
    "    approval: { groups: [finance], deny_quorum: 1, timeout: 30m }\n"
#define RULE_OF(name, verdict)                                                                     \
    "  - { name: " name ", match: { action: [\"low.*\", \"high.*\"] }, verdict: " verdict " }\n"
#define HEAD                                                                                       \
    "version: 1\ndefaults:\n  verdict: deny\n  approval: { groups: [ops], timeout: 30m "           \
    "}\nrules:\n"

enum stance { ASKS, DENIES, ALLOWS };
struct variant {
    const char *yaml;
    enum stance stance;
    int quorum_a;
    int quorum_b;
};
static const struct variant variants[] = {
    {HEAD RULES_A("1"), ASKS, 1, 0},
    {HEAD RULES_A("2"), ASKS, 2, 0},
    {HEAD RULES_A("1") RULE_B, ASKS, 1, 1},
    {HEAD RULE_OF("never", "deny"), DENIES, 0, 0},
    {HEAD RULE_OF("free", "allow"), ALLOWS, 0, 0},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* ---- the model ---- */

enum choice { NOTHING, YES, NO };
struct model {
    /* the world */
    bool is_member[PEOPLE][GROUPS];
    bool is_enabled[PEOPLE];
    bool is_frozen;
    int variant;
    /* the request */
    enum request_state state;
    enum request_reason reason;
    int revision;
    bool is_high;
    int quorum_a;
    int quorum_b;
    int64_t elapsed; /* of its clock, which stands still while frozen */
    bool was_frozen;
    enum cast subject;        /* NORA + 1: nobody we know */
    int editor;               /* -1: as submitted */
    enum choice vote[PEOPLE]; /* that counts; an uncounted one is NOTHING */
    bool has_ever_voted[PEOPLE];
};

static bool is_party(const struct model *model, int who)
{
    return who == OLGA || who == (int)model->subject;
}

static bool serves_a(const struct model *model, int who, int64_t elapsed)
{
    return model->is_member[who][OPS] || (elapsed >= RUNG && model->is_member[who][LEADS]);
}

static bool serves_b(const struct model *model, int who)
{
    return model->quorum_b > 0 && model->is_member[who][FINANCE];
}

static bool is_asked(const struct model *model, int who)
{
    return serves_a(model, who, model->elapsed) || serves_b(model, who);
}

static bool is_editor_alone(const struct model *model, int who)
{
    return model->is_high && model->editor == who && model->quorum_a + model->quorum_b == 1;
}

static int least(int left, int right)
{
    return left < right ? left : right;
}

/* How many places people fill who can serve only a, only b, or either. */
static int filled(const struct model *model, int only_a, int only_b, int either)
{
    int most = 0;
    for (int to_a = 0; to_a <= either; to_a++) {
        int count =
            least(model->quorum_a, only_a + to_a) + least(model->quorum_b, only_b + either - to_a);
        most = count > most ? count : most;
    }
    return most;
}

static int missing(const struct model *model)
{
    int only_a = 0;
    int only_b = 0;
    int either = 0;
    for (int who = 0; who < PEOPLE; who++) {
        bool a = serves_a(model, who, model->elapsed);
        bool b = serves_b(model, who);
        if (model->vote[who] != YES || !model->is_enabled[who] || is_party(model, who) ||
            is_editor_alone(model, who)) {
            continue;
        }
        only_a += a && !b;
        only_b += b && !a;
        either += a && b;
    }
    return model->quorum_a + model->quorum_b - filled(model, only_a, only_b, either);
}

static int denials(const struct model *model)
{
    int count = 0;
    for (int who = 0; who < PEOPLE; who++) {
        count += model->vote[who] == NO && model->is_enabled[who] &&
                 (is_party(model, who) || is_asked(model, who));
    }
    return count;
}

static int denials_that_end(const struct model *model)
{
    return model->quorum_b > 0 ? 1 : 2;
}

/* Whoever is yet to be asked counts as asked. */
static bool nobody_can(const struct model *model)
{
    int only_a = 0;
    int only_b = 0;
    int either = 0;
    for (int who = 0; who < PEOPLE; who++) {
        bool a = serves_a(model, who, TIMEOUT);
        bool b = serves_b(model, who);
        if (!model->is_enabled[who] || is_party(model, who) || is_editor_alone(model, who)) {
            continue;
        }
        only_a += a && !b;
        only_b += b && !a;
        either += a && b;
    }
    return filled(model, only_a, only_b, either) < model->quorum_a + model->quorum_b;
}

static void end(struct model *model, enum request_state state, enum request_reason reason)
{
    model->state = state;
    model->reason = reason;
}

static void weigh(struct model *model)
{
    if (denials(model) >= denials_that_end(model)) {
        end(model, REQUEST_DENIED, REASON_DENIED_BY_PERSON);
    } else if (missing(model) == 0) {
        end(model, REQUEST_APPROVED, REASON_APPROVED_BY_PEOPLE);
    }
}

/* NULL: it is taken. */
static const char *refusal_of_person(const struct model *model, int who)
{
    bool knows = is_party(model, who) || is_asked(model, who) || model->has_ever_voted[who];
    if (!knows) {
        return "not_found";
    }
    return is_party(model, who)   ? "separation_of_duties"
           : is_asked(model, who) ? NULL
                                  : "not_eligible";
}

static const char *model_vote(struct model *model, int who, bool approves)
{
    const char *refusal = refusal_of_person(model, who);
    if (!approves && is_party(model, who)) {
        refusal = NULL;
    }
    if (refusal == NULL && approves && is_editor_alone(model, who)) {
        refusal = "editor_alone";
    }
    if (refusal == NULL && approves && model->is_frozen) {
        refusal = "frozen";
    }
    if (refusal == NULL) {
        model->vote[who] = approves ? YES : NO;
        model->has_ever_voted[who] = true;
        weigh(model);
    }
    return refusal;
}

static const char *model_edit(struct model *model, int who)
{
    const char *refusal = refusal_of_person(model, who);
    /* What is asked first: whether it may be known, then its state, then the person. */
    if (refusal == NULL || strcmp(refusal, "not_found") != 0) {
        refusal = model->is_frozen ? "frozen" : model->revision > 5 ? "too_many_edits" : refusal;
    }
    if (refusal == NULL) {
        model->revision++;
        model->editor = who;
        memset(model->vote, 0, sizeof model->vote);
    }
    return refusal;
}

static void model_pass(struct model *model, int64_t ms)
{
    if (!model->is_frozen) {
        model->elapsed += ms;
    }
    if (model->state == REQUEST_PENDING && model->elapsed >= TIMEOUT) {
        end(model, REQUEST_EXPIRED, REASON_TIMED_OUT);
    }
}

/* What no longer counts counts again only after a new vote. */
static void model_take_back(struct model *model, int who)
{
    bool still = model->is_enabled[who] && (is_asked(model, who) || is_party(model, who));
    if (!still) {
        model->vote[who] = NOTHING;
    }
}

static void model_publish(struct model *model, int variant)
{
    const struct variant *now = &variants[variant];
    bool is_other = model->variant != variant;
    model->variant = variant;
    if (model->state != REQUEST_PENDING || !is_other) {
        return;
    }
    if (now->stance == DENIES) {
        end(model, REQUEST_DENIED, REASON_POLICY_DENY);
        return;
    }
    model->quorum_a = now->quorum_a > model->quorum_a ? now->quorum_a : model->quorum_a;
    model->quorum_b = now->quorum_b > model->quorum_b ? now->quorum_b : model->quorum_b;
    if (denials(model) >= denials_that_end(model)) {
        end(model, REQUEST_DENIED, REASON_DENIED_BY_PERSON);
    }
}

static void model_submit(struct model *model, bool is_high, enum cast subject)
{
    const struct variant *now = &variants[model->variant];
    model->state = REQUEST_PENDING;
    model->reason = REASON_NONE;
    model->revision = 1;
    model->is_high = is_high;
    model->quorum_a = now->quorum_a;
    model->quorum_b = now->quorum_b;
    model->elapsed = 0;
    model->was_frozen = false;
    model->subject = subject;
    model->editor = -1;
    memset(model->vote, 0, sizeof model->vote);
    memset(model->has_ever_voted, 0, sizeof model->has_ever_voted);
    if (now->stance == DENIES) {
        end(model, REQUEST_DENIED, REASON_POLICY_DENY);
    } else if (now->stance == ALLOWS) {
        end(model, REQUEST_APPROVED, REASON_POLICY_ALLOW);
    }
}

/* ---- both ---- */

static struct scenario s;
static struct model model;
static struct chance chance;
static char request[ID_BYTES];
static char freeze_id[ID_BYTES];
static uint64_t seed;
static int round_number;
static int differences;
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
        compare_numbers("missing", view.missing, missing(&model));
        compare_numbers("that nobody can approve", view.nobody_can_approve, nobody_can(&model));
        compare_numbers("that it is stranded", row->is_stranded, nobody_can(&model));
        compare_numbers("timeout", row->timeout_at - row->asked_at, TIMEOUT);
    }
}

/* A stopped clock may have let somebody know of it early; what they may do is the same. */
static void compare_refusal(bool ok, const char *expected)
{
    const char *found = ok ? "taken" : s.error.code;
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

static void step_vote(void)
{
    struct vote_result result;
    int who = any_enabled();
    bool approves = chance_below(&chance, 4) != 0;
    tell(" %d %s;", who, approves ? "approves" : "denies");
    bool ok = try_vote(&s, (enum cast)who, request, approves, &result);
    compare_refusal(ok, model_vote(&model, who, approves));
}

static void step_edit(void)
{
    static int serial;
    int who = any_enabled();
    struct request_view view = look(&s, request);
    struct edit_input input = {
        .request = request,
        .revision = view.request.revision,
        .digest = view.request.digest,
        .arguments = arena_printf(s.arena, "{\"edit\":%d}", serial++),
    };
    struct edit_result result;
    tell(" %d edits;", who);
    bool ok = scenario_settle(
        &s, operation_edit_request(scenario_begin(&s, (enum cast)who), &input, &result, &s.error));
    compare_refusal(ok, model_edit(&model, who));
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
        end(&model, REQUEST_CANCELLED, REASON_WITHDRAWN);
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
    int variant = (int)chance_below(&chance, VARIANTS);
    tell(" policy %d;", variant);
    scenario_publish(&s, variants[variant].yaml);
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
    static int serial;
    bool is_high = chance_below(&chance, 2) == 0;
    enum cast subject = (enum cast)chance_below(&chance, PEOPLE + 3);
    story[0] = '\0';
    thaw_all();
    if (chance_below(&chance, 3) != 0 && variants[model.variant].stance != ASKS) {
        int variant = (int)chance_below(&chance, 3);
        scenario_publish(&s, variants[variant].yaml);
        model.variant = variant;
    }
    struct submit_result result =
        submit(&s, RUNNER,
               ASK(.action = is_high ? "high.go" : "low.go",
                   .subject = (int)subject < PEOPLE ? names[subject] : "sam",
                   .args = arena_printf(s.arena, "{\"args\":{\"n\":%d}}", serial++)));
    memcpy(request, result.request, sizeof request);
    model_submit(&model, is_high, subject);
    tell(" %s under policy %d for %d;", is_high ? "high" : "low", model.variant, (int)subject);
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
    scenario_start(&s, variants[0].yaml);
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
        int steps = STEPS_LEAST + (int)chance_below(&chance, STEPS_MORE);
        for (int i = 0; i < steps && model.state == REQUEST_PENDING; i++) {
            any_step();
            compare();
        }
        end_round();
        if ((round_number + 1) % ROUNDS_OF_SCENARIO == 0 || round_number + 1 == rounds) {
            scenario_end(&s);
        }
    }
    printf("model: %d rounds, SEED=%llu, %d differences\n", round_number, (unsigned long long)seed,
           differences);
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
