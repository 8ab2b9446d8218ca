#ifndef STORE_SESSION_ROWS_H
#define STORE_SESSION_ROWS_H

/* Passwords, sessions, and links to set a first password. Secrets are kept as hashes only. */

#include "identity/principal.h"
#include "store/store.h"

struct password_row {
    char person[ID_BYTES];
    char tenant[NAME_BYTES];
    const char *hash; /* argon2id text (crypto/password.h) */
    bool is_enabled;
    int64_t set_at;
};
/* Sets or replaces the person's password. */
bool store_put_password(struct store *store, const struct password_row *password,
                        struct error *error) MUST_CHECK;
bool store_read_password(struct store *store, const char *person, struct arena *arena,
                         struct password_row *out,
                         struct error *error) MUST_CHECK; /* NOT_FOUND when none was set */
/* All there are: after a store was put back, and after a person said that this one may be
 * trusted. */
bool store_enable_passwords(struct store *store, bool is_enabled, int64_t *out_count,
                            struct error *error) MUST_CHECK;
/* Enabled admins of the tenant whose password is enabled. */
bool store_count_admins_with_password(struct store *store, const char *tenant, int64_t *out_count,
                                      struct error *error) MUST_CHECK;

/* What a session proved beyond its cookie; zero proves nothing. */
enum step_up { STEP_UP_NONE = 0, STEP_UP_LINK, STEP_UP_PASSWORD, STEP_UP_PASSKEY };

struct session_row {
    char id[ID_BYTES]; /* ses_… */
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    struct sha256 hash; /* of the whole secret text */
    int64_t created_at;
    int64_t seen_at;
    int64_t expires_at;
    enum step_up step_up; /* the last proof beyond the cookie */
    int64_t stepped_up_at;
};
bool store_insert_session(struct store *store, const struct session_row *session,
                          struct error *error) MUST_CHECK;
/* NOT_FOUND when no session has the hash. Those that are over are returned: the caller decides. */
bool store_find_session(struct store *store, const struct sha256 *hash, struct session_row *out,
                        struct error *error) MUST_CHECK;
/* The person's, in order of making; those that are over too. */
bool store_list_sessions(struct store *store, const char *person, struct arena *arena,
                         struct session_row **out, size_t *out_count,
                         struct error *error) MUST_CHECK;
/* Moves seen_at forward, never back; nothing when the session is gone. */
bool store_touch_session(struct store *store, const char *id, int64_t seen_at,
                         struct error *error) MUST_CHECK;
/* The person's sessions (NULL: everybody's) but `keep_id` (NULL: none is kept). */
bool store_delete_sessions(struct store *store, const char *person, const char *keep_id,
                           int64_t *out_count, struct error *error) MUST_CHECK;
bool store_delete_session(struct store *store, const char *id,
                          struct error *error) MUST_CHECK; /* nothing when it is gone */
/* Leaves the person the newest `keep`, and forgets up to `limit` of anybody's that are over. */
bool store_trim_sessions(struct store *store, const char *person, int64_t keep,
                         struct error *error) MUST_CHECK;
bool store_purge_sessions(struct store *store, int64_t now, int64_t limit,
                          struct error *error) MUST_CHECK;

enum link_kind { LINK_SETUP = 1, LINK_ENROLMENT };
struct link_row {
    char id[ID_BYTES]; /* lnk_… */
    char tenant[NAME_BYTES];
    enum link_kind kind;
    char person[ID_BYTES]; /* "" for a set-up link */
    struct sha256 hash;
    int64_t created_at;
    int64_t expires_at;
};
/* Takes the place of the former link of this kind and person. */
bool store_put_link(struct store *store, const struct link_row *link,
                    struct error *error) MUST_CHECK;
bool store_find_link(struct store *store, enum link_kind kind, const struct sha256 *hash,
                     struct link_row *out, struct error *error) MUST_CHECK;
bool store_delete_link(struct store *store, const char *id,
                       struct error *error) MUST_CHECK; /* NOT_FOUND when it was used meanwhile */
bool store_delete_links(struct store *store, int64_t *out_count,
                        struct error *error) MUST_CHECK; /* all */

#endif
