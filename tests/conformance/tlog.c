/* Runs the transparency-log vectors (tree, notes, checkpoints, receipts, tiles) through the
 * ledger's library. `tlog VECTORS.json` names each case that fails, then says `tlog: N/M`. */

#include "base/memory.h"
#include "formats/json.h"
#include "formats/text.h"
#include "ledger/proof.h"
#include "ledger/tile.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVES_MAX = 1024, PROOF_MAX = 70, KEYS_MAX = 8 };

static unsigned passed;
static unsigned total;

static void expect(bool holds, const char *suite, const char *name, const char *reason)
{
    total++;
    passed += holds;
    if (!holds) {
        printf("FAIL %s: %s: %s\n", suite, name, reason);
    }
}

static struct sha256 hash_of_hex(const struct json *hex)
{
    struct sha256 hash = {0};
    size_t length = 0;
    const char *text = json_text(hex);
    if (text == NULL || !text_read_hex(text, strlen(text), hash.bytes, SHA256_BYTES, &length) ||
        length != SHA256_BYTES) {
        printf("a hash in the vectors is not 64 hex digits\n");
        exit(2);
    }
    return hash;
}

static uint64_t number_of(const struct json *object, const char *name)
{
    int64_t number;
    if (!json_integer(json_member(object, name), &number)) {
        printf("`%s` in the vectors is not a number\n", name);
        exit(2);
    }
    return (uint64_t)number;
}

static bool same(const struct sha256 *left, const struct sha256 *right)
{
    return memcmp(left->bytes, right->bytes, SHA256_BYTES) == 0;
}

/* Leaf hashes, and the nodes a store would keep: levels 0 and 8. */
struct log {
    struct sha256 leaves[LEAVES_MAX];
    struct sha256 kept[LEAVES_MAX / 256];
    struct sha256 roots[LEAVES_MAX + 1];
    uint64_t size;
};

static void keep_node(void *context, unsigned level, uint64_t index, const struct sha256 *hash)
{
    struct log *log = context;
    if (level == 0) {
        log->leaves[index] = *hash;
    } else if (level == 8) {
        log->kept[index] = *hash;
    }
}

static bool read_node(void *context, unsigned level, uint64_t index, struct sha256 *out)
{
    const struct log *log = context;
    if (level != 0 && level != 8) {
        return false;
    }
    *out = level == 0 ? log->leaves[index] : log->kept[index];
    return true;
}

static void append(struct log *log, struct tree *tree, const void *bytes, size_t length)
{
    struct sha256 leaf = tree_leaf_hash(bytes, length);
    log->roots[tree->size] = tree_root(tree);
    tree_append(tree, &leaf, keep_node, log);
    log->roots[tree->size] = tree_root(tree);
    log->size = tree->size;
}

/* A log of `entry-0`, `entry-1`… */
static struct log *make_entry_log(uint64_t size)
{
    struct log *log = memory_zeroed(1, sizeof *log);
    struct tree tree;
    tree_init(&tree);
    for (uint64_t i = 0; i < size; i++) {
        char entry[32];
        int length = snprintf(entry, sizeof entry, "entry-%llu", (unsigned long long)i);
        append(log, &tree, entry, (size_t)length);
    }
    return log;
}

static size_t read_proof(const struct json *object, struct sha256 proof[PROOF_MAX])
{
    const struct json *hashes = json_member(object, "proof_hex");
    size_t count = json_count(hashes);
    for (size_t i = 0; i < count && i < PROOF_MAX; i++) {
        proof[i] = hash_of_hex(json_element(hashes, i));
    }
    return count;
}

static bool is_proof(const struct tree_proof *made, const struct sha256 *proof, size_t count)
{
    return made->count == count && memcmp(made->hashes, proof, count * sizeof *proof) == 0;
}

static void check_inclusion(const char *suite, struct log *log, const struct json *vector)
{
    struct tree_sparse sparse = {.read = read_node, .context = log};
    struct sha256 proof[PROOF_MAX];
    size_t count = read_proof(vector, proof);
    uint64_t index = number_of(vector, "index");
    uint64_t size = number_of(vector, "size");
    char name[64];
    snprintf(name, sizeof name, "inclusion of %llu in %llu", (unsigned long long)index,
             (unsigned long long)size);
    struct tree_proof made = {0};
    bool is_made = tree_prove_inclusion(tree_read_sparse, &sparse, index, size, &made, NULL);
    expect(is_made && is_proof(&made, proof, count), suite, name, "another proof was generated");
    expect(tree_verify_inclusion(&log->leaves[index], index, size, proof, count, &log->roots[size]),
           suite, name, "a good proof was refused");
}

