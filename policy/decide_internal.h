#ifndef POLICY_DECIDE_INTERNAL_H
#define POLICY_DECIDE_INTERNAL_H

/* One decision on its way: between decide.c and explain.c. */

#include "policy/policy_internal.h"

/* Why the verdict is what it is; part of every explanation. */
enum reason {
    REASON_RULES_MATCHED,
    REASON_NO_RULE_MATCHED,
    REASON_TEXT_TOO_LONG,
    REASON_ARGUMENTS, /* not as the tool's schema wants them */
    REASON_TOO_MANY_REQUIREMENTS,
    REASON_NO_COMMON_AUDIENCE,
};

enum result { RESULT_NO_CONDITION = 0, RESULT_FALSE, RESULT_TRUE, RESULT_ERROR, RESULT_STOPPED };

/* A rule whose match fits. */
struct attempt {
    const struct rule *rule;
    enum result result;
    bool has_matched;
    int64_t cost;
    const char *problem; /* of an error or a limit */
};

struct trial {
    const struct policy *policy;
    const struct policy_input *input;
    struct arena *arena;
    const struct tool *tool; /* of this action; NULL when it has no schema */
    struct facts facts;
    struct span texts[FIELD_COUNT];
    struct attempt *attempts; /* strictest verdict first, then by name */
    size_t attempt_count;
    const struct rule **matched; /* of them, in the same order */
    size_t matched_count;
    size_t count_by_verdict[POLICY_ALLOW + 1]; /* of those that matched */
    enum reason reason;
};

/* explain.c: the explanation, from the trial and the decision made. */
void explain(const struct trial *trial, struct policy_decision *decision);

#endif
