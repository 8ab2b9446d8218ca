/* At start: is what is stored what was written? The newest entries are hashed again, their nodes
 * compared, and the head and the newest checkpoint must come out of them. */

#include "formats/text.h"
#include "operations/gateway_time.h"
#include "operations/ledger_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LEDGER_TILE_LEAVES = 256 };

struct load {
    struct store *store;
    int64_t epoch;
    struct tree tree;
    int64_t last_at;
    bool ok;
    struct error *error;
};

static bool load_corrupt(struct error *error, uint64_t seq, const char *what)
{
    char subject[32];
    snprintf(subject, sizeof subject, "%" PRIu64, seq);
    return error_set(error, ERROR_CORRUPT, "ledger_changed", subject,
                     "entry %" PRIu64 " of the ledger %s; the store was changed or damaged outside "
                     "the gateway: restore it from a copy that holds",
                     seq, what);
}

static void compare_node(void *context, unsigned level, uint64_t index, const struct sha256 *hash)
{
    struct load *load = context;
    if (!load->ok || level == 0 || level % TREE_LEVELS_KEPT != 0) {
        return;
    }
    struct sha256 stored;
    struct error error = {0};
    if (!store_read_node(load->store, load->epoch, (int)level, (int64_t)index, &stored, &error) ||
        !crypto_equal(stored.bytes, hash->bytes, SHA256_BYTES)) {
        load->ok = load_corrupt(load->error, index << level,
                                "begins a part of the tree whose stored hash does not match");
    }
}

static bool load_entry(void *context, const struct entry_row *entry)
{
    struct load *load = context;
    uint64_t seq = load->tree.size;
    if ((uint64_t)entry->seq != seq) {
        return load->ok = load_corrupt(load->error, seq, "is missing");
    }
    struct sha256 leaf = tree_leaf_hash(entry->bytes, entry->length);
    if (!crypto_equal(leaf.bytes, entry->leaf.bytes, SHA256_BYTES)) {
        return load->ok = load_corrupt(load->error, seq, "does not match its stored hash");
    }
    load->last_at = entry->at;
    tree_append(&load->tree, &leaf, compare_node, load);
    return load->ok;
}

static bool load_leaves(struct load *load, const struct ledger_head_row *head)
{
    uint64_t from = head->size > LEDGER_LOADED_LEAVES ? head->size - LEDGER_LOADED_LEAVES : 0;
    from -= from % LEDGER_TILE_LEAVES;
    if (!stored_tree(load->store, head->epoch, from, &load->tree, load->error)) {
        return false;
    }
    if (!store_each_entry(load->store, head->epoch, (int64_t)from, head->size - from, load_entry,
                          load, load->error) ||
        !load->ok) {
        return false;
    }
    if (load->tree.size != head->size) {
        return load_corrupt(load->error, load->tree.size, "is missing");
    }
    struct sha256 root = tree_root(&load->tree);
    return crypto_equal(root.bytes, head->root.bytes, SHA256_BYTES) ||
           load_corrupt(load->error, head->size == 0 ? 0 : head->size - 1,
                        "or one before it does not lead to the stored head");
}

/* The newest checkpoint must be ours and say what the tree says. */
static bool check_checkpoint(struct operations *operations, struct store *store,
                             uint64_t *out_covered, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct checkpoint_row row;
    bool found;
    if (!store_latest_checkpoint(store, operations->epoch, scratch, &row, &found, error)) {
        return false;
    }
    *out_covered = 0;
    if (!found) {
        return true;
    }
    struct checkpoint checkpoint;
    struct note_key key;
    char origin[NOTE_NAME_BYTES_MAX + 1];
    struct error why = {0};
    if (!checkpoint_origin(origin, operations->options.origin, operations->epoch, error) ||
        !note_key_of_signer(&key, origin, operations->options.ledger_signer, error)) {
        return false;
    }
    if (!checkpoint_open(&checkpoint, NULL, row.note, strlen(row.note), &key, 1, origin, &why)) {
        return error_set(error, ERROR_CORRUPT, "other_ledger_key", origin,
                         "the newest checkpoint of the ledger was not signed by this key under "
                         "this name (%s); put the former ledger key and `origin` back",
                         why.code);
    }
    if (checkpoint.size > operations->tree.size) {
        return load_corrupt(error, operations->tree.size, "is missing: a checkpoint covers it");
    }
    struct tree tree;
    if (!stored_tree(store, operations->epoch, checkpoint.size, &tree, error)) {
        return false;
    }
    struct sha256 root = tree_root(&tree);
    *out_covered = checkpoint.size;
    return crypto_equal(root.bytes, checkpoint.root.bytes, SHA256_BYTES) ||
           load_corrupt(error, checkpoint.size == 0 ? 0 : checkpoint.size - 1,
                        "or one before it does not lead to its signed checkpoint");
}

static bool load_numbers(struct operations *operations, struct store *store, struct error *error)
{
    int64_t fence_number;
    int64_t least = operations->place.last_at;
    if (operations->options.mark_found && least < operations->options.mark.wall_at) {
        least = operations->options.mark.wall_at;
    }
    if (!store_get_number(store, "fence_number", &fence_number, error) ||
        !gateway_time_load(operations, store, least, error)) {
        return false;
    }
    operations->place.fence_number = fence_number;
    return true;
}

