#include "ledger/verify.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/text.h"
#include "ledger/chain_internal.h"
#include "ledger/checkpoint.h"
#include "ledger/export.h"
#include "ledger/lines_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIME_LENGTH = TIME_TEXT_BYTES - 1, LINE_DEPTH_MAX = 4 };
/* Each key serves its own name and, in turn, the origin of the section being read. */
enum { KEYS_MAX = 2 * NOTE_KEYS_MAX };

struct kept {
    struct checkpoint checkpoint;
    bool is_met;
};

struct verifier {
    const struct ledger_verify_options *options;
    struct ledger_verify_report *report;
    struct finding finding;
    struct chain chain;
    struct kept kept[LEDGER_KEPT_MAX];
    struct note_key keys[KEYS_MAX]; /* for the log being read */
    size_t key_count;
    struct tree tree; /* of that log, so far */
    char origin[NOTE_NAME_BYTES_MAX + 1];
    char at[TIME_TEXT_BYTES]; /* of its last entry */
    bool has_log;
    bool is_open;         /* between a header and its end line */
    bool awaits_epoch;    /* the next entry must be epoch.begun */
    bool has_previous;    /* the log before is in this export */
    struct tree previous; /* its tree */
    char previous_origin[NOTE_NAME_BYTES_MAX + 1];
    uint64_t signed_size; /* of the last checkpoint line of the log */
    uint64_t section_entries;
    uint64_t section_checkpoints;
};

static struct span span_of(const char *text)
{
    return (struct span){.bytes = text, .length = strlen(text)};
}

/* Epoch of `origin` when it is `name` or `name/e<n>`, n > 1; else 0. */
static uint64_t epoch_of(const char *origin, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(origin, name, length) != 0) {
        return 0;
    }
    const char *rest = origin + length;
    uint64_t epoch = 0;
    if (*rest == '\0') {
        return 1;
    }
    bool is_numbered = strncmp(rest, "/e", 2) == 0 &&
                       lines_read_decimal(rest + 2, strlen(rest + 2), INT64_MAX, &epoch);
    return is_numbered && epoch > 1 ? epoch : 0;
}

/* The keys as given, and those that speak for `origin` under its name. Returns their epoch of it;
 * 0 when there are none. */
static uint64_t gather_keys(const struct ledger_verify_options *options, const char *origin,
                            struct note_key keys[KEYS_MAX], size_t *out_count)
{
    uint64_t epoch = 0;
    size_t count = 0;
    for (size_t i = 0; i < options->key_count; i++) {
        const struct note_key *key = &options->keys[i];
        keys[count++] = *key;
        uint64_t found = key->type == NOTE_KEY_ED25519 ? epoch_of(origin, key->name) : 0;
        epoch = found == 0 ? epoch : found;
        if (found > 1 && note_key_make(&keys[count], origin, key->type, key->public_key, NULL)) {
            count++;
        }
    }
    *out_count = count;
    return epoch;
}

/* Kept checkpoints. */

static bool open_kept(struct verifier *verifier, size_t index)
{
    const struct ledger_kept *kept = &verifier->options->kept[index];
    const char *newline = kept->length == 0 ? NULL : memchr(kept->note, '\n', kept->length);
    size_t length = newline == NULL ? 0 : (size_t)(newline - kept->note);
    char origin[NOTE_NAME_BYTES_MAX + 1] = "";
    memcpy(origin, kept->note, length > NOTE_NAME_BYTES_MAX ? 0 : length);
    size_t key_count;
    gather_keys(verifier->options, origin, verifier->keys, &key_count);
    struct error error = {0};
    return checkpoint_open(&verifier->kept[index].checkpoint, NULL, kept->note, kept->length,
                           verifier->keys, key_count, NULL, &error) ||
           finding_set(&verifier->finding, "kept_checkpoint_bad", span_of(origin),
                       "The kept checkpoint cannot be used: %s", error.message);
}

