#include "operations/operations_internal.h"
#include "store/chat_rows.h"
#include "store/tenant_rows.h"
#include <string.h>

static bool read_session(struct operation *operation, const struct credential *credential,
                         struct error *error);
static bool read_caller(struct operation *operation, const struct credential_row *credential,
                        struct error *error);
static bool read_person(struct operation *operation, const struct credential_row *credential,
                        struct error *error);
static bool read_workload(struct operation *operation, const struct credential *credential,
                          struct error *error);
static bool read_account(struct operation *operation, const struct credential *credential,
                         struct error *error);

static void begin(struct operation *operation, struct operations *operations, struct store *store,
                  struct arena *arena, int64_t now)
{
    *operation = (struct operation){
        .operations = operations,
        .store = store,
        .arena = arena,
        .now = now,
        .boot = atomic_load(&operations->boot_ms),
        .confirmation = "",
    };
}

static void become(struct operation *operation, enum principal_kind kind, const char *name)
{
    struct principal *principal = &operation->principal;
    principal->kind = kind;
    memcpy(principal->id, name, strlen(name) + 1);
    memcpy(principal->name, name, strlen(name) + 1);
    memcpy(principal->tenant, OPERATIONS_DEFAULT_TENANT, sizeof OPERATIONS_DEFAULT_TENANT);
}

void operation_begin_system(struct operation *operation, struct operations *operations,
                            struct store *store, struct arena *arena, int64_t now)
{
    begin(operation, operations, store, arena, now);
    become(operation, PRINCIPAL_SYSTEM, "system");
}

/* One answer for all, so that nobody learns which keys exist. */
static bool refuse(const struct operation *operation, struct error *error)
{
    metrics_add(operation->operations->options.metrics, METRIC_AUTHENTICATION_FAILURES, 1);
    return error_set(error, ERROR_UNAUTHENTICATED, "bad_credential", NULL,
                     "the key or token is not known, or is disabled or expired");
}

static bool is_good(const struct credential_row *credential, int64_t now)
{
    return credential->is_enabled && (credential->expires_at == 0 || now < credential->expires_at);
}

/* The host alone says where it acts. */
static bool choose_tenant(struct operation *operation, const char *tenant, struct error *error)
{
    bool is_found = false;
    if (tenant[0] == '\0') {
        return true;
    }
    if (!store_find_tenant(operation->store, tenant, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, ERROR_INVALID, "unknown_tenant", tenant,
                         "there is no tenant `%.64s`: `countersign admin tenant list` names them",
                         tenant);
    }
    memcpy(operation->principal.tenant, tenant, strlen(tenant) + 1);
    return true;
}

bool operation_begin(struct operation *operation, struct operations *operations,
                     struct store *store, struct arena *arena, int64_t now,
                     const struct credential *credential, struct error *error)
{
    begin(operation, operations, store, arena, now);
    operation->confirmation = arena_text(arena, credential->confirmation);
    if (credential->kind == CREDENTIAL_HOST) {
        become(operation, PRINCIPAL_HOST, "host");
        operation->principal.credential_kind = CREDENTIAL_HOST;
        return choose_tenant(operation, credential->tenant, error);
    }
    if (credential->kind == CREDENTIAL_NONE) {
        become(operation, PRINCIPAL_NONE, "");
        return true;
    }
    if (credential->kind == CREDENTIAL_JWT || credential->kind == CREDENTIAL_SVID) {
        return read_workload(operation, credential, error);
    }
    if (credential->kind == CREDENTIAL_SESSION) {
        return read_session(operation, credential, error);
    }
    if (identity_is_chat(credential->kind)) {
        return read_account(operation, credential, error);
    }
    struct credential_row row;
    struct error missing = {0};
    if (!store_find_credential(store, credential->kind, &credential->hash, arena, &row, &missing)) {
        if (missing.kind != ERROR_NOT_FOUND) {
            return error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
        }
        return refuse(operation, error);
    }
    if (!is_good(&row, now)) {
        return refuse(operation, error);
    }
    return credential->kind == CREDENTIAL_API_KEY ? read_caller(operation, &row, error)
                                                  : read_person(operation, &row, error);
}

static bool is_over(const struct operation *operation, const struct session_row *session)
{
    return operation->now >= session->expires_at ||
           operation->now - session->seen_at >= operation->operations->options.session_idle_ms;
}

