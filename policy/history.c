#include "policy/policy_internal.h"

#include <string.h>

static const struct {
    enum policy_history_part part;
    const char *name;
} parts[] = {
    {POLICY_HISTORY_AGENT, "agent"},       {POLICY_HISTORY_ACTION, "action"},
    {POLICY_HISTORY_RESOURCE, "resource"}, {POLICY_HISTORY_SUBJECT, "subject"},
    {POLICY_HISTORY_DIGEST, "digest"},
};

bool policy_history_part_read(const char *name, enum policy_history_part *out_part)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            *out_part = parts[i].part;
            return true;
        }
    }
    return false;
}

const unsigned *policy_history_kinds(const struct policy *policy, size_t *out_count)
{
    *out_count = policy->history_kind_count;
    return policy->history_kinds;
}
