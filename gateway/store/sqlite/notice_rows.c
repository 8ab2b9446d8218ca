/* The outbox. */

#include "store/roundup_rows.h"
#include "store/sqlite/driver_internal.h"
#include <string.h>

static const struct column columns[] = {
    COLUMN(struct notice_row, ID, "id", id),
    COLUMN(struct notice_row, NAME, "tenant", tenant),
    COLUMN(struct notice_row, TEXT, "channel", channel),
    COLUMN(struct notice_row, TEXT, "event", event),
    COLUMN(struct notice_row, TEXT, "request", request),
    COLUMN(struct notice_row, TEXT, "recipient", recipient),
    COLUMN(struct notice_row, TEXT, "line", line),
    COLUMN(struct notice_row, TEXT, "payload", payload),
    COLUMN(struct notice_row, INT, "attempts", attempts),
    COLUMN(struct notice_row, INT64, "created_at", created_at),
    COLUMN(struct notice_row, INT64, "due_at", due_at),
    COLUMN(struct notice_row, INT64, "leased_until", leased_until),
    COLUMN(struct notice_row, INT64, "fence", fence),
    COLUMN(struct notice_row, TEXT, "state", state),
    COLUMN(struct notice_row, TEXT, "last_error", last_error),
    COLUMN(struct notice_row, INT64, "settled_at", settled_at),
    COLUMN(struct notice_row, TEXT, "answer", answer),
    COLUMN(struct notice_row, TEXT, "roundup", roundup),
    COLUMN(struct notice_row, INT, "gathering", gathering),
};
static const struct shape notice_shape = SHAPE(struct notice_row, columns);

#define NOTICE_COLUMNS                                                                             \
    "id, tenant, channel, event, request, recipient, line, payload, attempts, created_at, "        \
    "due_at, leased_until, fence, state, last_error, settled_at, answer, roundup, gathering "
#define SELECT_NOTICE "SELECT " NOTICE_COLUMNS "FROM notices "
/* First of its line: what notices_ready holds. */
#define READY "FROM notices INDEXED BY notices_ready WHERE state = 'waiting' AND is_behind = 0 "
/* The lanes with something in them that are not skipped, each found by one step through the index:
 * tests are a lane of their own, ''. */
#define WITH_LANES                                                                                 \
    "WITH RECURSIVE every (lane) AS (SELECT min(lane) " READY "UNION ALL "                         \
    "SELECT (SELECT min(lane) " READY "AND lane > every.lane) FROM every "                         \
    "WHERE every.lane IS NOT NULL), "                                                              \
    "lanes (lane) AS (SELECT lane FROM every WHERE lane IS NOT NULL AND (:skipped IS NULL OR "     \
    "lane = '' OR instr(:skipped, ' ' || lane || ' ') = 0)) "

