#include "ledger/entry_data.h"
#include "operations/grant_operations.h"
#include "operations/history_internal.h"
#include "operations/issue_grant.h"
#include <string.h>

enum { DIGEST_DIGITS = 64 };

static bool is_resolving(enum grant_event report)
{
    return report == GRANT_RESOLVE_SUCCEEDED || report == GRANT_RESOLVE_FAILED;
}

static bool is_report(enum grant_event report)
{
    return report == GRANT_REPORT_SUCCEEDED || report == GRANT_REPORT_FAILED ||
           report == GRANT_REPORT_UNKNOWN;
}

static enum grant_state state_of(enum grant_event report)
{
    if (report == GRANT_REPORT_SUCCEEDED || report == GRANT_RESOLVE_SUCCEEDED) {
        return GRANT_SUCCEEDED;
    }
    return report == GRANT_REPORT_UNKNOWN ? GRANT_UNKNOWN : GRANT_FAILED;
}

static bool check_input(const struct effect_input *input, struct error *error)
{
    if (!is_report(input->report) && !is_resolving(input->report)) {
        return error_set(error, ERROR_INVALID, "bad_outcome", "/outcome",
                         "report `succeeded`, `failed` or `unknown`");
    }
    const char *digest = input->result_digest;
    bool is_digest = digest == NULL || (strlen(digest) == DIGEST_DIGITS &&
                                        strspn(digest, "0123456789abcdef") == DIGEST_DIGITS);
    return is_digest || error_set(error, ERROR_INVALID, "bad_digest", "/result_digest",
                                  "the digest of the result is a SHA-256 in 64 lower-case hex "
                                  "digits");
}

static bool is_same_text(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

/* The same said again by the same party. */
static bool is_repeated(const struct operation *operation, const struct grant_row *grant,
                        const struct effect_input *input)
{
    if (grant->effect_at == 0 || grant->state != state_of(input->report)) {
        return false;
    }
    if (is_resolving(input->report)) {
        return strcmp(grant->resolved_by, operation->principal.id) == 0;
    }
    return grant->resolved_by[0] == '\0' &&
           is_same_text(grant->effect_digest, input->result_digest);
}

static bool refuse(const struct grant_row *grant, const struct effect_input *input,
                   struct error *error)
{
    if (grant->state == GRANT_UNKNOWN) {
        return error_set(error, ERROR_CONFLICT, "effect_unknown", grant->id,
                         "no report came in time, or it said that nobody knows: a person resolves "
                         "it now");
    }
    if (is_resolving(input->report) && grant->state == GRANT_REDEEMED) {
        return error_set(error, ERROR_CONFLICT, "effect_awaited", grant->id,
                         "its redeemer may still report what happened");
    }
    return error_set(error, ERROR_CONFLICT, "effect_not_possible", grant->id,
                     "the grant is %s: there is no effect to report",
                     grant_state_name(grant->state));
}

static bool record_effect(struct operation *operation, const struct grant_row *grant,
                          const struct effect_input *input, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_effect(&data, grant_state_name(grant->state), input->result_digest);
    return record_grant(
        operation, is_resolving(input->report) ? LEDGER_EFFECT_RESOLVED : LEDGER_EFFECT_REPORTED,
        grant, &data, false, false, error);
}

/* Only where something is counted is the request looked for. */
static bool count_effect(struct operation *operation, const struct grant_row *grant,
                         struct error *error)
{
    struct request_row request;
    if (operation->operations->history.count == 0 || grant->state == GRANT_UNKNOWN) {
        return true;
    }
    return store_read_request(operation->store, grant->tenant, grant->request, operation->arena,
                              &request, error) &&
           note_past(operation, &request,
                     grant->state == GRANT_SUCCEEDED ? POLICY_PAST_SUCCEEDED : POLICY_PAST_FAILED,
                     error);
}

static bool take_effect(struct operation *operation, struct grant_row *grant,
                        const struct effect_input *input, struct error *error)
{
    if (grant_apply(grant->state, input->report) == NULL) {
        return refuse(grant, input, error);
    }
    if (!apply_grant_event(grant, input->report, error)) {
        return false;
    }
    grant->effect_at = operation->now;
    grant->due_at = 0;
    if (input->summary != NULL) {
        grant->effect_summary = operation_bounded_text(operation, input->summary);
    }
    if (input->result_digest != NULL) {
        grant->effect_digest = input->result_digest;
    }
    if (is_resolving(input->report)) {
        memcpy(grant->resolved_by, operation->principal.id, sizeof grant->resolved_by);
    }
    if (grant->state == GRANT_UNKNOWN) {
        metrics_add(operation->operations->options.metrics, METRIC_EFFECTS_UNKNOWN, 1);
    }
    operation_grant_note(operation, grant);
    return store_update_grant(operation->store, grant, error) &&
           record_effect(operation, grant, input, error) && count_effect(operation, grant, error) &&
           (grant->state == GRANT_UNKNOWN ||
            store_close_effect(operation->store, grant->tenant, grant->id, error));
}

bool operation_report_effect(struct operation *operation, const struct effect_input *input,
                             struct effect_result *out, struct error *error)
{
    struct grant_row grant;
    struct authorize_facts facts;
    *out = (struct effect_result){0};
    if (!check_input(input, error) || !find_grant(operation, input->grant, &grant, &facts, error)) {
        return false;
    }
    /* Who redeemed reports; the holder merely knows of it. */
    facts.is_known = facts.is_own;
    facts.is_own = strcmp(grant.redeemer, operation->principal.id) == 0;
    enum operation_kind kind =
        is_resolving(input->report) ? OPERATION_RESOLVE_EFFECT : OPERATION_REPORT_EFFECT;
    if (!authorize(operation, kind, &facts, input->grant, error)) {
        return false;
    }
    if (is_repeated(operation, &grant, input)) {
        out->outcome = EFFECT_REPEATED;
    } else if (take_effect(operation, &grant, input, error)) {
        out->outcome = EFFECT_RECORDED;
    } else {
        return false;
    }
    out->state = grant.state;
    return true;
}
