/* Requests. */

#include "store/request_rows.h"

#include "base/check.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct request_row, INT64, "row_id", row),
    COLUMN(struct request_row, ID, "id", id),
    COLUMN(struct request_row, NAME, "tenant", tenant),
    COLUMN(struct request_row, ID, "caller", caller),
    COLUMN(struct request_row, NAME, "caller_name", caller_name),
    COLUMN(struct request_row, ID, "agent", agent),
    COLUMN(struct request_row, NAME, "agent_name", agent_name),
    COLUMN(struct request_row, INT, "state", state),
    COLUMN(struct request_row, INT, "reason", reason),
    COLUMN(struct request_row, INT64, "version", version),
    COLUMN(struct request_row, INT, "revision", revision),
    COLUMN(struct request_row, INT, "risk", risk),
    COLUMN(struct request_row, INT, "verdict", verdict),
    COLUMN(struct request_row, TEXT, "subject", subject),
    COLUMN(struct request_row, TEXT, "subject_key", subject_key),
    COLUMN(struct request_row, TEXT, "action", action),
    COLUMN(struct request_row, TEXT, "action_name", action_name),
    COLUMN(struct request_row, TEXT, "resource", resource),
    COLUMN(struct request_row, TEXT, "resource_key", resource_key),
    COLUMN(struct request_row, TEXT, "context", context),
    COLUMN(struct request_row, TEXT, "audience", audience),
    COLUMN(struct request_row, TEXT, "why", why),
    COLUMN(struct request_row, TEXT, "trace", trace),
    COLUMN(struct request_row, TEXT, "salt", salt),
    COLUMN(struct request_row, HASH, "digest", digest),
    COLUMN(struct request_row, HASH, "match_key", match_key),
    COLUMN(struct request_row, HASH, "effect_key", effect_key),
    COLUMN(struct request_row, HASH, "near_key", near_key),
    COLUMN(struct request_row, TEXT, "requirements", requirements),
    COLUMN(struct request_row, TEXT, "grant_settings", grant_settings),
    COLUMN(struct request_row, TEXT, "explanation", explanation),
    COLUMN(struct request_row, TEXT, "message", message),
    COLUMN(struct request_row, TEXT, "policy", policy),
    COLUMN(struct request_row, BOOL, "allows_self_approval", allows_self_approval),
    COLUMN(struct request_row, TEXT, "parties", parties),
    COLUMN(struct request_row, INT, "near_denials", near_denials),
    COLUMN(struct request_row, INT64, "created_at", created_at),
    COLUMN(struct request_row, INT64, "asked_at", asked_at),
    COLUMN(struct request_row, INT64, "settled_at", settled_at),
    COLUMN(struct request_row, INT64, "timeout_at", timeout_at),
    COLUMN(struct request_row, INT64, "due_at", due_at),
    COLUMN(struct request_row, INT64, "ended_at", ended_at),
    COLUMN(struct request_row, TEXT, "ended_by", ended_by),
    COLUMN(struct request_row, ID, "grant_id", grant),
    COLUMN(struct request_row, ID, "editor", editor),
    COLUMN(struct request_row, INT, "comment_count", comment_count),
    COLUMN(struct request_row, INT, "question_count", question_count),
    COLUMN(struct request_row, ID, "question", question),
    COLUMN(struct request_row, TEXT, "history_read", history_read),
    COLUMN(struct request_row, TEXT, "show", show),
    COLUMN(struct request_row, TEXT, "challenge", challenge),
    COLUMN(struct request_row, BOOL, "is_stranded", is_stranded),
    COLUMN(struct request_row, TEXT, "identity", identity),
    COLUMN(struct request_row, TEXT, "act", act),
    COLUMN(struct request_row, TEXT, "unverified", unverified),
    COLUMN(struct request_row, TEXT, "confirmation", confirmation),
};
static const struct shape request_shape = SHAPE(struct request_row, columns);

