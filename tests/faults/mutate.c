/*
 * Changes a real export in every way a file can be changed, at random, and has the offline verifier
 * read each with the public key alone: every change must be found. Then cuts it at former
 * checkpoints with an end line that fits, which only a kept checkpoint can show.
 *
 *   mutate EXPORT VKEY COUNT SEED KEPT [EARLIER]...      files with checkpoints: the last, and
 * those to cut at
 *
 * Prints `missed TEXT` for a change that was not found, then `mutated N` and `cut N`.
 */

#include "base/builder.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "ledger/export.h"
#include "ledger/verify.h"
#include "tests/support/chance.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 10, LINES_MAX = 1 << 20, FILE_BYTES_MAX = 256 << 20 };

struct export_file {
    struct builder text;
    size_t *starts; /* of each line, and the end */
    size_t line_count;
};

struct line_reader {
    const char *at;
    const char *end;
};

static bool read_line(void *context, const char **out_line, size_t *out_length, struct error *error)
{
    struct line_reader *reader = context;
    (void)error;
    if (reader->at == reader->end) {
        return false;
    }
    const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    const char *end = newline == NULL ? reader->end : newline;
    *out_line = reader->at;
    *out_length = (size_t)(end - reader->at);
    reader->at = newline == NULL ? end : end + 1;
    return true;
}

static bool is_good(const struct builder *text, const struct note_key *key,
                    const struct ledger_kept *kept)
{
    struct line_reader reader = {.at = text->bytes, .end = text->bytes + text->length};
    struct ledger_verify_options options = {
        .keys = key, .key_count = 1, .kept = kept, .kept_count = kept == NULL ? 0 : 1};
    struct ledger_verify_report report;
    struct error error = {0};
    if (!ledger_verify(&options, read_line, &reader, &report, &error)) {
        fprintf(stderr, "mutate: %s\n", error.message);
        exit(1);
    }
    return report.is_good;
}

/* ---- the file ---- */

static void read_file(const char *path, struct builder *out)
{
    char chunk[65536];
    FILE *file = fopen(path, "rb");
    builder_init(out, FILE_BYTES_MAX);
    while (file != NULL && !feof(file) && !ferror(file)) {
        builder_append(out, chunk, fread(chunk, 1, sizeof chunk, file));
    }
    if (file == NULL || ferror(file) || builder_failed(out)) {
        fprintf(stderr, "mutate: `%s` cannot be read\n", path);
        exit(1);
    }
    fclose(file);
}

static void find_lines(struct export_file *file)
{
    file->starts = memory_zeroed(LINES_MAX + 1, sizeof *file->starts);
    for (size_t i = 0; i < file->text.length && file->line_count < LINES_MAX; i++) {
        if (i == 0 || file->text.bytes[i - 1] == '\n') {
            file->starts[file->line_count++] = i;
        }
    }
    file->starts[file->line_count] = file->text.length;
}

static void put_line(const struct export_file *file, size_t line, struct builder *out)
{
    builder_append(out, file->text.bytes + file->starts[line],
                   file->starts[line + 1] - file->starts[line]);
}

/* ---- changes ---- */

static void change_bytes(const struct export_file *file, struct chance *chance, unsigned kind,
                         struct builder *out)
{
    const char *bytes = file->text.bytes;
    size_t length = file->text.length;
    size_t at = (size_t)(chance_next(chance) % length);
    char byte = (char)chance_below(chance, 256);
    switch (kind) {
    case 0: /* a bit */
        builder_append(out, bytes, length);
        out->bytes[at] ^= (char)(1 << chance_below(chance, 8));
        return;
    case 1: /* a byte replaced */
        builder_append(out, bytes, length);
        out->bytes[at] = byte;
        return;
    case 2: /* a byte taken out */
        builder_append(out, bytes, at);
        builder_append(out, bytes + at + 1, length - at - 1);
        return;
    case 3: /* a byte put in */
        builder_append(out, bytes, at);
        builder_char(out, byte);
        builder_append(out, bytes + at, length - at);
        return;
    default: /* cut anywhere */
        builder_append(out, bytes, at);
        return;
    }
}

