#include "api/api_internal.h"

#include "operations/evaluate_operations.h"
#include <stdio.h>
#include <string.h>

/* OpenID AuthZEN Authorization API 1.0: /access/v1/evaluation, /evaluations and the metadata. The
 * search endpoints are not offered, and so not in the metadata. */

/* ---- one evaluation ---- */

/* An item's own member, else the default of the whole: as a whole, nothing is merged. */
static const struct json *holder_of(const struct json *item, const struct json *body,
                                    const char *name)
{
    return json_member(item, name) != NULL ? item : body;
}

/* The agent is `subject.properties.act.sub`, as ARAP has it; without it the caller's only one. A
 * chain of agents behind it is nothing that a caller's credential could prove. */
static bool take_agent(struct api_call *call, const struct json *subject, const char **out,
                       struct error *error)
{
    const struct json *act = json_member(json_member(subject, "properties"), "act");
    if (act == NULL) {
        return true;
    }
    if (json_type(act) != JSON_TYPE_OBJECT || json_member(act, "act") != NULL) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/subject/properties/act",
                         "`act` must be an object `{\"sub\": agent}` without an `act` of its own");
    }
    return api_take_text(call, act, "sub", true, NAME_BYTES - 1, out, error);
}

/* The context without the approval it carries: that is no part of what is asked. */
static bool take_context(struct api_call *call, const struct json *holder,
                         struct evaluate_item *out, struct error *error)
{
    static const char *const approval_name[] = {"approval", NULL};
    const struct json *context = json_member(holder, "context");
    const struct json *approval = json_member(context, "approval");
    if (!api_take_context(call, holder, true, &out->asked.context, error)) {
        return false;
    }
    if (approval == NULL) {
        return true;
    }
    if (json_type(approval) != JSON_TYPE_OBJECT) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/context/approval",
                         "`approval` must be the object that a task's `result` holds");
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct json_document *counted JSON_SCOPE =
        json_parse(out->asked.context, strlen(out->asked.context), error);
    if (counted == NULL) {
        return false;
    }
    canonical_append_without(&text, json_root(counted), approval_name);
    out->asked.context = arena_copy(call->arena, text.bytes, text.length);
    return api_take_text(call, approval, "id", true, ID_BYTES - 1, &out->approval, error);
}

bool api_read_asked(struct api_call *call, const struct json *item, const struct json *body,
                    struct evaluate_item *item_out, struct error *error)
{
    struct submit_input *out = &item_out->asked;
    const struct json *subject = holder_of(item, body, "subject");
    if (!api_take_entity(call, subject, "subject", true, &out->subject, &out->subject_key, error) ||
        !api_take_action(call, holder_of(item, body, "action"), &out->action, &out->action_name,
                         error) ||
        !api_take_entity(call, holder_of(item, body, "resource"), "resource", true, &out->resource,
                         &out->resource_key, error) ||
        !take_context(call, holder_of(item, body, "context"), item_out, error)) {
        return false;
    }
    return take_agent(call, json_member(subject, "subject"), &out->agent, error);
}

static struct evaluate_input *new_input(struct api_call *call, size_t count)
{
    struct evaluate_input *input = ARENA_NEW(call->arena, struct evaluate_input);
    input->items = arena_array(call->arena, count, sizeof *input->items);
    input->count = count;
    call->input = input;
    return input;
}

static bool read_single(struct api_call *call, const struct json *body, struct error *error)
{
    struct evaluate_input *input = new_input(call, 1);
    struct evaluate_item *item = (struct evaluate_item *)(uintptr_t)input->items;
    return api_read_asked(call, body, body, item, error);
}

bool api_read_evaluation(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, NULL, error);
    return body != NULL && read_single(call, body, error);
}

/* ---- several ---- */

static bool read_semantic(const struct json *body, enum evaluate_semantic *out, struct error *error)
{
    static const char *const names[] = {"execute_all", "deny_on_first_deny",
                                        "permit_on_first_permit"};
    const struct json *value = json_member(json_member(body, "options"), "evaluations_semantic");
    const char *word = json_text(value);
    if (value == NULL) {
        return true;
    }
    for (size_t i = 0; word != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (enum evaluate_semantic)i;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "wrong_type", "/options/evaluations_semantic",
                     "`evaluations_semantic` must be execute_all, deny_on_first_deny or "
                     "permit_on_first_permit");
}

static void read_items(struct api_call *call, const struct json *list, const struct json *body,
                       struct evaluate_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_element(list, i);
        if (json_type(item) != JSON_TYPE_OBJECT) {
            error_set(&items[i].fault, ERROR_INVALID, "wrong_type", "",
                      "an evaluation must be an object");
        } else if (!api_read_asked(call, item, body, &items[i], &items[i].fault)) {
            continue; /* its fault is its answer */
        }
    }
}

bool api_read_evaluations(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, NULL, error);
    const struct json *list = json_member(body, "evaluations");
    enum evaluate_semantic semantic = EVALUATE_ALL;
    if (body == NULL || !read_semantic(body, &semantic, error)) {
        return false;
    }
    if (list != NULL && json_type(list) != JSON_TYPE_ARRAY) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/evaluations",
                         "`evaluations` must be an array");
    }
    size_t count = json_count(list);
    if (count == 0) {
        return read_single(call, body, error);
    }
    if (count > EVALUATIONS_MAX) {
        return error_set(error, ERROR_INVALID, "too_many", "/evaluations",
                         "at most %d evaluations are taken in one call", EVALUATIONS_MAX);
    }
    struct evaluate_input *input = new_input(call, count);
    input->semantic = semantic;
    input->is_batch = true;
    read_items(call, list, body, (struct evaluate_item *)(uintptr_t)input->items, count);
    return true;
}

