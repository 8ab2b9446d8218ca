#include "api/api_internal.h"

#include "crypto/crypto.h"
#include "notifiers/webhook/task_callback.h"
#include "operations/evaluate_operations.h"
#include <stdio.h>
#include <string.h>

/* AuthZEN Access Request and Approval Profile, draft 1: asking for what an evaluation denied so
 * that it may be asked for. Each task is one request of ours, or several. */

/* ---- submit ---- */

/* The agent as ARAP's `client.actor` names it. A chain behind it is nothing a caller's credential
 * proves. */
static bool take_actor(struct api_call *call, const struct json *body, const char **out,
                       struct error *error)
{
    const struct json *actor = json_member(json_member(body, "client"), "actor");
    if (actor == NULL) {
        return true;
    }
    if (json_type(actor) != JSON_TYPE_OBJECT || json_member(actor, "act") != NULL) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/client/actor",
                         "`actor` must be an object `{\"id\": agent}` without an `act` of its own");
    }
    return api_take_text(call, actor, "id", true, NAME_BYTES - 1, out, error);
}

static bool take_denial(struct api_call *call, const struct json *holder, const char **out,
                        struct error *error)
{
    const struct json *denial = json_member(holder, "denial");
    const char *expires_at;
    if (denial == NULL) {
        return api_missing("denial", error);
    }
    return api_take_text(call, denial, "evaluation_id", true, ID_BYTES - 1, out, error) &&
           api_take_text(call, denial, "expires_at", true, 64, &expires_at, error);
}

static bool read_item(struct api_call *call, const struct json *item, const struct json *body,
                      const char *actor, struct task_item *out, struct error *error)
{
    struct evaluate_item asked = {0};
    if (json_type(item) != JSON_TYPE_OBJECT) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/items",
                         "an item must be an object with `resource`, `action` and `denial`");
    }
    if (!api_read_asked(call, item, body, &asked, error) ||
        !take_denial(call, item, &out->evaluation, error) ||
        !api_take_text(call, json_member(body, "context"), "business_justification", false,
                       API_WHY_BYTES_MAX, &asked.asked.why, error)) {
        return false;
    }
    if (actor != NULL && asked.asked.agent != NULL && strcmp(actor, asked.asked.agent) != 0) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/client/actor/id",
                         "`client.actor.id` and `subject.properties.act.sub` must name one agent");
    }
    out->asked = asked.asked;
    out->asked.agent = actor != NULL ? actor : asked.asked.agent;
    return true;
}

static bool refuse_events(struct error *error)
{
    return error_set(error, ERROR_INVALID, "wrong_type", "/callback/events",
                     "`events` must be an array of approved, denied, expired, cancelled, failed, "
                     "partial");
}

/* Which ends are told, as task_callback.events has them; all when nothing is said. */
static bool take_events(struct api_call *call, const struct json *callback, const char **out,
                        struct error *error)
{
    static const char *const ends[] = {"approved",  "denied", "expired",
                                       "cancelled", "failed", "partial"};
    enum { ENDS = sizeof ends / sizeof ends[0] };
    struct builder text BUILDER_SCOPE;
    const struct json *events = json_member(callback, "events");
    size_t count = events == NULL ? 0 : json_count(events);
    size_t known = 0;
    builder_init(&text, 0);
    builder_char(&text, ' ');
    if (events != NULL && (json_type(events) != JSON_TYPE_ARRAY || count == 0 || count > ENDS)) {
        return refuse_events(error);
    }
    for (size_t i = 0; i < ENDS; i++) {
        bool is_wanted = events == NULL;
        for (size_t j = 0; j < count; j++) {
            const char *word = json_text(json_element(events, j));
            is_wanted = is_wanted || (word != NULL && strcmp(word, ends[i]) == 0);
        }
        known += is_wanted;
        if (is_wanted) {
            builder_printf(&text, "%s ", ends[i]);
        }
    }
    *out = arena_copy(call->arena, text.bytes, text.length);
    return events == NULL || known == count || refuse_events(error);
}

static bool take_callback(struct api_call *call, const struct json *body, struct task_callback *out,
                          struct error *error)
{
    const struct json *callback = json_member(body, "callback");
    if (callback == NULL) {
        return true;
    }
    if (json_type(callback) != JSON_TYPE_OBJECT) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/callback",
                         "`callback` must be an object with an `endpoint`");
    }
    return api_take_inner_text(call, callback, "/callback", "endpoint",
                               TASK_CALLBACK_ENDPOINT_BYTES_MAX, &out->endpoint, error) &&
           api_take_text(call, callback, "state", false, TASK_CALLBACK_STATE_BYTES_MAX, &out->state,
                         error) &&
           take_events(call, callback, &out->events, error);
}

static struct sha256 hash_of(const struct json *body)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append(&text, body);
    return crypto_sha256(text.bytes, text.length);
}

static bool read_items(struct api_call *call, const struct json *body, const struct json *list,
                       struct task_input *input, struct error *error)
{
    const char *actor = NULL;
    size_t count = list == NULL ? 1 : json_count(list);
    if (list != NULL &&
        (json_type(list) != JSON_TYPE_ARRAY || count == 0 || count > TASK_ITEMS_MAX ||
         json_member(body, "resource") != NULL || json_member(body, "action") != NULL)) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/items",
                         "`items` must be an array of 1 to %d items, without `resource` and "
                         "`action` beside it",
                         TASK_ITEMS_MAX);
    }
    struct task_item *items = arena_array(call->arena, count, sizeof *items);
    if (!take_actor(call, body, &actor, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct json *item = list == NULL ? body : json_element(list, i);
        if (!read_item(call, item, body, actor, &items[i], error)) {
            return false;
        }
    }
    input->items = items;
    input->count = count;
    input->is_bulk = list != NULL;
    return true;
}

