#include "operations/attention_operations.h"

#include "operations/request_internal.h"
#include "store/attention_rows.h"
#include <string.h>

static bool record_viewed(struct operation *operation, const struct request_row *request,
                          struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_seen(&data, request->revision, NULL);
    struct record record = {.type = LEDGER_REQUEST_VIEWED,
                            .tenant = request->tenant,
                            .request = request->id,
                            .data = &data};
    return record_entry(operation, &record, error);
}

bool operation_note_view(struct operation *operation, const struct view_input *input,
                         int64_t *out_at, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    *out_at = 0;
    if (!find_request(operation, input->request, &request, &facts, error) ||
        !authorize(operation, OPERATION_VIEW_REQUEST, &facts, input->request, error) ||
        !check_shown(operation, &request, input->revision, &input->digest, error)) {
        return false;
    }
    if (request.state != REQUEST_PENDING) {
        return true;
    }
    if (!store_find_view(operation->store, request.tenant, request.id, request.revision,
                         operation->principal.id, out_at, error)) {
        return false;
    }
    if (*out_at != 0) {
        return true;
    }
    *out_at = operation->now;
    return store_insert_view(operation->store, request.tenant, request.id, request.revision,
                             operation->principal.id, operation->now, error) &&
           record_viewed(operation, &request, error);
}

/* ---- "I'm on it" ---- */

enum { WATCH_TIMES_MAX = 50 }; /* each is an entry: a ledger is not to be filled */

static bool record_watched(struct operation *operation, const struct request_row *request,
                           int64_t until_at, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_watched(&data, until_at);
    struct record record = {.type = LEDGER_REQUEST_WATCHED,
                            .tenant = request->tenant,
                            .request = request->id,
                            .data = &data};
    operation_change_note(operation, request);
    return record_entry(operation, &record, error);
}

static bool store_watch(struct operation *operation, const struct request_row *request,
                        struct watch_row *watch, struct error *error)
{
    if (watch->times >= WATCH_TIMES_MAX) {
        return error_set(error, ERROR_LIMIT, "too_many_watches", request->id,
                         "you have said %d times that you are on it or not, the most there may be",
                         WATCH_TIMES_MAX);
    }
    watch->times++;
    return store_put_watch(operation->store, request->tenant, watch, error) &&
           record_watched(operation, request, watch->until_at, error);
}

static bool end_watch(struct operation *operation, const struct request_row *request,
                      struct watch_row *watch, struct error *error)
{
    if (watch->until_at <= operation->now) {
        return true;
    }
    watch->until_at = operation->now;
    return store_watch(operation, request, watch, error);
}

/* Saying it again in the first half of its time is no news. */
static bool begin_watch(struct operation *operation, const struct request_row *request,
                        struct watch_row *watch, int64_t *out_until, struct error *error)
{
    int64_t lasts_ms = operation->operations->options.watch_ms;
    if (request->state != REQUEST_PENDING) {
        return error_set(error, ERROR_CONFLICT, "already_ended", request->id,
                         "the request is %s: there is nothing to look at any more",
                         request_state_name(request->state));
    }
    *out_until = watch->until_at;
    if (watch->until_at - operation->now > lasts_ms / 2) {
        return true;
    }
    watch->since_at = watch->until_at > operation->now ? watch->since_at : operation->now;
    *out_until = watch->until_at = operation->now + lasts_ms;
    return store_watch(operation, request, watch, error);
}

bool operation_watch_request(struct operation *operation, const char *id, bool watches,
                             int64_t *out_until, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    struct watch_row watch = {0};
    bool is_known;
    *out_until = 0;
    if (!find_request(operation, id, &request, &facts, error) ||
        !authorize(operation, OPERATION_WATCH_REQUEST, &facts, id, error) ||
        !store_find_watch(operation->store, request.tenant, request.id, operation->principal.id,
                          operation->arena, &watch, &is_known, error)) {
        return false;
    }
    memcpy(watch.request, request.id, sizeof watch.request);
    memcpy(watch.person, operation->principal.id, sizeof watch.person);
    memcpy(watch.person_name, operation->principal.name, sizeof watch.person_name);
    return watches ? begin_watch(operation, &request, &watch, out_until, error)
                   : end_watch(operation, &request, &watch, error);
}
