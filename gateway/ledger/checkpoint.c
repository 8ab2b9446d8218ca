#include "ledger/checkpoint.h"

#include "ledger/lines_internal.h"
#include <inttypes.h>
#include <stdio.h>

static bool is_bad_checkpoint(struct error *error, const char *message)
{
    return error_set(error, ERROR_INVALID, "bad_checkpoint", NULL, "%s", message);
}

bool checkpoint_origin(char out_origin[NOTE_NAME_BYTES_MAX + 1], const char *name, int64_t epoch,
                       struct error *error)
{
    size_t room = NOTE_NAME_BYTES_MAX + 1;
    int length = epoch <= 1 ? snprintf(out_origin, room, "%s", name)
                            : snprintf(out_origin, room, "%s/e%" PRId64, name, epoch);
    return (length >= 0 && (size_t)length < room) ||
           error_set(error, ERROR_LIMIT, "origin_too_long", NULL,
                     "The name of the ledger must be shorter than %d bytes.", NOTE_NAME_BYTES_MAX);
}

void checkpoint_append(struct builder *out, const struct checkpoint *checkpoint)
{
    builder_printf(out, "%s\n%" PRIu64 "\n", checkpoint->origin, checkpoint->size);
    text_append_base64(out, checkpoint->root.bytes, SHA256_BYTES);
    builder_char(out, '\n');
}

static bool read_origin(struct lines *lines, struct checkpoint *out)
{
    const char *line;
    size_t length;
    if (!lines_next(lines, &line, &length) || length == 0 || length > NOTE_NAME_BYTES_MAX ||
        memchr(line, '\0', length) != NULL) {
        return false;
    }
    memcpy(out->origin, line, length);
    return true;
}

static bool read_size(struct lines *lines, struct checkpoint *out)
{
    const char *line;
    size_t length;
    return lines_next(lines, &line, &length) &&
           lines_read_decimal(line, length, TREE_SIZE_MAX, &out->size);
}

static bool read_root(struct lines *lines, struct checkpoint *out)
{
    const char *line;
    size_t length;
    if (!lines_next(lines, &line, &length) || !lines_read_hash(line, length, &out->root)) {
        return false;
    }
    struct sha256 nothing = crypto_sha256("", 0);
    return out->size > 0 || crypto_equal(out->root.bytes, nothing.bytes, SHA256_BYTES);
}

bool checkpoint_parse(struct checkpoint *out_checkpoint, const char *text, size_t length,
                      struct error *error)
{
    struct lines lines = {.at = text, .end = text + length};
    struct checkpoint checkpoint = {0};
    if (!read_origin(&lines, &checkpoint)) {
        return is_bad_checkpoint(error, "The first line of a checkpoint must be its origin.");
    }
    if (!read_size(&lines, &checkpoint)) {
        return is_bad_checkpoint(error, "The second line of a checkpoint must be a size in decimal "
                                        "without leading zeros.");
    }
    if (!read_root(&lines, &checkpoint)) {
        return is_bad_checkpoint(error, "The third line of a checkpoint must be the root hash, 44 "
                                        "characters of base64.");
    }
    while (lines.at < lines.end) {
        const char *line;
        size_t line_length;
        if (!lines_next(&lines, &line, &line_length) || line_length == 0) {
            return is_bad_checkpoint(error, "Extension lines of a checkpoint must not be empty.");
        }
    }
    *out_checkpoint = checkpoint;
    return true;
}

bool checkpoint_sign(struct builder *out, const struct checkpoint *checkpoint,
                     const struct signer *signer, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    checkpoint_append(&text, checkpoint);
    return note_sign(out, text.bytes, text.length, checkpoint->origin, signer, error);
}

static bool is_signed_by_log(const struct note *note, const char *origin)
{
    for (size_t i = 0; i < note->signature_count; i++) {
        const struct note_key *key = note->signatures[i].key;
        if (key->type == NOTE_KEY_ED25519 && strcmp(key->name, origin) == 0) {
            return true;
        }
    }
    return false;
}

bool checkpoint_open(struct checkpoint *out_checkpoint, struct note *out_note, const char *bytes,
                     size_t length, const struct note_key *keys, size_t key_count,
                     const char *origin, struct error *error)
{
    struct note note;
    struct checkpoint checkpoint;
    if (!note_open(&note, bytes, length, keys, key_count, error) ||
        !checkpoint_parse(&checkpoint, note.text, note.text_length, error)) {
        return false;
    }
    if (origin != NULL && strcmp(checkpoint.origin, origin) != 0) {
        return error_set(error, ERROR_INVALID, "other_log", checkpoint.origin,
                         "The checkpoint is of log `%s`, not of `%s`.", checkpoint.origin, origin);
    }
    if (!is_signed_by_log(&note, checkpoint.origin)) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_known_signature", checkpoint.origin,
                         "The checkpoint is not signed by the key of its log `%s`.",
                         checkpoint.origin);
    }
    *out_checkpoint = checkpoint;
    if (out_note != NULL) {
        *out_note = note;
    }
    return true;
}
