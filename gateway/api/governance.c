#include "api/api_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "operations/grant_operations.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Freezes, the policy in force, recovery. */

static const char *const freeze_members[] = {"scope", "target", "reason", NULL};
static const char *const recover_members[] = {"reason", "trust_credentials", NULL};

/* ---- freezes ---- */

static const struct {
    const char *name;
    enum freeze_scope scope;
    bool has_target;
} scopes[] = {
    {"everything", FREEZE_EVERYTHING, false},
    {"tenant", FREEZE_TENANT, false},
    {"agent", FREEZE_AGENT, true},
    {"action", FREEZE_ACTION, true},
};

static bool read_scope(const char *name, const char *target, enum freeze_scope *out,
                       struct error *error)
{
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (strcmp(scopes[i].name, name) != 0) {
            continue;
        }
        *out = scopes[i].scope;
        return (target != NULL) == scopes[i].has_target ||
               error_set(error, ERROR_INVALID, "wrong_target", "/target",
                         scopes[i].has_target
                             ? "this scope needs `target`: an agent's name or an action pattern"
                             : "this scope takes no `target`");
    }
    return error_set(error, ERROR_INVALID, "wrong_type", "/scope",
                     "`scope` must be everything, tenant, agent or action");
}

bool api_read_freeze(struct api_call *call, struct error *error)
{
    struct freeze_input *input = ARENA_NEW(call->arena, struct freeze_input);
    const struct json *body = api_read_body(call, freeze_members, error);
    const char *scope;
    call->input = input;
    return body != NULL && api_take_text(call, body, "scope", true, 16, &scope, error) &&
           api_take_text(call, body, "target", false, 200, &input->target, error) &&
           api_take_text(call, body, "reason", true, API_TEXT_BYTES_MAX, &input->reason, error) &&
           read_scope(scope, input->target, &input->scope, error);
}

bool api_run_freeze(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct freeze_row);
    return operation_freeze(&call->operation, call->input, call->result, error);
}

bool api_run_thaw(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct freeze_row);
    return operation_thaw(&call->operation, call->path_values[0], call->result, error);
}

static void write_freeze(struct canonical_writer *writer, const struct freeze_row *freeze)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "by", freeze->by);
    canonical_member_text(writer, "id", freeze->id);
    canonical_member_text(writer, "reason", freeze->reason);
    canonical_member_text(writer, "scope", scopes[freeze->scope - 1].name);
    api_write_time(writer, "since", freeze->since_at);
    canonical_member_text(writer, "target",
                          freeze->target == NULL || freeze->target[0] == '\0' ? NULL
                                                                              : freeze->target);
    canonical_member_text(writer, "thawed_by", freeze->thawed_by);
    api_write_time(writer, "until", freeze->until_at);
    canonical_close_object(writer);
}

void api_answer_freeze(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_freeze(&writer, call->result);
    api_tell_live(call->api, "freeze");
    api_answer_json(call, call->route->run == api_run_freeze ? 201 : 200, &body, NULL, 0);
    api_end_call(call);
}

struct freezes_answer {
    struct freeze_row *rows;
    size_t count;
};

bool api_run_list_freezes(struct api_call *call, struct error *error)
{
    struct freezes_answer *answer = ARENA_NEW(call->arena, struct freezes_answer);
    call->result = answer;
    return operation_list_freezes(&call->operation, &answer->rows, &answer->count, error);
}

