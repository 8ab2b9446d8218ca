#include "operations/live_operations.h"

#include "operations/blind_internal.h"
#include "operations/request_internal.h"
#include "store/people_rows.h"
#include <string.h>
#include <strings.h>

bool operation_read_viewer(struct operation *operation, struct live_viewer *out,
                           struct error *error)
{
    const struct principal *principal = &operation->principal;
    struct viewer viewer;
    if (!authorize(operation, OPERATION_READ_SESSION, NULL, NULL, error) ||
        !load_viewer(operation, &viewer, error)) {
        return false;
    }
    *out = (struct live_viewer){.sees_all = principal->is_admin || principal->is_auditor,
                                .groups = viewer.groups,
                                .group_count = viewer.group_count,
                                .subjects = viewer.subjects,
                                .subject_count = viewer.subject_count};
    memcpy(out->person, principal->id, sizeof out->person);
    memcpy(out->name, principal->name, sizeof out->name);
    memcpy(out->tenant, principal->tenant, sizeof out->tenant);
    return true;
}

/* The count of votes must not show through while a critical request is pending. */
static unsigned missing_of(const struct request_view *view)
{
    unsigned missing = 0;
    if (view->request.state != REQUEST_PENDING) {
        return 0;
    }
    if (view->request.risk != POLICY_RISK_CRITICAL) {
        return view->missing;
    }
    for (size_t i = 0; i < view->requirement_count; i++) {
        missing += (unsigned)view->requirements[i].quorum;
    }
    return missing;
}

bool operation_read_summary(struct operation *operation, const char *tenant, const char *request,
                            struct request_summary *out, struct error *error)
{
    struct request_row row;
    struct request_view view;
    struct agent_row agent;
    if (!store_read_request(operation->store, tenant, request, operation->arena, &row, error) ||
        !view_request(operation, &row, &view, error) ||
        !store_read_agent(operation->store, tenant, row.agent, operation->arena, &agent, error)) {
        return false;
    }
    *out = (struct request_summary){.request = view.request,
                                    .missing = missing_of(&view),
                                    .asked = view.asked_groups,
                                    .asked_count = view.asked_group_count,
                                    .is_frozen = view.is_frozen,
                                    .owner = arena_text(operation->arena, agent.owner)};
    return list_blind_facts(operation, &out->request, out, error);
}

static bool shares_group(const struct live_viewer *viewer, const struct request_summary *summary)
{
    for (size_t i = 0; i < summary->asked_count; i++) {
        for (size_t j = 0; j < viewer->group_count; j++) {
            if (strcmp(summary->asked[i], viewer->groups[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_subject(const struct live_viewer *viewer, const char *subject_key)
{
    for (size_t i = 0; i < viewer->subject_count; i++) {
        if (strcasecmp(viewer->subjects[i], subject_key) == 0) {
            return true;
        }
    }
    return false;
}

bool live_viewer_is_party(const struct live_viewer *viewer, const struct request_summary *summary)
{
    return is_subject(viewer, summary->request.subject_key) ||
           strcmp(viewer->person, summary->owner) == 0;
}

bool live_viewer_sees(const struct live_viewer *viewer, const struct request_summary *summary)
{
    if (strcmp(viewer->tenant, summary->request.tenant) != 0) {
        return false;
    }
    return viewer->sees_all || shares_group(viewer, summary) ||
           live_viewer_is_party(viewer, summary);
}
