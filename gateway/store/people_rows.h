#ifndef STORE_PEOPLE_ROWS_H
#define STORE_PEOPLE_ROWS_H

/* Tenants, people, groups, agents, callers and their credentials, freezes. */

#include "identity/principal.h"
#include "store/store.h"

struct person_row {
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char name[NAME_BYTES];
    const char *display; /* may be NULL */
    bool is_admin, is_auditor, is_enabled;
    int64_t created_at;
    int64_t disabled_at;
};
bool store_insert_person(struct store *store, const struct person_row *person,
                         struct error *error) MUST_CHECK; /* CONFLICT `name_taken` */
bool store_read_person(struct store *store, const char *tenant, const char *name_or_id,
                       struct arena *arena, struct person_row *out, struct error *error) MUST_CHECK;
bool store_update_person(struct store *store, const struct person_row *person,
                         struct error *error) MUST_CHECK; /* display, roles, enabled */
bool store_list_people(struct store *store, const char *tenant, const char *after_name,
                       size_t limit, struct arena *arena, struct person_row **out,
                       size_t *out_count, struct error *error) MUST_CHECK;
/* Enabled ones. */
bool store_count_admins(struct store *store, const char *tenant, int64_t *out_count,
                        struct error *error) MUST_CHECK;
/* Subjects that are this person ("user/dana@example.com"), compared without ASCII case. CONFLICT
 * `subject_taken` when the subject is some person's already. */
bool store_insert_person_subject(struct store *store, const char *tenant, const char *person,
                                 const char *subject_key, struct error *error) MUST_CHECK;
bool store_list_person_subjects(struct store *store, const char *person, struct arena *arena,
                                const char ***out, size_t *out_count,
                                struct error *error) MUST_CHECK;
bool store_find_person_by_subject(struct store *store, const char *tenant, const char *subject_key,
                                  char out_person[ID_BYTES],
                                  struct error *error) MUST_CHECK; /* "" when none */

bool store_insert_member(struct store *store, const char *tenant, const char *group,
                         const char *person, struct error *error) MUST_CHECK; /* idempotent */
/* NOT_FOUND when the person is no member. */
bool store_delete_member(struct store *store, const char *tenant, const char *group,
                         const char *person, struct error *error) MUST_CHECK;
bool store_list_groups_of(struct store *store, const char *tenant, const char *person,
                          struct arena *arena, const char ***out, size_t *out_count,
                          struct error *error) MUST_CHECK;
bool store_list_members(struct store *store, const char *tenant, const char *group,
                        struct arena *arena, struct person_row **out, size_t *out_count,
                        struct error *error) MUST_CHECK;
struct group_row {
    char name[NAME_BYTES];
    int64_t member_count;
};
bool store_list_groups(struct store *store, const char *tenant, struct arena *arena,
                       struct group_row **out, size_t *out_count, struct error *error) MUST_CHECK;

struct agent_row {
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char name[NAME_BYTES];
    char owner[ID_BYTES]; /* per_…, "" when none is registered */
    bool is_enabled;
    int64_t created_at;
};
bool store_insert_agent(struct store *store, const struct agent_row *agent,
                        struct error *error) MUST_CHECK;
bool store_read_agent(struct store *store, const char *tenant, const char *name_or_id,
                      struct arena *arena, struct agent_row *out, struct error *error) MUST_CHECK;
bool store_update_agent(struct store *store, const struct agent_row *agent,
                        struct error *error) MUST_CHECK;
bool store_list_agents(struct store *store, const char *tenant, const char *after_name,
                       size_t limit, struct arena *arena, struct agent_row **out, size_t *out_count,
                       struct error *error) MUST_CHECK;

/* A caller speaks only for its agents and subjects, and redeems only for itself and its audiences.
 */