static bool read_session(struct operation *operation, const struct credential *credential,
                         struct error *error)
{
    struct error missing = {0};
    bool is_found =
        store_find_session(operation->store, &credential->hash, &operation->session, &missing);
    if (!is_found && missing.kind != ERROR_NOT_FOUND) {
        return error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
    }
    if (!is_found || is_over(operation, &operation->session)) {
        metrics_add(operation->operations->options.metrics, METRIC_AUTHENTICATION_FAILURES, 1);
        return error_set(error, ERROR_UNAUTHENTICATED, "session_over", NULL,
                         "the session is over; sign in again");
    }
    struct credential_row row = {.kind = CREDENTIAL_SESSION};
    memcpy(row.id, operation->session.id, sizeof row.id);
    memcpy(row.tenant, operation->session.tenant, sizeof row.tenant);
    memcpy(row.owner, operation->session.person, sizeof row.owner);
    return read_person(operation, &row, error);
}

static void take_names(struct principal *principal, const struct credential_row *credential,
                       const char *name)
{
    memcpy(principal->id, credential->owner, sizeof principal->id);
    memcpy(principal->tenant, credential->tenant, sizeof principal->tenant);
    memcpy(principal->credential, credential->id, sizeof principal->credential);
    memcpy(principal->name, name, sizeof principal->name);
    principal->credential_kind = credential->kind;
}

static bool read_caller(struct operation *operation, const struct credential_row *credential,
                        struct error *error)
{
    struct caller_row *caller = ARENA_NEW(operation->arena, struct caller_row);
    if (!store_read_caller(operation->store, credential->tenant, credential->owner,
                           operation->arena, caller, error)) {
        return false;
    }
    if (!caller->is_enabled) {
        return refuse(operation, error);
    }
    take_names(&operation->principal, credential, caller->name);
    operation->principal.kind = PRINCIPAL_CALLER;
    operation->caller = caller;
    return true;
}

/* Proven at the door to be this caller; that it is registered and enabled is found here. The codes
 * are for the operator: the door tells callers nothing of them. */
static bool read_workload(struct operation *operation, const struct credential *credential,
                          struct error *error)
{
    struct caller_row *caller = ARENA_NEW(operation->arena, struct caller_row);
    struct error missing = {0};
    bool is_found = store_read_caller(operation->store, OPERATIONS_DEFAULT_TENANT,
                                      credential->caller, operation->arena, caller, &missing);
    if (!is_found && missing.kind != ERROR_NOT_FOUND) {
        return error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
    }
    if (!is_found || !caller->is_enabled) {
        return error_set(error, ERROR_UNAUTHENTICATED,
                         is_found ? "caller_disabled" : "caller_not_registered", NULL,
                         "the caller `%.64s` is %s", credential->caller,
                         is_found ? "disabled" : "not registered");
    }
    struct credential_row row = {.kind = credential->kind};
    memcpy(row.owner, caller->id, sizeof row.owner);
    memcpy(row.tenant, caller->tenant, sizeof row.tenant);
    take_names(&operation->principal, &row, caller->name);
    operation->principal.kind = PRINCIPAL_CALLER;
    operation->caller = caller;
    operation->proof = credential->proof;
    return true;
}

static bool read_person(struct operation *operation, const struct credential_row *credential,
                        struct error *error)
{
    struct person_row person;
    int64_t tenants = 0;
    if (!store_read_person(operation->store, credential->tenant, credential->owner,
                           operation->arena, &person, error) ||
        !store_count_tenants(operation->store, &tenants, error)) {
        return false;
    }
    if (!person.is_enabled) {
        return refuse(operation, error);
    }
    take_names(&operation->principal, credential, person.name);
    operation->principal.kind = PRINCIPAL_PERSON;
    operation->principal.assurance = ASSURANCE_SESSION;
    operation->principal.is_admin = person.is_admin;
    operation->principal.is_auditor = person.is_auditor;
    operation->is_only_tenant = tenants == 1;
    return true;
}

/* An account that is linked to nobody is nobody's: it may link itself, with a code. */
static bool read_account(struct operation *operation, const struct credential *credential,
                         struct error *error)
{
    struct chat_link_row link;
    bool is_found = false;
    if (!store_find_chat_link(operation->store, &credential->hash, operation->arena, &link,
                              &is_found, error)) {
        return false;
    }
    if (!is_found) {
        become(operation, PRINCIPAL_NONE, "");
        operation->principal.credential_kind = credential->kind;
        return true;
    }
    struct credential_row row = {.kind = credential->kind};
    memcpy(row.id, link.id, sizeof row.id);
    memcpy(row.tenant, link.tenant, sizeof row.tenant);
    memcpy(row.owner, link.person, sizeof row.owner);
    if (!read_person(operation, &row, error)) {
        return false;
    }
    operation->principal.assurance = ASSURANCE_CHAT;
    operation->principal.is_admin = false; /* an account at a chat service administers nothing */
    operation->principal.is_auditor = false;
    return true;
}
