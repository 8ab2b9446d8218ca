#ifndef OPERATIONS_REQUEST_INTERNAL_H
#define OPERATIONS_REQUEST_INTERNAL_H

/* What the verbs about requests and grants share. Everything lives in the operation's arena. */

#include "approvals/tally.h"
#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/operations_internal.h"
#include "operations/request_operations.h"
#include "policy/policy.h"
#include "requests/authzen_binding.h"
#include "requests/binding.h"

/* Asked at half of the timeout where a rule has no ladder of its own. */
#define ESCALATION_GROUP "escalation"

/* request_case.c: one request with all that the rules ask about it. */
struct request_case {
    struct request_row *request;
    struct approvals_case facts; /* current votes of the current revision, and who cast them */
    struct vote_row *votes;      /* all of them, in order */
    bool *is_uncounted;          /* beside each: taken back by an entry vote.uncounted */
    size_t vote_count;
    const struct approvals_person *self; /* the one asked for; NULL when none was */
};
/* `person` (may be NULL) is among the people even without a vote. The request's clock must have
 * been settled. */
bool load_request_case(struct operation *operation, struct request_row *request, const char *person,
                       struct request_case *out, struct error *error) MUST_CHECK;
/* People who may not approve: those named at submission, and who is the subject or owns the agent
 * now. */
bool find_parties(struct operation *operation, const struct request_row *request,
                  struct ledger_texts *out, struct error *error) MUST_CHECK;
/* As of now; someone unknown is disabled. `id` is lent by the result. */
bool load_person_facts(struct operation *operation, const char *tenant, const char *id,
                       const struct ledger_texts *parties, struct approvals_person *out,
                       struct error *error) MUST_CHECK;
/* The newest vote of this person on the current revision that came in time and was not taken back;
 * NULL when none. */
const struct vote_row *current_vote_of(const struct request_case *request, const char *person);
/* Where who edited may not be the only approver. */
bool is_high_risk(const struct request_row *request);
/* What the stored request is bound to. Not of one whose arguments were erased. */
struct binding bind_stored(const struct request_row *request);
/* vote.uncounted for each current vote that counts no more, where the ledger does not say so yet.
 * `person` NULL: of everyone. */
bool record_uncounted(struct operation *operation, const struct request_case *request,
                      const char *person, struct error *error) MUST_CHECK;
bool has_party(const struct ledger_texts *parties, const char *id);
/* Of the stored row; none when it never needed people. */
bool load_requirements(struct operation *operation, const struct request_row *request,
                       struct approvals_case *facts, struct error *error) MUST_CHECK;

/* check_shown.c: a vote or an edit is for what its person saw; CONFLICT `digest_mismatch` says what
 * changed since. */
bool check_shown(struct operation *operation, const struct request_row *request, int revision,
                 const struct sha256 *digest, struct error *error) MUST_CHECK;
/* Refuses with FORBIDDEN for this reason. */
bool refuse_permission(const struct request_row *request, enum approvals_permission permission,
                       enum assurance needed, struct error *error);

/* find_approvers.c: false when no enabled person who may approve could still meet the requirements,
 * whoever is yet to be asked. */
bool can_be_approved(struct operation *operation, const struct request_row *request, bool *out_can,
                     struct error *error) MUST_CHECK;

/* submit_request.c: the row that submitting this would make, bound but neither decided nor stored:
 * whether this caller speaks for the agent and may act for the subject is checked. */
/* who_asks.c: the agent and the subject the caller speaks for, what it proved to be, and who acts
 * for whom, into `request`. FORBIDDEN `agent_not_registered` or `subject_not_registered`, unless
 * the registration keeps what it does not cover as unverified; INVALID `agent_ambiguous`,
 * `subject_too_long`. */
bool find_parties_of_call(struct operation *operation, const struct submit_input *input,
                          struct request_row *request, struct error *error) MUST_CHECK;
/* The same for an entry. */
void name_asker(struct operation *operation, const struct request_row *request,
                struct ledger_submitted *out);

/* submit_request.c: the request as it would be bound, and who may not approve it; nothing is
 * stored. */
bool prepare_request(struct operation *operation, const struct submit_input *input,
                     struct request_row *out, struct ledger_texts *out_parties,
                     struct error *error) MUST_CHECK;

/* submit_request.c: the request that a person denied within the repeat window, "" when none; how
 * many that are nearly the same were denied goes into the row. */
bool look_for_denials(struct operation *operation, struct request_row *request,
                      char out_denied[ID_BYTES], struct error *error) MUST_CHECK;

/* strand_request.c: whether nobody may approve it any more, or somebody may again; stored, said in
 * the ledger and to channels when that has changed. Who calls notes the change. */
bool settle_stranded(struct operation *operation, struct request_row *request, bool *out_changed,
                     struct error *error) MUST_CHECK;
/* The entry and the notice of what the row says. */
bool say_stranded(struct operation *operation, const struct request_row *request,
                  struct error *error) MUST_CHECK;

/* advance_request.c: what time has brought a pending request: its clock, without frozen time. In
 * memory only. */
bool settle_request(struct operation *operation, struct request_row *request, bool *out_is_frozen,
                    struct error *error) MUST_CHECK;
/* The same, with what is due: rungs reached, the timeout; stored, with entries. Every verb that
 * acts on a pending request does this first, so that a deadline and a vote have one order. */
bool advance_request(struct operation *operation, struct request_row *request, bool *out_is_frozen,
                     struct error *error) MUST_CHECK;