static const struct column reference_columns[] = {
    COLUMN(struct request_reference, NAME, "tenant", tenant),
    COLUMN(struct request_reference, ID, "id", id),
};
static const struct shape reference_shape = SHAPE(struct request_reference, reference_columns);

#define SELECT_REQUEST                                                                             \
    "SELECT row_id, id, tenant, caller, caller_name, agent, agent_name, state, reason, version, "  \
    "revision, risk, verdict, subject, subject_key, action, action_name, resource, resource_key, " \
    "context, audience, why, trace, salt, digest, match_key, effect_key, near_key, requirements, " \
    "grant_settings, explanation, message, policy, allows_self_approval, parties, near_denials, "  \
    "created_at, asked_at, settled_at, timeout_at, due_at, ended_at, ended_by, grant_id, "         \
    "editor, comment_count, question_count, question, show, challenge, is_stranded, "              \
    "history_read, identity, act, unverified, confirmation FROM requests "

/* Each page reads along one index, named so that a plan that does not use it stops the start. */
#define NEWEST_FIRST "AND id < :before ORDER BY id DESC LIMIT :limit"

static const struct statement_text texts[] = {
    {.name = STATEMENT_REQUEST_INSERT,
     .shape = &request_shape,
     .sql = "INSERT INTO requests (id, tenant, caller, caller_name, agent, agent_name, state, "
            "reason, version, revision, risk, verdict, subject, subject_key, action, action_name, "
            "resource, resource_key, context, audience, why, trace, salt, digest, match_key, "
            "effect_key, near_key, requirements, grant_settings, explanation, message, policy, "
            "allows_self_approval, parties, near_denials, created_at, asked_at, settled_at, "
            "timeout_at, "
            "due_at, ended_at, ended_by, grant_id, editor, "
            "comment_count, question_count, question, show, challenge, is_stranded, history_read, "
            "identity, act, unverified, confirmation) "
            "VALUES (:id, :tenant, :caller, :caller_name, :agent, :agent_name, :state, :reason, "
            ":version, :revision, :risk, :verdict, :subject, :subject_key, :action, :action_name, "
            ":resource, :resource_key, :context, :audience, :why, :trace, :salt, :digest, "
            ":match_key, :effect_key, :near_key, :requirements, :grant_settings, :explanation, "
            ":message, :policy, :allows_self_approval, :parties, :near_denials, :created_at, "
            ":asked_at, "
            ":settled_at, :timeout_at, :due_at, :ended_at, :ended_by, :grant_id, "
            ":editor, :comment_count, :question_count, :question, "
            ":show, :challenge, :is_stranded, :history_read, "
            "coalesce(:identity, ''), coalesce(:act, ''), coalesce(:unverified, ''), "
            "coalesce(:confirmation, ''))"},
    {.name = STATEMENT_REQUEST_READ,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "WHERE tenant = :tenant AND id = :id"},
    {.name = STATEMENT_REQUEST_UPDATE,
     .shape = &request_shape,
     .sql = "UPDATE requests SET state = :state, reason = :reason, version = :version + 1, "
            "revision = :revision, risk = :risk, action = :action, salt = :salt, digest = :digest, "
            "match_key = :match_key, effect_key = :effect_key, near_key = :near_key, "
            "requirements = :requirements, grant_settings = :grant_settings, "
            "explanation = :explanation, message = :message, policy = :policy, "
            "allows_self_approval = :allows_self_approval, asked_at = :asked_at, "
            "settled_at = :settled_at, timeout_at = :timeout_at, due_at = :due_at, "
            "ended_at = :ended_at, ended_by = :ended_by, grant_id = :grant_id, "
            "editor = :editor, comment_count = :comment_count, "
            "question_count = :question_count, question = :question, "
            "show = :show, challenge = :challenge, is_stranded = :is_stranded "
            "WHERE tenant = :tenant AND id = :id AND version = :version"},
    {.name = STATEMENT_REQUEST_FIND_PENDING,
     .sql = "SELECT id FROM requests INDEXED BY requests_match WHERE state = 1 "
            "AND tenant = :tenant AND caller = :caller AND match_key = :match_key "
            "ORDER BY row_id LIMIT 1"},
    {.name = STATEMENT_REQUEST_LIST_DUE,
     .shape = &reference_shape,
     .sql = "SELECT tenant, id FROM requests INDEXED BY requests_due WHERE state = 1 "
            "AND due_at > 0 AND due_at <= :now ORDER BY due_at LIMIT :limit"},
    {.name = STATEMENT_REQUEST_NEXT_DUE,
     .sql = "SELECT due_at FROM requests INDEXED BY requests_due WHERE state = 1 AND due_at > 0 "
            "ORDER BY due_at LIMIT 1"},
    {.name = STATEMENT_GRANT_NEXT_DUE,
     .sql = "SELECT due_at FROM grants INDEXED BY grants_due WHERE due_at > 0 "
            "ORDER BY due_at LIMIT 1"},
    {.name = STATEMENT_REQUEST_LIST_PENDING,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "INDEXED BY requests_pending WHERE state = 1 AND row_id > :after_row "
                           "AND (:only_tenant IS NULL OR tenant = :only_tenant) "
                           "ORDER BY row_id LIMIT :limit"},
    {.name = STATEMENT_REQUEST_LIST_AFTER,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "WHERE tenant = :tenant AND id > :after ORDER BY id LIMIT :limit"},
    {.name = STATEMENT_REQUEST_WAKE_STOPPED,
     .sql = "UPDATE requests INDEXED BY requests_due SET due_at = :now "
            "WHERE state = 1 AND due_at = 0"},
    {.name = STATEMENT_REQUEST_COUNT_PENDING,
     .sql = "SELECT count(*) FROM requests INDEXED BY requests_match WHERE state = 1 "
            "AND tenant = :tenant"},
    {.name = STATEMENT_REQUEST_COUNT_PENDING_OF_CALLER,
     .sql = "SELECT count(*) FROM requests INDEXED BY requests_match WHERE state = 1 "
            "AND tenant = :tenant AND caller = :caller"},
    {.name = STATEMENT_REQUEST_PAGE,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "WHERE tenant = :only_tenant AND (:only_state < 0 OR state = "
                           ":only_state) " NEWEST_FIRST},
    {.name = STATEMENT_REQUEST_PAGE_BY_STATE,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "INDEXED BY requests_by_state WHERE tenant = :only_tenant "
                           "AND state <> 2 AND state = :only_state "
                           "AND (:only_caller IS NULL OR caller = :only_caller) "
                           "AND (:only_agent IS NULL OR agent = :only_agent) " NEWEST_FIRST},
    {.name = STATEMENT_REQUEST_PAGE_BY_CALLER,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "INDEXED BY requests_by_caller WHERE tenant = :only_tenant "
                           "AND caller = :only_caller "
                           "AND (:only_agent IS NULL OR agent = :only_agent) "
                           "AND (:only_state < 0 OR state = :only_state) " NEWEST_FIRST},
    {.name = STATEMENT_REQUEST_PAGE_BY_AGENT,
     .shape = &request_shape,
     .sql = SELECT_REQUEST "INDEXED BY requests_by_agent WHERE tenant = :only_tenant "
                           "AND agent = :only_agent "
                           "AND (:only_state < 0 OR state = :only_state) " NEWEST_FIRST},
};
const struct statement_list request_statements = STATEMENT_LIST(texts);

