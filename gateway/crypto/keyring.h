#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

/*
 * The keys that tokens are signed with, several of each kind, so that one can be replaced while
 * tokens of the last are still good. Each key is a file of its own, named by its kind and by the
 * second from which it signs:
 *
 *   FOLDER/ES256-0.pem    FOLDER/ES256-1795737600.pem    FOLDER/RS256-0.pem
 *
 * Which one signs follows from the names and the clock, so that a restart, or a copy of the folder
 * on another machine, knows it too. Of two for one second the later one waits for the next. A key
 * is published as soon as it is there, ahead of its time, for those who keep what they fetched; one
 * that was replaced is published and still verifies for KEYRING_KEEP_MS. The folder must be its
 * owner's alone, and so must be each file.
 *
 * Signing and verifying from any thread; adding and dropping only from the one that made it, and
 * while no other looks for a key: a signer that was handed out stays until the ring is closed.
 */

#include "crypto/signer.h"

enum { KEYRING_KEYS_MAX = 16, KEYRING_KEEP_MS = 24 * 3600 * 1000 };

struct keyring;

/* Opens the folder, makes it when absent. `first_es256` (may be NULL) is a key of its own that
 * signs from the beginning: made when there is none. Removes drafts that were never taken. INVALID
 * `key_file…` or INTERNAL. */
struct keyring *keyring_open(const char *folder, const char *first_es256,
                             struct error *error) MUST_CHECK;
void keyring_close(struct keyring *ring); /* accepts NULL */

/* The key that signs now; NULL when there is none of this kind. Lent. */
const struct signer *keyring_signer(const struct keyring *ring, enum signer_kind kind, int64_t now);

bool keyring_has_room(const struct keyring *ring); /* for one more key */
/* A key that is not yet one of the ring, in a file of its own: any thread, since RSA takes a while.
 * Then keyring_take_draft puts it in force, or keyring_drop_draft removes it. */
struct keyring_draft;
struct keyring_draft *keyring_make_draft(const struct keyring *ring, enum signer_kind kind,
                                         int64_t signs_from, struct error *error) MUST_CHECK;
const char *keyring_draft_key_id(const struct keyring_draft *draft);
bool keyring_take_draft(struct keyring *ring, struct keyring_draft *draft,
                        struct error *error) MUST_CHECK; /* the draft is gone either way */
void keyring_drop_draft(struct keyring *ring, struct keyring_draft *draft); /* accepts NULL */

/* Removes all keys of this kind but the newest, with their files: what they signed is void at once.
 * For a key that others may have. */
bool keyring_drop_former(struct keyring *ring, enum signer_kind kind,
                         struct error *error) MUST_CHECK;

/* As jws_verify, with whichever published key it names. */
bool keyring_verify(const struct keyring *ring, int64_t now, const char *typ, const char *token,
                    size_t token_length, struct builder *out_payload,
                    struct error *error) MUST_CHECK;
/* {"keys":[…]} (RFC 7517): all that sign, will sign, or signed within KEYRING_KEEP_MS. */
void keyring_append_jwks(const struct keyring *ring, int64_t now, struct builder *out);

#endif
