#include "operations/history_internal.h"

#include "requests/binding.h"
#include "store/history_rows.h"
#include <stdlib.h>
#include <string.h>

enum { PAST_ROWS_A_STEP = 1000, PURGED_ROWS_A_STEP = 5000, HAPPENED_MAX = 5 };

/* What happened to one request, to be counted in one series. */
struct happening {
    struct {
        enum policy_past past;
        int64_t at;
    } moments[HAPPENED_MAX];
    size_t count;
    int64_t pending; /* change of how many wait */
};

static bool is_counted(const struct operations *operations)
{
    return operations->history.count > 0;
}

static void add(struct happening *happening, enum policy_past past, int64_t at)
{
    happening->moments[happening->count].past = past;
    happening->moments[happening->count++].at = at;
}

static struct binding_history binding_of(const struct request_row *request)
{
    return (struct binding_history){
        .tenant = request->tenant,
        .agent = request->agent_name,
        .action_name = request->action_name,
        .resource_key = request->resource_key,
        .subject_key = request->subject_key,
        .match_key = &request->match_key,
    };
}

/* One series as the store has it, so that what rules read is not read again to count in it: the key
 * alone costs as much as the row. Of one revision of one request, which its salted digest names. */
struct history_series {
    struct history_series *next;
    unsigned parts;
    struct sha256 digest;
    struct history_row row;
};

static struct history_series *find_series(const struct operation *operation, unsigned parts,
                                          const struct sha256 *digest)
{
    struct history_series *series = digest == NULL ? NULL : operation->series;
    for (; series != NULL; series = series->next) {
        if (series->parts == parts &&
            memcmp(series->digest.bytes, digest->bytes, SHA256_BYTES) == 0) {
            return series;
        }
    }
    return NULL;
}

/* `digest` NULL: of nobody that rules are asked about. */
static bool read_row(struct operation *operation, const struct history_kind *kind,
                     const struct binding_history *binding, const struct sha256 *digest,
                     struct history_row *out, struct error *error)
{
    const struct history_series *known = find_series(operation, kind->parts, digest);
    bool is_found = false;
    if (known != NULL) {
        *out = known->row;
        return true;
    }
    struct binding_history named = *binding;
    named.parts = kind->parts;
    named.since_at = kind->since_at;
    struct sha256 key = binding_history_key(&named, operation->operations->options.match_secret);
    return store_read_history(operation->store, &key, operation->arena, out, &is_found, error);
}

static bool read_series(struct operation *operation, const struct history_kind *kind,
                        const struct binding_history *binding, const struct sha256 *digest,
                        struct history_row *out_row, struct request_history *out,
                        struct error *error)
{
    out->pending = 0;
    out->span_count = 0;
    return read_row(operation, kind, binding, digest, out_row, error) &&
           (out_row->length == 0 ||
            request_history_read(out_row->counts, out_row->length, out, error));
}

static void remember(struct operation *operation, unsigned parts, const struct sha256 *digest,
                     const struct history_row *row)
{
    struct history_series *series = ARENA_NEW(operation->arena, struct history_series);
    *series = (struct history_series){
        .next = operation->series, .parts = parts, .digest = *digest, .row = *row};
    operation->series = series;
}

/* What is written is another row than what was read. */
static void forget(struct operation *operation)
{
    operation->series = NULL;
}

static bool count_in(struct operation *operation, const struct history_kind *kind,
                     const struct binding_history *binding, const struct sha256 *digest,
                     const struct happening *happening, struct error *error)
{
    struct history_row row;
    struct request_history counts;
    if (happening->count == 0 && happening->pending == 0) {
        return true;
    }
    if (!read_series(operation, kind, binding, digest, &row, &counts, error)) {
        return false;
    }
    for (size_t i = 0; i < happening->count; i++) {
        request_history_note(&counts, happening->moments[i].past, happening->moments[i].at,
                             operation->now);
    }
    counts.pending += happening->pending;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    request_history_append(&counts, &text);
    /* Who waits is counted however old the request is. */
    row.at = counts.pending == 0 ? operation->now : INT64_MAX;
    row.counts = text.bytes;
    row.length = text.length;
    return store_put_history(operation->store, &row, error);
}

