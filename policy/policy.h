#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

/*
 * Policy as code: YAML rules in, a verdict with its reasons out. Pure: no files, no clock, no
 * global state, so the gateway, the command line, the simulator and replay all get the same answer.
 *
 * Strictest wins: every matching rule counts, deny beats require_approval beats allow, requirements
 * add up. The order of rules and of files never changes a decision. Where no rule matches, the
 * policy's defaults hold, and a policy that names no default verdict denies.
 *
 * `match` is an index, not a condition: the cost of a decision depends on the rules that match, not
 * on how many there are.
 *
 * Whether a rule whose match fits does match is then for its condition to say: true, false, or an
 * error. An error, and a limit that was reached, count as a match of a rule that denies or requires
 * approval, and as none of a rule that allows. Arguments that do not fit the tool's schema are
 * denied before any rule is tried.
 */

#include "base/arena.h"
#include "base/error.h"
#include "policy/history.h"
#include "policy/requirements.h"
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_FILES_MAX = 256,
    POLICY_RULES_MAX = 20000,
    POLICY_PATTERNS_MAX = 64, /* in one field of one rule's match */
    POLICY_PATTERN_BYTES_MAX = 256,
    POLICY_TEXT_BYTES_MAX = 2048, /* in one field of an input; a longer one is a deny */
    POLICY_MESSAGE_BYTES_MAX = 500,
    POLICY_COST_MAX = 100000,   /* of all conditions of one decision, in CEL's units */
    POLICY_WINDOWS_MAX = 16,    /* different windows of history in one policy */
    POLICY_EXPLAINED_MAX = 200, /* rules listed in an explanation; the rest are counted */
    POLICY_VERSION_BYTES = 65,  /* 64 hexadecimal digits and NUL */
};

enum policy_verdict { POLICY_DENY = 0, POLICY_REQUIRE_APPROVAL, POLICY_ALLOW };
/* Zero is no risk class at all, so that a forgotten one is noticed. */
enum policy_risk {
    POLICY_RISK_LOW = 1,
    POLICY_RISK_MEDIUM,
    POLICY_RISK_HIGH,
    POLICY_RISK_CRITICAL
};

const char *policy_verdict_name(enum policy_verdict verdict); /* "deny", "require_approval", … */
bool policy_verdict_read(const char *name, enum policy_verdict *out_verdict) MUST_CHECK;
const char *policy_risk_name(enum policy_risk risk); /* "low", "medium", "high", "critical" */
bool policy_risk_read(const char *name, enum policy_risk *out_risk) MUST_CHECK;

/* One *.yaml file of the policy folder. `name` is relative to the folder: it is part of the
 * version and of every message. */
struct policy_file {
    const char *name;
    const char *bytes;
    size_t length;
};

/* Appends what a person needs to mend it: `file:line:column: message`, the line itself and a caret
 * under the place. */
void policy_append_error(struct builder *out, const struct policy_file *files, size_t count,
                         const struct error *error);

struct policy; /* immutable after compile: any number of threads may decide with it */

/* Compiles all files as one policy; keeps nothing of them. NULL with INVALID: subject is the file,
 * line and column the place, and the message says what to write instead. Destroy with
 * policy_destroy. */
struct policy *policy_compile(const struct policy_file *files, size_t count,
                              struct error *error) MUST_CHECK;
void policy_destroy(struct policy *policy); /* accepts NULL */

/* SHA-256 of the files in the order of their names, each name and content with its length before
 * it; 64 hexadecimal digits. */
const char *policy_version(const struct policy *policy);
size_t policy_rule_count(const struct policy *policy);
/* The windows its conditions ask history for, in milliseconds, ascending. Lent. */
const int64_t *policy_windows(const struct policy *policy, size_t *out_count);

/* defaults.approval, which also serves unknown effects. Lent. NULL when the policy has none: no
 * rule can require approval, so whoever needs a person must deny. */
const struct policy_requirement *policy_default_requirement(const struct policy *policy);
enum policy_risk policy_default_risk(const struct policy *policy);

/* What rules may look at. A NULL text counts as empty. The JSON texts are canonical, as
 * canonical_append writes them, and may be NULL: then `subject` and `resource` in conditions are
 * what their keys say, `args` and `context` are empty. */
struct policy_input {
    const char *tenant;
    const char *subject;  /* "user/dana": type/id */
    const char *agent;    /* in conditions agent.id */
    const char *caller;   /* in conditions caller.id */
    const char *action;   /* "payments.refund"; in conditions action.name */
    const char *resource; /* "order/4711": type/id */
    int64_t now;          /* wall time */
    const char *subject_json;
    const char *action_json; /* its properties.args are `args` */
    const char *resource_json;
    const char *context_json;             /* only the members that count */
    const struct policy_history *history; /* NULL: not known */
};

struct policy_decision {
    enum policy_verdict verdict;
    enum policy_risk risk; /* the highest of all matching rules, else the default's */
    const char *message;   /* of the deciding rule, first by name; NULL when it has none */
    int64_t timeout_ms;    /* shortest of all requirements; 0 when there are none */
    struct policy_requirement *requirements; /* only for require_approval, then at least one;
                                                ordered by rule name */
    size_t requirement_count;
    struct policy_grant grant; /* terms if it comes to one; zeroed for a deny */
    const char **show; /* names of arguments the approver sees first, as the tool has them */
    size_t show_count;
    const char **challenge; /* names of arguments the approver retypes when the risk is critical */
    size_t challenge_count;
    const char *explanation; /* canonical JSON, stored with the request: policy version, verdict,
                                reason, each rule tried, how many were not */
    size_t explanation_length;
};

/* Called for each rule tried, strictest verdict first: its match fits, and perhaps its condition.
 */
typedef void (*policy_trace)(void *context, const char *rule, bool has_matched);

/* Decides. Everything in `out_decision` lives in `arena`, nothing in the policy, so the policy may
 * be replaced meanwhile. `trace` may be NULL. There is no failure: what cannot be decided is a
 * deny that says why. */
void policy_decide(const struct policy *policy, const struct policy_input *input,
                   struct arena *arena, policy_trace trace, void *context,
                   struct policy_decision *out_decision);

/* Why a rule was not tried: the name of the first `match` field that does not fit ("resource"),
 * NULL when all fit. False when there is no rule of that name. */
bool policy_first_mismatch(const struct policy *policy, const char *rule,
                           const struct policy_input *input, const char **out_field) MUST_CHECK;

#endif