bool store_insert_request(struct store *store, struct request_row *request, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_INSERT);
    statement_row(statement, request);
    if (!statement_run(store, statement, NULL, error)) {
        return false;
    }
    request->row = sqlite3_last_insert_rowid(store->database);
    return true;
}

bool store_read_request(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct request_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_READ);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":id", id);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_update_request(struct store *store, struct request_row *request, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_UPDATE);
    int64_t changed = 0;
    statement_row(statement, request);
    if (!statement_run(store, statement, &changed, error) ||
        !store_must_change_one(changed, "changed", request->id, error)) {
        return false;
    }
    request->version++;
    return true;
}

bool store_find_pending(struct store *store, const char *tenant, const char *caller,
                        const struct sha256 *match_key, char out_id[ID_BYTES], struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_REQUEST_FIND_PENDING);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":caller", caller);
    statement_hash(statement, ":match_key", match_key);
    return statement_find_id(store, statement, out_id, error);
}

bool store_list_due_requests(struct store *store, int64_t now, size_t limit, struct arena *arena,
                             struct request_reference **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_LIST_DUE);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_next_due_at(struct store *store, int64_t *out_due_at, struct error *error)
{
    struct statement *requests STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_NEXT_DUE);
    struct statement *grants STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_NEXT_DUE);
    int64_t request_due_at = 0;
    int64_t grant_due_at = 0;
    if (!statement_count(store, requests, &request_due_at, error) ||
        !statement_count(store, grants, &grant_due_at, error)) {
        return false;
    }
    bool is_request_first =
        grant_due_at == 0 || (request_due_at != 0 && request_due_at < grant_due_at);
    *out_due_at = is_request_first ? request_due_at : grant_due_at;
    return true;
}

