#include "ledger/tree.h"

#include "base/check.h"

struct sha256 tree_leaf_hash(const void *entry, size_t length)
{
    return crypto_sha256_prefixed(0, entry, length, NULL, 0);
}

struct sha256 tree_node_hash(const struct sha256 *left, const struct sha256 *right)
{
    return crypto_sha256_prefixed(1, left->bytes, SHA256_BYTES, right->bytes, SHA256_BYTES);
}

void tree_init(struct tree *tree)
{
    *tree = (struct tree){0};
}

void tree_append(struct tree *tree, const struct sha256 *leaf, tree_visitor visit, void *context)
{
    CHECK(tree->size < TREE_SIZE_MAX);
    struct sha256 hash = *leaf;
    unsigned level = 0;
    if (visit != NULL) {
        visit(context, 0, tree->size, &hash);
    }
    for (uint64_t size = tree->size; (size & 1) != 0; size >>= 1) {
        hash = tree_node_hash(&tree->roots[--tree->count], &hash);
        level++;
        if (visit != NULL) {
            visit(context, level, tree->size >> level, &hash);
        }
    }
    tree->roots[tree->count++] = hash;
    tree->size++;
}

struct sha256 tree_root(const struct tree *tree)
{
    if (tree->count == 0) {
        return crypto_sha256("", 0);
    }
    struct sha256 hash = tree->roots[tree->count - 1];
    for (size_t i = tree->count - 1; i > 0; i--) {
        hash = tree_node_hash(&tree->roots[i - 1], &hash);
    }
    return hash;
}

/* A node that must be there. */
static bool read_node(tree_reader read, void *context, unsigned level, uint64_t index,
                      struct sha256 *out_hash, struct error *error)
{
    return read(context, level, index, out_hash) ||
           error_set(error, ERROR_CORRUPT, "node_missing", NULL,
                     "The ledger has no tree node at level %u, index %llu.", level,
                     (unsigned long long)index);
}

/* The compact range of leaves [first, first + size); `first` is a multiple of the greatest subtree.
 */
static bool load_range(struct tree *tree, uint64_t first, uint64_t size, tree_reader read,
                       void *context, struct error *error)
{
    tree_init(tree);
    uint64_t begin = first;
    for (unsigned level = TREE_LEVELS_MAX; level-- > 0;) {
        if ((size >> level & 1) == 0) {
            continue;
        }
        if (!read_node(read, context, level, begin >> level, &tree->roots[tree->count], error)) {
            return false;
        }
        tree->count++;
        begin += (uint64_t)1 << level;
    }
    tree->size = size;
    return true;
}

bool tree_load(struct tree *out_tree, uint64_t size, tree_reader read, void *context,
               struct error *error)
{
    if (size > TREE_SIZE_MAX) {
        return error_set(error, ERROR_INVALID, "no_such_size", NULL, "No ledger is that long.");
    }
    struct tree tree;
    if (!load_range(&tree, 0, size, read, context, error)) {
        return false;
    }
    *out_tree = tree;
    return true;
}

bool tree_read_sparse(void *sparse, unsigned level, uint64_t index, struct sha256 *out_hash)
{
    const struct tree_sparse *source = sparse;
    unsigned rise = level % TREE_LEVELS_KEPT;
    unsigned kept = level - rise;
    struct tree subtree;
    tree_init(&subtree);
    for (uint64_t i = 0; i < (uint64_t)1 << rise; i++) {
        struct sha256 hash;
        if (!source->read(source->context, kept, (index << rise) + i, &hash)) {
            return false;
        }
        tree_append(&subtree, &hash, NULL, NULL);
    }
    *out_hash = subtree.roots[0];
    return true;
}

/* MTH(D[begin:end]) of RFC 6962 section 2.1. */
static bool hash_range(tree_reader read, void *context, uint64_t begin, uint64_t end,
                       struct sha256 *out_hash, struct error *error)
{
    struct tree range;
    if (!load_range(&range, begin, end - begin, read, context, error)) {
        return false;
    }
    *out_hash = tree_root(&range);
    return true;
}

/* The largest power of two below n, n > 1. */
static uint64_t split_point(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static void reverse(struct tree_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct sha256 hash = proof->hashes[i];
        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = hash;
    }
}

