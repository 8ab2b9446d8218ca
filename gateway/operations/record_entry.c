#include "base/memory.h"
#include "formats/text.h"
#include "operations/operations_internal.h"
#include <string.h>

enum { FIRST_LEAVES = 256 };

static const char *actor_kind(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_CALLER:
        return "caller";
    case PRINCIPAL_PERSON:
        return "person";
    case PRINCIPAL_HOST:
        return "host";
    case PRINCIPAL_SYSTEM:
        return "gateway";
    case PRINCIPAL_NONE:
        break;
    }
    return "unknown";
}

const char *operation_via(const struct operation *operation)
{
    switch (operation->principal.kind) {
    case PRINCIPAL_CALLER:
        return identity_via(operation->principal.credential_kind);
    case PRINCIPAL_PERSON:
        return identity_via(operation->principal.credential_kind == CREDENTIAL_SESSION ||
                                    identity_is_chat(operation->principal.credential_kind)
                                ? operation->principal.credential_kind
                                : CREDENTIAL_TOKEN);
    case PRINCIPAL_HOST:
        return identity_via(CREDENTIAL_HOST);
    case PRINCIPAL_NONE:
        return operation->principal.credential_kind == CREDENTIAL_LINK ||
                       identity_is_chat(operation->principal.credential_kind)
                   ? identity_via(operation->principal.credential_kind)
                   : NULL;
    case PRINCIPAL_SYSTEM:
        break;
    }
    return NULL;
}

const char *operation_hex(struct operation *operation, const struct sha256 *digest)
{
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    text_append_hex(&hex, digest->bytes, sizeof digest->bytes);
    return arena_copy(operation->arena, hex.bytes, hex.length);
}

static struct ledger_actor make_actor(const struct operation *operation, bool is_by_gateway)
{
    const struct principal *principal = &operation->principal;
    if (is_by_gateway || principal->kind == PRINCIPAL_SYSTEM) {
        return (struct ledger_actor){.kind = "gateway", .id = "gateway"};
    }
    bool is_person = principal->kind == PRINCIPAL_PERSON;
    return (struct ledger_actor){
        .kind = actor_kind(principal->kind),
        .id = principal->id,
        .via = operation_via(operation),
        .assurance = is_person ? assurance_name(principal->assurance) : NULL,
    };
}

static void remember_leaf(struct operations *operations, const struct sha256 *leaf)
{
    struct ledger_place *place = &operations->place;
    if (place->leaf_count == operations->leaf_capacity) {
        size_t capacity =
            operations->leaf_capacity == 0 ? FIRST_LEAVES : operations->leaf_capacity * 2;
        operations->leaves =
            memory_resized(operations->leaves, capacity * sizeof *operations->leaves);
        operations->leaf_capacity = capacity;
    }
    operations->leaves[place->leaf_count++] = *leaf;
}

bool record_entry(struct operation *operation, const struct record *record, struct error *error)
{
    struct operations *operations = operation->operations;
    struct ledger_place *place = &operations->place;
    const char *tenant = record->tenant == NULL ? operation->principal.tenant : record->tenant;
    /* A clock that stepped back does not show in the log: `at` stands still until it caught up. */
    int64_t at = operation->now > place->last_at ? operation->now : place->last_at;
    struct ledger_entry entry = {
        .seq = place->next_seq,
        .at_ms = at,
        .tenant = tenant,
        .type = record->type,
        .request = record->request,
        .grant = record->grant,
        .policy = record->policy,
        .digest = record->digest == NULL ? NULL : operation_hex(operation, record->digest),
        .actor = make_actor(operation, record->is_by_gateway),
        .data = record->data == NULL ? NULL : record->data->bytes,
        .data_length = record->data == NULL ? 0 : record->data->length,
    };
    struct builder bytes BUILDER_SCOPE;
    builder_init(&bytes, 0);
    if (!ledger_entry_append(&bytes, &entry, error)) {
        return false;
    }
    struct entry_row row = {
        .epoch = operations->epoch,
        .seq = (int64_t)entry.seq,
        .at = at,
        .tenant = tenant,
        .type = ledger_entry_type_name(record->type),
        .request = record->request,
        .grant = record->grant,
        .bytes = bytes.bytes,
        .length = bytes.length,
        .leaf = tree_leaf_hash(bytes.bytes, bytes.length),
    };
    if (!store_insert_entry(operation->store, &row, error)) {
        return false;
    }
    remember_leaf(operations, &row.leaf);
    place->next_seq++;
    place->last_at = at;
    return true;
}

static struct operation_change *note_change(struct operation *operation, const char *tenant,
                                            const char *request, enum request_state state)
{
    struct operation_change *change = operation->changes;
    while (change != NULL &&
           (strcmp(change->request, request) != 0 || strcmp(change->tenant, tenant) != 0)) {
        change = change->next;
    }
    if (change == NULL) {
        change = ARENA_NEW(operation->arena, struct operation_change);
        memcpy(change->tenant, tenant, strlen(tenant) + 1);
        memcpy(change->request, request, strlen(request) + 1);
        change->next = operation->changes;
        operation->changes = change;
    }
    change->state = state;
    return change;
}

void operation_change_note(struct operation *operation, const struct request_row *request)
{
    struct operation_change *change =
        note_change(operation, request->tenant, request->id, request->state);
    change->was_asked = change->was_asked || request->requirements != NULL;
}

void operation_news_note(struct operation *operation, const struct request_row *request)
{
    struct operation_change *change =
        note_change(operation, request->tenant, request->id, request->state);
    change->was_asked = true;
    change->has_news = true;
}

void operation_vote_note(struct operation *operation, const struct request_row *request)
{
    bool is_hidden = request->state == REQUEST_PENDING && request->risk == POLICY_RISK_CRITICAL;
    if (!is_hidden) {
        operation_change_note(operation, request);
        return;
    }
    note_change(operation, request->tenant, request->id, request->state)->has_blind_vote = true;
}

void operation_grant_note(struct operation *operation, const struct grant_row *grant)
{
    note_change(operation, grant->tenant, grant->request, REQUEST_APPROVED);
}

void operation_note_due(struct operation *operation, int64_t due_at)
{
    _Atomic int64_t *next = &operation->operations->next_due_at;
    int64_t known = atomic_load(next);
    while (due_at != 0 && (known == 0 || due_at < known) &&
           !atomic_compare_exchange_weak(next, &known, due_at)) {
    }
}

const char *operation_bounded_text(struct operation *operation, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    return arena_copy(operation->arena, text, text_cut(text, OPERATIONS_TEXT_BYTES_MAX));
}
