#include "formats/text.h"
#include "ledger/proof.h"
#include "operations/ledger_internal.h"
#include "operations/request_internal.h"
#include <inttypes.h>
#include <string.h>

enum { TIMELINE_MAX = 10000 };

static bool newest_epoch(struct operation *operation, struct epoch_row *out, struct error *error)
{
    struct epoch_row *epochs;
    size_t count;
    if (!store_list_epochs(operation->store, operation->arena, &epochs, &count, error)) {
        return false;
    }
    if (count == 0) {
        return error_set(error, ERROR_RETRY_LATER, "no_ledger", NULL,
                         "the ledger has not begun; try again in a second");
    }
    *out = epochs[count - 1];
    return true;
}

static bool newest_checkpoint(struct operation *operation, int64_t epoch,
                              struct checkpoint_row *out, struct error *error)
{
    bool found;
    if (!store_latest_checkpoint(operation->store, epoch, operation->arena, out, &found, error)) {
        return false;
    }
    return found || error_set(error, ERROR_RETRY_LATER, "not_covered", NULL,
                              "no checkpoint covers this yet; try again in a second");
}

bool operation_read_head(struct operation *operation, struct ledger_head *out, struct error *error)
{
    struct epoch_row epoch;
    struct checkpoint_row checkpoint;
    struct note_key key;
    if (!authorize(operation, OPERATION_READ_LEDGER, NULL, NULL, error) ||
        !newest_epoch(operation, &epoch, error) ||
        !newest_checkpoint(operation, epoch.epoch, &checkpoint, error) ||
        !note_key_of_signer(&key, epoch.origin, operation->operations->options.ledger_signer,
                            error)) {
        return false;
    }
    struct builder vkey BUILDER_SCOPE;
    builder_init(&vkey, 0);
    note_key_append(&vkey, &key);
    *out = (struct ledger_head){
        .epoch = epoch.epoch,
        .origin = epoch.origin,
        .vkey = arena_copy(operation->arena, vkey.bytes, vkey.length),
        .size = checkpoint.size,
        .checkpoint = checkpoint.note,
        .at = checkpoint.at,
    };
    return true;
}