bool tree_prove_inclusion(tree_reader read, void *context, uint64_t index, uint64_t size,
                          struct tree_proof *out_proof, struct error *error)
{
    if (index >= size || size > TREE_SIZE_MAX) {
        return error_set(error, ERROR_INVALID, "no_such_entry", NULL,
                         "A ledger of that size has no such entry: entries count from 0.");
    }
    struct tree_proof proof = {0};
    uint64_t begin = 0;
    uint64_t end = size;
    while (end - begin > 1) {
        uint64_t middle = begin + split_point(end - begin);
        bool goes_left = index < middle;
        if (!hash_range(read, context, goes_left ? middle : begin, goes_left ? end : middle,
                        &proof.hashes[proof.count], error)) {
            return false;
        }
        proof.count++;
        *(goes_left ? &end : &begin) = middle;
    }
    reverse(&proof);
    *out_proof = proof;
    return true;
}

bool tree_prove_consistency(tree_reader read, void *context, uint64_t old_size, uint64_t size,
                            struct tree_proof *out_proof, struct error *error)
{
    if (old_size > size || size > TREE_SIZE_MAX) {
        return error_set(error, ERROR_INVALID, "no_such_size", NULL,
                         "Consistency is proved from a smaller size to a greater one.");
    }
    struct tree_proof proof = {0};
    uint64_t begin = 0;
    uint64_t end = size;
    while (old_size > 0 && end != old_size) {
        uint64_t middle = begin + split_point(end - begin);
        bool goes_left = old_size <= middle;
        if (!hash_range(read, context, goes_left ? middle : begin, goes_left ? end : middle,
                        &proof.hashes[proof.count], error)) {
            return false;
        }
        proof.count++;
        *(goes_left ? &end : &begin) = middle;
    }
    /* The last subtree is known to who holds the old root only when it is the whole old tree. */
    if (old_size > 0 && begin > 0) {
        if (!hash_range(read, context, begin, end, &proof.hashes[proof.count], error)) {
            return false;
        }
        proof.count++;
    }
    reverse(&proof);
    *out_proof = proof;
    return true;
}

static bool are_equal(const struct sha256 *left, const struct sha256 *right)
{
    return crypto_equal(left->bytes, right->bytes, SHA256_BYTES);
}

static unsigned bit_length(uint64_t n)
{
    return n == 0 ? 0 : 64 - (unsigned)__builtin_clzll(n);
}

/* How many hashes lie on the way up from `index` before the paths of it and of the last leaf meet,
 * and how many after. */
static void measure_path(uint64_t index, uint64_t size, size_t *out_inner, size_t *out_border)
{
    *out_inner = bit_length(index ^ (size - 1));
    *out_border = (size_t)__builtin_popcountll(*out_inner == 64 ? 0 : index >> *out_inner);
}

bool tree_verify_inclusion(const struct sha256 *leaf, uint64_t index, uint64_t size,
                           const struct sha256 *proof, size_t proof_count,
                           const struct sha256 *root)
{
    if (index >= size || size > TREE_SIZE_MAX) {
        return false;
    }
    size_t inner;
    size_t border;
    measure_path(index, size, &inner, &border);
    if (proof_count != inner + border) {
        return false;
    }
    struct sha256 hash = *leaf;
    for (size_t i = 0; i < proof_count; i++) {
        bool is_right = i >= inner || (index >> i & 1) != 0;
        hash = is_right ? tree_node_hash(&proof[i], &hash) : tree_node_hash(&hash, &proof[i]);
    }
    return are_equal(&hash, root);
}

bool tree_verify_consistency(uint64_t old_size, const struct sha256 *old_root, uint64_t size,
                             const struct sha256 *root, const struct sha256 *proof,
                             size_t proof_count)
{
    if (old_size > size || size > TREE_SIZE_MAX) {
        return false;
    }
    if (old_size == 0 || old_size == size) {
        struct sha256 nothing = crypto_sha256("", 0);
        return proof_count == 0 && are_equal(old_root, old_size == 0 ? &nothing : root);
    }
    size_t inner;
    size_t border;
    measure_path(old_size - 1, size, &inner, &border);
    unsigned shift = (unsigned)__builtin_ctzll(old_size);
    inner -= shift;
    bool starts_with_old_root = (old_size & (old_size - 1)) == 0;
    size_t skipped = starts_with_old_root ? 0 : 1;
    if (proof_count != inner + border + skipped) {
        return false;
    }
    struct sha256 old_hash = starts_with_old_root ? *old_root : proof[0];
    struct sha256 hash = old_hash;
    uint64_t mask = (old_size - 1) >> shift;
    for (size_t i = 0; i < inner + border; i++) {
        const struct sha256 *sibling = &proof[skipped + i];
        if (i >= inner || (mask >> i & 1) != 0) {
            old_hash = tree_node_hash(sibling, &old_hash);
            hash = tree_node_hash(sibling, &hash);
        } else {
            hash = tree_node_hash(&hash, sibling);
        }
    }
    return are_equal(&old_hash, old_root) && are_equal(&hash, root);
}
