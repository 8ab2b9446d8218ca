#include "ledger/export.h"
#include "operations/authorize.h"
#include "operations/ledger_internal.h"
#include "operations/request_internal.h"
#include <inttypes.h>
#include <string.h>

/* A quiet gateway signs nearly every entry. One signature in so many entries proves as much, for
 * each covers all before it, and lets a million entries be verified in seconds. */
enum { EXPORT_ENTRIES_PER_CHECKPOINT = 256 };

struct export
{
    struct operation *operation;
    struct export_cursor *cursor;
    struct builder *out;
    size_t length_max;
    const char *tenant; /* whose entries are told; NULL: all */
    struct epoch_row *epochs;
    size_t epoch_count;
};

static const struct epoch_row *epoch_of(const struct export *export, int64_t epoch)
{
    for (size_t i = 0; i < export->epoch_count; i++) {
        if (export->epochs[i].epoch == epoch) {
            return &export->epochs[i];
        }
    }
    return NULL;
}

/* Of a log that is still written, what is signed; of one that was replaced, all of it: the next
 * log's first entry signs that. */
static int64_t section_size(const struct export *export)
{
    const struct export_cursor *cursor = export->cursor;
    return cursor->epoch == cursor->epoch_max ? cursor->seq_max
                                              : epoch_of(export, cursor->epoch)->size;
}

static bool begin_section(struct export *export, struct error *error)
{
    struct operation *operation = export->operation;
    struct export_cursor *cursor = export->cursor;
    struct tree before;
    struct note_key key;
    if (!stored_tree(operation->store, cursor->epoch, (uint64_t)cursor->seq, &before, error) ||
        !note_key_of_signer(&key, epoch_of(export, cursor->epoch)->origin,
                            operation->operations->options.ledger_signer, error)) {
        return false;
    }
    ledger_export_header(export->out, &before, &key);
    cursor->checkpoint_count = 0;
    cursor->checkpoint_size = cursor->seq;
    return true;
}

static bool begin_export(struct export *export, struct error *error)
{
    struct export_cursor *cursor = export->cursor;
    if (export->epoch_count == 0) {
        return error_set(error, ERROR_RETRY_LATER, "no_ledger", NULL,
                         "the ledger has not begun; try again in a second");
    }
    const struct epoch_row *newest = &export->epochs[export->epoch_count - 1];
    if (cursor->epoch == 0) {
        cursor->epoch = export->epochs[0].epoch;
    }
    const struct epoch_row *epoch = epoch_of(export, cursor->epoch);
    if (epoch == NULL || cursor->seq < 0 || cursor->seq > epoch->size) {
        return error_set(error, ERROR_INVALID, "no_such_entry", NULL,
                         "there is no entry %" PRId64 " in epoch %" PRId64 " of the ledger",
                         cursor->seq, cursor->epoch);
    }
    struct checkpoint_row checkpoint;
    bool found;
    if (!store_latest_checkpoint(export->operation->store, newest->epoch, export->operation->arena,
                                 &checkpoint, &found, error)) {
        return false;
    }
    cursor->epoch_max = newest->epoch;
    cursor->seq_max = found ? checkpoint.size : 0;
    cursor->has_begun = true;
    return begin_section(export, error);
}

static bool end_section(struct export *export, bool *out_done, struct error *error)
{
    struct export_cursor *cursor = export->cursor;
    ledger_export_end(export->out, (uint64_t)cursor->seq, (uint64_t)cursor->checkpoint_count);
    size_t next = 0;
    while (next < export->epoch_count && export->epochs[next].epoch <= cursor->epoch) {
        next++;
    }
    *out_done = cursor->epoch == cursor->epoch_max || next == export->epoch_count;
    if (*out_done) {
        return true;
    }
    cursor->epoch = export->epochs[next].epoch;
    cursor->seq = 0;
    return begin_section(export, error);
}

/* Its own, and what the gateway says to all: the log's own entries and which policy is in force,
 * which statements are held against, but not who knocked at it. */