static bool is_decision(const char *type)
{
    static const enum ledger_entry_type decisions[] = {
        LEDGER_REQUEST_APPROVED, LEDGER_REQUEST_DENIED, LEDGER_REQUEST_EXPIRED,
        LEDGER_REQUEST_CANCELLED};
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++) {
        if (strcmp(type, ledger_entry_type_name(decisions[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool find_entry(struct operation *operation, const struct request_row *request,
                       bool is_redemption, const struct entry_row **out, struct error *error)
{
    struct entry_row *entries;
    size_t count;
    const char *redeemed = ledger_entry_type_name(LEDGER_GRANT_REDEEMED);
    if (!store_list_request_entries(operation->store, request->tenant, request->id, TIMELINE_MAX,
                                    operation->arena, &entries, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_redemption ? strcmp(entries[i].type, redeemed) == 0 : is_decision(entries[i].type)) {
            *out = &entries[i];
            return true;
        }
    }
    return error_set(error, ERROR_CONFLICT, is_redemption ? "not_redeemed" : "not_decided", NULL,
                     is_redemption ? "the grant was not redeemed: there is nothing to prove"
                                   : "the request has not ended: there is nothing to prove");
}

static bool prove_entry(struct operation *operation, const struct entry_row *entry,
                        const char **out_proof, struct error *error)
{
    struct checkpoint_row checkpoint;
    if (!newest_checkpoint(operation, entry->epoch, &checkpoint, error)) {
        return false;
    }
    if (checkpoint.size <= entry->seq) {
        return error_set(error, ERROR_RETRY_LATER, "not_covered", NULL,
                         "no checkpoint covers this yet; try again in a second");
    }
    struct stored_nodes nodes;
    stored_nodes_init(&nodes, operation->store, entry->epoch);
    struct proof proof = {.index = (uint64_t)entry->seq,
                          .checkpoint = checkpoint.note,
                          .checkpoint_length = strlen(checkpoint.note)};
    if (!tree_prove_inclusion(tree_read_sparse, &nodes.sparse, proof.index,
                              (uint64_t)checkpoint.size, &proof.path, error)) {
        return false;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    proof_append(&text, &proof);
    *out_proof = arena_copy(operation->arena, text.bytes, text.length);
    return true;
}

/* The request, or that of the grant, with what the principal is to it: the holder, who redeemed, a
 * person of the request. */
static bool find_subject(struct operation *operation, const char *id, bool is_grant,
                         struct request_row *out, struct authorize_facts *out_facts,
                         struct error *error)
{
    const struct principal *principal = &operation->principal;
    struct grant_row grant;
    struct error missing = {0};
    if (!is_grant) {
        return find_request(operation, id, out, out_facts, error);
    }
    if (!store_read_grant(operation->store, principal->tenant, id, operation->arena, &grant,
                          &missing)) {
        return hide_missing(&missing, id, error);
    }
    if (!find_request(operation, grant.request, out, out_facts, error)) {
        return false;
    }
    if (principal->kind == PRINCIPAL_CALLER && strcmp(grant.redeemer, principal->id) == 0) {
        out_facts->is_own = true;
    }
    return true;
}

bool operation_read_receipt(struct operation *operation, const char *request_or_grant,
                            const char **out_proof, struct error *error)
{
    bool is_grant = strncmp(request_or_grant, "grt_", 4) == 0;
    struct request_row request;
    struct authorize_facts facts;
    const struct entry_row *entry = NULL;
    return find_subject(operation, request_or_grant, is_grant, &request, &facts, error) &&
           authorize(operation, OPERATION_READ_RECEIPT, &facts, request_or_grant, error) &&
           find_entry(operation, &request, is_grant, &entry, error) &&
           prove_entry(operation, entry, out_proof, error);
}

/* The body a witness takes (C2SP tlog-witness add-checkpoint): `old <size>`, the hashes, an empty
 * line, the checkpoint. */
static bool append_consistency(struct operation *operation, const struct checkpoint_row *checkpoint,
                               int64_t from_size, struct builder *out, struct error *error)
{
    struct stored_nodes nodes;
    struct tree_proof proof;
    stored_nodes_init(&nodes, operation->store, checkpoint->epoch);
    if (!tree_prove_consistency(tree_read_sparse, &nodes.sparse, (uint64_t)from_size,
                                (uint64_t)checkpoint->size, &proof, error)) {
        return false;
    }
    builder_printf(out, "old %" PRId64 "\n", from_size);
    for (size_t i = 0; i < proof.count; i++) {
        text_append_base64(out, proof.hashes[i].bytes, SHA256_BYTES);
        builder_char(out, '\n');
    }
    builder_char(out, '\n');
    builder_text(out, checkpoint->note);
    return true;
}

bool operation_read_consistency(struct operation *operation, int64_t from_size, int64_t to_size,
                                const char **out_text, struct error *error)
{
    struct epoch_row epoch;
    struct checkpoint_row checkpoint;
    bool found;
    if (!authorize(operation, OPERATION_READ_LEDGER, NULL, NULL, error) ||
        !newest_epoch(operation, &epoch, error)) {
        return false;
    }
    if (from_size < 0 || to_size < 0 || (to_size != 0 && to_size < from_size)) {
        return error_set(error, ERROR_INVALID, "bad_sizes", NULL,
                         "the sizes must be 0 <= from <= to");
    }
    if (to_size == 0) {
        found = newest_checkpoint(operation, epoch.epoch, &checkpoint, error);
    } else if (!store_next_checkpoint(operation->store, epoch.epoch, to_size - 1, operation->arena,
                                      &checkpoint, &found, error)) {
        return false;
    }
    if (!found || (to_size != 0 && checkpoint.size != to_size)) {
        return error_set(error, ERROR_NOT_FOUND, "no_such_checkpoint", NULL,
                         "no checkpoint was signed over %" PRId64 " entries of the log %s", to_size,
                         epoch.origin);
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    if (!append_consistency(operation, &checkpoint, from_size, &text, error)) {
        return false;
    }
    *out_text = arena_copy(operation->arena, text.bytes, text.length);
    return true;
}

static bool tells_of_vote(const char *type)
{
    return strcmp(type, ledger_entry_type_name(LEDGER_VOTE)) == 0 ||
           strcmp(type, ledger_entry_type_name(LEDGER_VOTE_UNCOUNTED)) == 0;
}

bool operation_read_timeline(struct operation *operation, const char *request,
                             struct entry_row **out, size_t *out_count, struct error *error)
{
    struct request_row row;
    struct authorize_facts facts;
    bool hides;
    struct entry_row *entries;
    size_t count;
    if (!find_request(operation, request, &row, &facts, error) ||
        !authorize(operation, OPERATION_READ_REQUEST, &facts, request, error) ||
        !hides_votes(operation, &row, &hides, error) ||
        !store_list_request_entries(operation->store, row.tenant, row.id, TIMELINE_MAX,
                                    operation->arena, &entries, &count, error)) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!hides || !tells_of_vote(entries[i].type)) {
            entries[kept++] = entries[i];
        }
    }
    *out = entries;
    *out_count = kept;
    return true;
}
