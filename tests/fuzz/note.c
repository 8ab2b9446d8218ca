/*
 * Everything of the ledger that reads what others wrote: keys, notes, checkpoints, receipts,
 * entries and whole exports; the first byte chooses. Whatever is accepted is written back the same.
 */

#include "base/check.h"
#include "ledger/entry_internal.h"
#include "ledger/export.h"
#include "ledger/proof.h"
#include "ledger/verify.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char VKEY[] =
    "gate.example/ledger+75461b84+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

static void read_key(const char *text, size_t length)
{
    struct note_key key;
    if (!note_key_parse(&key, text, length, NULL)) {
        return;
    }
    struct builder again BUILDER_SCOPE;
    builder_init(&again, 0);
    note_key_append(&again, &key);
    /* A newline behind it is not part of it; hex may have been upper case. */
    CHECK(again.length == length || again.length + 1 == length);
}

static void read_note(const char *text, size_t length, const struct note_key *key)
{
    struct note note;
    struct checkpoint checkpoint;
    struct error error = {0};
    if (!note_open(&note, text, length, key, 1, &error)) {
        CHECK(error.kind == ERROR_INVALID || error.kind == ERROR_UNAUTHENTICATED);
    }
    if (!checkpoint_parse(&checkpoint, text, length, NULL)) {
        return;
    }
    struct builder again BUILDER_SCOPE;
    builder_init(&again, 0);
    checkpoint_append(&again, &checkpoint);
    CHECK(again.length <= length && memcmp(again.bytes, text, again.length) == 0);
}

static void read_proof(const char *text, size_t length, const struct note_key *key)
{
    struct proof proof;
    struct sha256 leaf = tree_leaf_hash("", 0);
    CHECK(!proof_verify(text, length, &leaf, key, 1, NULL, NULL, NULL, NULL));
    if (!proof_parse(&proof, text, length, NULL) || memmem(text, length, "\nextra ", 7) != NULL) {
        return;
    }
    struct builder again BUILDER_SCOPE;
    builder_init(&again, 0);
    proof_append(&again, &proof);
    CHECK(again.length == length && memcmp(again.bytes, text, length) == 0);
}

static void read_entry(const char *text, size_t length)
{
    struct entry_view view;
    const char *problem = NULL;
    bool is_read = entry_read(&view, (struct span){.bytes = text, .length = length}, &problem);
    CHECK(is_read == (problem == NULL));
}

struct rest {
    const char *at;
    const char *end;
};

static bool next_line(void *context, const char **out_line, size_t *out_length, struct error *error)
{
    struct rest *rest = context;
    (void)error;
    if (rest->at >= rest->end) {
        return false;
    }
    const char *newline = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    *out_line = rest->at;
    *out_length = (size_t)((newline == NULL ? rest->end : newline) - rest->at);
    rest->at = newline == NULL ? rest->end : newline + 1;
    return true;
}

static void read_export(const char *text, size_t length, const struct note_key *key)
{
    struct rest rest = {.at = text, .end = text + length};
    struct ledger_verify_options options = {.keys = key, .key_count = 1};
    struct ledger_verify_report report;
    CHECK(ledger_verify(&options, next_line, &rest, &report, NULL));
    CHECK(report.is_good == (report.finding == NULL));
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    ledger_verify_append_report(&out, &report);
}

/* Each line is an entry, given the leaf hash it has, so that what follows the hashes is reached. */
static void read_chain(const char *text, size_t length, const struct note_key *key)
{
    struct rest rest = {.at = text, .end = text + length};
    struct tree tree;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    tree_init(&tree);
    ledger_export_header(&out, &tree, key);
    const char *line;
    size_t line_length;
    while (next_line(&rest, &line, &line_length, NULL)) {
        struct sha256 leaf = tree_leaf_hash(line, line_length);
        ledger_export_entry(&out, line, line_length, &leaf);
        tree.size++;
    }
    ledger_export_end(&out, tree.size, 0);
    read_export(out.bytes, out.length, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct note_key key;
    CHECK(note_key_parse(&key, VKEY, strlen(VKEY), NULL));
    if (length == 0) {
        return 0;
    }
    /* Its own block, so that reading past the end is seen. */
    char *text = malloc(length - 1 + (length == 1));
    CHECK(text != NULL);
    memcpy(text, bytes + 1, length - 1);
    switch (bytes[0] % 6) {
    case 0:
        read_key(text, length - 1);
        break;
    case 1:
        read_note(text, length - 1, &key);
        break;
    case 2:
        read_proof(text, length - 1, &key);
        break;
    case 3:
        read_entry(text, length - 1);
        break;
    case 4:
        read_export(text, length - 1, &key);
        break;
    default:
        read_chain(text, length - 1, &key);
        break;
    }
    free(text);
    return 0;
}