static void check_consistency(const char *suite, struct log *log, const struct json *vector)
{
    struct tree_sparse sparse = {.read = read_node, .context = log};
    struct sha256 proof[PROOF_MAX];
    size_t count = read_proof(vector, proof);
    uint64_t size1 = number_of(vector, "size1");
    uint64_t size2 = number_of(vector, "size2");
    char name[64];
    snprintf(name, sizeof name, "consistency of %llu with %llu", (unsigned long long)size1,
             (unsigned long long)size2);
    struct tree_proof made = {0};
    bool is_made = tree_prove_consistency(tree_read_sparse, &sparse, size1, size2, &made, NULL);
    expect(is_made && is_proof(&made, proof, count), suite, name, "another proof was generated");
    expect(
        tree_verify_consistency(size1, &log->roots[size1], size2, &log->roots[size2], proof, count),
        suite, name, "a good proof was refused");
}

static void check_tree(const char *suite, struct log *log, const struct json *tree)
{
    const struct json *roots = json_member(tree, "roots_hex");
    for (size_t i = 0; i < json_count(roots); i++) {
        char name[32];
        snprintf(name, sizeof name, "root of %zu", i);
        struct sha256 root = hash_of_hex(json_element(roots, i));
        expect(same(&root, &log->roots[i]), suite, name, "another root was computed");
    }
    const struct json *inclusion = json_member(tree, "inclusion");
    for (size_t i = 0; i < json_count(inclusion); i++) {
        check_inclusion(suite, log, json_element(inclusion, i));
    }
    const struct json *consistency = json_member(tree, "consistency");
    for (size_t i = 0; i < json_count(consistency); i++) {
        check_consistency(suite, log, json_element(consistency, i));
    }
}

static void check_rfc6962(const struct json *vectors)
{
    const struct json *suite = json_member(vectors, "rfc6962_tree");
    const struct json *leaves = json_member(suite, "leaves_hex");
    const struct json *hashes = json_member(suite, "leaf_hashes_hex");
    struct log *log = memory_zeroed(1, sizeof *log);
    struct tree tree;
    tree_init(&tree);
    for (size_t i = 0; i < json_count(leaves); i++) {
        unsigned char leaf[64];
        size_t length = 0;
        const char *hex = json_text(json_element(leaves, i));
        if (!text_read_hex(hex, strlen(hex), leaf, sizeof leaf, &length)) {
            expect(false, "rfc6962_tree", hex, "the leaf could not be read");
        }
        append(log, &tree, leaf, length);
        struct sha256 expected = hash_of_hex(json_element(hashes, i));
        expect(same(&expected, &log->leaves[i]), "rfc6962_tree", hex, "another leaf hash");
    }
    check_tree("rfc6962_tree", log, suite);
    free(log);
}

static void check_negative(const struct json *vectors)
{
    const struct json *cases = json_member(vectors, "negative");
    for (size_t i = 0; i < json_count(cases); i++) {
        const struct json *vector = json_element(cases, i);
        struct sha256 proof[PROOF_MAX];
        size_t count = read_proof(vector, proof);
        bool is_accepted;
        if (strcmp(json_text(json_member(vector, "kind")), "inclusion") == 0) {
            const struct json *leaf = json_member(vector, "leaf");
            struct sha256 hash = tree_leaf_hash(json_text(leaf), json_text_length(leaf));
            struct sha256 root = hash_of_hex(json_member(vector, "root_hex"));
            is_accepted = tree_verify_inclusion(&hash, number_of(vector, "index"),
                                                number_of(vector, "size"), proof, count, &root);
        } else {
            struct sha256 root1 = hash_of_hex(json_member(vector, "root1_hex"));
            struct sha256 root2 = hash_of_hex(json_member(vector, "root2_hex"));
            is_accepted = tree_verify_consistency(number_of(vector, "size1"), &root1,
                                                  number_of(vector, "size2"), &root2, proof, count);
        }
        expect(!is_accepted, "negative", json_text(json_member(vector, "name")),
               "a bad proof was accepted");
    }
}

static size_t read_keys(const struct json *vkeys, struct note_key keys[KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(vkeys) && i < KEYS_MAX; i++) {
        const struct json *vkey = json_element(vkeys, i);
        struct error error = {0};
        bool is_key = note_key_parse(&keys[count], json_text(vkey), json_text_length(vkey), &error);
        struct builder again BUILDER_SCOPE;
        builder_init(&again, 0);
        if (is_key) {
            note_key_append(&again, &keys[count++]);
        }
        expect(is_key && strcmp(again.bytes, json_text(vkey)) == 0, "vkey", json_text(vkey),
               is_key ? "written differently than read" : error.message);
    }
    return count;
}

/* Whether the note was signed by the signer made of the seed as the vectors' generator signed it.
 */
