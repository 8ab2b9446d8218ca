#ifndef STORE_PASSKEY_ROWS_H
#define STORE_PASSKEY_ROWS_H

/* Passkeys, one-time codes, and what may be used once. A passkey that was removed keeps its row, so
 * that nobody registers it again and a first passkey is told from a later one. */

#include "identity/principal.h"
#include "store/store.h"

struct passkey_row {
    char id[ID_BYTES]; /* pky_… */
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    const char *label;
    const char *credential; /* base64url, as is the key */
    const char *key;        /* COSE */
    const char *rp_id;
    int64_t sign_count;
    bool is_synced;
    bool is_enabled;
    int64_t created_at;
    int64_t trusted_at;
    int64_t used_at;
    int64_t removed_at; /* 0 while registered */
};
/* CONFLICT `passkey_known` when its credential is or was registered. */
bool store_insert_passkey(struct store *store, const struct passkey_row *passkey,
                          struct error *error) MUST_CHECK;
/* NOT_FOUND. Removed and disabled ones are returned: the caller decides. */
bool store_find_passkey(struct store *store, const char *credential, struct arena *arena,
                        struct passkey_row *out, struct error *error) MUST_CHECK;
bool store_read_passkey(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct passkey_row *out,
                        struct error *error) MUST_CHECK;
/* Registered now, in order of making. */
bool store_list_passkeys(struct store *store, const char *person, struct arena *arena,
                         struct passkey_row **out, size_t *out_count,
                         struct error *error) MUST_CHECK;
/* Writes label, sign_count, trusted_at, used_at and removed_at. */
bool store_update_passkey(struct store *store, const struct passkey_row *passkey,
                          struct error *error) MUST_CHECK;
/* That the person ever had, removed ones too. */
bool store_count_passkeys_ever(struct store *store, const char *person, int64_t *out_count,
                               struct error *error) MUST_CHECK;
/* Enabled admins of the tenant who have a passkey or had one: that somebody removes theirs changes
 * no rule. */
bool store_count_admins_with_passkey(struct store *store, const char *tenant, int64_t *out_count,
                                     struct error *error) MUST_CHECK;
/* All there are, as store_enable_passwords. */
bool store_enable_passkeys(struct store *store, bool is_enabled, int64_t *out_count,
                           struct error *error) MUST_CHECK;

/* CONFLICT `challenge_used` when it was used before; forgets up to `limit` that expired. */
bool store_use_challenge(struct store *store, const struct sha256 *hash, int64_t expires_at,
                         int64_t now, int64_t limit, struct error *error) MUST_CHECK;

struct totp_row {
    char person[ID_BYTES];
    char tenant[NAME_BYTES];
    const char *secret; /* base32 */
    bool is_enabled;
    int64_t last_step;
    int64_t created_at;
};
/* Sets or replaces the person's. */
bool store_put_totp(struct store *store, const struct totp_row *totp,
                    struct error *error) MUST_CHECK;
bool store_read_totp(struct store *store, const char *person, struct arena *arena,
                     struct totp_row *out,
                     struct error *error) MUST_CHECK; /* NOT_FOUND when there is none */
/* With its recovery codes. */
bool store_delete_totp(struct store *store, const char *person, struct error *error) MUST_CHECK;
bool store_insert_recovery_code(struct store *store, const char *person, const struct sha256 *hash,
                                struct error *error) MUST_CHECK;
/* Uses it up; NOT_FOUND when it is none of the person's. */
bool store_use_recovery_code(struct store *store, const char *person, const struct sha256 *hash,
                             struct error *error) MUST_CHECK;
bool store_delete_recovery_codes(struct store *store, const char *person,
                                 struct error *error) MUST_CHECK;
bool store_count_recovery_codes(struct store *store, const char *person, int64_t *out_count,
                                struct error *error) MUST_CHECK;

#endif