struct caller_row {
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char name[NAME_BYTES];
    bool is_enabled;
    int64_t created_at;
    const char **agents; /* agt_… */
    size_t agent_count;
    const char **subjects; /* globs over type/id */
    size_t subject_count;
    const char **audiences;
    size_t audience_count;
    bool keeps_unverified; /* agents and subjects beyond its lists are kept, marked, not refused */
};
bool store_insert_caller(struct store *store, const struct caller_row *caller,
                         struct error *error) MUST_CHECK; /* with its lists */
bool store_read_caller(struct store *store, const char *tenant, const char *name_or_id,
                       struct arena *arena, struct caller_row *out, struct error *error) MUST_CHECK;
bool store_update_caller(struct store *store, const struct caller_row *caller,
                         struct error *error) MUST_CHECK; /* enabled and lists */
bool store_list_callers(struct store *store, const char *tenant, const char *after_name,
                        size_t limit, struct arena *arena, struct caller_row **out,
                        size_t *out_count, struct error *error) MUST_CHECK;

/* API keys of callers and personal tokens of people, stored as SHA-256 of the secret. */
struct credential_row {
    char id[ID_BYTES]; /* key_… or tok_… */
    char tenant[NAME_BYTES];
    enum credential_kind kind;
    char owner[ID_BYTES]; /* cal_… or per_… */
    struct sha256 hash;
    const char *label; /* may be NULL */
    bool is_enabled;
    const char *disabled_reason; /* "disabled", "rolled_back", "person_disabled"; may be NULL */
    int64_t created_at;
    int64_t expires_at; /* 0: never */
};
bool store_insert_credential(struct store *store, const struct credential_row *credential,
                             struct error *error) MUST_CHECK;
/* NOT_FOUND when no credential of this kind has the hash. Disabled and expired ones are returned:
 * the caller decides. */
bool store_find_credential(struct store *store, enum credential_kind kind,
                           const struct sha256 *hash, struct arena *arena,
                           struct credential_row *out, struct error *error) MUST_CHECK;
bool store_read_credential(struct store *store, const char *tenant, const char *id,
                           struct arena *arena, struct credential_row *out,
                           struct error *error) MUST_CHECK;
bool store_update_credential(struct store *store, const struct credential_row *credential,
                             struct error *error) MUST_CHECK; /* enabled, reason */
bool store_disable_credentials(struct store *store, const char *owner, const char *reason,
                               int64_t *out_count,
                               struct error *error) MUST_CHECK; /* owner NULL: all enabled */
bool store_enable_credentials(struct store *store, const char *disabled_reason, int64_t *out_count,
                              struct error *error) MUST_CHECK;
bool store_list_credentials(struct store *store, const char *tenant, const char *owner,
                            struct arena *arena, struct credential_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK; /* owner NULL: all of the tenant */

/* Freezes: scope everything, a tenant, an agent, or an action pattern (glob). Ended ones stay:
 * grants issued before one are never good again. */
enum freeze_scope { FREEZE_EVERYTHING = 1, FREEZE_TENANT, FREEZE_AGENT, FREEZE_ACTION };
struct freeze_row {
    char id[ID_BYTES]; /* frz_… */
    enum freeze_scope scope;
    char tenant[NAME_BYTES]; /* "" for everything */
    const char *target;      /* agent id or action glob; "" otherwise */
    const char *reason;
    const char *by; /* principal id */
    int64_t since_at;
    int64_t until_at;      /* 0 while in force */
    const char *thawed_by; /* may be NULL */
};
bool store_insert_freeze(struct store *store, const struct freeze_row *freeze,
                         struct error *error) MUST_CHECK;
bool store_end_freeze(struct store *store, const char *id, int64_t until_at, const char *thawed_by,
                      struct error *error) MUST_CHECK; /* CONFLICT when ended */
/* Freezes in force or ended after `since`, newest first; since 0: in force only when `only_active`.
 */
bool store_list_freezes(struct store *store, bool only_active, int64_t since, struct arena *arena,
                        struct freeze_row **out, size_t *out_count, struct error *error) MUST_CHECK;

#endif
