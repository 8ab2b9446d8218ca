#include "api/api_internal.h"

#include "operations/people_operations.h"
#include <string.h>

static const char *const person_members[] = {"name",   "display",  "admin", "auditor",
                                             "groups", "subjects", NULL};
static const char *const role_members[] = {"admin", "auditor", NULL};
static const char *const member_members[] = {"person", NULL};
static const char *const page_parameters[] = {"after", "limit", NULL};

enum { LIST_TEXTS_MAX = 64 };

/* ---- JSON ---- */

static void write_person(struct canonical_writer *writer, const struct person_view *view)
{
    canonical_open_object(writer);
    canonical_member_bool(writer, "admin", view->person.is_admin);
    canonical_member_bool(writer, "auditor", view->person.is_auditor);
    api_write_time(writer, "created_at", view->person.created_at);
    canonical_member_text(writer, "display", view->person.display);
    canonical_member_bool(writer, "enabled", view->person.is_enabled);
    api_write_texts(writer, "groups", view->groups, view->group_count);
    canonical_member_text(writer, "id", view->person.id);
    canonical_member_text(writer, "name", view->person.name);
    api_write_texts(writer, "subjects", view->subjects, view->subject_count);
    canonical_close_object(writer);
}

static void answer_writer(struct api_call *call, int status, struct builder *body)
{
    api_answer_json(call, status, body, NULL, 0);
    api_end_call(call);
}

/* ---- one person ---- */

bool api_read_person(struct api_call *call, struct error *error)
{
    struct person_input *input = ARENA_NEW(call->arena, struct person_input);
    const struct json *body = api_read_body(call, person_members, error);
    const char **groups;
    const char **subjects;
    if (body == NULL ||
        !api_take_text(call, body, "name", true, NAME_BYTES - 1, &input->name, error) ||
        !api_take_text(call, body, "display", false, 200, &input->display, error) ||
        !api_take_bool(body, "admin", &input->is_admin, error) ||
        !api_take_bool(body, "auditor", &input->is_auditor, error) ||
        !api_take_texts(call, body, "groups", LIST_TEXTS_MAX, &groups, &input->group_count,
                        error) ||
        !api_take_texts(call, body, "subjects", LIST_TEXTS_MAX, &subjects, &input->subject_count,
                        error)) {
        return false;
    }
    input->groups = groups;
    input->subjects = subjects;
    call->input = input;
    return true;
}

static struct person_view *new_person(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct person_view);
    return call->result;
}

bool api_run_add_person(struct api_call *call, struct error *error)
{
    return operation_add_person(&call->operation, call->input, new_person(call), error);
}

bool api_run_enable_person(struct api_call *call, struct error *error)
{
    return operation_enable_person(&call->operation, call->path_values[0], true, new_person(call),
                                   error);
}

bool api_run_disable_person(struct api_call *call, struct error *error)
{
    return operation_enable_person(&call->operation, call->path_values[0], false, new_person(call),
                                   error);
}

struct roles_input {
    bool is_admin, is_auditor;
};

bool api_read_roles(struct api_call *call, struct error *error)
{
    struct roles_input *input = ARENA_NEW(call->arena, struct roles_input);
    const struct json *body = api_read_body(call, role_members, error);
    call->input = input;
    if (body == NULL) {
        return false;
    }
    if (json_member(body, "admin") == NULL || json_member(body, "auditor") == NULL) {
        return api_missing(json_member(body, "admin") == NULL ? "admin" : "auditor", error);
    }
    return api_take_bool(body, "admin", &input->is_admin, error) &&
           api_take_bool(body, "auditor", &input->is_auditor, error);
}

bool api_run_set_roles(struct api_call *call, struct error *error)
{
    const struct roles_input *input = call->input;
    return operation_set_roles(&call->operation, call->path_values[0], input->is_admin,
                               input->is_auditor, new_person(call), error);
}

void api_answer_person(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_person(&writer, call->result);
    answer_writer(call, call->route->run == api_run_add_person ? 201 : 200, &body);
}

/* ---- lists ---- */

struct page_input {
    const char *after;
    size_t limit;
};