/* Compares where the log has just the size of a kept checkpoint. */
static bool meet_kept(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->options->kept_count; i++) {
        struct kept *kept = &verifier->kept[i];
        if (kept->checkpoint.size != verifier->tree.size || kept->is_met ||
            strcmp(kept->checkpoint.origin, verifier->origin) != 0) {
            continue;
        }
        struct sha256 root = tree_root(&verifier->tree);
        if (!crypto_equal(root.bytes, kept->checkpoint.root.bytes, SHA256_BYTES)) {
            return finding_set(&verifier->finding, "forked", span_of(verifier->origin),
                               "The first %" PRIu64 " entries are not those of the kept "
                               "checkpoint: history was rewritten.",
                               kept->checkpoint.size);
        }
        kept->is_met = true;
    }
    return true;
}

/* No more of this log will come. */
static bool end_log(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->options->kept_count; i++) {
        const struct kept *kept = &verifier->kept[i];
        if (kept->checkpoint.size > verifier->tree.size &&
            strcmp(kept->checkpoint.origin, verifier->origin) == 0) {
            return finding_set(&verifier->finding, "truncated", span_of(verifier->origin),
                               "The log ends after %" PRIu64 " entries; the kept checkpoint was "
                               "signed over %" PRIu64 ".",
                               verifier->tree.size, kept->checkpoint.size);
        }
    }
    return true;
}

static bool check_all_met(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->options->kept_count; i++) {
        const struct kept *kept = &verifier->kept[i];
        if (!kept->is_met) {
            return finding_set(
                &verifier->finding, "kept_checkpoint_unmet", span_of(kept->checkpoint.origin),
                "The export does not reach the kept checkpoint of `%s` at %" PRIu64 " entries.",
                kept->checkpoint.origin, kept->checkpoint.size);
        }
    }
    return true;
}

/* Header lines. */

struct header {
    char origin[NOTE_NAME_BYTES_MAX + 1];
    struct tree before;
    struct span vkey;
};

static bool read_range(struct span range, uint64_t from, struct tree *out)
{
    if (!scan_is_array(range)) {
        return false;
    }
    tree_init(out);
    out->size = from;
    struct scan_walk walk = scan_enter(range);
    struct span item;
    while (scan_next_element(&walk, &item)) {
        struct span hex = scan_text(item);
        size_t length;
        if (out->count == TREE_LEVELS_MAX || !scan_is_hash(hex) ||
            !text_read_hex(hex.bytes, hex.length, out->roots[out->count].bytes, SHA256_BYTES,
                           &length)) {
            return false;
        }
        out->count++;
    }
    return out->count == (size_t)__builtin_popcountll(from);
}

static size_t count_members(struct span object)
{
    struct scan_walk walk = scan_enter(object);
    struct span name;
    struct span value;
    size_t count = 0;
    while (scan_next_member(&walk, &name, &value)) {
        count++;
    }
    return count;
}

static bool read_header(struct span line, struct header *out)
{
    struct span origin = scan_text_member(line, "origin");
    int64_t version;
    int64_t from;
    out->vkey = scan_text_member(line, "vkey");
    if (!scan_integer_member(line, "countersign_export", 1, &version) || version != 1 ||
        !scan_integer_member(line, "from", 0, &from) || origin.length == 0 ||
        origin.length > NOTE_NAME_BYTES_MAX || out->vkey.bytes == NULL ||
        count_members(line) != 5) {
        return false;
    }
    memcpy(out->origin, origin.bytes, origin.length);
    out->origin[origin.length] = '\0';
    return read_range(scan_member(line, "range"), (uint64_t)from, &out->before);
}

/* The header may only help who reads: it must name a key we trust for this log. */
static bool has_key(struct verifier *verifier, struct span vkey, const char *origin)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t i = 0; i < verifier->key_count; i++) {
        builder_clear(&text);
        note_key_append(&text, &verifier->keys[i]);
        if (strcmp(verifier->keys[i].name, origin) == 0 && span_is(vkey, text.bytes)) {
            return true;
        }
    }
    return false;
}

