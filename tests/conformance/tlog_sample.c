/* `tlog_sample DIR` writes a small log as the gateway would, for verifiers that are not ours: its
 * export, key, two checkpoints, the proof between them, and a receipt with its entry. */

#include "base/memory.h"
#include "formats/text.h"
#include "ledger/entry.h"
#include "ledger/entry_data.h"
#include "ledger/export.h"
#include "ledger/proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 300, OLD_SIZE = 41, RECEIPT_INDEX = 33 };
static const char ORIGIN[] = "gate.example/ledger";

static struct sha256 leaves[ENTRIES];

static bool read_leaf(void *context, unsigned level, uint64_t index, struct sha256 *out)
{
    /* A log this small keeps its leaves alone. */
    (void)context;
    if (level == 8) {
        struct tree tree;
        tree_init(&tree);
        for (uint64_t i = 0; i < 256; i++) {
            tree_append(&tree, &leaves[index * 256 + i], NULL, NULL);
        }
        *out = tree_root(&tree);
        return true;
    }
    *out = leaves[index];
    return level == 0;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "tlog_sample: %s\n", what);
    exit(2);
}

static void write_file(const char *folder, const char *name, const struct builder *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text->bytes, 1, text->length, file) != text->length ||
        fclose(file) != 0) {
        fail(path);
    }
}

static void append_entry(struct builder *out, uint64_t seq)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_signin(&data, "password", seq % 2 == 0 ? "in" : "out");
    const struct ledger_entry entry = {
        .seq = seq,
        .at_ms = 1764000000000 + (int64_t)seq * 250,
        .tenant = "default",
        .type = LEDGER_SIGNIN,
        .actor = {.kind = "person",
                  .id = seq % 3 == 0 ? "per_\xc3\xbc\xe2\x82\xac\"\\\n\x7f" : "per_1",
                  .via = "web",
                  .assurance = "session"},
        .data = data.bytes,
        .data_length = data.length};
    if (!ledger_entry_append(out, &entry, NULL)) {
        fail("an entry could not be made");
    }
}

static void sign(struct builder *out, const struct tree *tree, const struct signer *signer)
{
    struct checkpoint checkpoint = {.size = tree->size, .root = tree_root(tree)};
    memcpy(checkpoint.origin, ORIGIN, sizeof ORIGIN);
    if (!checkpoint_sign(out, &checkpoint, signer, NULL)) {
        fail("a checkpoint could not be signed");
    }
}

static void write_proofs(const char *folder, const struct builder *checkpoint)
{
    struct tree_sparse sparse = {.read = read_leaf};
    struct tree_proof consistency;
    struct proof proof = {.index = RECEIPT_INDEX,
                          .checkpoint = checkpoint->bytes,
                          .checkpoint_length = checkpoint->length};
    if (!tree_prove_consistency(tree_read_sparse, &sparse, OLD_SIZE, ENTRIES, &consistency, NULL) ||
        !tree_prove_inclusion(tree_read_sparse, &sparse, RECEIPT_INDEX, ENTRIES, &proof.path,
                              NULL)) {
        fail("a proof could not be made");
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t i = 0; i < consistency.count; i++) {
        text_append_base64(&text, consistency.hashes[i].bytes, SHA256_BYTES);
        builder_char(&text, '\n');
    }
    write_file(folder, "consistency", &text);
    builder_clear(&text);
    proof_append(&text, &proof);
    write_file(folder, "receipt.tlog-proof", &text);
    builder_clear(&text);
    append_entry(&text, RECEIPT_INDEX);
    write_file(folder, "entry", &text);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fail("usage: tlog_sample DIR");
    }
    crypto_start();
    const char *folder = arguments[1];
    unsigned char seed[32] = "only a test's seed, for no other";
    struct signer *signer = signer_from_seed(SIGNER_ED25519, seed);
    struct note_key key;
    if (signer == NULL || !note_key_of_signer(&key, ORIGIN, signer, NULL)) {
        fail("no key");
    }
    struct builder export BUILDER_SCOPE;
    struct builder checkpoint BUILDER_SCOPE;
    struct builder entry BUILDER_SCOPE;
    builder_init(&export, 0);
    builder_init(&checkpoint, 0);
    builder_init(&entry, 0);
    struct tree tree;
    tree_init(&tree);
    ledger_export_header(&export, &tree, &key);
    for (uint64_t seq = 0; seq < ENTRIES; seq++) {
        builder_clear(&entry);
        append_entry(&entry, seq);
        leaves[seq] = tree_leaf_hash(entry.bytes, entry.length);
        tree_append(&tree, &leaves[seq], NULL, NULL);
        ledger_export_entry(&export, entry.bytes, entry.length, &leaves[seq]);
        if (tree.size == OLD_SIZE || tree.size == ENTRIES) {
            builder_clear(&checkpoint);
            sign(&checkpoint, &tree, signer);
            ledger_export_checkpoint(&export, checkpoint.bytes, checkpoint.length);
            write_file(folder, tree.size == OLD_SIZE ? "old_checkpoint" : "checkpoint",
                       &checkpoint);
        }
    }
    ledger_export_end(&export, tree.size, 2);
    write_file(folder, "export.jsonl", &export);
    builder_clear(&entry);
    note_key_append(&entry, &key);
    write_file(folder, "vkey", &entry);
    write_proofs(folder, &checkpoint);
    signer_close(signer);
    return 0;
}
