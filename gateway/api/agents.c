#include "api/api_internal.h"

#include "operations/account_operations.h"
#include "operations/people_operations.h"
#include <string.h>

static const char *const agent_members[] = {"name", "owner", NULL};
static const char *const caller_members[] = {"name",      "agents",     "subjects",
                                             "audiences", "unverified", NULL};
static const char *const change_members[] = {"agents", "subjects", "audiences", "unverified", NULL};
static const char *const needed_members[] = {"agents", "subjects", "audiences", NULL};
static const char *const key_members[] = {"caller", "label", "expires_in", NULL};
static const char *const token_members[] = {"person", "label", "expires_in", NULL};
static const char *const owner_parameters[] = {"owner", NULL};

enum { LIST_TEXTS_MAX = 256 };

struct page {
    const char *after;
    size_t limit;
};

/* ---- agents ---- */

static void write_agent(struct canonical_writer *writer, const struct agent_row *agent)
{
    canonical_open_object(writer);
    api_write_time(writer, "created_at", agent->created_at);
    canonical_member_bool(writer, "enabled", agent->is_enabled);
    canonical_member_text(writer, "id", agent->id);
    canonical_member_text(writer, "name", agent->name);
    canonical_member_text(writer, "owner", agent->owner[0] == '\0' ? NULL : agent->owner);
    canonical_close_object(writer);
}

struct agent_input {
    const char *name, *owner;
};

bool api_read_agent(struct api_call *call, struct error *error)
{
    struct agent_input *input = ARENA_NEW(call->arena, struct agent_input);
    const struct json *body = api_read_body(call, agent_members, error);
    call->input = input;
    return body != NULL &&
           api_take_text(call, body, "name", true, NAME_BYTES - 1, &input->name, error) &&
           api_take_text(call, body, "owner", false, NAME_BYTES - 1, &input->owner, error);
}

static struct agent_row *new_agent(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct agent_row);
    return call->result;
}

bool api_run_add_agent(struct api_call *call, struct error *error)
{
    const struct agent_input *input = call->input;
    return operation_add_agent(&call->operation, input->name, input->owner, new_agent(call), error);
}

bool api_run_enable_agent(struct api_call *call, struct error *error)
{
    return operation_enable_agent(&call->operation, call->path_values[0], true, new_agent(call),
                                  error);
}

bool api_run_disable_agent(struct api_call *call, struct error *error)
{
    return operation_enable_agent(&call->operation, call->path_values[0], false, new_agent(call),
                                  error);
}

void api_answer_agent(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_agent(&writer, call->result);
    api_answer_json(call, call->route->run == api_run_add_agent ? 201 : 200, &body, NULL, 0);
    api_end_call(call);
}

struct agents_answer {
    struct agent_row *rows;
    size_t count;
};

bool api_run_list_agents(struct api_call *call, struct error *error)
{
    const struct page *page = call->input;
    struct agents_answer *answer = ARENA_NEW(call->arena, struct agents_answer);
    call->result = answer;
    return operation_list_agents(&call->operation, page->after, page->limit, &answer->rows,
                                 &answer->count, error);
}

void api_answer_agents(struct api_call *call)
{
    const struct agents_answer *answer = call->result;
    const struct page *page = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "agents");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_agent(&writer, &answer->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "next",
                          answer->count == page->limit ? answer->rows[answer->count - 1].name
                                                       : NULL);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- callers ---- */

static void write_caller(struct canonical_writer *writer, const struct caller_row *caller)
{
    canonical_open_object(writer);
    api_write_texts(writer, "agents", caller->agents, caller->agent_count);
    api_write_texts(writer, "audiences", caller->audiences, caller->audience_count);
    api_write_time(writer, "created_at", caller->created_at);
    canonical_member_bool(writer, "enabled", caller->is_enabled);
    canonical_member_text(writer, "id", caller->id);
    canonical_member_text(writer, "name", caller->name);
    api_write_texts(writer, "subjects", caller->subjects, caller->subject_count);
    canonical_member_text(writer, "unverified", caller->keeps_unverified ? "keep" : "refuse");
    canonical_close_object(writer);
}