/* Something that happens now, in every set that is counted as it happens. */
static bool count_now(struct operation *operation, const struct request_row *request,
                      const struct happening *happening, struct error *error)
{
    const struct history_state *state = &operation->operations->history;
    struct binding_history binding = binding_of(request);
    for (size_t i = 0; i < state->count; i++) {
        const struct history_kind *kind = &state->kinds[i];
        if (operation->now >= kind->since_at &&
            !count_in(operation, kind, &binding, &request->digest, happening, error)) {
            return false;
        }
    }
    forget(operation);
    return true;
}

static bool past_of_end(enum request_state state, enum policy_past *out_past)
{
    switch (state) {
    case REQUEST_APPROVED:
        *out_past = POLICY_PAST_APPROVED;
        return true;
    case REQUEST_DENIED:
        *out_past = POLICY_PAST_DENIED;
        return true;
    case REQUEST_EXPIRED:
        *out_past = POLICY_PAST_EXPIRED;
        return true;
    case REQUEST_CANCELLED:
        *out_past = POLICY_PAST_CANCELLED;
        return true;
    case REQUEST_ABSENT:
    case REQUEST_PENDING:
    case REQUEST_STATE_COUNT:
        break;
    }
    return false;
}

bool note_submitted(struct operation *operation, const struct request_row *request,
                    struct error *error)
{
    struct happening happening = {.pending = request->state == REQUEST_PENDING ? 1 : 0};
    enum policy_past past;
    if (!is_counted(operation->operations)) {
        return true;
    }
    add(&happening, POLICY_PAST_ANY, operation->now);
    if (past_of_end(request->state, &past)) {
        add(&happening, past, operation->now);
    }
    return count_now(operation, request, &happening, error);
}

bool note_ended(struct operation *operation, const struct request_row *request, struct error *error)
{
    struct happening happening = {.pending = -1};
    enum policy_past past;
    if (!is_counted(operation->operations)) {
        return true;
    }
    if (past_of_end(request->state, &past)) {
        add(&happening, past, operation->now);
    }
    return count_now(operation, request, &happening, error);
}

bool note_past(struct operation *operation, const struct request_row *request,
               enum policy_past past, struct error *error)
{
    struct happening happening = {0};
    add(&happening, past, operation->now);
    return count_now(operation, request, &happening, error);
}

/* ---- what is counted ---- */

bool load_history(struct operations *operations, struct store *store, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct history_kind_row *rows;
    size_t count;
    if (!store_list_history_kinds(store, scratch, &rows, &count, error)) {
        return false;
    }
    if (count > POLICY_HISTORY_KINDS_MAX) {
        return error_set(error, ERROR_CORRUPT, "bad_history", NULL,
                         "the store counts more sets of history than a policy can name; restore "
                         "the store from a copy");
    }
    for (size_t i = 0; i < count; i++) {
        operations->history.kinds[i] = (struct history_kind){.parts = (unsigned)rows[i].parts,
                                                             .since_at = rows[i].since_at,
                                                             .cursor = rows[i].cursor};
    }
    operations->history.count = count;
    return true;
}

static bool store_kind(struct operation *operation, const struct history_kind *kind,
                       struct error *error)
{
    struct history_kind_row row = {
        .parts = kind->parts, .since_at = kind->since_at, .cursor = kind->cursor};
    return store_put_history_kind(operation->store, &row, error);
}

static bool is_wanted(const unsigned *wanted, size_t wanted_count, unsigned parts)
{
    for (size_t i = 0; i < wanted_count; i++) {
        if (wanted[i] == parts) {
            return true;
        }
    }
    return false;
}

/* Its series are never named again, and purged with time. */
static bool drop_unwanted(struct operation *operation, const unsigned *wanted, size_t wanted_count,
                          struct error *error)
{
    struct history_state *state = &operation->operations->history;
    size_t kept = 0;
    for (size_t i = 0; i < state->count; i++) {
        if (is_wanted(wanted, wanted_count, state->kinds[i].parts)) {
            state->kinds[kept++] = state->kinds[i];
        } else if (!store_drop_history_kind(operation->store, state->kinds[i].parts, error)) {
            return false;
        }
    }
    state->count = kept;
    return true;
}

static const struct history_kind *find_kind(const struct history_state *state, unsigned parts)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->kinds[i].parts == parts) {
            return &state->kinds[i];
        }
    }
    return NULL;
}

/* The moment of beginning parts what the stored requests tell from what is counted as it happens,
 * by the time of each event; it is one millisecond ahead because this batch's time is shared by
 * what was stored before. */
