#ifndef OPERATIONS_INSIGHT_OPERATIONS_H
#define OPERATIONS_INSIGHT_OPERATIONS_H

/* Figures about how people decide: signs of fatigue, never a ranking. */

#include "operations/operation.h"

enum { INSIGHT_DAYS_MAX = 90, INSIGHT_VOTES_MAX = 20000, INSIGHT_PEOPLE_MAX = 500 };

struct person_insight {
    const char *person; /* id */
    const char *name;
    int64_t approvals, denials;
    int64_t quick;  /* approvals sooner than their risk allows, or of what was never shown */
    int64_t unseen; /* votes on what was never said to be shown */
    int64_t retyped;
    int64_t over_budget;
    bool has_dwell; /* of approvals whose request was shown: */
    int64_t dwell_p10_ms, dwell_p50_ms;
};
struct insights {
    int64_t since_at;
    struct person_insight *people; /* by name */
    size_t person_count;
    bool is_capped; /* there were more votes or people than are looked at: the newest are missing */
    /* Of requests that people were asked about, submitted since; for auditors and admins. */
    bool has_requests;
    int64_t asked, pending, approved, denied, expired, cancelled, edited, stranded;
};
/* insights.c: everybody's for auditors, admins and the host; a person's own for others. Votes that
 * are hidden from somebody are not counted yet. */
bool operation_read_insights(struct operation *operation, int64_t days, struct insights *out,
                             struct error *error) MUST_CHECK;

#endif
