#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

/*
 * The signed head of a log, C2SP tlog-checkpoint: a note whose text is origin, size and root, a
 * line each. The name of the log's key is its origin. We write no extension lines and skip those
 * we read. Who signs must never sign two checkpoints that are not consistent.
 *
 * One epoch of a gateway's history is one log. The first has the configured name as its origin
 * (`gate.example/ledger`); epoch n > 1, begun after a rollback of the store, has `/e<n>` behind it.
 */

#include "ledger/note.h"
#include "ledger/tree.h"

struct checkpoint {
    char origin[NOTE_NAME_BYTES_MAX + 1];
    uint64_t size;
    struct sha256 root;
};

/* `name` for epoch 1, `name/e2` for epoch 2. LIMIT `origin_too_long`. */
bool checkpoint_origin(char out_origin[NOTE_NAME_BYTES_MAX + 1], const char *name, int64_t epoch,
                       struct error *error) MUST_CHECK;

void checkpoint_append(struct builder *out, const struct checkpoint *checkpoint);
/* INVALID `bad_checkpoint`. */
bool checkpoint_parse(struct checkpoint *out_checkpoint, const char *text, size_t length,
                      struct error *error) MUST_CHECK;
/* Appends the note, signed under the name of its origin. */
bool checkpoint_sign(struct builder *out, const struct checkpoint *checkpoint,
                     const struct signer *signer, struct error *error) MUST_CHECK;
/* Opens a checkpoint of log `origin` (NULL: of whichever log its own text names), which an Ed25519
 * key of that name must have signed. Errors of note_open and checkpoint_parse, and INVALID
 * `other_log`. `out_note` may be NULL; it tells which witnesses cosigned. */
bool checkpoint_open(struct checkpoint *out_checkpoint, struct note *out_note, const char *bytes,
                     size_t length, const struct note_key *keys, size_t key_count,
                     const char *origin, struct error *error) MUST_CHECK;

#endif
