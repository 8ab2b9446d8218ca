#ifndef POLICY_LINT_H
#define POLICY_LINT_H

/*
 * What is legal in a policy and still likely not meant: rules that can never match or never decide,
 * patterns said twice, conditions that are always true or false or were cut short, risky regular
 * expressions, approvals that wait too long, groups that do not exist. Pure, like the rest of the
 * room; it reads the compiled policy and changes nothing.
 */

#include "policy/policy.h"

enum policy_finding_level {
    POLICY_FINDING_NOTE = 0, /* worth knowing */
    POLICY_FINDING_WARNING,  /* likely not meant */
    POLICY_FINDING_FAULT,    /* will not work */
};

struct policy_finding {
    enum policy_finding_level level;
    const char *file;
    int line, column;
    const char *code;    /* "never_matches": stable, a literal */
    const char *message; /* what it is and what to write instead */
};

struct policy_lint_options {
    const char *const *groups; /* that exist; NULL: not known, and not checked */
    size_t group_count;
};

enum { POLICY_FINDINGS_MAX = 500 };

const char *policy_finding_level_name(enum policy_finding_level level); /* "note", "warning", … */

/* The findings by place, in `arena`; at most POLICY_FINDINGS_MAX. */
void policy_lint(const struct policy *policy, const struct policy_lint_options *options,
                 struct arena *arena, struct policy_finding **out_findings, size_t *out_count);

#endif
