#ifndef OPERATIONS_EVALUATE_OPERATIONS_H
#define OPERATIONS_EVALUATE_OPERATIONS_H

/*
 * AuthZEN evaluations (OpenID AuthZEN Authorization API 1.0): what policy says of an action now.
 * Each is an entry, committed before it is answered. An evaluation makes no request and consumes
 * nothing, so that the same one again has the same answer. What needs a person is a no.
 */

#include "operations/operation.h"
#include "operations/request_operations.h"

enum { EVALUATIONS_MAX = 100 }; /* in one call */

/* Why it is no; EVALUATED_NO is a no without a word, EVALUATED_YES the only yes. */
enum evaluated {
    EVALUATED_NO = 0,
    EVALUATED_YES,
    EVALUATED_POLICY_DENY,
    EVALUATED_APPROVAL_REQUIRED,
    EVALUATED_FROZEN,
    EVALUATED_RECENTLY_DENIED,
    EVALUATED_AUDIENCE_NOT_ALLOWED,
    EVALUATED_FAULTY, /* it could not be evaluated: `fault` says why */
    EVALUATED_COUNT
};
const char *evaluated_name(enum evaluated evaluated); /* "approval_required"; "" for yes and no */

/* One evaluation asked for: as a submission, of which only who asks for whom to do what counts. */
struct evaluate_item {
    struct submit_input asked;
    struct error fault; /* what the door found wrong with it; it is not evaluated */
};

enum evaluate_semantic {
    EVALUATE_ALL = 0,
    EVALUATE_DENY_ON_FIRST_DENY,
    EVALUATE_PERMIT_ON_FIRST_PERMIT
};

struct evaluate_input {
    const struct evaluate_item *items;
    size_t count; /* 1..EVALUATIONS_MAX */
    enum evaluate_semantic semantic;
    bool is_batch; /* a fault is then that item's no, and not the whole call's error */
};

struct evaluation {
    enum evaluated evaluated;
    char id[ID_BYTES];   /* evl_…, as in its entry */
    const char *message; /* of the deciding rule; NULL when it has none */
    struct error fault;
};
struct evaluate_result {
    struct evaluation *evaluations; /* in the order asked, cut after the one that ends the call */
    size_t count;
    int64_t evaluated_at;
};

/* evaluate.c. FORBIDDEN `agent_not_registered`, `subject_not_registered`; INVALID
 * `agent_ambiguous`; RETRY_LATER `no_policy`. */
bool operation_evaluate(struct operation *operation, const struct evaluate_input *input,
                        struct evaluate_result *out, struct error *error) MUST_CHECK;

#endif
