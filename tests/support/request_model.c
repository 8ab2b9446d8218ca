#include "tests/support/request_model.h"

#include <string.h>

/* ---- the rules, as text and as the model knows them ---- */

#define LADDER "ladder: [{ after: 0s, to: [ops] }, { after: 10m, to: [leads] }]"
#define RULE_A(name, action, risk, quorum)                                                         \
    "  - name: " name "\n    match: { action: \"" action "\" }\n"                                  \
    "    verdict: require_approval\n    risk: " risk "\n"                                          \
    "    approval: { groups: [ops], quorum: " quorum ", deny_quorum: 2, timeout: 30m, assurance: " \
    "session, " LADDER " }\n"
#define RULES_A(quorum)                                                                            \
    RULE_A("a-low", "low.*", "low", quorum)                                                        \
    RULE_A("a-high", "high.*", "high", quorum)                                                     \
    RULE_A("a-critical", "critical.*", "critical", quorum)
#define ANY_ACTION "match: { action: [\"low.*\", \"high.*\", \"critical.*\"] }"
#define RULE_B_WHEN(condition, risk)                                                               \
    "  - name: b\n    " ANY_ACTION "\n" condition "    verdict: require_approval\n    risk: " risk \
    "\n"                                                                                           \
    "    approval: { groups: [finance], deny_quorum: 1, timeout: 30m, assurance: session }\n"
#define RULE_B RULE_B_WHEN("", "low")
#define RULE_OF(name, condition, verdict)                                                          \
    "  - name: " name "\n    " ANY_ACTION "\n" condition "    verdict: " verdict "\n"
#define WHEN(condition) "    when: double(args.amount) " condition "\n"
/* The same rules for every action, but what the first rule asks at which risk. */
#define TOOL(name) "  " name ": { args: { n: number, amount: number? }, challenge: amount }\n"
#define HEAD                                                                                       \
    "version: 1\ndefaults:\n  verdict: deny\n  risk: low\n  approval: { groups: [ops], timeout: "  \
    "30m }\ntools:\n" TOOL("low.go") TOOL("high.go") TOOL("critical.go") "rules:\n"

const struct variant model_variants[MODEL_VARIANTS] = {
    {HEAD RULES_A("1"), ASKS, 1, 0, false, LOW},
    {HEAD RULES_A("2"), ASKS, 2, 0, false, LOW},
    {HEAD RULES_A("1") RULE_B, ASKS, 1, 1, false, LOW},
    {HEAD RULES_A("1") RULE_B_WHEN(WHEN("> 100.0"), "high")
         RULE_OF("too-much", WHEN("> 1000.0"), "deny"),
     ASKS, 1, 1, true, HIGH},
    {HEAD RULES_A("1") RULE_B_WHEN(WHEN("> 100.0"), "critical")
         RULE_OF("too-much", WHEN("> 1000.0"), "deny"),
     ASKS, 1, 1, true, CRITICAL},
    {HEAD RULE_OF("never", "", "deny"), DENIES, 0, 0, false, LOW},
    {HEAD RULE_OF("free", "", "allow"), ALLOWS, 0, 0, false, LOW},
    {HEAD RULE_OF("free-when-small", WHEN("<= 10.0"), "allow"), ALLOWS, 0, 0, true, LOW},
};

/* What one variant says of one request. */
struct judged {
    enum stance stance;
    int quorum_a;
    int quorum_b;
    enum risk risk;
};

/* A condition over an amount that is not there is an error: strict rules match, lenient ones do
 * not. */
static struct judged judge(int variant, enum risk risk, int amount)
{
    const struct variant *now = &model_variants[variant];
    struct judged judged = {now->stance, now->quorum_a, now->quorum_b, risk};
    if (now->stance != ASKS) {
        judged.risk = LOW; /* of the default: no rule that matches has one */
    }
    if (!now->reads_arguments) {
        return judged;
    }
    if (now->stance == ALLOWS) {
        judged.stance = amount != NO_AMOUNT && amount <= SMALL ? ALLOWS : DENIES;
        return judged;
    }
    bool is_large = amount == NO_AMOUNT || amount > LARGE;
    judged.quorum_b = is_large ? now->quorum_b : 0;
    judged.risk = is_large && now->risk_of_large > risk ? now->risk_of_large : risk;
    if (amount == NO_AMOUNT || amount > TOO_MUCH) {
        judged = (struct judged){.stance = DENIES, .risk = judged.risk};
    }
    return judged;
}

/* ---- the model ---- */

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
    return model->risk >= HIGH && model->editor == who && model->quorum_a + model->quorum_b == 1;
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

int model_missing(const struct model *model)
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
bool model_nobody_can(const struct model *model)
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

void model_end(struct model *model, enum request_state state, enum request_reason reason)
{
    model->state = state;
    model->reason = reason;
}