bool api_read_page(struct api_call *call, struct error *error)
{
    struct page_input *input = ARENA_NEW(call->arena, struct page_input);
    call->input = input;
    if (!api_only_parameters(call, page_parameters, error) ||
        !api_take_parameter(call, "after", &input->after, error) ||
        !api_take_limit(call, &input->limit, error)) {
        return false;
    }
    input->after = input->after == NULL ? "" : input->after;
    return true;
}

struct people_answer {
    struct person_view *views;
    size_t count;
};

bool api_run_list_people(struct api_call *call, struct error *error)
{
    const struct page_input *page = call->input;
    struct people_answer *answer = ARENA_NEW(call->arena, struct people_answer);
    call->result = answer;
    return operation_list_people(&call->operation, page->after, page->limit, &answer->views,
                                 &answer->count, error);
}

void api_answer_people(struct api_call *call)
{
    const struct people_answer *answer = call->result;
    const struct page_input *page = call->input;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(
        &writer, "next",
        answer->count == page->limit ? answer->views[answer->count - 1].person.name : NULL);
    canonical_name(&writer, "people");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_person(&writer, &answer->views[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    answer_writer(call, 200, &body);
}

/* ---- groups ---- */

bool api_read_member(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, member_members, error);
    const char *person;
    if (body == NULL ||
        !api_take_text(call, body, "person", true, NAME_BYTES - 1, &person, error)) {
        return false;
    }
    call->path_values[1] = arena_text(call->arena, person);
    return true;
}

bool api_run_join(struct api_call *call, struct error *error)
{
    return operation_join_group(&call->operation, call->path_values[0], call->path_values[1], true,
                                error);
}

bool api_run_leave(struct api_call *call, struct error *error)
{
    return operation_join_group(&call->operation, call->path_values[0], call->path_values[1], false,
                                error);
}

void api_answer_nothing(struct api_call *call)
{
    const struct http_field fields[] = {{"Cache-Control", "no-store"},
                                        {"X-Request-ID", call->trace}};
    http_answer(call->exchange, 204, fields, 2, NULL, 0);
    api_end_call(call);
}

struct groups_answer {
    struct group_row *groups;
    size_t count;
};

bool api_run_list_groups(struct api_call *call, struct error *error)
{
    struct groups_answer *answer = ARENA_NEW(call->arena, struct groups_answer);
    call->result = answer;
    return operation_list_groups(&call->operation, &answer->groups, &answer->count, error);
}

void api_answer_groups(struct api_call *call)
{
    const struct groups_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "groups");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        canonical_open_object(&writer);
        canonical_member_integer(&writer, "members", answer->groups[i].member_count);
        canonical_member_text(&writer, "name", answer->groups[i].name);
        canonical_close_object(&writer);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    answer_writer(call, 200, &body);
}

/* ---- who am I ---- */

struct self_answer {
    struct person_view person;
    struct caller_row caller;
};

bool api_run_self(struct api_call *call, struct error *error)
{
    struct self_answer *answer = ARENA_NEW(call->arena, struct self_answer);
    call->result = answer;
    return operation_describe_self(&call->operation, &answer->person, &answer->caller, error);
}

static const char *kind_name(enum principal_kind kind)
{
    static const char *const names[] = {"none", "caller", "person", "host", "system"};
    return names[kind];
}

void api_answer_self(struct api_call *call)
{
    const struct self_answer *answer = call->result;
    const struct principal *principal = &call->operation.principal;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    if (principal->kind == PRINCIPAL_CALLER) {
        api_write_texts(&writer, "audiences", answer->caller.audiences,
                        answer->caller.audience_count);
    }
    canonical_member_text(&writer, "id", principal->id);
    canonical_member_text(&writer, "kind", kind_name(principal->kind));
    canonical_member_text(&writer, "name", principal->name);
    if (principal->kind == PRINCIPAL_PERSON) {
        canonical_name(&writer, "person");
        write_person(&writer, &answer->person);
    }
    if (principal->kind == PRINCIPAL_CALLER) {
        api_write_texts(&writer, "subjects", answer->caller.subjects, answer->caller.subject_count);
    }
    canonical_member_text(&writer, "tenant", principal->tenant);
    canonical_close_object(&writer);
    answer_writer(call, 200, &body);
}