bool api_run_evaluate(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct evaluate_result);
    if (!operation_evaluate(&call->operation, call->input, call->result, error)) {
        return false;
    }
    call->job.needs_mark = evaluate_has_redeemed(call->result);
    return true;
}

/* ---- answers ---- */

static void write_fault(struct canonical_writer *writer, const struct error *fault)
{
    canonical_open_object(writer);
    canonical_name(writer, "error");
    canonical_open_object(writer);
    canonical_member_text(writer, "message", fault->message);
    canonical_member_integer(writer, "status", api_status(fault));
    canonical_close_object(writer);
    canonical_close_object(writer);
}

static void write_access_request(struct api_call *call, struct canonical_writer *writer,
                                 const struct evaluation *evaluation)
{
    canonical_name(writer, "access_request");
    canonical_open_object(writer);
    api_write_address(call, writer, "endpoint", "/access/v1/requests");
    api_write_time(writer, "expires_at", evaluation->expires_at);
    canonical_close_object(writer);
}

static void write_reason(struct api_call *call, struct canonical_writer *writer,
                         const struct evaluation *evaluation, int64_t evaluated_at)
{
    canonical_open_object(writer);
    if (evaluation->is_requestable) {
        write_access_request(call, writer, evaluation);
    }
    api_write_time(writer, "evaluated_at", evaluated_at);
    canonical_member_text(writer, "evaluation_id", evaluation->id);
    canonical_member_text(writer, "message", evaluation->message);
    if (evaluation->has_approval) {
        canonical_member_text(writer, "next_action",
                              evaluation->is_requestable ? "request" : "none");
    }
    canonical_member_text(writer, "reason", evaluated_name(evaluation->evaluated));
    canonical_close_object(writer);
}

/* Whoever acts on it must report what happened, and may need the fence: that is ours, under a name
 * of ours. */
static void write_redemption(struct canonical_writer *writer, const struct evaluation *evaluation)
{
    const struct redeem_result *redemption = &evaluation->redemption;
    canonical_open_object(writer);
    canonical_name(writer, "approval");
    canonical_open_object(writer);
    api_write_time(writer, "approved_until", evaluation->approved_until);
    canonical_member_text(writer, "id", redemption->grant);
    canonical_close_object(writer);
    canonical_name(writer, "urn:countersign:redemption");
    canonical_open_object(writer);
    api_write_time(writer, "effect_due", redemption->effect_due_at);
    canonical_member_integer(writer, "fence", redemption->fence);
    canonical_member_text(writer, "grant", redemption->grant);
    canonical_member_text(writer, "request", redemption->request);
    canonical_close_object(writer);
    canonical_close_object(writer);
}

/* Enforcement points compare the items of a batch as they are, so that a plain no is just that. */
static bool has_context(const struct evaluation *evaluation, bool is_batch)
{
    if (evaluation->evaluated == EVALUATED_YES) {
        return evaluation->has_approval;
    }
    return !is_batch || evaluation->evaluated == EVALUATED_FAULTY || evaluation->is_requestable ||
           evaluation->has_approval;
}

static void write_evaluation(struct api_call *call, struct canonical_writer *writer,
                             const struct evaluation *evaluation, int64_t evaluated_at,
                             bool is_batch)
{
    canonical_open_object(writer);
    if (has_context(evaluation, is_batch)) {
        canonical_name(writer, "context");
        if (evaluation->evaluated == EVALUATED_FAULTY) {
            write_fault(writer, &evaluation->fault);
        } else if (evaluation->evaluated == EVALUATED_YES) {
            write_redemption(writer, evaluation);
        } else {
            write_reason(call, writer, evaluation, evaluated_at);
        }
    }
    canonical_member_bool(writer, "decision", evaluation->evaluated == EVALUATED_YES);
    canonical_close_object(writer);
}

void api_answer_evaluate(struct api_call *call)
{
    const struct evaluate_input *input = call->input;
    const struct evaluate_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    if (!input->is_batch) {
        write_evaluation(call, &writer, &result->evaluations[0], result->evaluated_at, false);
    } else {
        canonical_open_object(&writer);
        canonical_name(&writer, "evaluations");
        canonical_open_array(&writer);
        for (size_t i = 0; i < result->count; i++) {
            write_evaluation(call, &writer, &result->evaluations[i], result->evaluated_at, true);
        }
        canonical_close_array(&writer);
        canonical_close_object(&writer);
    }
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- metadata ---- */

void api_write_address(const struct api_call *call, struct canonical_writer *writer,
                       const char *name, const char *path)
{
    struct builder address BUILDER_SCOPE;
    builder_init(&address, 0);
    builder_printf(&address, "%s%s", call->api->options.issuer, path);
    canonical_member_text(writer, name, address.bytes);
}

void api_answer_authzen_metadata(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_address(call, &writer, "access_evaluation_endpoint", "/access/v1/evaluation");
    api_write_address(call, &writer, "access_evaluations_endpoint", "/access/v1/evaluations");
    api_write_address(call, &writer, "access_request_endpoint", "/access/v1/requests");
    canonical_name(&writer, "capabilities");
    canonical_open_array(&writer);
    canonical_string(&writer, "urn:openid:authzen:capability:access-request");
    canonical_close_array(&writer);
    api_write_address(call, &writer, "jwks_uri", "/jwks.json");
    api_write_address(call, &writer, "policy_decision_point", "");
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