static bool carry_on(struct verifier *verifier, const struct header *header)
{
    const struct tree *tree = &verifier->tree;
    return (header->before.size == tree->size &&
            memcmp(header->before.roots, tree->roots, tree->count * sizeof tree->roots[0]) == 0) ||
           finding_set(&verifier->finding, "section_gap", span_of(header->origin),
                       "The section does not carry on where the one before ended, at %" PRIu64
                       " entries.",
                       tree->size);
}

/* A log not read before in this export. */
static bool begin_log(struct verifier *verifier, const struct header *header, uint64_t epoch)
{
    if (verifier->has_log) {
        if (!end_log(verifier)) {
            return false;
        }
        verifier->previous = verifier->tree;
        memcpy(verifier->previous_origin, verifier->origin, sizeof verifier->origin);
        verifier->has_previous = true;
    }
    bool is_whole = header->before.size == 0;
    if (!verifier->has_log) {
        struct ledger_verify_report *report = verifier->report;
        memcpy(report->first_origin, header->origin, sizeof report->first_origin);
        report->from = header->before.size;
        report->begins_midway = !is_whole || epoch > 1;
    }
    verifier->chain.begins_midway |= verifier->report->begins_midway || !is_whole;
    verifier->awaits_epoch = epoch > 1 && is_whole;
    verifier->has_log = true;
    verifier->tree = header->before;
    verifier->signed_size = 0;
    verifier->at[0] = '\0';
    memcpy(verifier->origin, header->origin, sizeof verifier->origin);
    verifier->report->covered = 0;
    verifier->report->covered_at[0] = '\0';
    return true;
}

static bool take_header(struct verifier *verifier, struct span line)
{
    struct header header;
    if (verifier->is_open) {
        return finding_set(&verifier->finding, "cut_short", span_of(verifier->origin),
                           "A section begins before the one before has its end line.");
    }
    if (!read_header(line, &header)) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The header of the section is not of its form.");
    }
    uint64_t epoch =
        gather_keys(verifier->options, header.origin, verifier->keys, &verifier->key_count);
    if (epoch == 0 || !has_key(verifier, header.vkey, header.origin)) {
        return finding_set(&verifier->finding, "other_key", span_of(header.origin),
                           "The log `%s` is not signed with a key that was given.", header.origin);
    }
    bool carries_on = verifier->has_log && strcmp(verifier->origin, header.origin) == 0;
    if (carries_on ? !carry_on(verifier, &header) : !begin_log(verifier, &header, epoch)) {
        return false;
    }
    verifier->is_open = true;
    verifier->section_entries = 0;
    verifier->section_checkpoints = 0;
    return meet_kept(verifier);
}

/* Entry lines. */

static bool check_epoch(struct verifier *verifier, const struct entry_view *entry)
{
    struct span previous = scan_member(entry->data, "previous");
    struct span origin = scan_text_member(previous, "origin");
    struct span hex = scan_text_member(previous, "root");
    struct sha256 root;
    size_t length;
    int64_t size;
    if (entry->type != LEDGER_EPOCH_BEGUN || origin.bytes == NULL || !scan_is_hash(hex) ||
        !text_read_hex(hex.bytes, hex.length, root.bytes, SHA256_BYTES, &length) ||
        !scan_integer_member(previous, "size", 0, &size)) {
        return finding_set(&verifier->finding, "epoch_unchained", span_of(verifier->origin),
                           "The first entry of a later epoch must be `epoch.begun` with the log "
                           "it replaces.");
    }
    if (!verifier->has_previous) {
        return true;
    }
    struct sha256 expected = tree_root(&verifier->previous);
    return (span_is(origin, verifier->previous_origin) &&
            (uint64_t)size == verifier->previous.size &&
            crypto_equal(root.bytes, expected.bytes, SHA256_BYTES)) ||
           finding_set(&verifier->finding, "epoch_unchained", span_of(verifier->origin),
                       "The epoch does not replace the log before it as that log is here.");
}