/* Sets due_at: the next rung or the timeout; 0 while stopped. */
void plan_request(struct operation *operation, struct request_row *request,
                  const struct policy_requirement *requirements, size_t count, bool is_frozen);
/* Entries for rungs whose time, counted from asked_at, lies in (after_ms, until_ms]. */
bool record_rungs(struct operation *operation, const struct request_row *request,
                  const struct policy_requirement *requirements, size_t count, int64_t after_ms,
                  int64_t until_ms, size_t *out_reached, struct error *error) MUST_CHECK;

/* judge_request.c: what policy says now, with what the gateway adds: an open effect of the same
 * action needs a person; the escalation group is asked where no ladder is. */
struct judgement {
    struct policy_decision decision;
    int64_t timeout_ms; /* the decision's, or the cap where that is shorter */
    const char **rules; /* matched, sorted; at most POLICY_EXPLAINED_MAX */
    size_t rule_count;
    const char *history_read; /* for a request that is asked now; NULL: nothing */
};
/* `timeout_max_ms` 0: as the rules say. RETRY_LATER `no_policy` before the first publication. */
bool judge_request(struct operation *operation, const struct request_row *request,
                   int64_t timeout_max_ms, struct judgement *out, struct error *error) MUST_CHECK;
/* What rules look at in a stored request, as of when it was asked; without history. */
struct policy_input policy_input_of(const struct request_row *request);
/* policy.decided: `cause` is `submitted`, `edited` or `published`. */
bool record_decided(struct operation *operation, const struct request_row *request,
                    const struct judgement *judgement, const char *cause,
                    struct error *error) MUST_CHECK;
/* Requirements as entries list them. */
struct ledger_requirements list_requirements(struct operation *operation,
                                             const struct request_row *request,
                                             const struct policy_requirement *requirements,
                                             size_t count);
const char *requirements_text(struct operation *operation,
                              const struct policy_requirement *requirements, size_t count);
const char *grant_settings_text(struct operation *operation, const struct policy_grant *settings);
/* Whether these terms let `request` be used by whom it names: its audience, or the caller itself.
 */
bool terms_allow_audience(const struct policy_grant *terms, const struct request_row *request,
                          const struct caller_row *caller);

/* grow_terms.c: what a pending request asks for and what policy asks for now, the stricter of both:
 * on publication and after an edit. */
struct growth {
    struct policy_requirement *requirements;
    size_t requirement_count;
    struct policy_grant terms;
    const char *refusal; /* why the two cannot be had together; NULL when they can */
};
bool grow_terms(struct operation *operation, const struct request_row *request,
                const struct policy_decision *decision, struct growth *out,
                struct error *error) MUST_CHECK;

/* True only when there is a requirement, and each lets a party approve. */
bool all_allow_self(const struct policy_requirement *requirements, size_t count);

/* end_request.c: the approved end: by policy of a row yet to be inserted, or by the people
 * assigned. Issues the grant, with a first token when `mints`. */
bool approve_request(struct operation *operation, struct request_row *request,
                     enum request_event event, const struct ledger_assigned *assigned,
                     size_t assigned_count, const struct policy_grant *terms, bool mints,
                     struct grant_row *out_grant, struct error *error) MUST_CHECK;
/* The entry of an end, by the state and reason of the row. */
bool record_end(struct operation *operation, const struct request_row *request, bool is_by_gateway,
                struct error *error) MUST_CHECK;
/* The transition of this pair; INTERNAL `refused_transition` when there is none. */
bool find_transition(const struct request_row *request, enum request_event event,
                     const struct request_transition **out, struct error *error) MUST_CHECK;
/* Sets state, reason and what goes with an end. */
void apply_transition(struct operation *operation, struct request_row *request,
                      const struct request_transition *transition, const char *by);

/* view_request.c: groups asked by now, each once. */
void list_asked_groups(struct operation *operation, const struct approvals_case *facts,
                       const char ***out, size_t *out_count);
/* view_request.c: one projection for every surface. */
struct viewer {
    const char **groups;
    size_t group_count;
    const char **subjects;
    size_t subject_count;
};
bool load_viewer(struct operation *operation, struct viewer *out, struct error *error) MUST_CHECK;
/* What the principal is to the request, for authorize. */
bool find_standing(struct operation *operation, const struct viewer *viewer,
                   const struct request_row *request, struct authorize_facts *out,
                   struct error *error) MUST_CHECK;
/* Whether this person may read it as things are now. */
bool may_read(struct operation *operation, const struct person_row *person,
              const struct request_row *request, bool *out, struct error *error) MUST_CHECK;
/* The request of this id in the principal's tenant with that; NOT_FOUND as for one that may not be
 * known. */
bool find_request(struct operation *operation, const char *id, struct request_row *out,
                  struct authorize_facts *out_facts, struct error *error) MUST_CHECK;
/* blind_votes.c: whether votes on it are hidden from who has yet to vote. */
bool is_blind(const struct request_row *request);
/* Whether the principal must not see others' votes yet: for every surface that shows any. `self` of
 * the case is the principal. */
bool blind_hides(const struct operation *operation, const struct request_case *request);
/* The same, for surfaces that have no case at hand: the timeline. */
bool hides_votes(struct operation *operation, const struct request_row *request, bool *out_hides,
                 struct error *error) MUST_CHECK;
/* CONFLICT `vote_first` while any pending request hides votes from this person: before the whole
 * ledger is shown. */
bool check_sees_all_votes(struct operation *operation, struct error *error) MUST_CHECK;
bool view_request(struct operation *operation, struct request_row *request,
                  struct request_view *out, struct error *error) MUST_CHECK;

#endif
