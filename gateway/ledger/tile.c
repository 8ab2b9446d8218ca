#include "ledger/tile.h"

#include "base/check.h"
#include "ledger/entry.h"

void tile_append_index(struct builder *out, uint64_t index)
{
    uint64_t divisor = 1;
    while (index / divisor >= 1000) {
        divisor *= 1000;
    }
    for (; divisor > 1; divisor /= 1000) {
        builder_printf(out, "x%03u/", (unsigned)(index / divisor % 1000));
    }
    builder_printf(out, "%03u", (unsigned)(index % 1000));
}

void tile_append_path(struct builder *out, unsigned level, uint64_t index, unsigned width)
{
    builder_printf(out, "tile/%u/", level);
    tile_append_index(out, index);
    if (width > 0 && width < TILE_WIDTH) {
        builder_printf(out, ".p/%u", width);
    }
}

uint64_t tile_full_count(uint64_t size, unsigned level)
{
    return level >= TILE_LEVEL_MAX ? 0 : size >> (TREE_LEVELS_KEPT * (level + 1));
}

unsigned tile_partial_width(uint64_t size, unsigned level)
{
    return level > TILE_LEVEL_MAX ? 0 : (unsigned)(size >> (TREE_LEVELS_KEPT * level)) % TILE_WIDTH;
}

bool tile_append(struct builder *out, tree_reader read, void *context, unsigned level,
                 uint64_t index, unsigned width, struct error *error)
{
    CHECK(level <= TILE_LEVEL_MAX && width >= 1 && width <= TILE_WIDTH);
    for (unsigned i = 0; i < width; i++) {
        struct sha256 hash;
        if (!read(context, TREE_LEVELS_KEPT * level, index * TILE_WIDTH + i, &hash)) {
            return error_set(error, ERROR_CORRUPT, "node_missing", NULL,
                             "The ledger lacks a node of tile %u of level %u.", (unsigned)index,
                             level);
        }
        builder_append(out, (const char *)hash.bytes, sizeof hash.bytes);
    }
    return true;
}

void tile_append_entry(struct builder *out, const char *entry, size_t length)
{
    CHECK(length <= LEDGER_ENTRY_BYTES_MAX);
    builder_char(out, (char)(length >> 8));
    builder_char(out, (char)(length & 0xff));
    builder_append(out, entry, length);
}