/* `{"entry":…,"leaf":"<64 hex>"}` */
static bool split_entry_line(struct span line, struct span *out_entry, struct span *out_leaf)
{
    static const char head[] = "{\"entry\":";
    static const char middle[] = ",\"leaf\":\"";
    enum { HEAD = sizeof head - 1, MIDDLE = sizeof middle - 1, HEX = 64, TAIL = HEX + 2 };
    if (line.length < HEAD + MIDDLE + TAIL) {
        return false;
    }
    const char *leaf = line.bytes + line.length - TAIL;
    *out_entry =
        (struct span){.bytes = line.bytes + HEAD, .length = line.length - HEAD - MIDDLE - TAIL};
    *out_leaf = (struct span){.bytes = leaf, .length = HEX};
    return memcmp(leaf - MIDDLE, middle, MIDDLE) == 0 && memcmp(leaf + HEX, "\"}", 2) == 0 &&
           scan_is_hash(*out_leaf);
}

static bool is_leaf(struct span hex, const struct sha256 *leaf)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        if (hex.bytes[2 * i] != digits[leaf->bytes[i] >> 4] ||
            hex.bytes[2 * i + 1] != digits[leaf->bytes[i] & 15]) {
            return false;
        }
    }
    return true;
}

/* What can be said of an entry by itself and by the one before. */
static bool check_entry(struct verifier *verifier, const struct entry_view *entry)
{
    if (entry->seq != verifier->tree.size) {
        return finding_set(&verifier->finding, "seq_out_of_order", entry->request,
                           "Entry %" PRIu64 " stands where entry %" PRIu64 " must be.", entry->seq,
                           verifier->tree.size);
    }
    if (verifier->at[0] != '\0' && memcmp(entry->at.bytes, verifier->at, TIME_LENGTH) < 0) {
        return finding_set(&verifier->finding, "time_fell", entry->request,
                           "Its time is before the time of the entry before it.");
    }
    if (verifier->awaits_epoch && !check_epoch(verifier, entry)) {
        return false;
    }
    verifier->awaits_epoch = false;
    return chain_apply(&verifier->chain, entry, &verifier->finding);
}

static bool take_entry(struct verifier *verifier, struct span line)
{
    struct ledger_verify_report *report = verifier->report;
    struct span bytes;
    struct span hex;
    struct entry_view entry;
    const char *problem;
    report->has_seq = true;
    report->seq = verifier->tree.size;
    if (!split_entry_line(line, &bytes, &hex)) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The line is not an entry with its leaf hash.");
    }
    struct sha256 leaf = tree_leaf_hash(bytes.bytes, bytes.length);
    if (!is_leaf(hex, &leaf)) {
        return finding_set(&verifier->finding, "leaf_mismatch", (struct span){0},
                           "The entry is not the one that was recorded: it was changed.");
    }
    if (!entry_read(&entry, bytes, &problem)) {
        return finding_set(&verifier->finding, "entry_malformed", (struct span){0}, "%s", problem);
    }
    if (!check_entry(verifier, &entry)) {
        return false;
    }
    memcpy(verifier->at, entry.at.bytes, TIME_LENGTH);
    tree_append(&verifier->tree, &leaf, NULL, NULL);
    verifier->section_entries++;
    report->entry_count++;
    report->has_seq = false;
    return meet_kept(verifier);
}

/* An entry of another tenant, by its leaf alone. What it says stays unjudged, so that who reads all
 * must not be content with it. */
static bool take_withheld(struct verifier *verifier, struct span line)
{
    struct ledger_verify_report *report = verifier->report;
    struct span hex = scan_text_member(line, "withheld");
    struct sha256 leaf;
    size_t length;
    report->has_seq = true;
    report->seq = verifier->tree.size;
    if (!verifier->options->allows_withheld) {
        return finding_set(&verifier->finding, "entry_withheld", (struct span){0},
                           "The entry is not in the export: it was made for one tenant alone. "
                           "`--one-tenant` verifies such an export.");
    }
    if (!scan_is_hash(hex) || count_members(line) != 1 || verifier->awaits_epoch ||
        !text_read_hex(hex.bytes, hex.length, leaf.bytes, SHA256_BYTES, &length)) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The line is not the leaf hash of an entry that may be withheld.");
    }
    tree_append(&verifier->tree, &leaf, NULL, NULL);
    verifier->section_entries++;
    report->entry_count++;
    report->withheld_count++;
    report->has_seq = false;
    return meet_kept(verifier);
}

