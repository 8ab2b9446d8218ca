#include "ledger/tile.h"
#include "ledger/tree.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_TRIED = 300, LEVELS_TRIED = 10 };

/* Every perfect node, as a store would see them. */
static struct sha256 nodes[LEVELS_TRIED][SIZE_MAX_TRIED];
static bool is_there[LEVELS_TRIED][SIZE_MAX_TRIED];

static void keep(void *context, unsigned level, uint64_t index, const struct sha256 *hash)
{
    (void)context;
    ck_assert(!is_there[level][index]);
    nodes[level][index] = *hash;
    is_there[level][index] = true;
}

static bool read_kept(void *context, unsigned level, uint64_t index, struct sha256 *out)
{
    (void)context;
    if (level % TREE_LEVELS_KEPT != 0 || level >= LEVELS_TRIED || index >= SIZE_MAX_TRIED ||
        !is_there[level][index]) {
        return false;
    }
    *out = nodes[level][index];
    return true;
}

static struct tree_sparse sparse = {.read = read_kept};
static struct sha256 roots[SIZE_MAX_TRIED + 1];

static struct sha256 leaf_of(uint64_t index)
{
    return tree_leaf_hash(&index, sizeof index);
}

static void grow(struct tree *tree, uint64_t size)
{
    memset(is_there, 0, sizeof is_there);
    tree_init(tree);
    roots[0] = tree_root(tree);
    while (tree->size < size) {
        struct sha256 leaf = leaf_of(tree->size);
        tree_append(tree, &leaf, keep, NULL);
        roots[tree->size] = tree_root(tree);
    }
}

/* RFC 6962 section 2.1, word for word. */
static struct sha256 hash_by_definition(uint64_t begin, uint64_t end)
{
    if (end - begin == 0) {
        return crypto_sha256("", 0);
    }
    if (end - begin == 1) {
        return leaf_of(begin);
    }
    uint64_t k = 1;
    while (k * 2 < end - begin) {
        k *= 2;
    }
    struct sha256 left = hash_by_definition(begin, begin + k);
    struct sha256 right = hash_by_definition(begin + k, end);
    return tree_node_hash(&left, &right);
}

static bool same(const struct sha256 *left, const struct sha256 *right)
{
    return memcmp(left, right, sizeof *left) == 0;
}

START_TEST(tree__root_is_that_of_the_definition_at_every_size)
{
    struct tree tree;
    grow(&tree, SIZE_MAX_TRIED);
    for (uint64_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        struct sha256 expected = hash_by_definition(0, size);
        ck_assert_msg(same(&roots[size], &expected), "root of %llu", (unsigned long long)size);
    }
}
END_TEST

START_TEST(tree__a_copy_undoes_a_batch)
{
    struct tree tree;
    grow(&tree, 137);
    struct tree before = tree;
    for (int i = 0; i < 50; i++) {
        struct sha256 leaf = leaf_of(tree.size);
        tree_append(&tree, &leaf, NULL, NULL);
    }
    tree = before;
    struct sha256 root = tree_root(&tree);
    ck_assert(same(&root, &roots[137]));
}
END_TEST

START_TEST(tree__tells_of_each_perfect_node_once_with_its_hash)
{
    struct tree tree;
    grow(&tree, SIZE_MAX_TRIED);
    for (unsigned level = 0; level < LEVELS_TRIED; level++) {
        for (uint64_t index = 0; index < SIZE_MAX_TRIED; index++) {
            uint64_t begin = index << level;
            uint64_t end = (index + 1) << level;
            ck_assert_int_eq(is_there[level][index], end <= SIZE_MAX_TRIED);
            if (is_there[level][index]) {
                struct sha256 expected = hash_by_definition(begin, end);
                ck_assert(same(&nodes[level][index], &expected));
            }
        }
    }
}
END_TEST

START_TEST(tree__loads_at_every_size_from_kept_levels_alone)
{
    struct tree tree;
    grow(&tree, SIZE_MAX_TRIED);
    for (uint64_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        struct tree loaded;
        ck_assert(tree_load(&loaded, size, tree_read_sparse, &sparse, NULL));
        struct sha256 root = tree_root(&loaded);
        ck_assert(loaded.size == size && same(&root, &roots[size]));
    }
}
END_TEST

