#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

/* A receipt: C2SP tlog-proof@v1, an inclusion proof with the checkpoint it leads to, checked with
 * the entry and the public keys alone. Files end in `.tlog-proof`. */

#include "ledger/checkpoint.h"

enum { PROOF_BYTES_MAX = 80 * 1024 };

struct proof {
    uint64_t index;
    struct tree_proof path;
    const char *checkpoint; /* the note; points into the text that was parsed */
    size_t checkpoint_length;
};

void proof_append(struct builder *out, const struct proof *proof);
/* INVALID `bad_proof`. The unauthenticated `extra` line is skipped. */
bool proof_parse(struct proof *out_proof, const char *text, size_t length,
                 struct error *error) MUST_CHECK;
/* Checks that the entry with this leaf hash is in the log `origin`. Errors of proof_parse and
 * checkpoint_open, and UNAUTHENTICATED `not_included`. Outputs may be NULL. */
bool proof_verify(const char *text, size_t length, const struct sha256 *leaf,
                  const struct note_key *keys, size_t key_count, const char *origin,
                  uint64_t *out_index, struct checkpoint *out_checkpoint,
                  struct error *error) MUST_CHECK;

#endif
