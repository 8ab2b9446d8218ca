#include "operations/task_internal.h"

#include "base/check.h"
#include <stdio.h>
#include <string.h>

/* Idempotency keys share one table; a key of another endpoint is another key. */
#define KEY_PREFIX "access:"

enum { KEY_BYTES_MAX = 512 };

struct submitting {
    struct operation *operation;
    const struct task_input *input;
    struct task_row task;
    const char **requests;
    char key[KEY_BYTES_MAX]; /* "" when none was given */
};

static bool find_known(struct submitting *submitting, char out_task[ID_BYTES], struct error *error);
static bool submit_items(struct submitting *submitting, char out_known[ID_BYTES],
                         struct error *error);
static bool store_task(struct submitting *submitting, struct error *error);
static bool view_task(struct operation *operation, const struct task_row *task,
                      struct task_view *out, struct error *error);
static bool find_task(struct operation *operation, const char *id, struct task_row *out,
                      struct error *error);

bool operation_submit_task(struct operation *operation, const struct task_input *input,
                           struct task_view *out, struct error *error)
{
    CHECK(input->count > 0 && input->count <= TASK_ITEMS_MAX);
    struct submitting submitting = {.operation = operation, .input = input};
    char known[ID_BYTES] = "";
    if (!authorize(operation, OPERATION_SUBMIT_REQUEST, NULL, NULL, error)) {
        return false;
    }
    submitting.requests = arena_array(operation->arena, input->count, sizeof(char *));
    if (!admit_task_callback(operation, &input->callback, &submitting.task, error) ||
        !find_known(&submitting, known, error) ||
        (known[0] == '\0' && !submit_items(&submitting, known, error))) {
        return false;
    }
    bool is_known = known[0] != '\0';
    if (is_known ? !find_task(operation, known, &submitting.task, error)
                 : !store_task(&submitting, error)) {
        return false;
    }
    if (is_known && !is_same_task_callback(&input->callback, &submitting.task)) {
        return error_set(error, ERROR_CONFLICT, "duplicate_request", known,
                         "this was asked for before, as the task `%s` with another callback: poll "
                         "its status",
                         known);
    }
    if (!view_task(operation, &submitting.task, out, error)) {
        return false;
    }
    out->was_known = is_known;
    return true;
}

static bool find_known(struct submitting *submitting, char out_task[ID_BYTES], struct error *error)
{
    struct operation *operation = submitting->operation;
    const struct principal *principal = &operation->principal;
    struct idempotency_row known;
    bool is_known = false;
    if (submitting->input->idempotency_key == NULL) {
        return true;
    }
    snprintf(submitting->key, sizeof submitting->key, KEY_PREFIX "%s",
             submitting->input->idempotency_key);
    if (!store_find_idempotency(operation->store, principal->tenant, principal->id, submitting->key,
                                &known, &is_known, error)) {
        return false;
    }
    if (is_known && memcmp(known.body.bytes, submitting->input->body.bytes, SHA256_BYTES) != 0) {
        return error_set(error, ERROR_CONFLICT, "duplicate_request", "Idempotency-Key",
                         "this key was used before with another body: use a new key");
    }
    /* The row names the task, where one of a submission names its request. */
    memcpy(out_task, is_known ? known.request : "", is_known ? ID_BYTES : 1);
    return true;
}

static bool refuse_binding(const struct task_item *item, const char *what, struct error *error)
{
    return error_set(error, ERROR_INVALID, "invalid_denial_binding", item->evaluation, "%s", what);
}

/* The denial that the item refers to, and that it is of just this. */
static bool check_denial(struct operation *operation, const struct task_item *item,
                         struct evaluation_row *out, struct error *error)
{
    const struct principal *principal = &operation->principal;
    bool is_found = false;
    if (!store_find_evaluation(operation->store, principal->tenant, item->evaluation,
                               operation->arena, out, &is_found, error)) {
        return false;
    }
    if (!is_found || strcmp(out->caller, principal->id) != 0) {
        return refuse_binding(item,
                              "this caller had no such evaluation, or it could not be asked "
                              "about: evaluate again",
                              error);
    }
    if (operation->now >= out->expires_at) {
        return error_set(error, ERROR_CONFLICT, "expired_denial", item->evaluation,
                         "the denial is too old to be asked about: evaluate again");
    }
    struct sha256 binding =
        binding_authzen_hash(item->asked.subject, item->asked.action, item->asked.resource,
                             item->asked.context, out->members);
    return crypto_equal(binding.bytes, out->binding.bytes, SHA256_BYTES) ||
           refuse_binding(item,
                          "subject, action, resource or context are not those that were "
                          "evaluated: send them unchanged",
                          error);
}

