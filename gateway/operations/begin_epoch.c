/*
 * The first log, and what follows when the store was rolled back: a redeemed grant must not be
 * redeemable again, a lost denial must not become a yes. Everything that was open ends, everything
 * stops until `countersign recover` on the host.
 */

#include "ledger/entry_data.h"
#include "operations/ledger_internal.h"
#include "operations/people_internal.h"
#include "store/chat_rows.h"
#include "store/passkey_rows.h"
#include <inttypes.h>
#include <string.h>

static bool open_epoch(struct operation *operation, int64_t epoch, struct error *error)
{
    struct operations *operations = operation->operations;
    char origin[NOTE_NAME_BYTES_MAX + 1];
    if (!checkpoint_origin(origin, operations->options.origin, epoch, error)) {
        return false;
    }
    struct epoch_row row = {.epoch = epoch, .origin = origin, .began_at = operation->now};
    if (!store_insert_epoch(operation->store, &row, error)) {
        return false;
    }
    operations->epoch = epoch;
    tree_init(&operations->tree);
    operations->check = (struct ledger_check){0};
    operations->place.next_seq = 0;
    operations->watch.covered_size = 0;
    return true;
}

bool begin_first_epoch(struct operation *operation, struct error *error)
{
    return open_epoch(operation, 1, error);
}

/* What the store knew of the log that ends. Of a store that is gone only the mark tells. */
static bool note_epoch(struct operation *operation, const struct tree *former, int64_t former_epoch,
                       struct error *error)
{
    struct operations *operations = operation->operations;
    char origin[NOTE_NAME_BYTES_MAX + 1];
    if (!checkpoint_origin(origin, operations->options.origin, former_epoch, error)) {
        return false;
    }
    struct sha256 root = tree_root(former);
    struct ledger_epoch epoch = {.epoch = operations->epoch,
                                 .previous_origin = origin,
                                 .previous_size = former->size,
                                 .previous_root = operation_hex(operation, &root),
                                 .reason = ROLLBACK_REASON};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_epoch(&data, &epoch);
    struct record record = {
        .type = LEDGER_EPOCH_BEGUN, .tenant = "", .data = &data, .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

bool is_rollback_freeze(const struct freeze_row *freeze)
{
    return freeze->scope == FREEZE_EVERYTHING && strcmp(freeze->by, "system") == 0 &&
           strcmp(freeze->reason, ROLLBACK_REASON) == 0;
}

static bool freeze_everything(struct operation *operation, struct error *error)
{
    struct freeze_row freeze = {
        .scope = FREEZE_EVERYTHING, .target = "", .reason = ROLLBACK_REASON};
    operation->operations->place.is_frozen_by_rollback = true;
    return begin_freeze(operation, &freeze, error);
}

static int64_t at_least(int64_t value, int64_t floor)
{
    return value > floor ? value : floor;
}

static bool replace_log(struct operation *operation, struct error *error)
{
    struct operations *operations = operation->operations;
    const struct store_mark *mark = &operations->options.mark;
    struct tree former = operations->tree;
    int64_t former_epoch = operations->epoch;
    int64_t marked_epoch = operations->options.mark_found ? mark->epoch : 0;
    int64_t epoch = at_least(former_epoch, marked_epoch) + 1;
    if (former_epoch == 0) {
        former_epoch = marked_epoch;
    }
    if (operations->options.mark_found) {
        operations->place.fence_number =
            at_least(operations->place.fence_number, mark->fence_number);
    }
    return open_epoch(operation, epoch, error) &&
           store_set_number(operation->store, "rollback_epoch", epoch, error) &&
           note_epoch(operation, &former, former_epoch, error) &&
           freeze_everything(operation, error);
}

bool begin_epoch_after_rollback(struct operations *operations, struct store *store, int64_t now,
                                struct error *error)
{
    struct turn turn;
    if (!turn_begin(&turn, operations, store, now, error)) {
        return false;
    }
    bool ok = replace_log(&turn.operation, error);
    /* The mark moves at once: were the process killed before, the epoch alone would tell that this
     * rollback was seen. */
    return turn_end(&turn, ok, true, error) && ledger_write_mark(operations, error);
}

static bool revoke_some(struct operation *operation, size_t *out_done, struct error *error)
{
    struct grant_row *grants;
    size_t count;
    if (!store_list_issued_grants(operation->store, NULL, "", OPERATIONS_BATCH_MAX,
                                  operation->arena, &grants, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!revoke_issued_grant(operation, &grants[i], ROLLBACK_REASON, error)) {
            return false;
        }
    }
    *out_done = count;
    return true;
}

static bool cancel_some(struct operation *operation, size_t *out_done, struct error *error)
{
    struct request_row *requests;
    size_t count;
    if (!store_list_pending(operation->store, NULL, 0, OPERATIONS_BATCH_MAX, operation->arena,
                            &requests, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!end_request(operation, &requests[i], REQUEST_STORE_ROLLED_BACK, "", error)) {
            return false;
        }
    }
    *out_done = count;
    return true;
}

/* A key that was disabled after the copy was taken is enabled in it again, so none is believed. */
static bool disable_some(struct operation *operation, size_t *out_done, struct error *error)
{
    struct credential_row *credentials;
    size_t count;
    if (!store_list_credentials(operation->store, OPERATIONS_DEFAULT_TENANT, NULL, operation->arena,
                                &credentials, &count, error)) {
        return false;
    }
    *out_done = 0;
    for (size_t i = 0; i < count && *out_done < OPERATIONS_BATCH_MAX; i++) {
        if (credentials[i].is_enabled) {
            if (!disable_credential(operation, &credentials[i], ROLLBACK_REASON, error)) {
                return false;
            }
            *out_done += 1;
        }
    }
    return true;
}

/* The same of passwords and passkeys; sessions, links and linked chat accounts of the copy
 * are over for good. */
static bool end_sign_ins(struct operation *operation, struct error *error)
{
    int64_t count;
    return store_delete_sessions(operation->store, NULL, NULL, &count, error) &&
           store_delete_links(operation->store, &count, error) &&
           store_delete_chat_links(operation->store, &count, error) &&
           store_enable_passwords(operation->store, false, &count, error) &&
           store_enable_passkeys(operation->store, false, &count, error);
}

static bool end_rollback(struct operation *operation, struct error *error)
{
    int64_t others;
    return end_sign_ins(operation, error) &&
           store_disable_credentials(operation->store, NULL, ROLLBACK_REASON, &others, error) &&
           store_set_number(operation->store, "rollback_epoch", 0, error);
}

static bool clear_some(struct operation *operation, bool *out_has_more, struct error *error)
{
    static bool (*const kinds[])(struct operation *, size_t *,
                                 struct error *) = {revoke_some, cancel_some, disable_some};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t done = 0;
        if (!kinds[i](operation, &done, error)) {
            return false;
        }
        if (done > 0) {
            return true;
        }
    }
    *out_has_more = false;
    return end_rollback(operation, error);
}

bool rollback_step(struct operations *operations, struct store *store, int64_t now,
                   bool *out_has_more, struct error *error)
{
    int64_t epoch;
    if (!store_get_number(store, "rollback_epoch", &epoch, error)) {
        return false;
    }
    *out_has_more = epoch != 0;
    if (epoch == 0) {
        return true;
    }
    struct turn turn;
    if (!turn_begin(&turn, operations, store, now, error)) {
        return false;
    }
    bool ok = clear_some(&turn.operation, out_has_more, error);
    return turn_end(&turn, ok, false, error);
}