/* Left out is `refuse`: nothing is kept by leaving it out. */
static bool take_unverified(struct api_call *call, const struct json *body, bool *out_keeps,
                            struct error *error)
{
    const char *word = NULL;
    if (!api_take_text(call, body, "unverified", false, 16, &word, error)) {
        return false;
    }
    *out_keeps = word != NULL && strcmp(word, "keep") == 0;
    return word == NULL || *out_keeps || strcmp(word, "refuse") == 0 ||
           error_set(error, ERROR_INVALID, "wrong_type", "/unverified",
                     "`unverified` must be refuse or keep");
}

static bool take_caller_lists(struct api_call *call, const struct json *body,
                              struct caller_input *input, struct error *error)
{
    const char **agents;
    const char **subjects;
    const char **audiences;
    if (!api_take_texts(call, body, "agents", LIST_TEXTS_MAX, &agents, &input->agent_count,
                        error) ||
        !api_take_texts(call, body, "subjects", LIST_TEXTS_MAX, &subjects, &input->subject_count,
                        error) ||
        !api_take_texts(call, body, "audiences", LIST_TEXTS_MAX, &audiences, &input->audience_count,
                        error)) {
        return false;
    }
    if (!take_unverified(call, body, &input->keeps_unverified, error)) {
        return false;
    }
    input->agents = agents;
    input->subjects = subjects;
    input->audiences = audiences;
    return true;
}

bool api_read_caller(struct api_call *call, struct error *error)
{
    struct caller_input *input = ARENA_NEW(call->arena, struct caller_input);
    const struct json *body = api_read_body(call, caller_members, error);
    call->input = input;
    return body != NULL &&
           api_take_text(call, body, "name", true, NAME_BYTES - 1, &input->name, error) &&
           take_caller_lists(call, body, input, error);
}

/* The whole new lists: a PUT replaces, so that nothing is kept by leaving it out. */
bool api_read_caller_change(struct api_call *call, struct error *error)
{
    struct caller_input *input = ARENA_NEW(call->arena, struct caller_input);
    const struct json *body = api_read_body(call, change_members, error);
    call->input = input;
    input->name = call->path_values[0];
    for (const char *const *name = needed_members; body != NULL && *name != NULL; name++) {
        if (json_member(body, *name) == NULL) {
            return api_missing(*name, error);
        }
    }
    return body != NULL && take_caller_lists(call, body, input, error);
}

static struct caller_row *new_caller(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct caller_row);
    return call->result;
}

bool api_run_add_caller(struct api_call *call, struct error *error)
{
    return operation_add_caller(&call->operation, call->input, new_caller(call), error);
}

bool api_run_change_caller(struct api_call *call, struct error *error)
{
    return operation_change_caller(&call->operation, call->input, new_caller(call), error);
}

bool api_run_enable_caller(struct api_call *call, struct error *error)
{
    return operation_enable_caller(&call->operation, call->path_values[0], true, new_caller(call),
                                   error);
}

bool api_run_disable_caller(struct api_call *call, struct error *error)
{
    return operation_enable_caller(&call->operation, call->path_values[0], false, new_caller(call),
                                   error);
}

void api_answer_caller(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_caller(&writer, call->result);
    api_answer_json(call, call->route->run == api_run_add_caller ? 201 : 200, &body, NULL, 0);
    api_end_call(call);
}

struct callers_answer {
    struct caller_row *rows;
    size_t count;
};

bool api_run_list_callers(struct api_call *call, struct error *error)
{
    const struct page *page = call->input;
    struct callers_answer *answer = ARENA_NEW(call->arena, struct callers_answer);
    call->result = answer;
    return operation_list_callers(&call->operation, page->after, page->limit, &answer->rows,
                                  &answer->count, error);
}

void api_answer_callers(struct api_call *call)
{
    const struct callers_answer *answer = call->result;
    const struct page *page = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "callers");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_caller(&writer, &answer->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "next",
                          answer->count == page->limit ? answer->rows[answer->count - 1].name
                                                       : NULL);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- keys of callers, tokens of people ---- */