static bool use_denial(struct submitting *submitting, const struct task_item *item,
                       struct error *error)
{
    struct operation *operation = submitting->operation;
    return store_use_evaluation(operation->store, operation->principal.tenant, item->evaluation,
                                submitting->task.id, error);
}

/* What is added to the context on the way (a justification) is not bound: whoever enforces will not
 * know of it. */
static const char *restricted_context(struct operation *operation, const struct task_item *item,
                                      const struct evaluation_row *denial)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    binding_append_restricted(item->asked.context, denial->members, &text);
    return arena_copy(operation->arena, text.bytes, text.length);
}

/* Makes the request of one item, or finds that it was asked for before: `out_known`. */
static bool submit_item(struct submitting *submitting, size_t number, char out_known[ID_BYTES],
                        struct error *error)
{
    struct operation *operation = submitting->operation;
    const struct task_item *item = &submitting->input->items[number];
    struct evaluation_row denial;
    struct submit_result result;
    if (!check_denial(operation, item, &denial, error)) {
        return false;
    }
    if (denial.task[0] != '\0') {
        /* The same denial submitted again is the same task: a retry whose answer was lost. */
        memcpy(out_known, denial.task, ID_BYTES);
        return !submitting->input->is_bulk ||
               refuse_binding(item, "this denial was asked about before", error);
    }
    struct submit_input asked = item->asked;
    asked.context = restricted_context(operation, item, &denial);
    if (!operation_submit_request(operation, &asked, &result, error)) {
        return false;
    }
    submitting->requests[number] = arena_text(operation->arena, result.request);
    if (!submitting->input->is_bulk && result.outcome == SUBMIT_ATTACHED &&
        !store_find_task_of(operation->store, operation->principal.tenant, operation->principal.id,
                            result.request, out_known, error)) {
        return false;
    }
    return true;
}

static bool submit_items(struct submitting *submitting, char out_known[ID_BYTES],
                         struct error *error)
{
    struct operation *operation = submitting->operation;
    crypto_make_id("arq", operation->now, submitting->task.id);
    for (size_t i = 0; i < submitting->input->count; i++) {
        if (!submit_item(submitting, i, out_known, error)) {
            return false;
        }
        if (out_known[0] == '\0' && !use_denial(submitting, &submitting->input->items[i], error)) {
            return false;
        }
    }
    return true;
}

static bool store_task(struct submitting *submitting, struct error *error)
{
    struct operation *operation = submitting->operation;
    const struct principal *principal = &operation->principal;
    struct task_row *task = &submitting->task;
    task->is_bulk = submitting->input->is_bulk;
    task->created_at = operation->now;
    memcpy(task->tenant, principal->tenant, sizeof task->tenant);
    memcpy(task->caller, principal->id, sizeof task->caller);
    if (!store_insert_task(operation->store, task, submitting->requests, submitting->input->count,
                           error)) {
        return false;
    }
    if (submitting->key[0] == '\0') {
        return true;
    }
    struct idempotency_row row = {.body = submitting->input->body};
    memcpy(row.request, task->id, sizeof row.request);
    return store_insert_idempotency(operation->store, principal->tenant, principal->id,
                                    submitting->key, &row, operation->now, error);
}

/* ---- reading ---- */

enum task_state task_state_of(const struct request_row *request)
{
    switch (request->state) {
    case REQUEST_PENDING:
        return TASK_PENDING;
    case REQUEST_APPROVED:
        return TASK_APPROVED;
    case REQUEST_DENIED:
        return TASK_DENIED;
    case REQUEST_EXPIRED:
        return TASK_EXPIRED;
    case REQUEST_CANCELLED:
        return TASK_CANCELLED;
    case REQUEST_ABSENT:
    case REQUEST_STATE_COUNT:
        break;
    }
    return TASK_NONE;
}

