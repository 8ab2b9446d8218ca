#ifndef LEDGER_TILE_H
#define LEDGER_TILE_H

/* The static read form of a log, C2SP tlog-tiles: a tile holds 256 hashes of one level, element i
 * of tile (level, index) being tree node (8 * level, 256 * index + i). */

#include "base/builder.h"
#include "base/error.h"
#include "ledger/tree.h"

enum { TILE_WIDTH = 256, TILE_LEVEL_MAX = 7 };

/* `x001/x234/067` for 1234067. */
void tile_append_index(struct builder *out, uint64_t index);
/* `tile/0/x001/234`, with `.p/88` behind it when width is 1..255. */
void tile_append_path(struct builder *out, unsigned level, uint64_t index, unsigned width);
/* How many full tiles a level of a tree has, and the width of the partial one (0: none). */
uint64_t tile_full_count(uint64_t size, unsigned level);
unsigned tile_partial_width(uint64_t size, unsigned level);
/* Appends `width` hashes, 32 bytes each. CORRUPT `node_missing`. */
bool tile_append(struct builder *out, tree_reader read, void *context, unsigned level,
                 uint64_t index, unsigned width, struct error *error) MUST_CHECK;
/* Appends one entry as an entry bundle frames it: 16 bits of length, big-endian, then the bytes. */
void tile_append_entry(struct builder *out, const char *entry, size_t length);

#endif
