#ifndef POLICY_CASES_H
#define POLICY_CASES_H

/*
 * Tests of a policy, written beside it in YAML. Each case is an input and what is expected of the
 * decision; members left out are not looked at, except that `requirements`, where given, lists all
 * of them and `rules` all that matched:
 *
 *   - name: large refunds need finance
 *     input: {action: payments.refund, resource: order/4711, agent: billing-bot}
 *     verdict: require_approval
 *     rules: [large-refund]
 *     risk: high
 *     message: Refunds are looked at by finance.
 *     timeout: 15m
 *     requirements: [{rule: large-refund, quorum: 2, groups: [finance], assurance: session}]
 *     grant: {ttl: 60s, claim_within: 15m, audience: [payments-api], bearer: true}
 */

#include "base/builder.h"
#include "formats/yaml.h"
#include "policy/policy.h"

struct policy_cases_result {
    size_t passed;
    size_t failed;
};

/* Runs every case of the sequence `cases` and appends a line to `report` for each difference:
 * place, case, member, what was expected and what came. False with INVALID only when a case itself
 * is not well-formed. */
bool policy_cases_run(const struct policy *policy, const char *file, const struct yaml_node *cases,
                      struct builder *report, struct policy_cases_result *out_result,
                      struct error *error) MUST_CHECK;

#endif
