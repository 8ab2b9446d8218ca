#include "operations/proposal_operations.h"

#include "operations/authorize.h"
#include "operations/people_internal.h"
#include <string.h>

#define PROPOSAL_MS (24LL * 60 * 60 * 1000)
enum { PROPOSALS_LISTED_MAX = 200, PROPOSAL_BODY_BYTES_MAX = 16 * 1024 };

static struct sha256 hash_call(const struct change_call *call)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%s\n%s\n", call->method, call->path);
    builder_append(&text, call->body == NULL ? "" : call->body, call->body_length);
    return crypto_sha256(text.bytes, text.length);
}

bool operation_note_call(struct operation *operation, const struct change_call *call,
                         struct error *error)
{
    const struct principal *principal = &operation->principal;
    struct proposal_row proposal;
    bool is_found = false;
    if (principal->kind != PRINCIPAL_PERSON || !principal->is_admin) {
        return true;
    }
    operation->change = hash_call(call);
    if (!store_find_proposal(operation->store, principal->tenant, &operation->change, principal->id,
                             operation->now, operation->arena, &proposal, &is_found, error)) {
        return false;
    }
    if (is_found) {
        memcpy(operation->proposal, proposal.id, sizeof operation->proposal);
    }
    return true;
}

static bool decide(struct operation *operation, struct proposal_row *proposal,
                   enum proposal_state state, enum ledger_entry_type type, struct error *error)
{
    struct change change = {
        .type = type, .id = proposal->id, .owner = proposal->proposer, .changed = {proposal->what}};
    proposal->state = state;
    proposal->decided_by = operation->principal.id;
    return store_decide_proposal(operation->store, proposal, error) &&
           note_change(operation, &change, error);
}

bool operation_settle_call(struct operation *operation, struct error *error)
{
    struct proposal_row proposal;
    if (operation->proposal[0] == '\0') {
        return true;
    }
    return store_read_proposal(operation->store, operation->principal.tenant, operation->proposal,
                               operation->arena, &proposal, error) &&
           decide(operation, &proposal, PROPOSAL_CONFIRMED, LEDGER_CHANGE_CONFIRMED, error);
}

static bool insert(struct operation *operation, const struct change_call *call,
                   struct proposal_row *out, struct error *error)
{
    struct proposal_row row = {
        .method = call->method,
        .path = arena_text(operation->arena, call->path),
        .what = call->what,
        .body = call->body_length == 0
                    ? NULL
                    : arena_copy(operation->arena, call->body, call->body_length),
        .hash = operation->change,
        .state = PROPOSAL_OPEN,
        .created_at = operation->now,
        .expires_at = operation->now + PROPOSAL_MS,
    };
    crypto_make_id("prp", operation->now, row.id);
    memcpy(row.tenant, operation->principal.tenant, sizeof row.tenant);
    memcpy(row.proposer, operation->principal.id, sizeof row.proposer);
    struct change change = {
        .type = LEDGER_CHANGE_PROPOSED, .id = row.id, .owner = row.proposer, .changed = {row.what}};
    *out = row;
    return store_insert_proposal(operation->store, &row, error) &&
           note_change(operation, &change, error);
}

bool operation_propose_change(struct operation *operation, const struct change_call *call,
                              struct proposal_row *out, struct error *error)
{
    bool is_found = false;
    if (!authorize(operation, OPERATION_PROPOSE_CHANGE, NULL, NULL, error) ||
        !store_find_proposal(operation->store, operation->principal.tenant, &operation->change,
                             NULL, operation->now, operation->arena, out, &is_found, error)) {
        return false;
    }
    if (call->body_length > PROPOSAL_BODY_BYTES_MAX) {
        return error_set(error, ERROR_INVALID, "too_long", "",
                         "a change that two admins make may have a body of %d bytes",
                         PROPOSAL_BODY_BYTES_MAX);
    }
    return is_found || insert(operation, call, out, error);
}

bool operation_list_proposals(struct operation *operation, struct proposal_row **out,
                              size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_PROPOSALS, NULL, NULL, error) &&
           store_list_proposals(operation->store, operation->principal.tenant, operation->now,
                                PROPOSALS_LISTED_MAX, operation->arena, out, out_count, error);
}

bool operation_withdraw_proposal(struct operation *operation, const char *id, struct error *error)
{
    struct proposal_row proposal;
    struct error missing = {0};
    if (!authorize(operation, OPERATION_WITHDRAW_PROPOSAL, NULL, id, error)) {
        return false;
    }
    if (!store_read_proposal(operation->store, operation->principal.tenant, id, operation->arena,
                             &proposal, &missing)) {
        return hide_missing(&missing, id, error);
    }
    return decide(operation, &proposal, PROPOSAL_WITHDRAWN, LEDGER_CHANGE_WITHDRAWN, error);
}
