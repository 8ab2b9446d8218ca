#ifndef OPERATIONS_PEOPLE_OPERATIONS_H
#define OPERATIONS_PEOPLE_OPERATIONS_H

/* People, groups, agents, callers and credentials: by the host or an admin. Each change is an
 * entry; secrets are returned once and never stored. */

#include "operations/operation.h"
#include "store/people_rows.h"

struct person_input {
    const char *name;
    const char *display; /* NULL when none */
    bool is_admin, is_auditor;
    const char *const *groups; /* joined at once */
    size_t group_count;
    const char *const *subjects; /* "user/dana@example.com"; "user/<name>" is added by itself */
    size_t subject_count;
};
struct person_view {
    struct person_row person;
    const char **groups;
    size_t group_count;
    const char **subjects;
    size_t subject_count;
};
bool operation_add_person(struct operation *operation, const struct person_input *input,
                          struct person_view *out, struct error *error) MUST_CHECK;
/* Disabling ends tokens and sessions at once, uncounts votes on pending requests and revokes
 * unredeemed grants that rest on the person. */
bool operation_enable_person(struct operation *operation, const char *name, bool is_enabled,
                             struct person_view *out, struct error *error) MUST_CHECK;
bool operation_set_roles(struct operation *operation, const char *name, bool is_admin,
                         bool is_auditor, struct person_view *out, struct error *error) MUST_CHECK;
bool operation_list_people(struct operation *operation, const char *after_name, size_t limit,
                           struct person_view **out, size_t *out_count,
                           struct error *error) MUST_CHECK;
bool operation_join_group(struct operation *operation, const char *group, const char *person,
                          bool is_member, struct error *error) MUST_CHECK;
bool operation_list_groups(struct operation *operation, struct group_row **out, size_t *out_count,
                           struct error *error) MUST_CHECK;

bool operation_add_agent(struct operation *operation, const char *name, const char *owner,
                         struct agent_row *out,
                         struct error *error) MUST_CHECK; /* owner NULL: none */
bool operation_enable_agent(struct operation *operation, const char *name, bool is_enabled,
                            struct agent_row *out, struct error *error) MUST_CHECK;
bool operation_list_agents(struct operation *operation, const char *after_name, size_t limit,
                           struct agent_row **out, size_t *out_count,
                           struct error *error) MUST_CHECK;

struct caller_input {
    const char *name;
    const char *const *agents; /* names */
    size_t agent_count;
    const char *const *subjects; /* globs over type/id */
    size_t subject_count;
    const char *const *audiences;
    size_t audience_count;
    bool keeps_unverified; /* what is beyond the lists is kept, marked, not refused */
};
bool operation_add_caller(struct operation *operation, const struct caller_input *input,
                          struct caller_row *out, struct error *error) MUST_CHECK;
bool operation_change_caller(struct operation *operation, const struct caller_input *input,
                             struct caller_row *out,
                             struct error *error) MUST_CHECK; /* replaces the lists */
bool operation_enable_caller(struct operation *operation, const char *name, bool is_enabled,
                             struct caller_row *out, struct error *error) MUST_CHECK;
bool operation_list_callers(struct operation *operation, const char *after_name, size_t limit,
                            struct caller_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK;

/* explain_caller.c: for who may list callers. */
bool operation_may_explain(struct operation *operation, struct error *error) MUST_CHECK;
/* Whether a proven identity is registered: *out_code NULL, or `caller_not_registered`,
 * `caller_disabled`, `agent_unknown`, `agent_disabled`, `agent_not_registered`. */
bool operation_explain_caller(struct operation *operation, const char *name, const char *agent,
                              const char **out_code, struct error *error) MUST_CHECK;

/* A key for a caller or a token for a person. The secret is in `out_secret` and nowhere else. */
struct credential_input {
    enum credential_kind kind;
    const char *owner;     /* caller or person name */
    const char *label;     /* NULL when none */
    int64_t expires_in_ms; /* 0: never */
};
bool operation_add_credential(struct operation *operation, const struct credential_input *input,
                              struct credential_row *out, char out_secret[SECRET_TEXT_BYTES],
                              struct error *error) MUST_CHECK;
bool operation_disable_credential(struct operation *operation, const char *id,
                                  struct credential_row *out, struct error *error) MUST_CHECK;
bool operation_list_credentials(struct operation *operation, const char *owner,
                                struct credential_row **out, size_t *out_count,
                                struct error *error) MUST_CHECK;

/* who_am_i.c */
bool operation_describe_self(struct operation *operation, struct person_view *out_person,
                             struct caller_row *out_caller, struct error *error) MUST_CHECK;

#endif
