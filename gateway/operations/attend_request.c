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

static bool find_own(struct operation *operation, const struct request_row *request,
                     struct watch_row *out, bool *out_found, struct error *error)
{
    struct watch_row *watches;
    size_t count;
    *out_found = false;
    if (!store_list_watches(operation->store, request->tenant, request->id, operation->now,
                            operation->arena, &watches, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(watches[i].person, operation->principal.id) == 0) {
            *out = watches[i];
            *out_found = true;
        }
    }
    return true;
}

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

/* Saying it again in the first half of its time is no news. */
static bool begin_watch(struct operation *operation, const struct request_row *request,
                        const struct watch_row *known, int64_t *out_until, struct error *error)
{
    int64_t lasts_ms = operation->operations->options.watch_ms;
    struct watch_row watch = {.since_at = operation->now, .until_at = operation->now + lasts_ms};
    if (known != NULL && known->until_at - operation->now > lasts_ms / 2) {
        *out_until = known->until_at;
        return true;
    }
    memcpy(watch.request, request->id, sizeof watch.request);
    memcpy(watch.person, operation->principal.id, sizeof watch.person);
    memcpy(watch.person_name, operation->principal.name, sizeof watch.person_name);
    if (known != NULL) {
        watch.since_at = known->since_at;
    }
    *out_until = watch.until_at;
    return store_put_watch(operation->store, request->tenant, &watch, error) &&
           record_watched(operation, request, watch.until_at, error);
}

bool operation_watch_request(struct operation *operation, const char *id, bool watches,
                             int64_t *out_until, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    struct watch_row known;
    bool is_known;
    *out_until = 0;
    if (!find_request(operation, id, &request, &facts, error) ||
        !authorize(operation, OPERATION_WATCH_REQUEST, &facts, id, error) ||
        !find_own(operation, &request, &known, &is_known, error)) {
        return false;
    }
    if (!watches) {
        return !is_known || (store_delete_watch(operation->store, request.tenant, request.id,
                                                operation->principal.id, error) &&
                             record_watched(operation, &request, operation->now, error));
    }
    if (request.state != REQUEST_PENDING) {
        return error_set(error, ERROR_CONFLICT, "already_ended", request.id,
                         "the request is %s: there is nothing to look at any more",
                         request_state_name(request.state));
    }
    return begin_watch(operation, &request, is_known ? &known : NULL, out_until, error);
}
