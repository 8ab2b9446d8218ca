#include "api/api_internal.h"

#include "api/policies_internal.h"
#include "formats/text.h"
#include <string.h>

/* Versions of the policy, and what files or another version would decide. Nothing here changes the
 * policy in force. Compiling and deciding cost CPU: a worker does it. */

static const char *const list_parameters[] = {"before", "limit", NULL};
static const char *const check_members[] = {"files", NULL};
static const char *const explain_members[] = {"request", "files", "version", NULL};
static const char *const simulate_members[] = {"subject",  "agent",   "caller",  "action",
                                               "resource", "context", "files",   "version",
                                               "now",      "history", "denials", NULL};
static const char *const count_members[] = {"parts", "outcome", "window", "count", NULL};

enum { COUNTS_MAX = 64, PARTS_MAX = 5 };

/* ---- which policy: the files sent, a version, or the one in force ---- */

static bool check_version(const char *version, struct error *error)
{
    bool is_version =
        version == NULL || (strlen(version) == POLICY_VERSION_BYTES - 1 &&
                            strspn(version, "0123456789abcdef") == POLICY_VERSION_BYTES - 1);
    return is_version || error_set(error, ERROR_INVALID, "bad_version", "/version",
                                   "`version` is 64 hexadecimal digits");
}

bool api_take_policy(struct api_call *call, const struct json *body, struct policy_choice *out,
                     struct error *error)
{
    const struct json *files;
    if (!api_take_object(call, body, "files", false, &out->files, &files, error) ||
        !api_take_text(call, body, "version", false, POLICY_VERSION_BYTES - 1, &out->version,
                       error) ||
        !check_version(out->version, error)) {
        return false;
    }
    out->is_sent = out->files != NULL;
    return out->files == NULL || out->version == NULL ||
           error_set(error, ERROR_INVALID, "ambiguous_policy", "/version",
                     "name `files` or `version`, not both; neither means the policy in force");
}

bool api_look_policy(struct api_call *call, struct policy_choice *choice, struct error *error)
{
    struct policy_row row;
    if (choice->is_sent) {
        return operation_may_read_policies(&call->operation, error);
    }
    if (!operation_read_policy(&call->operation, choice->version, &row, error)) {
        return false;
    }
    choice->files = row.files;
    return true;
}

bool api_compile_policy(struct api_call *call, struct policy_choice *choice, struct error *error)
{
    struct error cause = {0};
    choice->policy = operations_compile_policy(choice->files, call->arena, &cause);
    if (choice->policy != NULL) {
        return true;
    }
    return cause.line == 0
               ? error_set(error, ERROR_INVALID, "policy_invalid", "/files", "%s", cause.message)
               : error_set(error, ERROR_INVALID, "policy_invalid", "/files", "%s:%d:%d: %s",
                           cause.subject, cause.line, cause.column, cause.message);
}

/* ---- GET /v1/policies ---- */

struct versions_input {
    int64_t before;
    size_t limit;
};

bool api_read_policies(struct api_call *call, struct error *error)
{
    struct versions_input *input = ARENA_NEW(call->arena, struct versions_input);
    call->input = input;
    return api_only_parameters(call, list_parameters, error) &&
           api_take_number(call, "before", 0, &input->before, error) &&
           api_take_limit(call, &input->limit, error);
}

bool api_run_policies(struct api_call *call, struct error *error)
{
    const struct versions_input *input = call->input;
    call->result = ARENA_NEW(call->arena, struct policy_versions);
    return operation_list_policies(&call->operation, input->before, input->limit, call->result,
                                   error);
}

static void write_version(struct canonical_writer *writer, const struct policy_row *row,
                          const char *in_force)
{
    canonical_open_object(writer);
    canonical_member_bool(writer, "in_force", strcmp(row->version, in_force) == 0);
    api_write_time(writer, "published_at", row->published_at);
    canonical_member_text(writer, "published_by", row->published_by);
    canonical_member_text(writer, "version", row->version);
    canonical_close_object(writer);
}