static const struct statement_text texts[] = {
    {.name = STATEMENT_NOTICE_INSERT,
     .shape = &notice_shape,
     .sql = "INSERT INTO notices (id, tenant, channel, event, request, recipient, line, payload, "
            "attempts, created_at, due_at, leased_until, fence, state, last_error, settled_at, "
            "answer, roundup, gathering, is_behind) VALUES (:id, :tenant, :channel, :event, "
            ":request, :recipient, :line, :payload, :attempts, :created_at, :due_at, "
            ":leased_until, :fence, :state, :last_error, :settled_at, :answer, :roundup, "
            ":gathering, EXISTS (SELECT 1 FROM notices INDEXED BY notices_line WHERE "
            "state = 'waiting' AND line <> '' AND line = :line))"},
    {.name = STATEMENT_NOTICE_LIST_DUE,
     .shape = &notice_shape,
     .sql = WITH_LANES SELECT_NOTICE
     "WHERE row_id IN (SELECT first.row_id FROM lanes CROSS JOIN notices AS first "
     "WHERE first.row_id IN (SELECT row_id " READY "AND lane = lanes.lane "
     "AND ready_at <= :now ORDER BY ready_at, row_id LIMIT :limit)) "
     "ORDER BY ready_at, row_id LIMIT :limit"},
    {.name = STATEMENT_NOTICE_LEASE,
     .shape = &notice_shape,
     .sql = "UPDATE notices SET leased_until = :leased_until, fence = :fence "
            "WHERE tenant = :tenant AND id = :id"},
    {.name = STATEMENT_NOTICE_SETTLE,
     .shape = &notice_shape,
     .sql = "UPDATE notices SET state = :state, attempts = :attempts, due_at = :due_at, "
            "last_error = :last_error, settled_at = :settled_at, answer = :answer, "
            "roundup = :roundup, gathering = :gathering, leased_until = 0, fence = :fence + 1 "
            "WHERE tenant = :tenant AND id = :id AND fence = :fence AND state = 'waiting'"},
    {.name = STATEMENT_NOTICE_PAGE,
     .shape = &notice_shape,
     .sql = SELECT_NOTICE "WHERE tenant = :tenant AND id < :before "
                          "AND (:only_state IS NULL OR state = :only_state) "
                          "AND (:only_channel IS NULL OR channel = :only_channel) "
                          "AND (:only_request IS NULL OR request = :only_request) "
                          "ORDER BY id DESC LIMIT :limit"},
    {.name = STATEMENT_NOTICE_NEXT,
     .sql = WITH_LANES "SELECT min((SELECT min(ready_at) " READY "AND lane = lanes.lane)) "
                       "FROM lanes"},
    {.name = STATEMENT_NOTICE_REORDER,
     .sql = "UPDATE notices INDEXED BY notices_line SET is_behind = row_id <> (SELECT min(row_id) "
            "FROM notices INDEXED BY notices_line WHERE state = 'waiting' AND line <> '' AND "
            "line = :line) WHERE state = 'waiting' AND line <> '' AND line = :line"},
    {.name = STATEMENT_NOTICE_GATHERABLE,
     .shape = &notice_shape,
     .sql = SELECT_NOTICE
     "INDEXED BY notices_place WHERE state = 'waiting' AND is_behind = 0 AND "
     "channel = :of_channel AND recipient = :of_recipient AND tenant = :of_tenant AND "
     "(due_at <= :now OR gathering = 1) AND " NOTICE_IS_PROMPT "AND EXISTS "
     "(SELECT 1 FROM cards WHERE cards.tenant = notices.tenant AND cards.request = "
     "notices.request AND cards.channel = notices.channel AND cards.recipient = "
     "notices.recipient AND cards.state = 'wanted' AND cards.roundup IS NULL) "
     "ORDER BY due_at, row_id LIMIT :limit"},
    {.name = STATEMENT_NOTICE_LINE_WAITS,
     .sql = "SELECT EXISTS (SELECT 1 FROM notices INDEXED BY notices_line WHERE "
            "state = 'waiting' AND line <> '' AND line = :line AND leased_until = 0)"},
    {.name = STATEMENT_NOTICE_REVIVE,
     .sql = "UPDATE notices SET state = 'waiting', attempts = 0, due_at = :now, leased_until = 0, "
            "fence = fence + 1 WHERE tenant = :tenant AND id = :id AND state = 'dead'"},
    {.name = STATEMENT_NOTICE_REPLAY,
     .sql = "UPDATE notices SET state = 'waiting', attempts = 0, due_at = :now, leased_until = 0, "
            "fence = fence + 1 WHERE tenant = :tenant AND id = :id AND state = 'sent'"},
    {.name = STATEMENT_NOTICE_HASTEN,
     .sql = "UPDATE notices INDEXED BY notices_line SET due_at = :now, gathering = 0 WHERE "
            "state = 'waiting' AND "
            "line <> '' AND line = :line AND attempts = 0 AND due_at > :now"},
    {.name = STATEMENT_NOTICE_COUNT_TO,
     .sql = "SELECT count(*) FROM notices INDEXED BY notices_of_account WHERE request IS NULL AND "
            "recipient = :of_recipient AND event = :of_event AND created_at > :since AND "
            "tenant = :tenant"},
    {.name = STATEMENT_NOTICE_READ,
     .shape = &notice_shape,
     .sql = SELECT_NOTICE "WHERE tenant = :tenant AND id = :id"},
};
const struct statement_list notice_statements = STATEMENT_LIST(texts);

bool store_insert_notice(struct store *store, const struct notice_row *notice, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_INSERT);
    statement_row(statement, notice);
    return statement_run(store, statement, NULL, error);
}

static bool lease(struct store *store, struct notice_row *notice, int64_t until,
                  struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_LEASE);
    notice->leased_until = until;
    notice->fence++;
    statement_row(statement, notice);
    return statement_run(store, statement, NULL, error);
}

bool store_lease_notices(struct store *store, int64_t now, int64_t lease_ms, size_t limit,
                         const char *skipped, struct arena *arena, struct notice_row **out,
                         size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_LIST_DUE);
    struct notice_row *notices = NULL;
    size_t count = 0;
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", (int64_t)limit);
    statement_text(statement, ":skipped", skipped);
    if (!statement_collect(store, statement, arena, &notices, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!lease(store, &notices[i], now + lease_ms, error)) {
            return false;
        }
    }
    *out = notices;
    *out_count = count;
    return true;
}

