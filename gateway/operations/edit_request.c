#include "operations/edit_operations.h"

#include "formats/json.h"
#include "operations/attention_internal.h"
#include "requests/edit.h"
#include "store/edit_rows.h"
#include <string.h>

/* One edit and all it has found out so far. */
struct editing {
    struct operation *operation;
    const struct edit_input *input;
    struct request_row before;
    struct request_row request; /* as it becomes */
    struct judgement judgement;
    struct growth growth;
    const char *changes;
    bool is_frozen;
    struct edit_result *out;
};

static bool find(struct editing *editing, struct error *error);
static bool check_editor(struct editing *editing, struct error *error);
static bool check_state(const struct editing *editing, struct error *error);
static bool rewrite(struct editing *editing, struct error *error);
static bool judge_again(struct editing *editing, struct error *error);
static bool store_edit(struct editing *editing, struct error *error);

bool operation_edit_request(struct operation *operation, const struct edit_input *input,
                            struct edit_result *out, struct error *error)
{
    struct editing editing = {.operation = operation, .input = input, .out = out};
    *out = (struct edit_result){0};
    return find(&editing, error) && check_state(&editing, error) && check_editor(&editing, error) &&
           rewrite(&editing, error) && judge_again(&editing, error) && store_edit(&editing, error);
}

/* The request with what time and policy have brought it until now. */
static bool find(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    const struct edit_input *input = editing->input;
    struct request_row *request = &editing->request;
    struct authorize_facts standing;
    return find_request(operation, input->request, request, &standing, error) &&
           authorize(operation, OPERATION_EDIT_REQUEST, &standing, input->request, error) &&
           check_shown(operation, request, input->revision, &input->digest, error) &&
           advance_request(operation, request, &editing->is_frozen, error) &&
           (request->state != REQUEST_PENDING || reevaluate_request(operation, request, error));
}

static bool check_state(const struct editing *editing, struct error *error)
{
    const struct request_row *request = &editing->request;
    if (request->state != REQUEST_PENDING) {
        return error_set(error, ERROR_CONFLICT, "already_ended", request->id,
                         "the request is %s: nothing can be edited any more",
                         request_state_name(request->state));
    }
    if (editing->is_frozen) {
        return error_set(error, ERROR_CONFLICT, "frozen", request->id,
                         "this is frozen: it cannot be edited before it is thawed");
    }
    return request->revision <= REQUEST_EDITS_MAX ||
           error_set(error, ERROR_LIMIT, "too_many_edits", request->id,
                     "it was edited %d times, the most there may be: deny it and say what to ask "
                     "for instead",
                     REQUEST_EDITS_MAX);
}

/* Whoever edits must be one who may approve; with which assurance a vote must be given is asked of
 * the vote. */
static bool check_editor(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    struct request_case loaded;
    enum assurance needed;
    if (!load_request_case(operation, &editing->request, operation->principal.id, &loaded, error)) {
        return false;
    }
    enum approvals_permission permission =
        approvals_may_vote(&loaded.facts, loaded.self, true, ASSURANCE_PASSKEY, &needed);
    if (permission != APPROVALS_MAY && permission != APPROVALS_EDITOR_ALONE) {
        return refuse_permission(&editing->request, permission, needed, error);
    }
    return operation->principal.assurance >= ASSURANCE_SESSION ||
           refuse_permission(&editing->request, APPROVALS_ASSURANCE_LOW, ASSURANCE_SESSION, error);
}

/* The new action, its binding, and the difference. The match key stays that of what was asked, so
 * that a retry of the agent finds its request. */
static bool rewrite(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    struct request_row *request = &editing->request;
    struct builder action BUILDER_SCOPE;
    struct builder changes BUILDER_SCOPE;
    char salt[SALT_TEXT_BYTES];
    builder_init(&action, 0);
    builder_init(&changes, 0);
    editing->before = *request;
    if (request->action == NULL) {
        return error_set(error, ERROR_CONFLICT, "erased", request->id,
                         "its arguments were erased: there is nothing to edit");
    }
    if (!edit_replace_arguments(request->action, editing->input->arguments, &action, error) ||
        !edit_append_changes(request->action, action.bytes, &changes, error)) {
        return false;
    }
    if (strcmp(changes.bytes, "[]") == 0) {
        return error_set(error, ERROR_INVALID, "nothing_changed", "/args",
                         "these are the arguments it has: change one, or vote");
    }
    request->action = arena_copy(operation->arena, action.bytes, action.length);
    editing->changes = arena_copy(operation->arena, changes.bytes, changes.length);
    binding_make_salt(salt);
    request->salt = arena_text(operation->arena, salt);
    struct binding binding = bind_stored(request);
    request->digest = binding_digest(&binding, salt);
    request->effect_key = binding_effect_key(&binding, operation->operations->options.match_secret);
    request->revision++;
    memcpy(request->editor, operation->principal.id, sizeof request->editor);
    return true;
}

