#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

/*
 * The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1.1) over SHA-256.
 *
 * A `struct tree` is the compact range of a log: its size and the roots of the perfect subtrees
 * along its right edge. It is a plain value: copy it before a batch and copy it back to undo the
 * batch. Node (level, index) is the root of the perfect subtree over leaves
 * [index * 2^level, (index + 1) * 2^level); once its last leaf is appended it never changes.
 * Who keeps nodes keeps those whose level is a multiple of TREE_LEVELS_KEPT; the others are
 * computed from them (tree_read_sparse).
 */

#include "base/error.h"
#include "crypto/crypto.h"
#include <stddef.h>
#include <stdint.h>

#define TREE_SIZE_MAX ((uint64_t)INT64_MAX)
enum { TREE_LEVELS_MAX = 63, TREE_LEVELS_KEPT = 8, TREE_PROOF_HASHES_MAX = 64 };

struct tree {
    uint64_t size;
    size_t count;                         /* subtrees: one for each bit set in size */
    struct sha256 roots[TREE_LEVELS_MAX]; /* biggest subtree first */
};

/* Reads a perfect node; false when it is not there (the callers below answer CORRUPT
 * `node_missing`). */
typedef bool (*tree_reader)(void *context, unsigned level, uint64_t index, struct sha256 *out_hash);
/* Told of each node that became perfect, the leaf itself (level 0) first. */
typedef void (*tree_visitor)(void *context, unsigned level, uint64_t index,
                             const struct sha256 *hash);

struct sha256 tree_leaf_hash(const void *entry, size_t length);
struct sha256 tree_node_hash(const struct sha256 *left, const struct sha256 *right);

void tree_init(struct tree *tree);
/* Appends one leaf hash. `visit` may be NULL. Aborts past TREE_SIZE_MAX. */
void tree_append(struct tree *tree, const struct sha256 *leaf, tree_visitor visit, void *context);
/* SHA-256 of nothing for the empty tree. */
struct sha256 tree_root(const struct tree *tree);
/* The compact range of the first `size` leaves, from its right-edge nodes. */
bool tree_load(struct tree *out_tree, uint64_t size, tree_reader read, void *context,
               struct error *error) MUST_CHECK;

/* Any perfect node from a reader that has only the levels 0, 8, 16…: at most 128 reads. Use it as
 * the reader of the functions here with a `struct tree_sparse` as context. */
struct tree_sparse {
    tree_reader read;
    void *context;
};
bool tree_read_sparse(void *sparse, unsigned level, uint64_t index, struct sha256 *out_hash);

struct tree_proof {
    size_t count;
    struct sha256 hashes[TREE_PROOF_HASHES_MAX]; /* nearest to the leaf first */
};
/* INVALID `no_such_entry` or `no_such_size` when index < size <= TREE_SIZE_MAX, or
 * old_size <= size, does not hold. */
bool tree_prove_inclusion(tree_reader read, void *context, uint64_t index, uint64_t size,
                          struct tree_proof *out_proof, struct error *error) MUST_CHECK;
bool tree_prove_consistency(tree_reader read, void *context, uint64_t old_size, uint64_t size,
                            struct tree_proof *out_proof, struct error *error) MUST_CHECK;

/* A proof of any other length than the one the numbers demand is refused. */
bool tree_verify_inclusion(const struct sha256 *leaf, uint64_t index, uint64_t size,
                           const struct sha256 *proof, size_t proof_count,
                           const struct sha256 *root) MUST_CHECK;
bool tree_verify_consistency(uint64_t old_size, const struct sha256 *old_root, uint64_t size,
                             const struct sha256 *root, const struct sha256 *proof,
                             size_t proof_count) MUST_CHECK;

#endif