bool load_ledger(struct operations *operations, struct store *store, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct epoch_row *epochs;
    size_t count;
    struct ledger_head_row head;
    if (!store_list_epochs(store, scratch, &epochs, &count, error) ||
        !stored_head(store, &head, error)) {
        return false;
    }
    if (head.epoch != (count == 0 ? 0 : epochs[count - 1].epoch)) {
        return error_set(error, ERROR_CORRUPT, "bad_head", NULL,
                         "the stored head of the ledger is of epoch %" PRId64
                         ", its entries are not; restore the store from a copy that holds",
                         head.epoch);
    }
    if (count > 0 && (uint64_t)epochs[count - 1].size > head.size) {
        return load_corrupt(error, head.size, "was not written by the gateway");
    }
    if (count == 0) {
        return load_numbers(operations, store, error);
    }
    struct load load = {.store = store, .epoch = head.epoch, .ok = true, .error = error};
    if (!load_leaves(&load, &head)) {
        return false;
    }
    operations->epoch = head.epoch;
    operations->tree = load.tree;
    operations->place = (struct ledger_place){.next_seq = load.tree.size, .last_at = load.last_at};
    operations->check = (struct ledger_check){.size = head.size, .root = head.root};
    return check_checkpoint(operations, store, &operations->watch.covered_size, error) &&
           load_numbers(operations, store, error);
}

static bool check_root(const struct ledger_check *check, struct error *error)
{
    struct sha256 root = tree_root(&check->tree);
    return crypto_equal(root.bytes, check->root.bytes, SHA256_BYTES) ||
           load_corrupt(error, check->size - 1, "or one before it does not lead to the head");
}

void check_next_entries(struct operations *operations, struct store *store)
{
    struct ledger_check *check = &operations->check;
    struct error error = {0};
    uint64_t left = check->size - check->tree.size;
    if (left == 0 || atomic_load(&operations->is_damaged)) {
        return;
    }
    size_t limit = left < LEDGER_CHECKED_AT_ONCE ? (size_t)left : LEDGER_CHECKED_AT_ONCE;
    struct load load = {.store = store,
                        .epoch = operations->epoch,
                        .tree = check->tree,
                        .ok = true,
                        .error = &error};
    bool ok = store_each_entry(store, load.epoch, (int64_t)load.tree.size, limit, load_entry, &load,
                               &error) &&
              load.ok;
    if (ok && load.tree.size != check->tree.size + limit) {
        ok = load_corrupt(&error, load.tree.size, "is missing");
    }
    check->tree = load.tree;
    ok = ok && (check->tree.size < check->size || check_root(check, &error));
    if (!ok && error.kind == ERROR_CORRUPT) {
        memcpy(check->damage, error.message, sizeof check->damage);
        atomic_store(&operations->is_damaged, true);
    }
}

/* Whether the store still begins as the mark saw it. */
static bool matches_mark(struct operations *operations, struct store *store, bool *out_matches,
                         struct error *error)
{
    const struct store_mark *mark = &operations->options.mark;
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct epoch_row *epochs;
    size_t count;
    *out_matches = false;
    if (!store_list_epochs(store, scratch, &epochs, &count, error)) {
        return false;
    }
    int64_t size = -1;
    for (size_t i = 0; i < count; i++) {
        if (epochs[i].epoch == mark->epoch) {
            size = epochs[i].size;
        }
    }
    if (mark->entries > size ||
        (mark->epoch == operations->epoch && mark->fence_number > operations->place.fence_number)) {
        return true;
    }
    struct tree tree;
    if (!stored_tree(store, mark->epoch, (uint64_t)mark->entries, &tree, error)) {
        return false;
    }
    struct sha256 root = tree_root(&tree);
    *out_matches = crypto_equal(root.bytes, mark->root.bytes, SHA256_BYTES);
    return true;
}

/* An epoch that a rollback began and whose mark was not written any more: the rollback was seen,
 * and is carried on. */
static bool is_unmarked_epoch(struct operations *operations, struct store *store, bool *out_is,
                              struct error *error)
{
    int64_t unfinished;
    if (!store_get_number(store, "rollback_epoch", &unfinished, error)) {
        return false;
    }
    *out_is =
        unfinished != 0 && unfinished == operations->epoch &&
        (!operations->options.mark_found || operations->options.mark.epoch < operations->epoch);
    return true;
}

bool judge_standing(struct operations *operations, struct store *store,
                    enum ledger_standing *out_standing, struct error *error)
{
    const struct store_mark *mark = &operations->options.mark;
    bool has_mark = operations->options.mark_found;
    bool is_current;
    if (operations->epoch == 0) {
        bool is_first = !has_mark || (mark->epoch <= 1 && mark->entries == 0);
        *out_standing = is_first ? LEDGER_STANDING_FIRST : LEDGER_STANDING_BEHIND;
        return true;
    }
    if (!is_unmarked_epoch(operations, store, &is_current, error) ||
        (!is_current && has_mark && mark->epoch <= operations->epoch &&
         !matches_mark(operations, store, &is_current, error))) {
        return false;
    }
    *out_standing = is_current ? LEDGER_STANDING_CURRENT : LEDGER_STANDING_BEHIND;
    return true;
}