void api_answer_freezes(struct api_call *call)
{
    const struct freezes_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "freezes");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_freeze(&writer, &answer->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- the policy in force ---- */

struct publish_input {
    struct policy *policy; /* owned until the operation takes it */
    const char *files;
    bool changed;
    char version[POLICY_VERSION_BYTES];
};

/* The loop and a worker load the folder; what was wrong with it is shown until it loads again. */
static void note_folder(struct api *api, const struct error *error)
{
    pthread_mutex_lock(&api->folder_lock);
    if (error == NULL) {
        api->folder_error[0] = '\0';
    } else if (error->line > 0) {
        snprintf(api->folder_error, sizeof api->folder_error, "%s:%d:%d: %s", error->subject,
                 error->line, error->column, error->message);
    } else {
        snprintf(api->folder_error, sizeof api->folder_error, "%s", error->message);
    }
    pthread_mutex_unlock(&api->folder_lock);
    metrics_set(api->options.metrics, METRIC_POLICY_STALE, error != NULL);
}

const char *api_folder_error(struct api_call *call)
{
    struct api *api = call->api;
    pthread_mutex_lock(&api->folder_lock);
    const char *text =
        api->folder_error[0] == '\0' ? NULL : arena_text(call->arena, api->folder_error);
    pthread_mutex_unlock(&api->folder_lock);
    return text;
}

static bool load_policy(struct api *api, struct arena *arena, struct publish_input *input,
                        struct error *error)
{
    metrics_add(api->options.metrics, METRIC_POLICY_RELOADS, 1);
    input->policy = api->options.load_policy(api->options.context, arena, &input->files, error);
    note_folder(api, input->policy == NULL ? error : NULL);
    if (input->policy == NULL) {
        metrics_add(api->options.metrics, METRIC_POLICY_RELOAD_FAILURES, 1);
        log_error(LOG_LEVEL_ERROR, "policy_reload_failed", error);
        return false;
    }
    strcpy(input->version, policy_version(input->policy));
    return true;
}

static bool publish(struct operation *operation, struct publish_input *input, struct error *error)
{
    struct policy *policy = input->policy;
    input->policy = NULL;
    return operation_publish_policy(operation, policy, input->files, &input->changed, error);
}

bool api_read_reload(struct api_call *call, struct error *error)
{
    call->input = ARENA_NEW(call->arena, struct publish_input);
    return api_read_nothing(call, error);
}

/* Before a file is read: what is in them, and what is wrong with them, is for those who publish. */
bool api_look_reload(struct api_call *call, struct error *error)
{
    return operation_may_publish_policy(&call->operation, error);
}

bool api_work_reload(struct api_call *call, struct error *error)
{
    struct error cause = {0};
    if (load_policy(call->api, call->arena, call->input, &cause)) {
        return true;
    }
    /* What was sent is fine: the files are not. */
    if (cause.line == 0) {
        return error_set(error, ERROR_CONFLICT, "policy_invalid", NULL,
                         "%s; the former policy stays in force", cause.message);
    }
    return error_set(error, ERROR_CONFLICT, "policy_invalid", NULL,
                     "%s:%d:%d: %s; the former policy stays in force", cause.subject, cause.line,
                     cause.column, cause.message);
}

void api_drop_reload(struct api_call *call)
{
    struct publish_input *input = call->input;
    if (input != NULL) {
        policy_destroy(input->policy);
    }
}

bool api_run_publish(struct api_call *call, struct error *error)
{
    return publish(&call->operation, call->input, error);
}

void api_answer_publish(struct api_call *call)
{
    const struct publish_input *input = call->input;
    api_tell_live(call->api, "policy");
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "changed", input->changed);
    canonical_member_text(&writer, "version", input->version);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* SIGHUP: the same publication, asked for by the machine. */
struct reload_call {
    struct store_job job;
    struct api *api;
    struct arena *arena;
    struct operation operation;
    struct publish_input input;
};

static bool run_reload(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct reload_call *reload = (struct reload_call *)job;
    operation_begin_system(&reload->operation, reload->api->options.operations, store,
                           reload->arena, now);
    return publish(&reload->operation, &reload->input, error);
}

static void end_reload(struct reload_call *reload)
{
    policy_destroy(reload->input.policy);
    arena_destroy(reload->arena);
    free(reload);
}

static void finish_reload(struct store_job *job, bool ok, const struct error *error)
{
    struct reload_call *reload = (struct reload_call *)job;
    if (ok) {
        api_tell_changes(reload->api, &reload->operation);
        api_tell_live(reload->api, "policy");
        LOG(LOG_LEVEL_INFO, "policy_published", LOG_TEXT("version", reload->input.version),
            LOG_NUMBER("changed", reload->input.changed));
    } else {
        log_error(LOG_LEVEL_ERROR, "policy_reload_failed", error);
    }
    end_reload(reload);
}

void api_reload_policy(struct api *api)
{
    struct error error = {0};
    struct reload_call *reload = memory_zeroed(1, sizeof *reload);
    reload->api = api;
    reload->arena = arena_create();
    reload->job.run = run_reload;
    reload->job.done = finish_reload;
    if (!load_policy(api, reload->arena, &reload->input, &error)) {
        end_reload(reload);
        return;
    }
    if (!store_writer_submit(api->options.writer, &reload->job, &error)) {
        log_error(LOG_LEVEL_ERROR, "policy_reload_failed", &error);
        end_reload(reload);
    }
}

/* ---- recovery after a rollback ---- */

struct recover_input {
    const char *reason;
    bool trusts_credentials;
    int64_t enabled;
};

bool api_read_recover(struct api_call *call, struct error *error)
{
    struct recover_input *input = ARENA_NEW(call->arena, struct recover_input);
    const struct json *body = api_read_body(call, recover_members, error);
    call->input = input;
    return body != NULL &&
           api_take_text(call, body, "reason", true, API_TEXT_BYTES_MAX, &input->reason, error) &&
           api_take_bool(body, "trust_credentials", &input->trusts_credentials, error);
}

bool api_run_recover(struct api_call *call, struct error *error)
{
    struct recover_input *input = call->input;
    return operation_recover(&call->operation, input->trusts_credentials, input->reason,
                             &input->enabled, error);
}

void api_answer_recover(struct api_call *call)
{
    const struct recover_input *input = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_integer(&writer, "credentials_enabled", input->enabled);
    canonical_member_bool(&writer, "recovered", true);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
