#include "operations/insight_operations.h"

#include "operations/request_internal.h"
#include "store/insight_rows.h"
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static struct person_insight *find_or_add(struct insights *out, const struct vote_figure *vote)
{
    for (size_t i = 0; i < out->person_count; i++) {
        if (strcmp(out->people[i].person, vote->person) == 0) {
            return &out->people[i];
        }
    }
    if (out->person_count == INSIGHT_PEOPLE_MAX) {
        out->is_capped = true;
        return NULL;
    }
    struct person_insight *person = &out->people[out->person_count++];
    *person = (struct person_insight){.person = vote->person, .name = vote->person_name};
    return person;
}

static void count_vote(struct insights *out, const struct vote_figure *vote)
{
    struct person_insight *person = find_or_add(out, vote);
    if (person == NULL) {
        return;
    }
    person->approvals += vote->approves;
    person->denials += !vote->approves;
    person->quick += vote->is_quick;
    person->unseen += vote->dwell_ms < 0;
    person->retyped += vote->is_retyped;
    person->over_budget += vote->is_over_budget;
}

static int by_number(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static int by_name(const void *left, const void *right)
{
    const struct person_insight *a = left;
    const struct person_insight *b = right;
    return strcmp(a->name, b->name);
}

/* The nearest rank: with few votes a number somebody had, not one in between. */
static void weigh_dwell(struct person_insight *person, const struct vote_figure *votes,
                        size_t count, int64_t *scratch)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (votes[i].approves && votes[i].dwell_ms >= 0 &&
            strcmp(votes[i].person, person->person) == 0) {
            scratch[known++] = votes[i].dwell_ms;
        }
    }
    if (known == 0) {
        return;
    }
    qsort(scratch, known, sizeof *scratch, by_number);
    person->has_dwell = true;
    person->dwell_p10_ms = scratch[(known - 1) / 10];
    person->dwell_p50_ms = scratch[(known - 1) / 2];
}

static bool sees_all(const struct operation *operation)
{
    const struct principal *principal = &operation->principal;
    return principal->kind == PRINCIPAL_HOST ||
           (principal->kind == PRINCIPAL_PERSON && (principal->is_admin || principal->is_auditor));
}

static bool count_votes(struct operation *operation, struct insights *out, struct error *error)
{
    struct vote_figure *votes;
    size_t count;
    if (!store_list_vote_figures(operation->store, operation->principal.tenant,
                                 sees_all(operation) ? NULL : operation->principal.id,
                                 out->since_at, INSIGHT_VOTES_MAX + 1, operation->arena, &votes,
                                 &count, error)) {
        return false;
    }
    out->is_capped = count > INSIGHT_VOTES_MAX;
    count = out->is_capped ? INSIGHT_VOTES_MAX : count;
    out->people = arena_array(operation->arena, INSIGHT_PEOPLE_MAX, sizeof *out->people);
    for (size_t i = 0; i < count; i++) {
        count_vote(out, &votes[i]);
    }
    int64_t *scratch = arena_array(operation->arena, count, sizeof *scratch);
    for (size_t i = 0; i < out->person_count; i++) {
        weigh_dwell(&out->people[i], votes, count, scratch);
    }
    qsort(out->people, out->person_count, sizeof *out->people, by_name);
    return true;
}

static bool count_requests(struct operation *operation, struct insights *out, struct error *error)
{
    struct request_figures figures;
    if (!sees_all(operation)) {
        return true;
    }
    if (!store_count_asked(operation->store, operation->principal.tenant, out->since_at, &figures,
                           error)) {
        return false;
    }
    out->has_requests = true;
    out->asked = figures.asked;
    out->pending = figures.pending;
    out->approved = figures.approved;
    out->denied = figures.denied;
    out->expired = figures.expired;
    out->cancelled = figures.cancelled;
    out->edited = figures.edited;
    out->stranded = figures.stranded;
    return true;
}

bool operation_read_insights(struct operation *operation, int64_t days, struct insights *out,
                             struct error *error)
{
    int64_t since_at = operation->now - days * DAY_MS;
    *out = (struct insights){.since_at = since_at > 0 ? since_at : 0};
    return authorize(operation, OPERATION_READ_INSIGHTS, NULL, NULL, error) &&
           count_votes(operation, out, error) && count_requests(operation, out, error);
}