static void check_signing(const struct json *keys, const struct json *vector)
{
    const struct json *key = json_element(keys, 0);
    const char *name = json_text(json_member(key, "name"));
    const struct json *note = json_member(vector, "note");
    const char *seed_hex = json_text(json_member(key, "seed_hex"));
    unsigned char seed[32];
    size_t length;
    struct note_key known;
    struct note opened;
    const char *vkey = json_text(json_member(key, "vkey"));
    if (!text_read_hex(seed_hex, strlen(seed_hex), seed, sizeof seed, &length) ||
        !note_key_parse(&known, vkey, strlen(vkey), NULL) ||
        !note_open(&opened, json_text(note), json_text_length(note), &known, 1, NULL)) {
        return;
    }
    struct signer *signer = signer_from_seed(SIGNER_ED25519, seed);
    struct builder signed_note BUILDER_SCOPE;
    builder_init(&signed_note, 0);
    struct error error = {0};
    bool is_signed = note_sign(&signed_note, opened.text, opened.text_length, name, signer, &error);
    bool holds = is_signed;
    if (is_signed) {
        /* Ed25519 is deterministic: our line is among theirs. */
        holds = strstr(json_text(note), signed_note.bytes + opened.text_length + 1) != NULL;
    }
    expect(holds, "note_sign", json_text(json_member(vector, "name")), "another note was made");
    signer_close(signer);
}

static void check_notes(const struct json *vectors)
{
    const struct json *suite = json_member(vectors, "signed_notes");
    const struct json *cases = json_member(suite, "cases");
    for (size_t i = 0; i < json_count(cases); i++) {
        const struct json *vector = json_element(cases, i);
        const struct json *note = json_member(vector, "note");
        struct note_key keys[KEYS_MAX];
        size_t key_count = read_keys(json_member(vector, "vkeys"), keys);
        struct note opened;
        struct error error = {0};
        bool is_open =
            note_open(&opened, json_text(note), json_text_length(note), keys, key_count, &error);
        bool is_valid = json_type(json_member(vector, "valid")) == JSON_TYPE_TRUE;
        const char *name = json_text(json_member(vector, "name"));
        expect(is_open == is_valid, "signed_notes", name,
               is_open ? "a bad note was accepted" : error.message);
        int64_t cosigned_at;
        if (is_open && json_integer(json_member(vector, "cosigned_at"), &cosigned_at)) {
            expect(opened.signature_count == 2 && opened.signatures[1].cosigned_at_s == cosigned_at,
                   "signed_notes", name, "another time of the cosignature");
        }
        check_signing(json_member(suite, "keys"), vector);
    }
}

static void check_bad_checkpoints(const struct json *vectors)
{
    const struct json *cases = json_member(vectors, "bad_checkpoints");
    for (size_t i = 0; i < json_count(cases); i++) {
        const struct json *vector = json_element(cases, i);
        const struct json *note = json_member(vector, "note");
        const char *vkey = json_text(json_member(vector, "vkey"));
        const char *name = json_text(json_member(vector, "name"));
        struct note_key key;
        struct note opened;
        struct checkpoint checkpoint;
        if (!note_key_parse(&key, vkey, strlen(vkey), NULL)) {
            expect(false, "bad_checkpoints", name, "the key could not be read");
            continue;
        }
        expect(note_open(&opened, json_text(note), json_text_length(note), &key, 1, NULL),
               "bad_checkpoints", name, "its signature is good but the note was refused");
        expect(!checkpoint_open(&checkpoint, NULL, json_text(note), json_text_length(note), &key, 1,
                                "gate.example/ledger", NULL),
               "bad_checkpoints", name, "accepted as a checkpoint");
    }
}

static void check_proofs(const struct json *vectors)
{
    const struct json *cases = json_member(vectors, "tlog_proof");
    for (size_t i = 0; i < json_count(cases); i++) {
        const struct json *vector = json_element(cases, i);
        const struct json *file = json_member(vector, "file");
        const struct json *leaf = json_member(vector, "leaf");
        const char *name = json_text(json_member(vector, "name"));
        struct note_key keys[KEYS_MAX];
        size_t key_count = read_keys(json_member(vector, "vkeys"), keys);
        struct sha256 hash = tree_leaf_hash(json_text(leaf), json_text_length(leaf));
        struct error error = {0};
        bool is_proved = proof_verify(json_text(file), json_text_length(file), &hash, keys,
                                      key_count, "gate.example/ledger", NULL, NULL, &error);
        bool is_valid = json_type(json_member(vector, "valid")) == JSON_TYPE_TRUE;
        expect(is_proved == is_valid, "tlog_proof", name,
               is_proved ? "a bad receipt was accepted" : error.message);
        struct proof parsed;
        if (is_proved && strstr(json_text(file), "extra") == NULL &&
            proof_parse(&parsed, json_text(file), json_text_length(file), NULL)) {
            struct builder again BUILDER_SCOPE;
            builder_init(&again, 0);
            proof_append(&again, &parsed);
            expect(strcmp(again.bytes, json_text(file)) == 0, "tlog_proof", name,
                   "written differently than read");
        }
    }
}

