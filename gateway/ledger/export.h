#ifndef LEDGER_EXPORT_H
#define LEDGER_EXPORT_H

/*
 * An export: JSON Lines, every line canonical JSON (RFC 8785), so that any change is visible.
 *
 *   {"countersign_export":1,"from":0,"origin":"gate.example/ledger","range":[],"vkey":"…"}
 *   {"entry":{…the exact bytes of entry 0…},"leaf":"…"}
 *   {"entry":{…},"leaf":"…"}
 *   {"checkpoint":"gate.example/ledger\n2\n…"}
 *   {"end":{"checkpoints":1,"size":2}}
 *
 * That is one section: a run of one log, from entry `from` on. `range` holds, in hex and biggest
 * first, the roots of the perfect subtrees of the `from` entries before it (struct tree), so that a
 * section that starts late still reaches the signed roots. `leaf` is the leaf hash in hex, as
 * stored when the entry was written: it names the entry that was changed, where the root can only
 * say that one was. A checkpoint line stands directly behind its last entry, sizes only grow, and
 * the last one should cover the last entry; the end line says what the section must hold, so that a
 * file that was cut short is seen to be. `vkey` is a help to readers, never trusted.
 *
 * To one tenant's auditors, what is of other tenants is `{"withheld":"…"}`, the leaf hash alone: the
 * signed roots are still reached, and their own entries are seen to be among what was signed.
 *
 * An export is one or more sections: the same log carried on (`from` is the size reached), or the
 * log of the next epoch, whose first entry `epoch.begun` names origin, size and root of the log it
 * replaces. Resuming an export means asking again from the size of the last end line.
 */

#include "ledger/checkpoint.h"
#include "ledger/tree.h"

/* A note of the greatest length, every byte escaped, with its wrapping. */
enum { LEDGER_EXPORT_LINE_BYTES_MAX = 160 * 1024 };

/* `before` is the tree of the entries before the section; its size is `from`. Each appends one
 * line with its newline. */
void ledger_export_header(struct builder *out, const struct tree *before,
                          const struct note_key *key);
void ledger_export_entry(struct builder *out, const char *entry, size_t length,
                         const struct sha256 *leaf);
void ledger_export_withheld(struct builder *out, const struct sha256 *leaf);
void ledger_export_checkpoint(struct builder *out, const char *note, size_t length);
void ledger_export_end(struct builder *out, uint64_t size, uint64_t checkpoint_count);

#endif