START_TEST(tree__a_missing_node_is_corrupt)
{
    struct tree tree;
    grow(&tree, 20);
    is_there[0][17] = false;
    struct error error = {0};
    struct tree_proof proof;
    ck_assert(!tree_load(&tree, 20, tree_read_sparse, &sparse, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    ck_assert_str_eq(error.code, "node_missing");
    ck_assert(!tree_prove_inclusion(tree_read_sparse, &sparse, 3, 20, &proof, NULL));
    ck_assert(!tree_prove_consistency(tree_read_sparse, &sparse, 3, 20, &proof, NULL));
}
END_TEST

START_TEST(tree__every_inclusion_proof_verifies_and_no_other_length_or_hash)
{
    struct tree tree;
    grow(&tree, 130);
    for (uint64_t size = 1; size <= 130; size += size < 20 ? 1 : 7) {
        for (uint64_t index = 0; index < size; index++) {
            struct tree_proof proof = {0};
            ck_assert(tree_prove_inclusion(tree_read_sparse, &sparse, index, size, &proof, NULL));
            struct sha256 leaf = leaf_of(index);
            ck_assert(
                tree_verify_inclusion(&leaf, index, size, proof.hashes, proof.count, &roots[size]));
            ck_assert(!tree_verify_inclusion(&leaf, index, size, proof.hashes, proof.count + 1,
                                             &roots[size]));
            if (proof.count > 0) {
                ck_assert(!tree_verify_inclusion(&leaf, index, size, proof.hashes, proof.count - 1,
                                                 &roots[size]));
                proof.hashes[proof.count / 2].bytes[5] ^= 1;
                ck_assert(!tree_verify_inclusion(&leaf, index, size, proof.hashes, proof.count,
                                                 &roots[size]));
            }
        }
    }
}
END_TEST

START_TEST(tree__every_consistency_proof_verifies_and_no_other)
{
    struct tree tree;
    grow(&tree, 130);
    for (uint64_t size = 1; size <= 130; size += size < 20 ? 1 : 7) {
        for (uint64_t old = 1; old <= size; old++) {
            struct tree_proof proof = {0};
            ck_assert(tree_prove_consistency(tree_read_sparse, &sparse, old, size, &proof, NULL));
            ck_assert(tree_verify_consistency(old, &roots[old], size, &roots[size], proof.hashes,
                                              proof.count));
            ck_assert(!tree_verify_consistency(old, &roots[old - 1], size, &roots[size],
                                               proof.hashes, proof.count));
            ck_assert(!tree_verify_consistency(old, &roots[old], size, &roots[size - 1],
                                               proof.hashes, proof.count));
            if (proof.count > 0) {
                proof.hashes[proof.count - 1].bytes[0] ^= 0x80;
                ck_assert(!tree_verify_consistency(old, &roots[old], size, &roots[size],
                                                   proof.hashes, proof.count));
            }
        }
    }
}
END_TEST

START_TEST(tree__any_tree_extends_the_empty_one_without_a_proof)
{
    struct tree tree;
    grow(&tree, 9);
    struct tree_proof proof = {.count = 5};
    ck_assert(tree_prove_consistency(tree_read_sparse, &sparse, 0, 9, &proof, NULL));
    ck_assert_uint_eq(proof.count, 0);
    ck_assert(tree_verify_consistency(0, &roots[0], 9, &roots[9], NULL, 0));
    ck_assert(!tree_verify_consistency(0, &roots[1], 9, &roots[9], NULL, 0));
}
END_TEST

START_TEST(tree__numbers_that_cannot_be_are_refused)
{
    struct error error = {0};
    struct tree_proof proof;
    ck_assert(!tree_prove_inclusion(tree_read_sparse, &sparse, 5, 5, &proof, &error));
    ck_assert_str_eq(error.code, "no_such_entry");
    error = (struct error){0};
    ck_assert(!tree_prove_consistency(tree_read_sparse, &sparse, 6, 5, &proof, &error));
    ck_assert_str_eq(error.code, "no_such_size");
    struct sha256 hash = {0};
    ck_assert(!tree_verify_inclusion(&hash, 0, 0, NULL, 0, &hash));
    ck_assert(!tree_verify_inclusion(&hash, 1, TREE_SIZE_MAX + 1, &hash, 1, &hash));
    ck_assert(!tree_verify_consistency(2, &hash, UINT64_MAX, &hash, &hash, 1));
}
END_TEST

/* In a tree of 2^63-1 entries whose nodes are all the same hash on each level. */
static bool read_uniform(void *context, unsigned level, uint64_t index, struct sha256 *out)
{
    (void)context;
    (void)index;
    struct sha256 hash = leaf_of(7);
    for (unsigned i = 0; i < level; i++) {
        hash = tree_node_hash(&hash, &hash);
    }
    *out = hash;
    return true;
}

START_TEST(tree__proofs_hold_in_the_largest_tree)
{
    struct tree tree;
    ck_assert(tree_load(&tree, TREE_SIZE_MAX, read_uniform, NULL, NULL));
    struct sha256 root = tree_root(&tree);
    struct sha256 leaf = leaf_of(7);
    const uint64_t places[] = {0, 1, TREE_SIZE_MAX / 2, TREE_SIZE_MAX - 1};
    for (size_t i = 0; i < 4; i++) {
        struct tree_proof proof;
        ck_assert(tree_prove_inclusion(read_uniform, NULL, places[i], TREE_SIZE_MAX, &proof, NULL));
        ck_assert(tree_verify_inclusion(&leaf, places[i], TREE_SIZE_MAX, proof.hashes, proof.count,
                                        &root));
    }
    struct tree old;
    struct tree_proof proof;
    ck_assert(tree_load(&old, TREE_SIZE_MAX / 2 + 2, read_uniform, NULL, NULL));
    struct sha256 old_root = tree_root(&old);
    ck_assert(tree_prove_consistency(read_uniform, NULL, old.size, TREE_SIZE_MAX, &proof, NULL));
    ck_assert(tree_verify_consistency(old.size, &old_root, TREE_SIZE_MAX, &root, proof.hashes,
                                      proof.count));
}
END_TEST

START_TEST(tile__is_made_of_the_nodes_of_its_level)
{
    struct tree tree;
    grow(&tree, 300);
    struct builder tile BUILDER_SCOPE;
    builder_init(&tile, 0);
    ck_assert(tile_append(&tile, tree_read_sparse, &sparse, 0, 1, 44, NULL));
    ck_assert_uint_eq(tile.length, 44 * SHA256_BYTES);
    struct sha256 last = leaf_of(299);
    ck_assert_mem_eq(tile.bytes + 43 * SHA256_BYTES, last.bytes, SHA256_BYTES);
    struct error error = {0};
    ck_assert(!tile_append(&tile, tree_read_sparse, &sparse, 0, 1, 45, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger tree");
    TCase *tests = tcase_create("tree");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, tree__root_is_that_of_the_definition_at_every_size);
    tcase_add_test(tests, tree__a_copy_undoes_a_batch);
    tcase_add_test(tests, tree__tells_of_each_perfect_node_once_with_its_hash);
    tcase_add_test(tests, tree__loads_at_every_size_from_kept_levels_alone);
    tcase_add_test(tests, tree__a_missing_node_is_corrupt);
    tcase_add_test(tests, tree__every_inclusion_proof_verifies_and_no_other_length_or_hash);
    tcase_add_test(tests, tree__every_consistency_proof_verifies_and_no_other);
    tcase_add_test(tests, tree__any_tree_extends_the_empty_one_without_a_proof);
    tcase_add_test(tests, tree__numbers_that_cannot_be_are_refused);
    tcase_add_test(tests, tree__proofs_hold_in_the_largest_tree);
    tcase_add_test(tests, tile__is_made_of_the_nodes_of_its_level);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