static void weigh(struct model *model)
{
    if (denials(model) >= denials_that_end(model)) {
        model_end(model, REQUEST_DENIED, REASON_DENIED_BY_PERSON);
    } else if (model_missing(model) == 0) {
        model_end(model, REQUEST_APPROVED, REASON_APPROVED_BY_PEOPLE);
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

static const char *refusal_of_typing(const struct model *model, enum typing typing)
{
    if (model->risk != CRITICAL || model->amount == NO_AMOUNT || typing == TYPES_RIGHT) {
        return NULL;
    }
    return typing == TYPES_NOTHING ? "retype_missing" : "retype_mismatch";
}

const char *model_vote(struct model *model, int who, bool approves, enum typing typing)
{
    const char *refusal = refusal_of_person(model, who);
    bool says_again = model->vote[who] == (approves ? YES : NO);
    if (!approves && is_party(model, who)) {
        refusal = NULL;
    }
    if (refusal == NULL && approves && is_editor_alone(model, who)) {
        refusal = "editor_alone";
    }
    if (refusal == NULL && approves && model->is_frozen) {
        refusal = "frozen";
    }
    if (refusal == NULL && approves && model->risk == CRITICAL && model->last[who] == NO) {
        refusal = "denial_stands";
    }
    if (refusal == NULL && approves && !says_again) {
        refusal = refusal_of_typing(model, typing);
    }
    if (refusal == NULL) {
        model->vote[who] = model->last[who] = approves ? YES : NO;
        model->has_ever_voted[who] = true;
        weigh(model);
    }
    return refusal;
}

bool model_is_blind(const struct model *model, int who)
{
    return model->risk == CRITICAL && model->vote[who] == NOTHING &&
           (is_party(model, who) || serves_a(model, who, TIMEOUT) || serves_b(model, who));
}

static void forget_votes(struct model *model)
{
    memset(model->vote, 0, sizeof model->vote);
    memset(model->last, 0, sizeof model->last);
}

/* What was required before is required still. */
static void model_grow(struct model *model, const struct judged *now)
{
    model->quorum_a = now->quorum_a > model->quorum_a ? now->quorum_a : model->quorum_a;
    model->quorum_b = now->quorum_b > model->quorum_b ? now->quorum_b : model->quorum_b;
    model->risk = now->risk > model->risk ? now->risk : model->risk;
}

const char *model_edit(struct model *model, int who, int amount)
{
    const char *refusal = refusal_of_person(model, who);
    struct judged now = judge(model->variant, model->action_risk, amount);
    /* What is asked first: whether it may be known, then its state, then the person. */
    if (refusal == NULL || strcmp(refusal, "not_found") != 0) {
        refusal = model->is_frozen ? "frozen" : model->revision > 5 ? "too_many_edits" : refusal;
    }
    if (refusal == NULL && now.stance == DENIES) {
        refusal = "edit_denied";
    }
    if (refusal == NULL) {
        model->revision++;
        model->editor = who;
        model->amount = amount;
        forget_votes(model);
        model_grow(model, &now);
    }
    return refusal;
}

void model_pass(struct model *model, int64_t ms)
{
    if (!model->is_frozen) {
        model->elapsed += ms;
    }
    if (model->state == REQUEST_PENDING && model->elapsed >= TIMEOUT) {
        model_end(model, REQUEST_EXPIRED, REASON_TIMED_OUT);
    }
}

/* What no longer counts counts again only after a new vote. */
void model_take_back(struct model *model, int who)
{
    bool still = model->is_enabled[who] && (is_asked(model, who) || is_party(model, who));
    if (!still) {
        model->vote[who] = NOTHING;
    }
}

void model_publish(struct model *model, int variant)
{
    struct judged now = judge(variant, model->action_risk, model->amount);
    bool is_other = model->variant != variant;
    model->variant = variant;
    if (model->state != REQUEST_PENDING || !is_other) {
        return;
    }
    if (now.stance == DENIES) {
        model_end(model, REQUEST_DENIED, REASON_POLICY_DENY);
        return;
    }
    model_grow(model, &now);
    if (denials(model) >= denials_that_end(model)) {
        model_end(model, REQUEST_DENIED, REASON_DENIED_BY_PERSON);
    }
}

void model_submit(struct model *model, enum risk risk, int amount, enum cast subject)
{
    struct judged now = judge(model->variant, risk, amount);
    model->state = REQUEST_PENDING;
    model->reason = REASON_NONE;
    model->revision = 1;
    model->action_risk = risk;
    model->risk = now.risk;
    model->amount = amount;
    model->quorum_a = now.quorum_a;
    model->quorum_b = now.quorum_b;
    model->elapsed = 0;
    model->was_frozen = false;
    model->subject = subject;
    model->editor = -1;
    forget_votes(model);
    memset(model->has_ever_voted, 0, sizeof model->has_ever_voted);
    if (now.stance == DENIES) {
        model_end(model, REQUEST_DENIED, REASON_POLICY_DENY);
    } else if (now.stance == ALLOWS) {
        model_end(model, REQUEST_APPROVED, REASON_POLICY_ALLOW);
    }
}

bool model_has_vote(const struct model *model)
{
    for (int who = 0; who < PEOPLE; who++) {
        if (model->last[who] != NOTHING) {
            return true;
        }
    }
    return false;
}
