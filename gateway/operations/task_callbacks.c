#include "operations/task_internal.h"

#include "formats/canonical.h"
#include "notifiers/webhook/task_callback.h"
#include "operations/notice_internal.h"
#include <string.h>

/* Callbacks of tasks: who asked for several things at once, or does not want to poll, is told of
 * the end. The operator says whose tasks may have one and where it may lead. What is told is the
 * status alone, as a hint to look: approvals are fetched by who may. */

bool task_callback_leads(const struct operations_channel *channel, const char *endpoint)
{
    return task_callback_allows(endpoint, channel->hosts, channel->host_count,
                                channel->allows_http);
}

static bool serves_caller(const struct operations_channel *channel, const struct principal *caller)
{
    bool is_served = false;
    for (size_t i = 0; i < channel->caller_count && !is_served; i++) {
        is_served = strcmp(channel->callers[i], caller->name) == 0;
    }
    return is_served && channel_is_of(channel, caller->tenant);
}

bool admit_task_callback(struct operation *operation, const struct task_callback *asked,
                         struct task_row *out, struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    out->callback = out->callback_channel = out->callback_events = "";
    out->callback_state = NULL;
    if (asked->endpoint == NULL) {
        return true;
    }
    for (size_t i = 0; i < options->channel_count; i++) {
        const struct operations_channel *channel = &options->channels[i];
        if (channel->notifier->calls_back && serves_caller(channel, &operation->principal) &&
            task_callback_leads(channel, asked->endpoint)) {
            out->callback = asked->endpoint;
            out->callback_channel = channel->name;
            out->callback_events = asked->events;
            out->callback_state = asked->state;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "callback_not_offered", "/callback/endpoint",
                     "tasks of `%s` are not called back there: poll the status, or have the "
                     "operator configure a channel of kind `callback` for this caller and host",
                     operation->principal.name);
}

bool is_same_task_callback(const struct task_callback *asked, const struct task_row *task)
{
    bool is_same_state = asked->state == NULL ? task->callback_state == NULL
                                              : task->callback_state != NULL &&
                                                    strcmp(asked->state, task->callback_state) == 0;
    return asked->endpoint == NULL ||
           (strcmp(asked->endpoint, task->callback) == 0 && is_same_state &&
            strcmp(asked->events, task->callback_events) == 0);
}

/* ---- telling ---- */

static const char *payload_of(struct operation *operation, const struct task_row *task,
                              const char *status)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "state", task->callback_state);
    canonical_name(&writer, "task");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "id", task->id);
    canonical_member_text(&writer, "status", status);
    canonical_member_text(&writer, "status_endpoint",
                          arena_printf(operation->arena, "%s/access/v1/requests/%s",
                                       operation->operations->options.issuer, task->id));
    canonical_close_object(&writer);
    canonical_close_object(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

/* How the task stands now that `ended`, whose row may not be stored yet, is over. */
static bool find_state(struct operation *operation, const struct task_row *task,
                       const struct request_row *ended, enum task_state *out, struct error *error)
{
    const char **requests = NULL;
    size_t count = 0;
    *out = TASK_NONE;
    if (!store_list_task_requests(operation->store, task->tenant, task->id, operation->arena,
                                  &requests, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && *out != TASK_PENDING; i++) {
        struct request_row other;
        bool is_ended = strcmp(requests[i], ended->id) == 0;
        if (!is_ended && !store_read_request(operation->store, task->tenant, requests[i],
                                             operation->arena, &other, error)) {
            return false;
        }
        *out = task_state_join(*out, task_state_of(is_ended ? ended : &other));
    }
    return true;
}

static bool tell_task(struct operation *operation, const struct task_row *task,
                      const struct request_row *ended, struct error *error)
{
    enum task_state state = TASK_NONE;
    if (!find_state(operation, task, ended, &state, error)) {
        return false;
    }
    const char *status = task_state_name(state);
    const char *word = arena_printf(operation->arena, " %s ", status);
    if (state == TASK_PENDING || strstr(task->callback_events, word) == NULL) {
        return true;
    }
    struct notice_row notice = {.channel = task->callback_channel,
                                .event = arena_printf(operation->arena, "task.%s", status),
                                .request = ended->id,
                                .recipient = task->callback,
                                .line = "",
                                .payload = payload_of(operation, task, status)};
    return insert_notice(operation, task->tenant, &notice, error);
}

static bool has_callbacks(const struct operations_options *options)
{
    bool has_any = false;
    for (size_t i = 0; i < options->channel_count && !has_any; i++) {
        has_any = options->channels[i].notifier->calls_back;
    }
    return has_any;
}

bool tell_tasks(struct operation *operation, const struct request_row *request, struct error *error)
{
    struct task_row *tasks = NULL;
    size_t count = 0;
    if (!has_callbacks(&operation->operations->options)) {
        return true;
    }
    if (!store_list_told_tasks(operation->store, request->tenant, request->id, operation->arena,
                               &tasks, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!tell_task(operation, &tasks[i], request, error)) {
            return false;
        }
    }
    return true;
}