static bool check_index_path(void *context, const char *name, const struct json *value)
{
    (void)context;
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    tile_append_index(&path, strtoull(name, NULL, 10));
    expect(strcmp(path.bytes, json_text(value)) == 0, "tiles", name, path.bytes);
    return true;
}

static void check_layout(const struct json *layout)
{
    uint64_t size = number_of(layout, "size");
    const struct json *levels = json_member(layout, "levels");
    char name[64];
    for (size_t i = 0; i <= json_count(levels); i++) {
        const struct json *level = json_element(levels, i);
        uint64_t full = level == NULL ? 0 : number_of(level, "full");
        uint64_t width = level == NULL ? 0 : number_of(level, "partial_width");
        snprintf(name, sizeof name, "level %zu of %llu entries", i, (unsigned long long)size);
        expect(tile_full_count(size, (unsigned)i) == full &&
                   tile_partial_width(size, (unsigned)i) == width,
               "tiles", name, "other counts");
    }
}

/* `tile/<level>/<path>_sha256` or `_hex` of the log of 600 entries. */
static bool check_tile(void *context, const char *name, const struct json *value)
{
    struct log *log = context;
    struct tree_sparse sparse = {.read = read_node, .context = log};
    struct builder bytes BUILDER_SCOPE;
    builder_init(&bytes, 0);
    unsigned width = TILE_WIDTH;
    unsigned level;
    unsigned index;
    if (strncmp(name, "tile/entries/000_", 17) == 0) {
        for (unsigned i = 0; i < TILE_WIDTH; i++) {
            char entry[32];
            int length = snprintf(entry, sizeof entry, "entry-%u", i);
            tile_append_entry(&bytes, entry, (size_t)length);
        }
    } else if (sscanf(name, "tile/%u/%u.p/%u_", &level, &index, &width) >= 2) {
        struct builder path BUILDER_SCOPE;
        builder_init(&path, 0);
        tile_append_path(&path, level, index, width);
        expect(strncmp(path.bytes, name, path.length) == 0 && name[path.length] == '_', "tiles",
               name, path.bytes);
        expect(tile_append(&bytes, tree_read_sparse, &sparse, level, index, width, NULL), "tiles",
               name, "could not be made");
    } else {
        return true;
    }
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    struct sha256 hash = crypto_sha256(bytes.bytes, bytes.length);
    bool is_hash = strstr(name, "_sha256") != NULL;
    text_append_hex(&hex, is_hash ? hash.bytes : (const unsigned char *)bytes.bytes,
                    is_hash ? SHA256_BYTES : bytes.length);
    expect(strcmp(hex.bytes, json_text(value)) == 0, "tiles", name, "other bytes");
    return true;
}

static void check_tiles(const struct json *vectors)
{
    const struct json *suite = json_member(vectors, "tiles");
    json_each_member(json_member(suite, "index_paths"), check_index_path, NULL);
    const struct json *layout = json_member(suite, "layout");
    for (size_t i = 0; i < json_count(layout); i++) {
        check_layout(json_element(layout, i));
    }
    const struct json *tiles = json_member(suite, "entry_600");
    struct log *log = make_entry_log(number_of(tiles, "size"));
    struct sha256 root = hash_of_hex(json_member(tiles, "root_hex"));
    expect(same(&root, &log->roots[log->size]), "tiles", "root of 600", "another root");
    json_each_member(tiles, check_tile, log);
    free(log);
}

static struct json_document *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("%s cannot be opened\n", path);
        exit(2);
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    char piece[65536];
    for (size_t length; (length = fread(piece, 1, sizeof piece, file)) > 0;) {
        builder_append(&text, piece, length);
    }
    fclose(file);
    struct error error = {0};
    struct json_document *document = json_parse(text.bytes, text.length, &error);
    if (document == NULL) {
        printf("%s:%d:%d: %s\n", path, error.line, error.column, error.message);
        exit(2);
    }
    return document;
}

int main(int count, char **arguments)
{
    crypto_start();
    struct json_document *document =
        load(count > 1 ? arguments[1] : "../shared/conformance/tlog/vectors.json");
    const struct json *vectors = json_root(document);
    check_rfc6962(vectors);
    struct log *log = make_entry_log(70);
    check_tree("entry_tree", log, json_member(vectors, "entry_tree"));
    free(log);
    check_negative(vectors);
    check_notes(vectors);
    check_bad_checkpoints(vectors);
    check_proofs(vectors);
    check_tiles(vectors);
    json_destroy(document);
    printf("tlog: %u/%u\n", passed, total);
    return passed == total && total > 0 ? 0 : 1;
}