/* Checkpoint lines. */

/* The text of a JSON string that was found canonical. Notes have no escapes but these. */
static bool unescape(struct span text, struct builder *out)
{
    for (size_t i = 0; i < text.length; i++) {
        char character = text.bytes[i];
        if (character == '\\') {
            character = text.bytes[++i];
            if (character != 'n' && character != '"' && character != '\\') {
                return false;
            }
            character = character == 'n' ? '\n' : character;
        }
        builder_char(out, character);
    }
    return true;
}

static bool check_checkpoint(struct verifier *verifier, const struct checkpoint *checkpoint)
{
    if (checkpoint->size != verifier->tree.size) {
        return finding_set(&verifier->finding, "checkpoint_out_of_place", span_of(verifier->origin),
                           "A checkpoint over %" PRIu64 " entries stands behind %" PRIu64
                           " of them: entries are missing or too many.",
                           checkpoint->size, verifier->tree.size);
    }
    bool may_repeat = verifier->section_checkpoints == 0 && verifier->section_entries == 0;
    if (verifier->signed_size == checkpoint->size && verifier->signed_size > 0 && !may_repeat) {
        return finding_set(&verifier->finding, "checkpoint_repeated", span_of(verifier->origin),
                           "The checkpoint over %" PRIu64 " entries stands here twice.",
                           checkpoint->size);
    }
    struct sha256 root = tree_root(&verifier->tree);
    return crypto_equal(root.bytes, checkpoint->root.bytes, SHA256_BYTES) ||
           finding_set(&verifier->finding, "root_mismatch", span_of(verifier->origin),
                       "The entries are not those that were signed: one from entry %" PRIu64
                       " to the one before entry %" PRIu64 " was changed.",
                       verifier->signed_size, checkpoint->size);
}

static bool take_checkpoint(struct verifier *verifier, struct span line)
{
    struct builder note BUILDER_SCOPE;
    builder_init(&note, NOTE_BYTES_MAX);
    struct span text = scan_text_member(line, "checkpoint");
    if (text.bytes == NULL || count_members(line) != 1 || !unescape(text, &note) ||
        builder_failed(&note)) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The line is not a checkpoint.");
    }
    struct checkpoint checkpoint;
    struct error error = {0};
    if (!checkpoint_open(&checkpoint, NULL, note.bytes, note.length, verifier->keys,
                         verifier->key_count, verifier->origin, &error)) {
        return finding_set(&verifier->finding, "checkpoint_bad", span_of(verifier->origin), "%s",
                           error.message);
    }
    if (!check_checkpoint(verifier, &checkpoint)) {
        return false;
    }
    struct ledger_verify_report *report = verifier->report;
    verifier->signed_size = checkpoint.size;
    verifier->section_checkpoints++;
    report->checkpoint_count++;
    report->covered = checkpoint.size;
    memcpy(report->covered_at, verifier->at, sizeof report->covered_at);
    return true;
}

static bool take_end(struct verifier *verifier, struct span line)
{
    struct span end = scan_member(line, "end");
    int64_t size;
    int64_t checkpoints;
    if (!scan_integer_member(end, "size", 0, &size) ||
        !scan_integer_member(end, "checkpoints", 0, &checkpoints) || count_members(line) != 1 ||
        count_members(end) != 2) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The end line of the section is not of its form.");
    }
    if ((uint64_t)size != verifier->tree.size ||
        (uint64_t)checkpoints != verifier->section_checkpoints) {
        return finding_set(&verifier->finding, "lines_missing", span_of(verifier->origin),
                           "The section must hold entries up to %" PRIu64 " and %" PRIu64
                           " checkpoints; here are %" PRIu64 " and %" PRIu64 ".",
                           (uint64_t)size, (uint64_t)checkpoints, verifier->tree.size,
                           verifier->section_checkpoints);
    }
    verifier->is_open = false;
    return true;
}

