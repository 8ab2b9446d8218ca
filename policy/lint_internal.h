#ifndef POLICY_LINT_INTERNAL_H
#define POLICY_LINT_INTERNAL_H

/* Between the files of the lint. */

#include "policy/lint.h"
#include "policy/policy_internal.h"

struct lint {
    const struct policy *policy;
    const struct policy_lint_options *options;
    struct arena *arena;
    struct policy_finding *findings;
    size_t count;
};

/* A place a finding can be about. */
struct lint_place {
    const char *file;
    int line, column;
};

void lint_add(struct lint *lint, enum policy_finding_level level, struct lint_place place,
              const char *code, const char *format, ...) PRINTF_LIKE(5, 6);

/* lint_match.c: patterns, and rules that other rules leave nothing to decide. */
void lint_patterns(struct lint *lint, const struct rule *rule);
void lint_shadows(struct lint *lint);
/* lint_conditions.c */
void lint_condition(struct lint *lint, const struct rule *rule);
void lint_variables(struct lint *lint);

#endif
