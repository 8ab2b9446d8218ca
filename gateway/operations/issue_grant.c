#include "operations/issue_grant.h"

#include "base/check.h"
#include "formats/text.h"
#include "requests/authzen_binding.h"
#include <string.h>

bool apply_grant_event(struct grant_row *grant, enum grant_event event, struct error *error)
{
    const struct grant_transition *transition = grant_apply(grant->state, event);
    if (transition == NULL) {
        return error_set(error, ERROR_INTERNAL, "refused_transition", grant->id,
                         "a grant that is %s cannot take the event %s",
                         grant_state_name(grant->state), grant_event_name(event));
    }
    grant->state = transition->next;
    return true;
}

bool record_grant(struct operation *operation, enum ledger_entry_type type,
                  const struct grant_row *grant, const struct builder *data, bool has_digest,
                  bool is_by_gateway, struct error *error)
{
    struct record record = {
        .type = type,
        .tenant = grant->tenant,
        .request = grant->request,
        .grant = grant->id,
        .digest = has_digest ? &grant->digest : NULL,
        .data = data,
        .is_by_gateway = is_by_gateway,
    };
    return record_entry(operation, &record, error);
}

static bool record_issued(struct operation *operation, const struct grant_row *grant,
                          struct error *error)
{
    const char *audience = grant->audience[0] == '\0' ? grant->caller : grant->audience;
    struct ledger_issued issued = {.audience = {.items = &audience, .count = 1},
                                   .claim_until_ms = grant->claim_until,
                                   .is_bearer = grant->is_bearer};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_issued(&data, &issued);
    return record_grant(operation, LEDGER_GRANT_ISSUED, grant, &data, true, true, error);
}

static bool rest_on(struct operation *operation, const struct grant_row *grant,
                    const struct ledger_assigned *assigned, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!store_insert_grant_approver(operation->store, grant->id, assigned[i].person, error)) {
            return false;
        }
    }
    return true;
}

static bool record_minted(struct operation *operation, const struct grant_row *grant,
                          struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_minted(&data, grant->mint_count, grant->token_expires_at,
                       grant->confirmation[0] == '\0' ? NULL : grant->confirmation);
    return record_grant(operation, LEDGER_GRANT_MINTED, grant, &data, false, false, error);
}

bool mint_token(struct operation *operation, struct grant_row *grant, int64_t expires_at,
                struct error *error)
{
    if (!apply_grant_event(grant, GRANT_MINT, error)) {
        return false;
    }
    /* The key that reads is the key that holds: certificates are renewed while people think. */
    if (operation->confirmation[0] != '\0') {
        grant->confirmation = operation->confirmation;
    }
    crypto_make_id("jti", operation->now, grant->token);
    grant->mint_count++;
    grant->token_issued_at = operation->now;
    grant->token_expires_at = expires_at;
    if (!record_minted(operation, grant, error)) {
        return false;
    }
    minted_tokens_remember(operation->operations->minted, grant->token, operation->boot);
    metrics_add(operation->operations->options.metrics, METRIC_GRANTS_MINTED, 1);
    return true;
}

static bool mint_first(struct operation *operation, struct grant_row *grant, struct error *error)
{
    int64_t expires_at = grant_token_expiry(operation->now, grant->ttl_ms, grant->claim_until);
    return expires_at == 0 || mint_token(operation, grant, expires_at, error);
}

