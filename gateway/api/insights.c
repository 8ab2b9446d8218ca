#include "api/api_internal.h"

#include "operations/insight_operations.h"

/* GET /v1/insights */

static const char *const parameters[] = {"days", NULL};

bool api_read_insights(struct api_call *call, struct error *error)
{
    int64_t *days = ARENA_NEW(call->arena, int64_t);
    call->input = days;
    if (!api_only_parameters(call, parameters, error) ||
        !api_take_number(call, "days", 7, days, error)) {
        return false;
    }
    return (*days >= 1 && *days <= INSIGHT_DAYS_MAX) ||
           error_set(error, ERROR_INVALID, "bad_parameter", "days",
                     "`days` must be a number from 1 to %d", INSIGHT_DAYS_MAX);
}

bool api_run_insights(struct api_call *call, struct error *error)
{
    const int64_t *days = call->input;
    call->result = ARENA_NEW(call->arena, struct insights);
    return operation_read_insights(&call->operation, *days, call->result, error);
}

static void write_person(struct canonical_writer *writer, const struct person_insight *person)
{
    canonical_open_object(writer);
    canonical_member_integer(writer, "approvals", person->approvals);
    canonical_member_integer(writer, "denials", person->denials);
    if (person->has_dwell) {
        canonical_member_integer(writer, "dwell_p10_ms", person->dwell_p10_ms);
        canonical_member_integer(writer, "dwell_p50_ms", person->dwell_p50_ms);
    }
    canonical_member_integer(writer, "over_budget", person->over_budget);
    canonical_member_text(writer, "person", person->name);
    canonical_member_integer(writer, "quick", person->quick);
    canonical_member_integer(writer, "retyped", person->retyped);
    canonical_member_integer(writer, "unseen", person->unseen);
    canonical_close_object(writer);
}

static void write_requests(struct canonical_writer *writer, const struct insights *insights)
{
    canonical_name(writer, "requests");
    canonical_open_object(writer);
    canonical_member_integer(writer, "approved", insights->approved);
    canonical_member_integer(writer, "asked", insights->asked);
    canonical_member_integer(writer, "cancelled", insights->cancelled);
    canonical_member_integer(writer, "denied", insights->denied);
    canonical_member_integer(writer, "edited", insights->edited);
    canonical_member_integer(writer, "expired", insights->expired);
    canonical_member_integer(writer, "pending", insights->pending);
    canonical_member_integer(writer, "stranded", insights->stranded);
    canonical_close_object(writer);
}

void api_answer_insights(struct api_call *call)
{
    const struct insights *insights = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "capped", insights->is_capped);
    canonical_name(&writer, "people");
    canonical_open_array(&writer);
    for (size_t i = 0; i < insights->person_count; i++) {
        write_person(&writer, &insights->people[i]);
    }
    canonical_close_array(&writer);
    if (insights->has_requests) {
        write_requests(&writer, insights);
    }
    api_write_time(&writer, "since", insights->since_at);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