static bool begin_kind(struct operation *operation, unsigned parts, struct error *error)
{
    struct history_state *state = &operation->operations->history;
    int64_t newest;
    if (!store_newest_request(operation->store, &newest, error)) {
        return false;
    }
    struct history_kind *kind = &state->kinds[state->count++];
    *kind = (struct history_kind){.parts = parts,
                                  .since_at = newest == 0 ? operation->now : operation->now + 1,
                                  .cursor = newest == 0 ? 0 : -1};
    if (kind->cursor != 0) {
        operation_note_due(operation, operation->now);
    }
    return store_kind(operation, kind, error);
}

bool follow_history(struct operation *operation, const struct policy *policy, struct error *error)
{
    size_t count;
    const unsigned *wanted = policy_history_kinds(policy, &count);
    if (!drop_unwanted(operation, wanted, count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (find_kind(&operation->operations->history, wanted[i]) == NULL &&
            !begin_kind(operation, wanted[i], error)) {
            return false;
        }
    }
    return true;
}

/* ---- the past ---- */

static void add_past(struct happening *happening, enum policy_past past, int64_t at,
                     const struct history_kind *kind, int64_t now)
{
    if (at != 0 && at < kind->since_at && at >= now - POLICY_WINDOW_MS_MAX) {
        add(happening, past, at);
    }
}

static bool count_row(struct operation *operation, const struct history_kind *kind,
                      const struct past_row *row, struct error *error)
{
    int64_t now = operation->now;
    bool was_pending =
        row->created_at < kind->since_at && (row->ended_at == 0 || row->ended_at >= kind->since_at);
    struct happening happening = {.pending = was_pending ? 1 : 0};
    struct binding_history binding = {
        .tenant = row->tenant,
        .agent = row->agent_name,
        .action_name = row->action_name,
        .resource_key = row->resource_key,
        .subject_key = row->subject_key,
        .match_key = &row->match_key,
    };
    enum policy_past end;
    add_past(&happening, POLICY_PAST_ANY, row->created_at, kind, now);
    if (past_of_end(row->state, &end)) {
        add_past(&happening, end, row->ended_at, kind, now);
    }
    add_past(&happening, POLICY_PAST_REDEEMED, row->redeemed_at, kind, now);
    if (row->grant_state == GRANT_SUCCEEDED || row->grant_state == GRANT_FAILED) {
        add_past(&happening,
                 row->grant_state == GRANT_FAILED ? POLICY_PAST_FAILED : POLICY_PAST_SUCCEEDED,
                 row->effect_at, kind, now);
    }
    return count_in(operation, kind, &binding, NULL, &happening, error);
}

static struct history_kind *next_uncounted(struct history_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->kinds[i].cursor != 0) {
            return &state->kinds[i];
        }
    }
    return NULL;
}

/* Not before the moment of beginning is over: then every request it does not count is stored. */
static bool begin_cursor(struct operation *operation, struct history_kind *kind,
                         struct error *error)
{
    int64_t newest;
    if (kind->cursor != -1) {
        return true;
    }
    if (!store_newest_request(operation->store, &newest, error)) {
        return false;
    }
    kind->cursor = newest + 1;
    return true;
}

bool count_past_history(struct operation *operation, bool *out_has_more, struct error *error)
{
    struct history_kind *kind = next_uncounted(&operation->operations->history);
    struct past_row *rows;
    size_t count;
    *out_has_more = kind != NULL;
    if (kind == NULL || operation->now < kind->since_at) {
        return true;
    }
    if (!begin_cursor(operation, kind, error) ||
        !store_list_past(operation->store, kind->cursor, PAST_ROWS_A_STEP, operation->arena, &rows,
                         &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!count_row(operation, kind, &rows[i], error)) {
            return false;
        }
    }
    forget(operation);
    kind->cursor = count == PAST_ROWS_A_STEP ? rows[count - 1].row : 0;
    *out_has_more = next_uncounted(&operation->operations->history) != NULL;
    return store_kind(operation, kind, error);
}

bool purge_history(struct operation *operation, struct error *error)
{
    int64_t purged;
    return store_purge_history(operation->store, operation->now - POLICY_WINDOW_MS_MAX,
                               PURGED_ROWS_A_STEP, &purged, error);
}

/* ---- reading ---- */

