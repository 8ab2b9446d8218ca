#include "operations/blind_internal.h"
#include "operations/request_internal.h"
#include <string.h>

/*
 * Blind second vote. While a critical request is pending, who may yet decide it learns nothing of
 * the votes of others: neither what they were, nor whose, nor whether there are any; and neither
 * does the agent, who might tell. Every surface that could show a vote asks here.
 */

bool is_blind(const struct request_row *request)
{
    return request->state == REQUEST_PENDING && request->risk == POLICY_RISK_CRITICAL;
}

/* Asked by now or by a later rung, or a party, who may deny. */
static bool may_ever_vote(const struct approvals_case *facts, const struct approvals_person *person)
{
    struct approvals_case at_last = *facts;
    enum assurance needed;
    at_last.now = INT64_MAX;
    return approvals_may_vote(&at_last, person, false, ASSURANCE_PASSKEY, &needed) == APPROVALS_MAY;
}

bool blind_hides(const struct operation *operation, const struct request_case *request)
{
    if (!is_blind(request->request)) {
        return false;
    }
    if (operation->principal.kind == PRINCIPAL_CALLER) {
        return true;
    }
    if (operation->principal.kind != PRINCIPAL_PERSON || request->self == NULL) {
        return false;
    }
    return may_ever_vote(&request->facts, request->self) &&
           current_vote_of(request, request->self->id) == NULL;
}

static const char *self_of(const struct operation *operation)
{
    return operation->principal.kind == PRINCIPAL_PERSON ? operation->principal.id : NULL;
}

bool hides_votes(struct operation *operation, const struct request_row *request, bool *out_hides,
                 struct error *error)
{
    struct request_row settled = *request;
    struct request_case loaded;
    bool is_frozen;
    if (!settle_request(operation, &settled, &is_frozen, error) ||
        !load_request_case(operation, &settled, self_of(operation), &loaded, error)) {
        return false;
    }
    *out_hides = blind_hides(operation, &loaded);
    return true;
}

/* ---- the whole ledger ---- */

static bool check_row(struct operation *operation, struct arena *scratch,
                      const struct request_row *request, struct error *error)
{
    struct operation aside = *operation;
    bool hides = false;
    aside.arena = scratch;
    if (!is_blind(request)) {
        return true;
    }
    return hides_votes(&aside, request, &hides, error) &&
           (!hides || error_set(error, ERROR_CONFLICT, "vote_first", request->id,
                                "this request waits for your vote, and the ledger would tell you "
                                "of others': vote first, or let somebody export it who is not "
                                "asked"));
}

bool check_sees_all_votes(struct operation *operation, struct error *error)
{
    int64_t after_row = 0;
    if (operation->principal.kind != PRINCIPAL_PERSON) {
        return true;
    }
    for (size_t count = OPERATIONS_BATCH_MAX; count == OPERATIONS_BATCH_MAX;) {
        struct arena *scratch ARENA_SCOPE = arena_create();
        struct request_row *requests;
        if (!store_list_pending(operation->store, operation->principal.tenant, after_row,
                                OPERATIONS_BATCH_MAX, scratch, &requests, &count, error)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!check_row(operation, scratch, &requests[i], error)) {
                return false;
            }
            after_row = requests[i].row;
        }
    }
    return true;
}

/* ---- dashboards ---- */

bool list_blind_facts(struct operation *operation, struct request_row *request,
                      struct request_summary *out, struct error *error)
{
    struct request_case loaded;
    out->is_blind = is_blind(request);
    if (!out->is_blind) {
        return true;
    }
    if (!load_request_case(operation, request, NULL, &loaded, error)) {
        return false;
    }
    struct approvals_case *facts = &loaded.facts;
    out->voters = arena_array(operation->arena, facts->vote_count, sizeof *out->voters);
    for (size_t i = 0; i < facts->vote_count; i++) {
        out->voters[out->voter_count++] = facts->votes[i].person;
    }
    size_t most = facts->requirement_count * POLICY_GROUPS_MAX * (POLICY_RUNGS_MAX + 2);
    out->askable = arena_array(operation->arena, most, sizeof *out->askable);
    for (size_t i = 0; i < facts->requirement_count; i++) {
        size_t count;
        const char **groups =
            approvals_groups_asked(&facts->requirements[i], 0, INT64_MAX, operation->arena, &count);
        for (size_t j = 0; j < count; j++) {
            out->askable[out->askable_count++] = groups[j];
        }
    }
    return true;
}

static bool is_listed(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool live_viewer_sees_votes(const struct live_viewer *viewer, const struct request_summary *summary)
{
    if (!live_viewer_sees(viewer, summary)) {
        return false;
    }
    if (!summary->is_blind || is_listed(summary->voters, summary->voter_count, viewer->person)) {
        return true;
    }
    for (size_t i = 0; i < viewer->group_count; i++) {
        if (is_listed(summary->askable, summary->askable_count, viewer->groups[i])) {
            return false;
        }
    }
    return viewer->sees_all && !live_viewer_is_party(viewer, summary);
}