bool api_read_task_submit(struct api_call *call, struct error *error)
{
    struct task_input *input = ARENA_NEW(call->arena, struct task_input);
    const struct json *body = api_read_body(call, NULL, error);
    if (body == NULL || !take_callback(call, body, &input->callback, error) ||
        !read_items(call, body, json_member(body, "items"), input, error) ||
        !api_take_idempotency_key(call, &input->idempotency_key, error)) {
        return false;
    }
    input->body = hash_of(body);
    call->input = input;
    return true;
}

bool api_run_task_submit(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct task_view);
    return operation_submit_task(&call->operation, call->input, call->result, error);
}

/* ---- read and cancel ---- */

bool api_run_task(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct task_view);
    return operation_read_task(&call->operation, call->path_values[0], call->result, error);
}

bool api_read_task_cancel(struct api_call *call, struct error *error)
{
    size_t length;
    const char *why = NULL;
    const char *comment = NULL;
    http_body(call->exchange, &length);
    const struct json *body = length == 0 ? NULL : api_read_body(call, NULL, error);
    if (length > 0 &&
        (body == NULL ||
         !api_take_text(call, body, "reason", false, API_TEXT_BYTES_MAX, &why, error) ||
         !api_take_text(call, body, "comment", false, API_TEXT_BYTES_MAX, &comment, error))) {
        return false;
    }
    call->input = (void *)(uintptr_t)(why == NULL ? comment : why);
    return length > 0 || api_read_nothing(call, error);
}

bool api_run_task_cancel(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct task_view);
    return operation_cancel_task(&call->operation, call->path_values[0], call->input, call->result,
                                 error);
}

/* ---- answers ---- */

static void write_result(struct canonical_writer *writer, const struct request_view *item)
{
    if (item->request.state != REQUEST_APPROVED || !item->has_grant) {
        return;
    }
    canonical_name(writer, "result");
    canonical_open_object(writer);
    canonical_name(writer, "approval");
    canonical_open_object(writer);
    api_write_time(writer, "approved_at", item->grant.issued_at);
    api_write_time(writer, "approved_until", item->grant.claim_until);
    canonical_member_text(writer, "id", item->grant.id);
    canonical_close_object(writer);
    canonical_member_text(writer, "mode", "reevaluate");
    canonical_close_object(writer);
}

static void write_item(struct canonical_writer *writer, const struct request_view *item)
{
    const struct request_row *request = &item->request;
    canonical_open_object(writer);
    if (request->action != NULL) {
        canonical_member_raw(writer, "action", request->action, strlen(request->action));
    }
    if (request->resource != NULL) {
        canonical_member_raw(writer, "resource", request->resource, strlen(request->resource));
    }
    write_result(writer, item);
    canonical_member_text(writer, "status", task_state_name(task_state_of(request)));
    canonical_close_object(writer);
}

static void write_items(struct canonical_writer *writer, const struct task_view *task)
{
    canonical_name(writer, "items");
    canonical_open_array(writer);
    for (size_t i = 0; i < task->count; i++) {
        write_item(writer, &task->items[i]);
    }
    canonical_close_array(writer);
}

/* How it stands inside (who was asked, who voted) is not shown: blind votes stay blind. */
static void write_task(const struct api_call *call, struct canonical_writer *writer,
                       const struct task_view *task, const char *path)
{
    canonical_open_object(writer);
    if (!task->is_bulk) {
        write_result(writer, &task->items[0]);
    }
    canonical_name(writer, "task");
    canonical_open_object(writer);
    api_write_time(writer, "expires_at", task->expires_at);
    canonical_member_text(writer, "id", task->id);
    if (task->is_bulk) {
        write_items(writer, task);
    }
    if (task->state == TASK_PENDING) {
        char cancel[ID_BYTES + 64];
        snprintf(cancel, sizeof cancel, "%s/cancel", path);
        canonical_name(writer, "links");
        canonical_open_object(writer);
        api_write_address(call, writer, "cancel", cancel);
        canonical_close_object(writer);
    }
    canonical_member_text(writer, "status", task_state_name(task->state));
    api_write_address(call, writer, "status_endpoint", path);
    canonical_close_object(writer);
    canonical_close_object(writer);
}

static void answer_task(struct api_call *call, int status, bool has_location)
{
    const struct task_view *task = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    struct http_field fields[2];
    size_t count = 0;
    char path[ID_BYTES + 32];
    snprintf(path, sizeof path, "/access/v1/requests/%s", task->id);
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_task(call, &writer, task, path);
    if (has_location) {
        fields[count++] = (struct http_field){"Location", path};
    }
    if (task->state == TASK_PENDING) {
        fields[count++] = (struct http_field){"Retry-After", "5"};
    }
    api_answer_json(call, status, &body, fields, count);
    api_end_call(call);
}

void api_answer_task_submit(struct api_call *call)
{
    const struct task_view *task = call->result;
    answer_task(call, task->state == TASK_PENDING ? 202 : 201, true);
}

void api_answer_task(struct api_call *call)
{
    answer_task(call, 200, false);
}