static void change_lines(const struct export_file *file, struct chance *chance, unsigned kind,
                         struct builder *out)
{
    size_t one = chance_below(chance, (unsigned)file->line_count);
    size_t other = chance_below(chance, (unsigned)file->line_count);
    size_t last = one + 1 + chance_below(chance, 8);
    for (size_t i = 0; i < file->line_count; i++) {
        switch (kind) {
        case 0: /* one deleted */
            if (i != one) {
                put_line(file, i, out);
            }
            break;
        case 1: /* one doubled */
            put_line(file, i, out);
            if (i == one) {
                put_line(file, i, out);
            }
            break;
        case 2: /* two swapped */
            put_line(file, i == one ? other : i == other ? one : i, out);
            break;
        case 3: /* some in a row deleted */
            if (i < one || i >= last) {
                put_line(file, i, out);
            }
            break;
        default: /* one copied elsewhere */
            put_line(file, i, out);
            if (i == other) {
                put_line(file, one, out);
            }
            break;
        }
    }
}

/* Lines are what is read: a file that lost nothing but its last newline says the same. */
static bool says_the_same(const struct export_file *file, const struct builder *changed)
{
    size_t length = changed->length;
    return (length == file->text.length || length == file->text.length - 1) &&
           memcmp(changed->bytes, file->text.bytes, length) == 0;
}

static void mutate(const struct export_file *file, const struct note_key *key, unsigned long count,
                   uint64_t seed)
{
    struct chance chance = {.state = seed};
    struct builder changed BUILDER_SCOPE;
    builder_init(&changed, 0);
    for (unsigned long done = 0; done < count;) {
        unsigned kind = chance_below(&chance, KINDS);
        builder_clear(&changed);
        if (kind < KINDS / 2) {
            change_bytes(file, &chance, kind, &changed);
        } else {
            change_lines(file, &chance, kind - KINDS / 2, &changed);
        }
        if (says_the_same(file, &changed)) {
            continue;
        }
        done++;
        if (is_good(&changed, key, NULL)) {
            printf("missed a change of kind %u, number %lu\n", kind, done);
        }
    }
    printf("mutated %lu\n", count);
}

/* ---- truncation ---- */

/* The history as it was when `earlier` was signed, with an end line that fits. */
static void cut(const struct export_file *file, const struct builder *earlier, struct builder *out)
{
    const char *origin_end = strchr(earlier->bytes, '\n');
    uint64_t size = origin_end == NULL ? 0 : strtoull(origin_end + 1, NULL, 10);
    uint64_t entry_count = 0;
    builder_clear(out);
    put_line(file, 0, out);
    for (size_t i = 1; i < file->line_count && entry_count < size; i++) {
        const char *line = file->text.bytes + file->starts[i];
        if (strncmp(line, "{\"entry\":", strlen("{\"entry\":")) == 0) {
            put_line(file, i, out);
            entry_count++;
        }
    }
    ledger_export_checkpoint(out, earlier->bytes, earlier->length);
    ledger_export_end(out, size, 1);
}

/* Each cut is a history that was signed: accepted by itself, refused by who kept the last one. */
static void cut_at(const struct export_file *file, const struct note_key *key,
                   const struct ledger_kept *kept, const char *path)
{
    struct builder earlier BUILDER_SCOPE;
    struct builder changed BUILDER_SCOPE;
    builder_init(&changed, 0);
    read_file(path, &earlier);
    cut(file, &earlier, &changed);
    if (!is_good(&changed, key, NULL)) {
        printf("missed that a shorter history is good by itself: %s\n", path);
    }
    if (is_good(&changed, key, kept)) {
        printf("missed a cut: %s\n", path);
    }
}

int main(int count, char **words)
{
    struct export_file file = {0};
    struct builder kept_text BUILDER_SCOPE;
    struct note_key key;
    struct error error = {0};
    builder_init(&kept_text, 0);
    if (count < 6) {
        fprintf(stderr, "mutate EXPORT VKEY COUNT SEED KEPT [EARLIER]...\n");
        return 64;
    }
    crypto_start();
    read_file(words[1], &file.text);
    read_file(words[5], &kept_text);
    find_lines(&file);
    struct ledger_kept kept = {.note = kept_text.bytes, .length = kept_text.length};
    if (!note_key_parse(&key, words[2], strlen(words[2]), &error) ||
        !is_good(&file.text, &key, &kept)) {
        fprintf(stderr, "mutate: the export is not good to begin with: %s\n", error.message);
        return 1;
    }
    mutate(&file, &key, strtoul(words[3], NULL, 10), strtoull(words[4], NULL, 10));
    for (int i = 6; i < count; i++) {
        cut_at(&file, &key, &kept, words[i]);
    }
    printf("cut %d\n", count - 6);
    builder_finish(&file.text);
    free(file.starts);
    return 0;
}