static bool is_told(const struct export *export, const struct entry_row *entry)
{
    const char *noted = ledger_entry_type_name(LEDGER_REFUSALS_NOTED);
    const char *published = ledger_entry_type_name(LEDGER_POLICY_PUBLISHED);
    bool is_of_gateway = (entry->tenant[0] == '\0' && strcmp(entry->type, noted) != 0) ||
                         strcmp(entry->type, published) == 0;
    return export->tenant == NULL || is_of_gateway || strcmp(entry->tenant, export->tenant) == 0;
}

static bool export_entry(void *context, const struct entry_row *entry)
{
    struct export *export = context;
    if (is_told(export, entry)) {
        ledger_export_entry(export->out, entry->bytes, entry->length, &entry->leaf);
    } else {
        ledger_export_withheld(export->out, &entry->leaf);
    }
    export->cursor->seq = entry->seq + 1;
    return export->out->length < export->length_max;
}

/* The checkpoint that comes next in the section, if any does: not each, but surely the last. */
static bool next_checkpoint(struct export *export, struct checkpoint_row *out, bool *out_found,
                            struct error *error)
{
    struct store *store = export->operation->store;
    struct arena *arena = export->operation->arena;
    const struct export_cursor *cursor = export->cursor;
    if (!store_next_checkpoint(store, cursor->epoch,
                               cursor->checkpoint_size + EXPORT_ENTRIES_PER_CHECKPOINT - 1, arena,
                               out, out_found, error)) {
        return false;
    }
    if (!*out_found || out->size > section_size(export)) {
        if (!store_latest_checkpoint(store, cursor->epoch, arena, out, out_found, error)) {
            return false;
        }
        if (*out_found && cursor->epoch == cursor->epoch_max && out->size > cursor->seq_max &&
            !store_next_checkpoint(store, cursor->epoch, cursor->seq_max - 1, arena, out, out_found,
                                   error)) {
            return false;
        }
    }
    *out_found =
        *out_found && out->size > cursor->checkpoint_size && out->size <= section_size(export);
    return true;
}

/* Entries up to the next checkpoint and that checkpoint; or to the end, or until the piece is
 * full. */
static bool export_run(struct export *export, struct error *error)
{
    struct export_cursor *cursor = export->cursor;
    struct checkpoint_row checkpoint;
    bool found;
    if (!next_checkpoint(export, &checkpoint, &found, error)) {
        return false;
    }
    int64_t until = found ? checkpoint.size : section_size(export);
    int64_t from = cursor->seq;
    if (from < until && !store_each_entry(export->operation->store, cursor->epoch, from,
                                          (size_t)(until - from), export_entry, export, error)) {
        return false;
    }
    if (found && cursor->seq == until) {
        ledger_export_checkpoint(export->out, checkpoint.note, strlen(checkpoint.note));
        cursor->checkpoint_count++;
        cursor->checkpoint_size = checkpoint.size;
        return true;
    }
    return cursor->seq > from ||
           error_set(error, ERROR_CORRUPT, "entry_missing", NULL,
                     "entry %" PRId64 " of epoch %" PRId64 " of the ledger is missing", from,
                     cursor->epoch);
}

/* Where several tenants share the log, people are told of their own tenant's entries. */
static const char *whose_entries(const struct operation *operation)
{
    bool is_told_all = operation->is_only_tenant || operation->principal.kind != PRINCIPAL_PERSON;
    return is_told_all ? NULL : operation->principal.tenant;
}

bool operation_export_ledger(struct operation *operation, struct export_cursor *cursor,
                             struct builder *out, size_t bytes_max, bool *out_done,
                             struct error *error)
{
    struct export export = {.operation = operation,
                            .cursor = cursor,
                            .out = out,
                            .tenant = whose_entries(operation),
                            .length_max = out->length + bytes_max};
    bool done = false;
    if (!authorize(operation, OPERATION_READ_LEDGER, NULL, NULL, error) ||
        !store_list_epochs(operation->store, operation->arena, &export.epochs, &export.epoch_count,
                           error) ||
        (!cursor->has_begun &&
         (!check_sees_all_votes(operation, error) || !begin_export(&export, error)))) {
        return false;
    }
    while (!done && out->length < export.length_max) {
        bool ok = cursor->seq >= section_size(&export) ? end_section(&export, &done, error)
                                                       : export_run(&export, error);
        if (!ok) {
            return false;
        }
    }
    *out_done = done;
    return true;
}