bool store_list_pending(struct store *store, const char *tenant, int64_t after_row, size_t limit,
                        struct arena *arena, struct request_row **out, size_t *out_count,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_REQUEST_LIST_PENDING);
    statement_text(statement, ":only_tenant", tenant);
    statement_number(statement, ":after_row", after_row);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_requests_after(struct store *store, const char *tenant, const char *after_id,
                               size_t limit, struct arena *arena, struct request_row **out,
                               size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_LIST_AFTER);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":after", after_id);
    statement_number(statement, ":limit", statement_page_limit(limit));
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_wake_stopped_requests(struct store *store, int64_t now, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_REQUEST_WAKE_STOPPED);
    statement_number(statement, ":now", now);
    return statement_run(store, statement, NULL, error);
}

bool store_count_pending(struct store *store, const char *tenant, const char *caller,
                         int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, caller == NULL ? STATEMENT_REQUEST_COUNT_PENDING
                                           : STATEMENT_REQUEST_COUNT_PENDING_OF_CALLER);
    statement_text(statement, ":tenant", tenant);
    if (caller != NULL) {
        statement_text(statement, ":caller", caller);
    }
    return statement_count(store, statement, out_count, error);
}

/* The index that narrows most. Approved requests are not in the index by state. */
static enum statement_name choose_page(const struct request_filter *filter)
{
    if (filter->state >= 0 && filter->state != REQUEST_APPROVED) {
        return STATEMENT_REQUEST_PAGE_BY_STATE;
    }
    if (filter->caller != NULL) {
        return STATEMENT_REQUEST_PAGE_BY_CALLER;
    }
    return filter->agent != NULL ? STATEMENT_REQUEST_PAGE_BY_AGENT : STATEMENT_REQUEST_PAGE;
}

bool store_list_requests(struct store *store, const struct request_filter *filter,
                         struct arena *arena, struct request_row **out, size_t *out_count,
                         struct error *error)
{
    CHECK(filter->tenant != NULL);
    enum statement_name page = choose_page(filter);
    struct statement *statement STATEMENT_SCOPE = statement_of(store, page);
    statement_text(statement, ":only_tenant", filter->tenant);
    statement_number(statement, ":only_state", filter->state);
    if (page == STATEMENT_REQUEST_PAGE_BY_STATE || page == STATEMENT_REQUEST_PAGE_BY_CALLER) {
        statement_text(statement, ":only_caller", filter->caller);
    }
    if (page != STATEMENT_REQUEST_PAGE) {
        statement_text(statement, ":only_agent", filter->agent);
    }
    statement_text(statement, ":before", statement_before(filter->before_id));
    statement_number(statement, ":limit", statement_page_limit(filter->limit));
    return statement_collect(store, statement, arena, out, out_count, error);
}