struct credential_answer {
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
};

static void write_credential(struct canonical_writer *writer, const struct credential_row *row,
                             const char *secret)
{
    canonical_open_object(writer);
    api_write_time(writer, "created_at", row->created_at);
    canonical_member_text(writer, "disabled_reason", row->disabled_reason);
    canonical_member_bool(writer, "enabled", row->is_enabled);
    api_write_time(writer, "expires_at", row->expires_at);
    canonical_member_text(writer, "id", row->id);
    canonical_member_text(writer, "kind", row->kind == CREDENTIAL_API_KEY ? "key" : "token");
    canonical_member_text(writer, "label", row->label);
    canonical_member_text(writer, "owner", row->owner);
    canonical_member_text(writer, "secret", secret);
    canonical_close_object(writer);
}

static bool read_credential(struct api_call *call, const char *const *members, const char *owner,
                            enum credential_kind kind, struct error *error)
{
    struct credential_input *input = ARENA_NEW(call->arena, struct credential_input);
    const struct json *body = api_read_body(call, members, error);
    call->input = input;
    input->kind = kind;
    return body != NULL &&
           api_take_text(call, body, owner, true, NAME_BYTES - 1, &input->owner, error) &&
           api_take_text(call, body, "label", false, 100, &input->label, error) &&
           api_take_duration(call, body, "expires_in", &input->expires_in_ms, error);
}

bool api_read_key(struct api_call *call, struct error *error)
{
    return read_credential(call, key_members, "caller", CREDENTIAL_API_KEY, error);
}

bool api_read_token(struct api_call *call, struct error *error)
{
    return read_credential(call, token_members, "person", CREDENTIAL_TOKEN, error);
}

bool api_run_add_credential(struct api_call *call, struct error *error)
{
    struct credential_answer *answer = ARENA_NEW(call->arena, struct credential_answer);
    call->result = answer;
    return operation_add_credential(&call->operation, call->input, &answer->row, answer->secret,
                                    error);
}

bool api_run_disable_credential(struct api_call *call, struct error *error)
{
    struct credential_answer *answer = ARENA_NEW(call->arena, struct credential_answer);
    call->result = answer;
    return operation_disable_credential(&call->operation, call->path_values[0], &answer->row,
                                        error);
}

/* The secret is told this once; its copies here are wiped. */
void api_answer_credential(struct api_call *call)
{
    struct credential_answer *answer = call->result;
    bool is_new = answer->secret[0] != '\0';
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_credential(&writer, &answer->row, is_new ? answer->secret : NULL);
    api_answer_json(call, is_new ? 201 : 200, &body, NULL, 0);
    crypto_wipe(body.bytes, body.length);
    crypto_wipe(answer->secret, sizeof answer->secret);
    api_end_call(call);
}

bool api_read_credentials(struct api_call *call, struct error *error)
{
    const char *owner;
    if (!api_only_parameters(call, owner_parameters, error) ||
        !api_take_parameter(call, "owner", &owner, error)) {
        return false;
    }
    call->input = (void *)(uintptr_t)owner;
    return true;
}

struct credentials_answer {
    struct credential_row *rows;
    size_t count;
};

bool api_run_list_credentials(struct api_call *call, struct error *error)
{
    struct credentials_answer *answer = ARENA_NEW(call->arena, struct credentials_answer);
    call->result = answer;
    return operation_list_credentials(&call->operation, call->input, &answer->rows, &answer->count,
                                      error);
}

bool api_run_list_own_tokens(struct api_call *call, struct error *error)
{
    struct credentials_answer *answer = ARENA_NEW(call->arena, struct credentials_answer);
    call->result = answer;
    return operation_list_own_tokens(&call->operation, &answer->rows, &answer->count, error);
}

void api_answer_credentials(struct api_call *call)
{
    const struct credentials_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "credentials");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_credential(&writer, &answer->rows[i], NULL);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
