#include "operations/attention_internal.h"

#include "formats/text.h"
#include <string.h>

enum { HOUR_MS = 3600 * 1000, GROUP_KEY_BYTES = 16 };

int64_t dwell_needed_ms(const struct operation *operation, const struct request_row *request)
{
    const int64_t *needed = operation->operations->options.dwell_ms;
    int place = request->risk - POLICY_RISK_LOW;
    return needed[place < 0 || place >= OPERATIONS_RISKS ? OPERATIONS_RISKS - 1 : place];
}

bool count_own_votes(struct operation *operation, int64_t *out_count, struct error *error)
{
    return store_count_votes_of(operation->store, operation->principal.tenant,
                                operation->principal.id, operation->now - HOUR_MS, out_count,
                                error);
}

/* ---- who was and will be asked ---- */

static struct view_rung *add_rung(struct request_view *out, const struct approvals_case *facts,
                                  size_t requirement, int64_t after_ms)
{
    struct view_rung *rung = &out->rungs[out->rung_count++];
    *rung = (struct view_rung){.rule = facts->requirements[requirement].rule,
                               .at = facts->asked_at + after_ms,
                               .is_reached = facts->asked_at + after_ms <= facts->now};
    return rung;
}

static void add_requirement(struct operation *operation, const struct approvals_case *facts,
                            size_t index, struct request_view *out)
{
    const struct policy_requirement *requirement = &facts->requirements[index];
    struct view_rung *first = add_rung(out, facts, index, 0);
    first->groups =
        approvals_groups_asked(requirement, 0, 0, operation->arena, &first->group_count);
    for (size_t i = 0; i < requirement->rung_count; i++) {
        const struct policy_rung *step = &requirement->ladder[i];
        if (step->after_ms > 0) {
            struct view_rung *rung = add_rung(out, facts, index, step->after_ms);
            rung->groups = step->to;
            rung->group_count = step->to_count;
        }
    }
}

static void view_ladder(struct operation *operation, const struct approvals_case *facts,
                        struct request_view *out)
{
    size_t most = facts->requirement_count;
    for (size_t i = 0; i < facts->requirement_count; i++) {
        most += facts->requirements[i].rung_count;
    }
    out->rungs = arena_array(operation->arena, most, sizeof *out->rungs);
    for (size_t i = 0; i < facts->requirement_count; i++) {
        add_requirement(operation, facts, i, out);
    }
    for (size_t i = 0; i < out->rung_count; i++) {
        const struct view_rung *rung = &out->rungs[i];
        bool is_sooner = out->next_rung_at == 0 || rung->at < out->next_rung_at;
        if (!rung->is_reached && !out->is_frozen && rung->at < out->request.timeout_at &&
            is_sooner) {
            out->next_rung_at = rung->at;
        }
    }
}

/* ---- repeats ---- */

/* Requests of one agent, action and resource that ask the same of people; what the store knows them
 * by stays in the store. */
static bool view_group(struct operation *operation, struct request_view *out, struct error *error)
{
    const struct request_row *request = &out->request;
    struct builder text BUILDER_SCOPE;
    struct builder key BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_init(&key, 0);
    builder_text(&text, "group ");
    builder_append(&text, (const char *)request->near_key.bytes, SHA256_BYTES);
    builder_text(&text, request->requirements == NULL ? "" : request->requirements);
    struct sha256 hash = crypto_sha256(text.bytes, text.length);
    text_append_hex(&key, hash.bytes, GROUP_KEY_BYTES);
    out->group_key = arena_copy(operation->arena, key.bytes, key.length);
    return store_count_near_pending(operation->store, request->tenant, &request->near_key,
                                    request->requirements, &out->repeats, error);
}

/* ---- for this person ---- */

static bool view_own(struct operation *operation, struct request_view *out, struct error *error)
{
    if (operation->principal.kind != PRINCIPAL_PERSON) {
        return true;
    }
    out->has_dwell = true;
    out->dwell_needed_ms = dwell_needed_ms(operation, &out->request);
    return store_find_view(operation->store, out->request.tenant, out->request.id,
                           out->request.revision, operation->principal.id, &out->viewed_at, error);
}

bool view_attention(struct operation *operation, const struct approvals_case *facts,
                    struct request_view *out, struct error *error)
{
    if (out->request.state != REQUEST_PENDING) {
        return true;
    }
    view_ladder(operation, facts, out);
    if (!view_group(operation, out, error) || !view_own(operation, out, error)) {
        return false;
    }
    /* Who is at it is for people: an agent has no business with them. */
    return operation->principal.kind == PRINCIPAL_CALLER ||
           store_list_watches(operation->store, out->request.tenant, out->request.id,
                              operation->now, operation->arena, &out->watches, &out->watch_count,
                              error);
}

bool view_budget(struct operation *operation, struct view_budget *out, struct error *error)
{
    *out = (struct view_budget){.limit = operation->operations->options.votes_per_hour};
    out->has_one = operation->principal.kind == PRINCIPAL_PERSON && out->limit > 0;
    return !out->has_one || count_own_votes(operation, &out->used, error);
}