/* Every line. */

static bool begins_with(struct span line, const char *word)
{
    size_t length = strlen(word);
    return line.length >= length && memcmp(line.bytes, word, length) == 0;
}

static bool take_line(struct verifier *verifier, struct span line)
{
    if (verifier->is_open && begins_with(line, "{\"entry\":")) {
        return take_entry(verifier, line);
    }
    if (line.length > LEDGER_EXPORT_LINE_BYTES_MAX || !scan_is_object(line, LINE_DEPTH_MAX)) {
        return finding_set(&verifier->finding, "line_malformed", (struct span){0},
                           "The line is not canonical JSON of an export.");
    }
    if (begins_with(line, "{\"countersign_export\":")) {
        return take_header(verifier, line);
    }
    if (verifier->is_open && begins_with(line, "{\"checkpoint\":")) {
        return take_checkpoint(verifier, line);
    }
    if (verifier->is_open && begins_with(line, "{\"withheld\":")) {
        return take_withheld(verifier, line);
    }
    if (verifier->is_open && begins_with(line, "{\"end\":")) {
        return take_end(verifier, line);
    }
    return finding_set(&verifier->finding, "line_unexpected", (struct span){0},
                       "A line of this kind cannot stand here.");
}

static bool finish(struct verifier *verifier)
{
    verifier->report->line = 0;
    if (!verifier->has_log) {
        return finding_set(&verifier->finding, "empty", (struct span){0},
                           "There is nothing in the export.");
    }
    if (verifier->is_open) {
        return finding_set(&verifier->finding, "cut_short", span_of(verifier->origin),
                           "The export ends before its end line: it was cut short.");
    }
    return end_log(verifier) && check_all_met(verifier);
}

static bool read_all(struct verifier *verifier, ledger_line_reader read, void *context,
                     struct error *error)
{
    for (size_t i = 0; i < verifier->options->kept_count; i++) {
        if (!open_kept(verifier, i)) {
            return false;
        }
    }
    const char *bytes;
    size_t length;
    while (read(context, &bytes, &length, error)) {
        verifier->report->line++;
        if (!take_line(verifier, (struct span){.bytes = bytes, .length = length})) {
            return false;
        }
    }
    return error->kind == ERROR_NONE && finish(verifier);
}

static void fill_report(const struct verifier *verifier)
{
    struct ledger_verify_report *report = verifier->report;
    const struct finding *finding = &verifier->finding;
    memcpy(report->origin, verifier->origin, sizeof report->origin);
    report->size = verifier->tree.size;
    report->request_count = verifier->chain.request_count;
    report->grant_count = verifier->chain.grant_count;
    report->unjudged_count = verifier->chain.unjudged_count;
    report->finding = finding->code;
    memcpy(report->subject, finding->subject, sizeof report->subject);
    memcpy(report->message, finding->message, sizeof report->message);
}

bool ledger_verify(const struct ledger_verify_options *options, ledger_line_reader read,
                   void *context, struct ledger_verify_report *out_report, struct error *error)
{
    CHECK(options->key_count <= NOTE_KEYS_MAX && options->kept_count <= LEDGER_KEPT_MAX);
    struct verifier *verifier = memory_zeroed(1, sizeof *verifier);
    *out_report = (struct ledger_verify_report){0};
    verifier->options = options;
    verifier->report = out_report;
    chain_init(&verifier->chain);
    struct error reading = {0};
    out_report->is_good = read_all(verifier, read, context, &reading);
    fill_report(verifier);
    chain_finish(&verifier->chain);
    free(verifier);
    return reading.kind == ERROR_NONE ||
           error_set(error, reading.kind, reading.code, reading.subject, "%s", reading.message);
}
