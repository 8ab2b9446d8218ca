#ifndef LEDGER_NOTE_H
#define LEDGER_NOTE_H

/*
 * Signed notes, C2SP signed-note v1: text that ends in a newline, an empty line, then signature
 * lines `— <name> <base64(key id, signature)>`. Keys are Ed25519 (type 1) or timestamped
 * cosignatures of a witness (type 4, C2SP tlog-cosignature). Lines of unknown keys are ignored; a
 * known key with a bad signature refuses the whole note; at least one known good one is needed.
 */

#include "base/builder.h"
#include "base/error.h"
#include "crypto/signer.h"
#include <stddef.h>
#include <stdint.h>

enum {
    NOTE_BYTES_MAX = 64 * 1024,
    NOTE_NAME_BYTES_MAX = 200,
    NOTE_SIGNATURES_MAX = 64,
    NOTE_KEYS_MAX = 64,
};
enum note_key_type { NOTE_KEY_ED25519 = 1, NOTE_KEY_COSIGNER = 4 };

/* The key that checks a signature: `name+<8 hex of id>+<base64(type, public key)>` as text. */
struct note_key {
    char name[NOTE_NAME_BYTES_MAX + 1];
    uint32_t id; /* first four bytes of SHA-256(name, newline, type, public key) */
    enum note_key_type type;
    unsigned char public_key[32];
};

/* UTF-8 without spaces, controls and `+`, not empty. INVALID `bad_key_name`. */
bool note_key_make(struct note_key *out_key, const char *name, enum note_key_type type,
                   const unsigned char public_key[32], struct error *error) MUST_CHECK;
/* The key under which `signer` (Ed25519) signs as `name`. */
bool note_key_of_signer(struct note_key *out_key, const char *name, const struct signer *signer,
                        struct error *error) MUST_CHECK;
/* INVALID `bad_vkey`. A line end behind the text is not part of it. */
bool note_key_parse(struct note_key *out_key, const char *vkey, size_t length,
                    struct error *error) MUST_CHECK;
void note_key_append(struct builder *out, const struct note_key *key);

/* A note whose signatures were checked; points into the note that was given. */
struct note {
    const char *text; /* with its final newline */
    size_t text_length;
    size_t signature_count; /* good ones of known keys */
    struct note_signature {
        const struct note_key *key; /* one of the keys that were given */
        int64_t cosigned_at_s;      /* type 4: seconds since 1970; else 0 */
    } signatures[NOTE_SIGNATURES_MAX];
};

/* INVALID `bad_note` when it is no note; UNAUTHENTICATED `bad_signature` or `no_known_signature`.
 */
bool note_open(struct note *out_note, const char *bytes, size_t length, const struct note_key *keys,
               size_t key_count, struct error *error) MUST_CHECK;
/* Appends the note of `text`, signed by `signer` (Ed25519) under `name`. INVALID `bad_note` when
 * the text could not be opened again. */
bool note_sign(struct builder *out, const char *text, size_t length, const char *name,
               const struct signer *signer, struct error *error) MUST_CHECK;

#endif