static bool read_counts(struct history_reader *reader, const struct history_kind *kind)
{
    struct operation *operation = reader->operation;
    struct binding_history binding = binding_of(reader->request);
    struct history_row row;
    if (reader->parts == kind->parts) {
        return true;
    }
    if (reader->counts == NULL) {
        reader->counts = ARENA_NEW(operation->arena, struct request_history);
    }
    reader->parts = 0;
    if (!read_series(operation, kind, &binding, &reader->request->digest, &row, reader->counts,
                     &reader->error)) {
        reader->has_failed = true;
        return false;
    }
    remember(operation, kind->parts, &reader->request->digest, &row);
    reader->parts = kind->parts;
    return true;
}

/* When this request itself was counted as `past`; 0: it was not. An edit changes none of the parts:
 * the match key is of what was asked first. */
static int64_t own_moment(const struct request_row *request, enum policy_past past)
{
    enum policy_past end;
    if (request->id[0] == '\0') {
        return 0;
    }
    if (past == POLICY_PAST_ANY) {
        return request->created_at;
    }
    return past_of_end(request->state, &end) && end == past ? request->ended_at : 0;
}

static int64_t count_pending(const struct request_history *counts,
                             const struct request_row *request)
{
    bool is_own = request->id[0] != '\0' && request->state == REQUEST_PENDING;
    int64_t pending = counts->pending - (is_own ? 1 : 0);
    return pending < 0 ? 0 : pending;
}

/* ---- what was read, so that the same question has the same answer when the request is evaluated
 * again or redeemed: "parts past window count" and a semicolon each ---- */

enum { READ_MAX = 64 /* questions kept of one decision; further ones are counted anew */ };

static void keep_read(struct history_reader *reader, unsigned parts, enum policy_past past,
                      int64_t window_ms, int64_t count)
{
    if (reader->read_count < READ_MAX) {
        builder_printf(&reader->read, "%u %u %lld %lld;", parts, (unsigned)past,
                       (long long)window_ms, (long long)count);
        reader->read_count++;
    }
}

static bool find_read(const struct request_row *request, unsigned parts, enum policy_past past,
                      int64_t window_ms, int64_t *out_count)
{
    const char *at = request->id[0] == '\0' ? NULL : request->history_read;
    for (size_t i = 0; i < READ_MAX && at != NULL && *at != '\0'; i++) {
        long long numbers[4];
        char *end = NULL;
        for (size_t n = 0; n < 4; n++) {
            numbers[n] = strtoll(n == 0 ? at : end, &end, 10);
        }
        if (*end != ';') {
            return false;
        }
        if (numbers[0] == parts && numbers[1] == (long long)past && numbers[2] == window_ms) {
            *out_count = numbers[3];
            return true;
        }
        at = end + 1;
    }
    return false;
}

/* What came before the request was asked: redeeming it later asks the same question. */
static bool count_anew(struct history_reader *reader, unsigned parts, enum policy_past past,
                       int64_t window_ms, int64_t *out_count)
{
    const struct request_row *request = reader->request;
    const struct history_kind *kind = find_kind(&reader->operation->operations->history, parts);
    if (reader->has_failed || kind == NULL || kind->cursor != 0 || past >= POLICY_PAST_COUNT ||
        !read_counts(reader, kind)) {
        return false;
    }
    *out_count = past == POLICY_PAST_PENDING
                     ? count_pending(reader->counts, request)
                     : request_history_count(reader->counts, past, request->created_at - window_ms,
                                             request->created_at, own_moment(request, past));
    return true;
}

static bool count(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                  int64_t *out_count)
{
    struct history_reader *reader = context;
    if (find_read(reader->request, parts, past, window_ms, out_count)) {
        return true;
    }
    if (!count_anew(reader, parts, past, window_ms, out_count)) {
        return false;
    }
    keep_read(reader, parts, past, window_ms, *out_count);
    return true;
}

void open_history(struct history_reader *reader, struct operation *operation,
                  const struct request_row *request)
{
    *reader = (struct history_reader){.operation = operation, .request = request};
    builder_init(&reader->read, 0);
    reader->history = (struct policy_history){
        .count = count, .context = reader, .denials = request->near_denials};
}

bool close_history(struct history_reader *reader, const char **out_read, struct error *error)
{
    *out_read = reader->read_count == 0
                    ? NULL
                    : arena_copy(reader->operation->arena, reader->read.bytes, reader->read.length);
    builder_finish(&reader->read);
    return !reader->has_failed || error_set(error, reader->error.kind, reader->error.code, NULL,
                                            "%s", reader->error.message);
}
