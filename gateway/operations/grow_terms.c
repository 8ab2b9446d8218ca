#include "operations/request_internal.h"
#include <string.h>

/* What the request asks for and what policy asks for now. */
struct both {
    struct operation *operation;
    const struct request_row *request;
    const struct policy_decision *decision;
    struct approvals_case stored;
    struct growth *out;
};

static int64_t shorter(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static bool is_listed(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The strictest of both, like the terms of several rules. */
static struct policy_grant stricter_terms(struct arena *arena, const struct policy_grant *old,
                                          const struct policy_grant *new)
{
    struct policy_grant terms = {
        .ttl_ms = shorter(old->ttl_ms, new->ttl_ms),
        .claim_within_ms = shorter(old->claim_within_ms, new->claim_within_ms),
        .allows_bearer = old->allows_bearer && new->allows_bearer,
        .audiences = old->audiences == NULL ? new->audiences : old->audiences,
        .audience_count = old->audiences == NULL ? new->audience_count : old->audience_count,
    };
    if (old->audiences == NULL || new->audiences == NULL) {
        return terms;
    }
    terms.audiences = arena_array(arena, old->audience_count, sizeof *terms.audiences);
    terms.audience_count = 0;
    for (size_t i = 0; i < old->audience_count; i++) {
        if (is_listed(new->audiences, new->audience_count, old->audiences[i])) {
            terms.audiences[terms.audience_count++] = old->audiences[i];
        }
    }
    return terms;
}

static bool merge(struct both *both, bool *out_fits, struct error *error)
{
    struct error refused = {0};
    *out_fits = policy_requirements_merge(
        both->operation->arena, both->stored.requirements, both->stored.requirement_count,
        both->decision->requirements, both->decision->requirement_count, &both->out->requirements,
        &both->out->requirement_count, &refused);
    return *out_fits || refused.kind == ERROR_LIMIT ||
           error_set(error, refused.kind, refused.code, both->request->id, "%s", refused.message);
}

static bool load_stored(struct both *both, struct error *error)
{
    struct operation *operation = both->operation;
    const struct request_row *request = both->request;
    struct policy_grant stored;
    if (!load_requirements(operation, request, &both->stored, error) ||
        !policy_grant_read(request->grant_settings, strlen(request->grant_settings),
                           operation->arena, &stored, error)) {
        return false;
    }
    both->out->terms = stricter_terms(operation->arena, &stored, &both->decision->grant);
    return true;
}

static bool may_be_used(const struct both *both, bool *out_may, struct error *error)
{
    const struct request_row *request = both->request;
    struct caller_row caller;
    if (!store_read_caller(both->operation->store, request->tenant, request->caller,
                           both->operation->arena, &caller, error)) {
        return false;
    }
    *out_may = terms_allow_audience(&both->out->terms, request, &caller);
    return true;
}

bool grow_terms(struct operation *operation, const struct request_row *request,
                const struct policy_decision *decision, struct growth *out, struct error *error)
{
    struct both both = {
        .operation = operation, .request = request, .decision = decision, .out = out};
    bool may = false;
    bool fits = false;
    *out = (struct growth){0};
    if (!load_stored(&both, error) || !may_be_used(&both, &may, error) ||
        !merge(&both, &fits, error)) {
        return false;
    }
    if (!may) {
        out->refusal = "the rules now let nobody use what this request would be granted";
    } else if (!fits) {
        out->refusal = "the rules ask for more people than one request can";
    }
    return true;
}