bool issue_grant(struct operation *operation, const struct request_row *request,
                 const struct policy_grant *terms, const struct ledger_assigned *assigned,
                 size_t assigned_count, bool mints, struct grant_row *out, struct error *error)
{
    CHECK(request->state == REQUEST_APPROVED && request->grant[0] != '\0');
    CHECK(terms->ttl_ms > 0 && terms->claim_within_ms > 0);
    struct grant_row grant = {
        .epoch = operation->operations->epoch,
        .digest = request->digest,
        .effect_key = request->effect_key,
        .audience = request->audience,
        .confirmation = request->confirmation,
        /* Another service than the caller redeems, and nothing will prove who handed it the token.
         */
        .is_bearer = request->audience[0] != '\0' && terms->allows_bearer &&
                     request->confirmation[0] == '\0',
        .ttl_ms = terms->ttl_ms,
        .issued_at = operation->now,
        .claim_until = operation->now + terms->claim_within_ms,
    };
    grant.due_at = grant.claim_until;
    memcpy(grant.id, request->grant, sizeof grant.id);
    memcpy(grant.tenant, request->tenant, sizeof grant.tenant);
    memcpy(grant.request, request->id, sizeof grant.request);
    memcpy(grant.caller, request->caller, sizeof grant.caller);
    memcpy(grant.agent, request->agent, sizeof grant.agent);
    if (!apply_grant_event(&grant, GRANT_ISSUE, error) ||
        !record_issued(operation, &grant, error) ||
        (mints && !mint_first(operation, &grant, error)) ||
        !store_insert_grant(operation->store, &grant, error) ||
        !rest_on(operation, &grant, assigned, assigned_count, error)) {
        return false;
    }
    operation_note_due(operation, grant.due_at);
    *out = grant;
    return true;
}

static void copy_text(char *out, size_t out_bytes, const char *text)
{
    size_t length = strlen(text);
    CHECK(length < out_bytes);
    memcpy(out, text, length + 1);
}

void fill_claims(const struct operation *operation, const struct request_row *request,
                 const struct grant_row *grant, struct grant_claims *out)
{
    const char *audience = grant->audience[0] == '\0' ? grant->caller : grant->audience;
    const char *issuer = operation->operations->options.issuer;
    struct builder digest BUILDER_SCOPE;
    struct builder binding BUILDER_SCOPE;
    struct sha256 hash = binding_authzen_hash(request->subject, request->action, request->resource,
                                              request->context, NULL);
    builder_init(&digest, 0);
    builder_init(&binding, 0);
    text_append_base64url(&binding, hash.bytes, sizeof hash.bytes);
    text_append_hex(&digest, grant->digest.bytes, sizeof grant->digest.bytes);
    *out = (struct grant_claims){.is_bearer = grant->is_bearer,
                                 .issued_at = grant->token_issued_at,
                                 .expires_at = grant->token_expires_at};
    copy_text(out->issuer, sizeof out->issuer, issuer == NULL ? "" : issuer);
    copy_text(out->grant, sizeof out->grant, grant->id);
    copy_text(out->request, sizeof out->request, grant->request);
    copy_text(out->tenant, sizeof out->tenant, grant->tenant);
    copy_text(out->agent, sizeof out->agent, request->agent_name);
    copy_text(out->subject, sizeof out->subject, request->subject_key);
    copy_text(out->audience, sizeof out->audience, audience);
    copy_text(out->caller, sizeof out->caller, grant->caller);
    copy_text(out->digest, sizeof out->digest, digest.bytes);
    copy_text(out->binding, sizeof out->binding, binding.bytes);
    copy_text(out->action, sizeof out->action, request->action_name);
    copy_text(out->resource, sizeof out->resource, request->resource_key);
    copy_text(out->policy, sizeof out->policy, request->policy);
    copy_text(out->token, sizeof out->token, grant->token);
    copy_text(out->confirmation, sizeof out->confirmation, grant->confirmation);
}

bool find_grant(struct operation *operation, const char *id, struct grant_row *out,
                struct authorize_facts *out_facts, struct error *error)
{
    const struct principal *principal = &operation->principal;
    *out_facts = (struct authorize_facts){0};
    struct error missing = {0};
    if (!store_read_grant(operation->store, principal->tenant, id, operation->arena, out,
                          &missing)) {
        return hide_missing(&missing, id, error);
    }
    out_facts->tenant = out->tenant;
    out_facts->is_own =
        principal->kind == PRINCIPAL_CALLER && strcmp(out->caller, principal->id) == 0;
    return principal->kind != PRINCIPAL_PERSON ||
           store_grant_rests_on(operation->store, id, principal->id, &out_facts->is_relied_on,
                                error);
}