/* Who is first of a line that somebody left or came back to. */
static bool reorder(struct store *store, const char *line, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_REORDER);
    statement_text(statement, ":line", line);
    return line[0] == '\0' || statement_run(store, statement, NULL, error);
}

bool store_settle_notice(struct store *store, const struct notice_row *notice, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_SETTLE);
    int64_t changed = 0;
    statement_row(statement, notice);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "lease_over", notice->id, error) &&
           (strcmp(notice->state, "waiting") == 0 || reorder(store, notice->line, error));
}

bool store_list_notices(struct store *store, const struct notice_filter *filter,
                        struct arena *arena, struct notice_row **out, size_t *out_count,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_PAGE);
    statement_text(statement, ":tenant", filter->tenant);
    statement_text(statement, ":only_state", filter->state);
    statement_text(statement, ":only_channel", filter->channel);
    statement_text(statement, ":only_request", filter->request);
    statement_text(statement, ":before", statement_before(filter->before_id));
    statement_number(statement, ":limit", statement_page_limit(filter->limit));
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_count_notices_to(struct store *store, const char *tenant, const char *recipient,
                            const char *event, int64_t since, int64_t *out_count,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_COUNT_TO);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":of_recipient", recipient);
    statement_text(statement, ":of_event", event);
    statement_number(statement, ":since", since);
    return statement_count(store, statement, out_count, error);
}

bool store_hasten_notices(struct store *store, const char *line, int64_t now, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_HASTEN);
    statement_text(statement, ":line", line);
    statement_number(statement, ":now", now);
    return statement_run(store, statement, NULL, error);
}

bool store_next_notice_at(struct store *store, const char *skipped, int64_t *out_due_at,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_NEXT);
    statement_text(statement, ":skipped", skipped);
    return statement_count(store, statement, out_due_at, error);
}

bool store_list_gatherable(struct store *store, const struct roundup_place *place, int64_t now,
                           size_t limit, struct arena *arena, struct notice_row **out,
                           size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_GATHERABLE);
    statement_text(statement, ":of_tenant", place->tenant);
    statement_text(statement, ":of_channel", place->channel);
    statement_text(statement, ":of_recipient", place->recipient);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_line_waits(struct store *store, const char *line, bool *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_LINE_WAITS);
    int64_t waits = 0;
    statement_text(statement, ":line", line);
    if (!statement_count(store, statement, &waits, error)) {
        return false;
    }
    *out = waits != 0;
    return true;
}

bool store_read_notice(struct store *store, const char *tenant, const char *id, struct arena *arena,
                       struct notice_row *out, struct error *error)
{
    struct statement *read STATEMENT_SCOPE = statement_of(store, STATEMENT_NOTICE_READ);
    statement_text(read, ":tenant", tenant);
    statement_text(read, ":id", id);
    return statement_get(store, read, id, arena, out, error);
}

static bool send_again(struct store *store, enum statement_name name, const char *tenant,
                       const char *id, int64_t now, struct arena *arena, struct notice_row *out,
                       int64_t *out_changed, struct error *error)
{
    struct statement *again STATEMENT_SCOPE = statement_of(store, name);
    if (!store_read_notice(store, tenant, id, arena, out, error)) {
        return false;
    }
    statement_number(again, ":now", now);
    statement_text(again, ":tenant", tenant);
    statement_text(again, ":id", id);
    out->state = "waiting";
    out->attempts = 0;
    out->due_at = now;
    return statement_run(store, again, out_changed, error) && reorder(store, out->line, error);
}

bool store_revive_notice(struct store *store, const char *tenant, const char *id, int64_t now,
                         struct arena *arena, struct notice_row *out, struct error *error)
{
    int64_t changed = 0;
    return send_again(store, STATEMENT_NOTICE_REVIVE, tenant, id, now, arena, out, &changed,
                      error) &&
           store_must_change_one(changed, "not_dead", id, error);
}

bool store_replay_notice(struct store *store, const char *tenant, const char *id, int64_t now,
                         struct arena *arena, struct notice_row *out, struct error *error)
{
    int64_t changed = 0;
    return send_again(store, STATEMENT_NOTICE_REPLAY, tenant, id, now, arena, out, &changed,
                      error) &&
           store_must_change_one(changed, "not_sent", id, error);
}
