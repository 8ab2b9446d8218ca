#ifndef POLICY_CASES_H
#define POLICY_CASES_H

/*
 * Tests of a policy, written beside it in YAML. Each case is an input and what is expected of the
 * decision; members left out are not looked at, except that `requirements`, where given, lists all
 * of them and `rules` all that matched:
 *
 *   - name: large refunds need finance
 *     input:
 *       action: payments.refund
 *       args: {amount: 1500.5, to: acme}
 *       subject: user/dana                  # or {type: user, id: dana, properties: {team: a}}
 *       resource: order/4711
 *       agent: billing-bot                  # caller, tenant
 *       context: {ticket: OPS-1}
 *       now: 2026-11-24T06:24:23Z
 *       history: {counts: [{window: 1h, outcome: denied, count: 2}], denials: 0}
 *     verdict: require_approval
 *     rules: [large-refund]
 *     risk: high
 *     reason: rules_matched
 *     message: Refunds are looked at by finance.
 *     error: no such key                    # some rule's condition failed, saying this
 *     show: [to, amount]
 *     challenge: to
 *     timeout: 15m
 *     requirements: [{rule: large-refund, quorum: 2, groups: [finance], assurance: session}]
 *     grant: {ttl: 60s, claim_within: 15m, audience: [payments-api], bearer: true}
 *
 * Values in args, context and properties are JSON's: plain true, false, null and numbers, all else
 * text. Without `history` nothing is known of it; with it, what is not listed is zero.
 */

#include "base/builder.h"
#include "formats/yaml.h"
#include "policy/policy.h"

struct policy_cases_result {
    size_t passed;
    size_t failed;
};

/* The `input` of a case, in `arena`. INVALID with its place when it is not well-formed. */
bool policy_case_read_input(const char *file, const struct yaml_node *node, struct arena *arena,
                            struct policy_input *out_input, struct error *error) MUST_CHECK;

/* Runs every case of the sequence `cases` and appends a line to `report` for each difference:
 * place, case, member, what was expected and what came. False with INVALID only when a case itself
 * is not well-formed. */
bool policy_cases_run(const struct policy *policy, const char *file, const struct yaml_node *cases,
                      struct builder *report, struct policy_cases_result *out_result,
                      struct error *error) MUST_CHECK;

#endif
