#include "ledger/proof.h"

#include "ledger/lines_internal.h"
#include <inttypes.h>

static const char HEADER[] = "c2sp.org/tlog-proof@v1";

void proof_append(struct builder *out, const struct proof *proof)
{
    builder_printf(out, "%s\nindex %" PRIu64 "\n", HEADER, proof->index);
    for (size_t i = 0; i < proof->path.count; i++) {
        text_append_base64(out, proof->path.hashes[i].bytes, SHA256_BYTES);
        builder_char(out, '\n');
    }
    builder_char(out, '\n');
    builder_append(out, proof->checkpoint, proof->checkpoint_length);
}

/* The rest of a line that must begin with `word`. */
static bool skip_word(const char *word, const char **line, size_t *length)
{
    size_t word_length = strlen(word);
    if (*length < word_length || memcmp(*line, word, word_length) != 0) {
        return false;
    }
    *line += word_length;
    *length -= word_length;
    return true;
}

static bool read_index(struct lines *lines, struct proof *out)
{
    const char *line;
    size_t length;
    if (!lines_next(lines, &line, &length)) {
        return false;
    }
    if (skip_word("extra ", &line, &length)) {
        unsigned char extra[4096];
        size_t extra_length;
        if (!text_read_base64(line, length, extra, sizeof extra, &extra_length) ||
            !lines_next(lines, &line, &length)) {
            return false;
        }
    }
    return skip_word("index ", &line, &length) &&
           lines_read_decimal(line, length, TREE_SIZE_MAX - 1, &out->index);
}

/* Hashes up to the empty line. */
static bool read_path(struct lines *lines, struct proof *out)
{
    const char *line;
    size_t length;
    while (lines_next(lines, &line, &length)) {
        if (length == 0) {
            return true;
        }
        if (out->path.count == TREE_PROOF_HASHES_MAX ||
            !lines_read_hash(line, length, &out->path.hashes[out->path.count++])) {
            return false;
        }
    }
    return false;
}

bool proof_parse(struct proof *out_proof, const char *text, size_t length, struct error *error)
{
    struct lines lines = {.at = text, .end = text + length};
    struct proof proof = {0};
    const char *line;
    size_t line_length;
    if (length > PROOF_BYTES_MAX || !lines_next(&lines, &line, &line_length) ||
        !skip_word(HEADER, &line, &line_length) || line_length != 0) {
        return error_set(error, ERROR_INVALID, "bad_proof", NULL,
                         "A receipt starts with the line `%s` and has at most 80 KiB.", HEADER);
    }
    if (!read_index(&lines, &proof) || !read_path(&lines, &proof)) {
        return error_set(error, ERROR_INVALID, "bad_proof", NULL,
                         "A receipt holds `index N`, hashes in base64, an empty line and a "
                         "checkpoint; this one is cut or changed.");
    }
    proof.checkpoint = lines.at;
    proof.checkpoint_length = (size_t)(lines.end - lines.at);
    *out_proof = proof;
    return true;
}

bool proof_verify(const char *text, size_t length, const struct sha256 *leaf,
                  const struct note_key *keys, size_t key_count, const char *origin,
                  uint64_t *out_index, struct checkpoint *out_checkpoint, struct error *error)
{
    struct proof proof;
    struct checkpoint checkpoint;
    if (!proof_parse(&proof, text, length, error) ||
        !checkpoint_open(&checkpoint, NULL, proof.checkpoint, proof.checkpoint_length, keys,
                         key_count, origin, error)) {
        return false;
    }
    if (!tree_verify_inclusion(leaf, proof.index, checkpoint.size, proof.path.hashes,
                               proof.path.count, &checkpoint.root)) {
        return error_set(error, ERROR_UNAUTHENTICATED, "not_included", NULL,
                         "The receipt does not prove that this entry is number %" PRIu64
                         " of `%s`.",
                         proof.index, checkpoint.origin);
    }
    if (out_index != NULL) {
        *out_index = proof.index;
    }
    if (out_checkpoint != NULL) {
        *out_checkpoint = checkpoint;
    }
    return true;
}
