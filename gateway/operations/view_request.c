#include "operations/attention_internal.h"
#include "operations/edit_operations.h"
#include "operations/request_internal.h"
#include <string.h>
#include <strings.h>

bool load_viewer(struct operation *operation, struct viewer *out, struct error *error)
{
    const struct principal *principal = &operation->principal;
    *out = (struct viewer){0};
    if (principal->kind != PRINCIPAL_PERSON) {
        return true;
    }
    return store_list_groups_of(operation->store, principal->tenant, principal->id,
                                operation->arena, &out->groups, &out->group_count, error) &&
           store_list_person_subjects(operation->store, principal->id, operation->arena,
                                      &out->subjects, &out->subject_count, error);
}

static bool is_subject(const struct viewer *viewer, const struct request_row *request)
{
    for (size_t i = 0; i < viewer->subject_count; i++) {
        if (strcasecmp(viewer->subjects[i], request->subject_key) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_named_party(struct operation *operation, const struct request_row *request)
{
    char *rest = arena_text(operation->arena, request->parties == NULL ? "" : request->parties);
    char *id;
    while ((id = strsep(&rest, " ")) != NULL) {
        if (strcmp(id, operation->principal.id) == 0) {
            return true;
        }
    }
    return false;
}

static bool shares_group(const struct viewer *viewer, const char *const *groups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < viewer->group_count; j++) {
            if (strcmp(groups[i], viewer->groups[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_asked(struct operation *operation, const struct viewer *viewer,
                     const struct request_row *request, bool *out_is_asked, struct error *error)
{
    struct approvals_case facts = {0};
    int64_t until = request->ended_at != 0 ? request->ended_at : operation->now;
    *out_is_asked = false;
    if (!load_requirements(operation, request, &facts, error)) {
        return false;
    }
    for (size_t i = 0; i < facts.requirement_count && !*out_is_asked; i++) {
        size_t count;
        const char **groups = approvals_groups_asked(&facts.requirements[i], request->asked_at,
                                                     until, operation->arena, &count);
        *out_is_asked = shares_group(viewer, groups, count);
    }
    return true;
}

static bool owns_agent(struct operation *operation, const struct request_row *request,
                       bool *out_owns, struct error *error)
{
    struct agent_row agent;
    if (!store_read_agent(operation->store, request->tenant, request->agent, operation->arena,
                          &agent, error)) {
        return false;
    }
    *out_owns = strcmp(agent.owner, operation->principal.id) == 0;
    return true;
}

static bool has_voted(struct operation *operation, const struct request_row *request,
                      bool *out_has_voted, struct error *error)
{
    struct vote_row *votes;
    size_t count;
    if (!store_list_votes(operation->store, request->tenant, request->id, operation->arena, &votes,
                          &count, error)) {
        return false;
    }
    *out_has_voted = false;
    for (size_t i = 0; i < count; i++) {
        *out_has_voted = *out_has_voted || strcmp(votes[i].person, operation->principal.id) == 0;
    }
    return true;
}

bool find_standing(struct operation *operation, const struct viewer *viewer,
                   const struct request_row *request, struct authorize_facts *out,
                   struct error *error)
{
    const struct principal *principal = &operation->principal;
    *out = (struct authorize_facts){.tenant = request->tenant};
    if (principal->kind == PRINCIPAL_CALLER) {
        out->is_own = strcmp(request->caller, principal->id) == 0;
        return true;
    }
    /* Who is of another tenant is nothing to this request, whatever the groups are called. */
    if (principal->kind != PRINCIPAL_PERSON || strcmp(principal->tenant, request->tenant) != 0) {
        return true;
    }
    out->is_involved = is_subject(viewer, request) || is_named_party(operation, request);
    return (out->is_involved || is_asked(operation, viewer, request, &out->is_involved, error)) &&
           (out->is_involved || owns_agent(operation, request, &out->is_involved, error)) &&
           (out->is_involved || has_voted(operation, request, &out->is_involved, error));
}

bool may_read(struct operation *operation, const struct person_row *person,
              const struct request_row *request, bool *out, struct error *error)
{
    struct viewer viewer;
    struct authorize_facts facts;
    struct operation theirs = *operation;
    theirs.principal = (struct principal){.kind = PRINCIPAL_PERSON};
    memcpy(theirs.principal.id, person->id, sizeof person->id);
    memcpy(theirs.principal.tenant, person->tenant, sizeof person->tenant);
    *out = person->is_enabled && (person->is_admin || person->is_auditor);
    if (*out || !person->is_enabled) {
        return true;
    }
    if (!load_viewer(&theirs, &viewer, error) ||
        !find_standing(&theirs, &viewer, request, &facts, error)) {
        return false;
    }
    *out = facts.is_involved;
    return true;
}

bool find_request(struct operation *operation, const char *id, struct request_row *out,
                  struct authorize_facts *out_facts, struct error *error)
{
    struct viewer viewer;
    struct error missing = {0};
    if (!store_read_request(operation->store, operation->principal.tenant, id, operation->arena,
                            out, &missing)) {
        return hide_missing(&missing, id, error);
    }
    return load_viewer(operation, &viewer, error) &&
           find_standing(operation, &viewer, out, out_facts, error);
}

static const char *self_of(const struct operation *operation)
{
    return operation->principal.kind == PRINCIPAL_PERSON ? operation->principal.id : NULL;
}

static void view_votes(struct operation *operation, const struct request_case *request,
                       struct request_view *out)
{
    const struct approvals_case *facts = &request->facts;
    struct approvals_tally tally = approvals_count(facts, operation->arena);
    out->approved = tally.approved;
    out->missing = out->request.state == REQUEST_APPROVED ? 0 : tally.missing;
    out->votes = request->votes;
    out->vote_count = request->vote_count;
    if (!blind_hides(operation, request)) {
        return;
    }
    out->votes = NULL;
    out->vote_count = 0;
    out->missing = 0;
    for (size_t i = 0; i < facts->requirement_count; i++) {
        out->approved[i] = 0;
        out->missing += (unsigned)facts->requirements[i].quorum;
    }
}

static void view_permissions(const struct operation *operation, const struct request_case *request,
                             struct request_view *out)
{
    enum assurance assurance = operation->principal.assurance;
    enum assurance needed;
    if (request->self == NULL || out->request.state != REQUEST_PENDING) {
        return;
    }
    out->may_approve = !out->is_frozen && approvals_may_vote(&request->facts, request->self, true,
                                                             assurance, &needed) == APPROVALS_MAY;
    enum approvals_permission any =
        approvals_may_vote(&request->facts, request->self, true, ASSURANCE_PASSKEY, &needed);
    out->needs_passkey = !out->may_approve && !out->is_frozen && assurance >= ASSURANCE_SESSION &&
                         any == APPROVALS_MAY;
    out->may_edit = !out->is_frozen && assurance >= ASSURANCE_SESSION &&
                    out->request.revision <= REQUEST_EDITS_MAX &&
                    (any == APPROVALS_MAY || any == APPROVALS_EDITOR_ALONE);
    out->may_deny = approvals_may_vote(&request->facts, request->self, false, assurance, &needed) ==
                    APPROVALS_MAY;
}

static bool is_listed(const char *const *groups, size_t count, const char *group)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(groups[i], group) == 0) {
            return true;
        }
    }
    return false;
}

void list_asked_groups(struct operation *operation, const struct approvals_case *facts,
                       const char ***out, size_t *out_count)
{
    size_t most = facts->requirement_count * POLICY_GROUPS_MAX * (POLICY_RUNGS_MAX + 2);
    const char **asked = arena_array(operation->arena, most, sizeof *asked);
    size_t asked_count = 0;
    for (size_t i = 0; i < facts->requirement_count; i++) {
        size_t count;
        const char **groups = approvals_groups_asked(&facts->requirements[i], facts->asked_at,
                                                     facts->now, operation->arena, &count);
        for (size_t j = 0; j < count; j++) {
            if (!is_listed(asked, asked_count, groups[j])) {
                asked[asked_count++] = groups[j];
            }
        }
    }
    *out = asked;
    *out_count = asked_count;
}

static bool view_open_effect(struct operation *operation, struct request_view *out,
                             struct error *error)
{
    char grant[ID_BYTES];
    if (out->request.state != REQUEST_PENDING) {
        return true;
    }
    if (!store_find_open_effect(operation->store, out->request.tenant, &out->request.effect_key,
                                grant, error)) {
        return false;
    }
    out->open_effect_of = grant[0] == '\0' ? NULL : arena_text(operation->arena, grant);
    return true;
}

static bool view_grant(struct operation *operation, struct request_view *out, struct error *error)
{
    out->has_grant = out->request.grant[0] != '\0';
    return !out->has_grant ||
           store_read_grant(operation->store, out->request.tenant, out->request.grant,
                            operation->arena, &out->grant, error);
}

static bool view_edits(struct operation *operation, struct request_view *out, struct error *error)
{
    out->news = out->request.revision - 1 + out->request.question_count;
    return out->request.revision == 1 ||
           store_list_edits(operation->store, out->request.tenant, out->request.id,
                            operation->arena, &out->edits, &out->edit_count, error);
}

static bool view_question(struct operation *operation, struct request_view *out,
                          struct error *error)
{
    out->has_question = out->request.state == REQUEST_PENDING && out->request.question[0] != '\0';
    return !out->has_question ||
           store_read_comment(operation->store, out->request.tenant, out->request.question,
                              operation->arena, &out->question, error);
}

bool view_request(struct operation *operation, struct request_row *request,
                  struct request_view *out, struct error *error)
{
    struct request_case loaded;
    *out = (struct request_view){0};
    if (!settle_request(operation, request, &out->is_frozen, error)) {
        return false;
    }
    out->request = *request;
    if (!load_request_case(operation, &out->request, self_of(operation), &loaded, error)) {
        return false;
    }
    out->requirement_count = loaded.facts.requirement_count;
    out->requirements =
        arena_array(operation->arena, out->requirement_count, sizeof *out->requirements);
    for (size_t i = 0; i < out->requirement_count; i++) {
        out->requirements[i] = loaded.facts.requirements[i];
    }
    out->nobody_can_approve = out->request.state == REQUEST_PENDING && out->request.is_stranded;
    view_votes(operation, &loaded, out);
    view_permissions(operation, &loaded, out);
    list_asked_groups(operation, &loaded.facts, &out->asked_groups, &out->asked_group_count);
    return view_attention(operation, &loaded.facts, out, error) &&
           view_edits(operation, out, error) && view_question(operation, out, error) &&
           view_open_effect(operation, out, error) && view_grant(operation, out, error);
}