void api_answer_policies(struct api_call *call)
{
    const struct policy_versions *versions = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "chosen", versions->chosen);
    canonical_member_text(&writer, "folder_error", api_folder_error(call));
    canonical_member_text(&writer, "in_force",
                          versions->in_force[0] == '\0' ? NULL : versions->in_force);
    if (versions->next != 0) {
        canonical_member_integer(&writer, "next", versions->next);
    }
    canonical_name(&writer, "versions");
    canonical_open_array(&writer);
    for (size_t i = 0; i < versions->count; i++) {
        write_version(&writer, &versions->rows[i], versions->in_force);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- GET /v1/policies/versions/{} ---- */

bool api_run_policy(struct api_call *call, struct error *error)
{
    const char *version = call->path_values[0];
    call->result = ARENA_NEW(call->arena, struct policy_row);
    return operation_read_policy(
        &call->operation, strcmp(version, "in-force") == 0 ? NULL : version, call->result, error);
}

void api_answer_policy(struct api_call *call)
{
    const struct policy_row *row = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_raw(&writer, "files", row->files, strlen(row->files));
    api_write_time(&writer, "published_at", row->published_at);
    canonical_member_text(&writer, "published_by", row->published_by);
    canonical_member_text(&writer, "version", row->version);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- POST /v1/policies/check ---- */

struct check_input {
    struct policy_choice choice;
    struct error cause; /* why the files do not load */
};

bool api_read_check(struct api_call *call, struct error *error)
{
    struct check_input *input = ARENA_NEW(call->arena, struct check_input);
    const struct json *body = api_read_body(call, check_members, error);
    call->input = input;
    if (body == NULL || !api_take_policy(call, body, &input->choice, error)) {
        return false;
    }
    return input->choice.is_sent || api_missing("files", error);
}

bool api_look_check(struct api_call *call, struct error *error)
{
    return operation_may_read_policies(&call->operation, error);
}

/* Files that do not load are an answer, not an error. */
bool api_work_check(struct api_call *call, struct error *error)
{
    struct check_input *input = call->input;
    (void)error;
    input->choice.policy =
        operations_compile_policy(input->choice.files, call->arena, &input->cause);
    return true;
}

void api_drop_check(struct api_call *call)
{
    struct check_input *input = call->input;
    if (input != NULL) {
        policy_destroy(input->choice.policy);
    }
}

static void write_cause(struct canonical_writer *writer, const struct error *cause)
{
    canonical_name(writer, "error");
    canonical_open_object(writer);
    canonical_member_text(writer, "code", cause->code);
    if (cause->line > 0) {
        canonical_member_integer(writer, "column", cause->column);
        canonical_member_text(writer, "file", cause->subject);
        canonical_member_integer(writer, "line", cause->line);
    }
    canonical_member_text(writer, "message", cause->message);
    canonical_close_object(writer);
}

void api_answer_check(struct api_call *call)
{
    const struct check_input *input = call->input;
    const struct policy *policy = input->choice.policy;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    if (policy == NULL) {
        write_cause(&writer, &input->cause);
    } else {
        canonical_member_integer(&writer, "rules", (int64_t)policy_rule_count(policy));
    }
    canonical_member_bool(&writer, "valid", policy != NULL);
    canonical_member_text(&writer, "version", policy == NULL ? NULL : policy_version(policy));
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- POST /v1/policies/simulate and explain: one decision ---- */

/* One number of history that a simulation is told. */
struct told_count {
    unsigned parts;
    enum policy_past past;
    int64_t window_ms; /* 0: any */
    int64_t count;
};

struct trial_input {
    struct policy_choice choice;
    const char *request; /* explain: its id */
    const char *stored;  /* explain: the explanation kept with it; NULL when there is none */
    struct policy_input input;
    bool tells_history;
    struct told_count counts[COUNTS_MAX];
    size_t count_count;
    struct policy_history history;
    struct policy_decision decision;
};

/* What is not told did not happen; without `history` nothing is known. */
static bool count_told(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                       int64_t *out_count)
{
    const struct trial_input *input = context;
    for (size_t i = 0; i < input->count_count; i++) {
        const struct told_count *told = &input->counts[i];
        if (told->parts == parts && told->past == past &&
            (told->window_ms == 0 || told->window_ms == window_ms)) {
            *out_count = told->count;
            return true;
        }
    }
    *out_count = 0;
    return true;
}

static bool take_parts(struct api_call *call, const struct json *body, unsigned *out,
                       struct error *error)
{
    const char **names;
    size_t count;
    if (!api_take_texts(call, body, "parts", PARTS_MAX, &names, &count, error)) {
        return false;
    }
    *out = count == 0 ? POLICY_HISTORY_DEFAULT : 0;
    for (size_t i = 0; i < count; i++) {
        enum policy_history_part part;
        if (!policy_history_part_read(names[i], &part)) {
            return error_set(error, ERROR_INVALID, "unknown_part", "/history",
                             "`%s` is no part of history: write agent, action, resource, subject "
                             "or digest",
                             names[i]);
        }
        *out |= (unsigned)part;
    }
    return true;
}

static bool take_count(struct api_call *call, const struct json *body, struct told_count *out,
                       struct error *error)
{
    const char *outcome;
    if (!json_only_members(body, "/history", count_members, error) ||
        !take_parts(call, body, &out->parts, error) ||
        !api_take_text(call, body, "outcome", false, 32, &outcome, error) ||
        !api_take_duration(call, body, "window", &out->window_ms, error) ||
        !api_take_integer(body, "count", true, 0, INT32_MAX, &out->count, error)) {
        return false;
    }
    return policy_past_read(outcome == NULL ? "any" : outcome, &out->past) ||
           error_set(error, ERROR_INVALID, "unknown_outcome", "/history",
                     "`%s` is no outcome: write any, pending, approved, denied, expired, "
                     "cancelled, redeemed, succeeded or failed",
                     outcome);
}

static bool take_history(struct api_call *call, const struct json *body, struct trial_input *input,
                         struct error *error)
{
    const struct json *list = json_member(body, "history");
    input->history.denials = -1;
    if (list != NULL && (json_type(list) != JSON_TYPE_ARRAY || json_count(list) > COUNTS_MAX)) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/history",
                         "`history` must be an array of at most %d counts", COUNTS_MAX);
    }
    for (size_t i = 0; i < json_count(list); i++) {
        if (!take_count(call, json_element(list, i), &input->counts[i], error)) {
            return false;
        }
        input->count_count = i + 1;
    }
    input->tells_history = list != NULL;
    return api_take_integer(body, "denials", false, 0, INT32_MAX, &input->history.denials, error);
}

static bool take_now(struct api_call *call, const struct json *body, int64_t *out,
                     struct error *error)
{
    const char *text;
    if (!api_take_text(call, body, "now", false, TIME_TEXT_BYTES, &text, error)) {
        return false;
    }
    *out = call->api->wall_now;
    return text == NULL || text_read_time(text, out) ||
           error_set(error, ERROR_INVALID, "wrong_type", "/now",
                     "`now` must be a time such as 2026-11-24T06:24:23.123Z");
}

bool api_read_simulate(struct api_call *call, struct error *error)
{
    struct trial_input *input = ARENA_NEW(call->arena, struct trial_input);
    const struct json *body = api_read_body(call, simulate_members, error);
    struct policy_input *asked = &input->input;
    call->input = input;
    return body != NULL && api_take_policy(call, body, &input->choice, error) &&
           api_take_entity(call, body, "subject", true, &asked->subject_json, &asked->subject,
                           error) &&
           api_take_text(call, body, "agent", false, NAME_BYTES - 1, &asked->agent, error) &&
           api_take_text(call, body, "caller", false, NAME_BYTES - 1, &asked->caller, error) &&
           api_take_action(call, body, &asked->action_json, &asked->action, error) &&
           api_take_entity(call, body, "resource", true, &asked->resource_json, &asked->resource,
                           error) &&
           api_take_context(call, body, true, &asked->context_json, error) &&
           take_now(call, body, &asked->now, error) && take_history(call, body, input, error);
}

bool api_look_simulate(struct api_call *call, struct error *error)
{
    struct trial_input *input = call->input;
    input->input.tenant = call->operation.principal.tenant;
    return api_look_policy(call, &input->choice, error);
}

bool api_work_trial(struct api_call *call, struct error *error)
{
    struct trial_input *input = call->input;
    if (!api_compile_policy(call, &input->choice, error)) {
        return false;
    }
    input->history.count = input->tells_history ? count_told : NULL;
    input->history.context = input;
    input->input.history = &input->history;
    policy_decide(input->choice.policy, &input->input, call->arena, NULL, NULL, &input->decision);
    return true;
}

/* Compiled and decided by then; who asks must still be let. */
bool api_run_trial(struct api_call *call, struct error *error)
{
    return operation_may_read_policies(&call->operation, error);
}

void api_drop_trial(struct api_call *call)
{
    struct trial_input *input = call->input;
    if (input != NULL) {
        policy_destroy(input->choice.policy);
    }
}

static void write_requirements(struct canonical_writer *writer,
                               const struct policy_decision *decision)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    policy_requirements_append(&text, decision->requirements, decision->requirement_count);
    canonical_member_raw(writer, "requirements", text.bytes, text.length);
}