static bool refuse_edit(const struct editing *editing, const char *why, struct error *error)
{
    return error_set(error, ERROR_CONFLICT, "edit_denied", editing->request.id,
                     "the rules do not allow what this would become: %.300s",
                     why == NULL ? "a rule denies it" : why);
}

/* As if it were asked for now; what was required before is required still. */
static bool judge_again(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    struct policy_decision *decision = &editing->judgement.decision;
    if (!judge_request(operation, &editing->request,
                       editing->request.timeout_at - editing->request.asked_at, &editing->judgement,
                       error)) {
        return false;
    }
    if (decision->verdict != POLICY_ALLOW && decision->verdict != POLICY_REQUIRE_APPROVAL) {
        return refuse_edit(editing, decision->message, error);
    }
    if (!grow_terms(operation, &editing->request, decision, &editing->growth, error)) {
        return false;
    }
    return editing->growth.refusal == NULL || refuse_edit(editing, editing->growth.refusal, error);
}

/* The deadline stays; risk and requirements only rise. */
static void take_judgement(struct editing *editing)
{
    struct operation *operation = editing->operation;
    struct request_row *request = &editing->request;
    struct policy_decision *decision = &editing->judgement.decision;
    const struct growth *growth = &editing->growth;
    if ((int)decision->risk < request->risk) {
        decision->risk = (enum policy_risk)request->risk;
    }
    decision->verdict = POLICY_REQUIRE_APPROVAL;
    decision->requirements = growth->requirements;
    decision->requirement_count = growth->requirement_count;
    request->risk = (int)decision->risk;
    request->explanation = decision->explanation;
    request->message = decision->message == NULL ? request->message : decision->message;
    request->policy = arena_text(operation->arena, policy_version(operation->operations->policy));
    request->requirements =
        requirements_text(operation, growth->requirements, growth->requirement_count);
    request->grant_settings = grant_settings_text(operation, &growth->terms);
    request->show = names_text(operation, decision->show, decision->show_count);
    request->challenge =
        names_union(operation, request->challenge, decision->challenge, decision->challenge_count);
    request->allows_self_approval = all_allow_self(growth->requirements, growth->requirement_count);
}

static bool insert_edit(const struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    const struct request_row *before = &editing->before;
    struct edit_row edit = {
        .revision = editing->request.revision,
        .reason = operation_bounded_text(operation, editing->input->reason),
        .changes = editing->changes,
        .former_action = before->action,
        .former_salt = before->salt,
        .former_digest = before->digest,
        .digest = editing->request.digest,
        .at = operation->now,
    };
    memcpy(edit.request, before->id, sizeof edit.request);
    memcpy(edit.person, operation->principal.id, sizeof edit.person);
    memcpy(edit.person_name, operation->principal.name, sizeof edit.person_name);
    return store_insert_edit(operation->store, before->tenant, &edit, error);
}

static bool record_edited(const struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    const struct request_row *request = &editing->request;
    struct json_document *document JSON_SCOPE =
        json_parse(editing->changes, strlen(editing->changes), error);
    if (document == NULL) {
        return false;
    }
    const struct json *list = json_root(document);
    struct ledger_texts changed = {.count = json_count(list)};
    const char **paths = arena_array(operation->arena, changed.count, sizeof *paths);
    for (size_t i = 0; i < changed.count; i++) {
        paths[i] = json_text(json_member(json_element(list, i), "path"));
    }
    changed.items = paths;
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_edited(&data, request->revision, changed);
    struct record record = {.type = LEDGER_REQUEST_EDITED,
                            .tenant = request->tenant,
                            .request = request->id,
                            .digest = &request->digest,
                            .data = &data};
    return record_entry(operation, &record, error);
}

/* A rung that was reached of the former list is said again of the new one. */
static bool record_new_terms(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    const struct request_row *request = &editing->request;
    size_t reached = 0;
    return record_decided(operation, request, &editing->judgement, "edited", error) &&
           record_rungs(operation, request, editing->growth.requirements,
                        editing->growth.requirement_count, 0, operation->now - request->asked_at,
                        &reached, error);
}

static bool store_edit(struct editing *editing, struct error *error)
{
    struct operation *operation = editing->operation;
    struct request_row *request = &editing->request;
    const struct request_transition *transition;
    bool has_changed;
    if (!find_transition(request, REQUEST_EDITED, &transition, error)) {
        return false;
    }
    take_judgement(editing);
    apply_transition(operation, request, transition, "");
    plan_request(operation, request, editing->growth.requirements,
                 editing->growth.requirement_count, false);
    if (!store_update_request(operation->store, request, error) || !insert_edit(editing, error) ||
        !record_edited(editing, error) || !record_new_terms(editing, error) ||
        !tell_outside(operation, request, "request.edited", error) ||
        !settle_stranded(operation, request, &has_changed, error)) {
        return false;
    }
    operation_news_note(operation, request);
    metrics_add(operation->operations->options.metrics, METRIC_REQUESTS_EDITED, 1);
    editing->out->revision = request->revision;
    editing->out->digest = request->digest;
    editing->out->changes = editing->changes;
    return true;
}