const char *task_state_name(enum task_state state)
{
    static const char *const names[TASK_STATE_COUNT] = {
        [TASK_NONE] = "failed",     [TASK_PENDING] = "pending", [TASK_APPROVED] = "approved",
        [TASK_DENIED] = "denied",   [TASK_EXPIRED] = "expired", [TASK_CANCELLED] = "cancelled",
        [TASK_PARTIAL] = "partial",
    };
    return (unsigned)state < TASK_STATE_COUNT ? names[state] : "failed";
}

enum task_state task_state_join(enum task_state so_far, enum task_state one)
{
    if (so_far == TASK_PENDING || one == TASK_PENDING) {
        return TASK_PENDING;
    }
    return so_far == TASK_NONE || so_far == one ? one : TASK_PARTIAL;
}

static enum task_state whole_state(const struct task_view *view)
{
    enum task_state state = TASK_NONE;
    for (size_t i = 0; i < view->count; i++) {
        state = task_state_join(state, task_state_of(&view->items[i].request));
    }
    return state;
}

static int64_t end_of(const struct request_view *item)
{
    if (item->request.state == REQUEST_PENDING) {
        return item->request.timeout_at;
    }
    return item->has_grant ? item->grant.claim_until : item->request.ended_at;
}

static bool view_task(struct operation *operation, const struct task_row *task,
                      struct task_view *out, struct error *error)
{
    const char **requests;
    *out = (struct task_view){.is_bulk = task->is_bulk};
    memcpy(out->id, task->id, sizeof out->id);
    if (!store_list_task_requests(operation->store, task->tenant, task->id, operation->arena,
                                  &requests, &out->count, error)) {
        return false;
    }
    if (out->count == 0) {
        return error_set(error, ERROR_CORRUPT, "bad_row", task->id, "a task has no request");
    }
    out->items = arena_array(operation->arena, out->count, sizeof *out->items);
    for (size_t i = 0; i < out->count; i++) {
        if (!operation_read_request(operation, requests[i], false, &out->items[i], error)) {
            return false;
        }
        int64_t end = end_of(&out->items[i]);
        out->expires_at = end > out->expires_at ? end : out->expires_at;
    }
    out->state = whole_state(out);
    return true;
}

static bool find_task(struct operation *operation, const char *id, struct task_row *out,
                      struct error *error)
{
    const struct principal *principal = &operation->principal;
    bool is_found = false;
    if (!store_find_task(operation->store, principal->tenant, id, operation->arena, out, &is_found,
                         error)) {
        return false;
    }
    struct authorize_facts facts = {.tenant = is_found ? out->tenant : NULL,
                                    .is_own = is_found && strcmp(out->caller, principal->id) == 0};
    struct error refusal = {0};
    return authorize(operation, OPERATION_READ_REQUEST, &facts, id, &refusal) ||
           error_set(error, ERROR_NOT_FOUND, "unknown_task", id,
                     "there is no such task, or it is not yours to know of");
}

bool operation_read_task(struct operation *operation, const char *id, struct task_view *out,
                         struct error *error)
{
    struct task_row task;
    return find_task(operation, id, &task, error) && view_task(operation, &task, out, error);
}

bool operation_cancel_task(struct operation *operation, const char *id, const char *why,
                           struct task_view *out, struct error *error)
{
    struct task_row task;
    if (!find_task(operation, id, &task, error) || !view_task(operation, &task, out, error)) {
        return false;
    }
    if (out->state != TASK_PENDING) {
        return error_set(error, ERROR_CONFLICT, "invalid_task_state", id,
                         "the task is %s: there is nothing left to cancel",
                         task_state_name(out->state));
    }
    for (size_t i = 0; i < out->count; i++) {
        struct cancel_result result;
        if (out->items[i].request.state == REQUEST_PENDING &&
            !operation_cancel_request(operation, out->items[i].request.id, why, &result, error)) {
            return false;
        }
    }
    return view_task(operation, &task, out, error);
}