static void write_decision(struct canonical_writer *writer, const struct trial_input *input)
{
    const struct policy_decision *decision = &input->decision;
    canonical_open_object(writer);
    canonical_member_raw(writer, "explanation", decision->explanation,
                         decision->explanation_length);
    canonical_member_text(writer, "message", decision->message);
    if (decision->verdict == POLICY_REQUIRE_APPROVAL) {
        write_requirements(writer, decision);
    }
    canonical_member_text(writer, "risk", policy_risk_name(decision->risk));
    canonical_member_text(writer, "verdict", policy_verdict_name(decision->verdict));
    canonical_member_text(writer, "version", policy_version(input->choice.policy));
    canonical_close_object(writer);
}

void api_answer_simulate(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_decision(&writer, call->input);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_read_explain(struct api_call *call, struct error *error)
{
    struct trial_input *input = ARENA_NEW(call->arena, struct trial_input);
    const struct json *body = api_read_body(call, explain_members, error);
    call->input = input;
    return body != NULL && api_take_policy(call, body, &input->choice, error) &&
           api_take_text(call, body, "request", true, ID_BYTES - 1, &input->request, error);
}

bool api_look_explain(struct api_call *call, struct error *error)
{
    struct trial_input *input = call->input;
    struct request_row *row = ARENA_NEW(call->arena, struct request_row);
    if (!operation_read_past_request(&call->operation, input->request, row, &input->input, error)) {
        return false;
    }
    input->stored = row->explanation;
    input->history.denials = row->near_denials;
    return api_look_policy(call, &input->choice, error);
}

void api_answer_explain(struct api_call *call)
{
    const struct trial_input *input = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "decision");
    write_decision(&writer, input);
    canonical_member_text(&writer, "request", input->request);
    if (input->stored != NULL) {
        canonical_member_raw(&writer, "stored", input->stored, strlen(input->stored));
    }
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- POST /v1/policies/versions/{}/rollback ---- */

struct rollback_input {
    struct policy_choice choice;
    bool changed;
};

bool api_read_rollback(struct api_call *call, struct error *error)
{
    struct rollback_input *input = ARENA_NEW(call->arena, struct rollback_input);
    input->choice.version = call->path_values[0];
    call->input = input;
    return api_read_nothing(call, error);
}

bool api_look_rollback(struct api_call *call, struct error *error)
{
    struct rollback_input *input = call->input;
    return operation_may_roll_back_policy(&call->operation, error) &&
           api_look_policy(call, &input->choice, error);
}

bool api_work_rollback(struct api_call *call, struct error *error)
{
    struct rollback_input *input = call->input;
    return api_compile_policy(call, &input->choice, error);
}

bool api_run_rollback(struct api_call *call, struct error *error)
{
    struct rollback_input *input = call->input;
    struct policy *policy = input->choice.policy;
    input->choice.policy = NULL;
    return operation_roll_back_policy(&call->operation, policy, input->choice.files,
                                      &input->changed, error);
}

void api_drop_rollback(struct api_call *call)
{
    struct rollback_input *input = call->input;
    if (input != NULL) {
        policy_destroy(input->choice.policy);
    }
}

void api_answer_rollback(struct api_call *call)
{
    const struct rollback_input *input = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    api_tell_live(call->api, "policy");
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "changed", input->changed);
    canonical_member_text(&writer, "version", call->path_values[0]);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
