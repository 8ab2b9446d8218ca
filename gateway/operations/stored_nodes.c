#include "formats/text.h"
#include "operations/ledger_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool read_kept(void *context, unsigned level, uint64_t index, struct sha256 *out_hash)
{
    const struct stored_nodes *nodes = context;
    struct error error = {0};
    if (level == 0) {
        return store_read_leaf(nodes->store, nodes->epoch, (int64_t)index, out_hash, &error);
    }
    return store_read_node(nodes->store, nodes->epoch, (int)level, (int64_t)index, out_hash,
                           &error);
}

void stored_nodes_init(struct stored_nodes *nodes, struct store *store, int64_t epoch)
{
    nodes->store = store;
    nodes->epoch = epoch;
    nodes->sparse = (struct tree_sparse){.read = read_kept, .context = nodes};
}

bool stored_tree(struct store *store, int64_t epoch, uint64_t size, struct tree *out,
                 struct error *error)
{
    struct stored_nodes nodes;
    stored_nodes_init(&nodes, store, epoch);
    return tree_load(out, size, tree_read_sparse, &nodes.sparse, error);
}

/* `<epoch> <size> <root in hex>` */
static bool parse_head(const char *text, struct ledger_head_row *out)
{
    int64_t epoch;
    uint64_t size;
    int root_at = 0;
    size_t root_length;
    if (sscanf(text, "%" SCNd64 " %" SCNu64 " %n", &epoch, &size, &root_at) != 2 || root_at == 0) {
        return false;
    }
    struct ledger_head_row head = {.epoch = epoch, .size = size};
    if (!text_read_hex(text + root_at, strlen(text + root_at), head.root.bytes, SHA256_BYTES,
                       &root_length) ||
        root_length != SHA256_BYTES) {
        return false;
    }
    *out = head;
    return true;
}

bool stored_head(struct store *store, struct ledger_head_row *out, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    char *text;
    if (!store_get_text(store, "ledger_head", scratch, &text, error)) {
        return false;
    }
    struct ledger_head_row none = {0};
    if (text == NULL) {
        *out = none;
        return true;
    }
    return parse_head(text, out) ||
           error_set(error, ERROR_CORRUPT, "bad_head", NULL,
                     "the head of the ledger as stored cannot be read; restore the store from a "
                     "copy that holds");
}

bool store_head(struct store *store, const struct ledger_head_row *head, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%" PRId64 " %" PRIu64 " ", head->epoch, head->size);
    text_append_hex(&text, head->root.bytes, SHA256_BYTES);
    return store_set_text(store, "ledger_head", text.bytes, error);
}
