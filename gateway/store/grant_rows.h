#ifndef STORE_GRANT_ROWS_H
#define STORE_GRANT_ROWS_H

/* Grants, who they rest on, and effects still open. */

#include "grants/grant.h"
#include "identity/principal.h"
#include "store/store.h"

struct grant_row {
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char request[ID_BYTES];
    char caller[ID_BYTES]; /* the holder */
    char agent[ID_BYTES];
    enum grant_state state;
    int64_t version; /* compare-and-set */
    int64_t epoch;
    struct sha256 digest;
    struct sha256 effect_key;
    const char *audience; /* "" when the caller itself */
    bool is_bearer;
    const char *confirmation; /* the key its holder must show (identity/confirmation.h), "" none */
    int64_t ttl_ms;
    int64_t issued_at;
    int64_t claim_until;
    int mint_count;
    char token[ID_BYTES]; /* jti of the newest, "" before the first */
    int64_t token_issued_at;
    int64_t token_expires_at;
    int64_t redeemed_at;
    char redeemer[ID_BYTES]; /* caller id */
    int64_t fence;
    int64_t effect_due_at;
    int64_t effect_at;
    const char *effect_summary; /* may be NULL */
    const char *effect_digest;  /* of the result, as reported; may be NULL */
    char resolved_by[ID_BYTES];
    int64_t ended_at;         /* lapsed or revoked */
    const char *ended_reason; /* "revoked_by_holder", "frozen", "approver_disabled", "rolled_back"…;
                                 may be NULL */
    int64_t due_at;           /* claim window or effect deadline; 0 when nothing is due */
};

/* CONFLICT when the request has a grant already. */
bool store_insert_grant(struct store *store, const struct grant_row *grant,
                        struct error *error) MUST_CHECK;
bool store_read_grant(struct store *store, const char *tenant, const char *id, struct arena *arena,
                      struct grant_row *out, struct error *error) MUST_CHECK;
bool store_update_grant(struct store *store, struct grant_row *grant,
                        struct error *error) MUST_CHECK; /* CAS on version, like requests */
/* The second fence of at-most-once: a primary key that one grant can take once. CONFLICT when it is
 * there already. */
bool store_insert_redemption(struct store *store, const char *grant, int64_t fence, int64_t at,
                             struct error *error) MUST_CHECK;
bool store_list_due_grants(struct store *store, int64_t now, size_t limit, struct arena *arena,
                           struct grant_row **out, size_t *out_count,
                           struct error *error) MUST_CHECK;
/* Issued grants (not redeemed), after `after_id`; bounded batches, for freeze and rollback. tenant
 * NULL: all. */
bool store_list_issued_grants(struct store *store, const char *tenant, const char *after_id,
                              size_t limit, struct arena *arena, struct grant_row **out,
                              size_t *out_count, struct error *error) MUST_CHECK;

bool store_insert_grant_approver(struct store *store, const char *grant, const char *person,
                                 struct error *error) MUST_CHECK;
bool store_grant_rests_on(struct store *store, const char *grant, const char *person,
                          bool *out_rests, struct error *error) MUST_CHECK;
bool store_list_issued_grants_resting_on(struct store *store, const char *person,
                                         struct arena *arena, struct grant_row **out,
                                         size_t *out_count, struct error *error) MUST_CHECK;

/* From redemption until a definite effect: the same action needs a person, whichever agent asks. */
bool store_open_effect(struct store *store, const char *tenant, const struct sha256 *effect_key,
                       const char *grant, struct error *error) MUST_CHECK;
/* Nothing happens when it is not open. */
bool store_close_effect(struct store *store, const char *tenant, const char *grant,
                        struct error *error) MUST_CHECK;
bool store_find_open_effect(struct store *store, const char *tenant,
                            const struct sha256 *effect_key, char out_grant[ID_BYTES],
                            struct error *error) MUST_CHECK; /* "" when none */

#endif
