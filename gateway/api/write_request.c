#include "api/api_internal.h"

#include "formats/text.h"
#include "identity/confirmation.h"
#include "policy/policy.h"
#include <string.h>

void api_write_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    if (wall_ms == 0) {
        return;
    }
    text_write_time(wall_ms, text);
    canonical_member_text(writer, name, text);
}

void api_write_texts(struct canonical_writer *writer, const char *name, const char *const *texts,
                     size_t count)
{
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        canonical_string(writer, texts[i]);
    }
    canonical_close_array(writer);
}

void api_write_hex(struct canonical_writer *writer, const char *name, const struct sha256 *hash)
{
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    text_append_hex(&hex, hash->bytes, SHA256_BYTES);
    canonical_member_text(writer, name, hex.bytes);
}

/* Canonical texts are written as they are stored: what is shown is what was hashed. Erased ones are
 * null. */
static void write_canonical(struct canonical_writer *writer, const char *name, const char *text)
{
    if (text == NULL) {
        canonical_name(writer, name);
        canonical_null(writer);
        return;
    }
    canonical_member_raw(writer, name, text, strlen(text));
}

static void write_confirmation(struct canonical_writer *writer, const char *confirmation)
{
    const char *hash;
    const char *name = confirmation_name(confirmation, &hash);
    if (name != NULL) {
        canonical_name(writer, "cnf");
        canonical_open_object(writer);
        canonical_member_text(writer, name, hash);
        canonical_close_object(writer);
    }
}

static void write_grant(struct canonical_writer *writer, const struct request_view *view,
                        const char *token)
{
    const struct grant_row *grant = &view->grant;
    canonical_name(writer, "grant");
    canonical_open_object(writer);
    canonical_member_text(writer, "audience", grant->audience[0] == '\0' ? NULL : grant->audience);
    canonical_member_bool(writer, "bearer", grant->is_bearer);
    api_write_time(writer, "claim_until", grant->claim_until);
    write_confirmation(writer, grant->confirmation);
    api_write_time(writer, "effect_due", grant->effect_due_at);
    if (grant->fence != 0) {
        canonical_member_integer(writer, "fence", grant->fence);
    }
    canonical_member_text(writer, "id", grant->id);
    api_write_time(writer, "redeemed_at", grant->redeemed_at);
    canonical_member_text(writer, "state", grant_state_name(grant->state));
    canonical_member_text(writer, "token", token);
    api_write_time(writer, "token_expires_at", token == NULL ? 0 : view->token.expires_at);
    canonical_close_object(writer);
}

static void write_requirements(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "requirements");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->requirement_count; i++) {
        const struct policy_requirement *requirement = &view->requirements[i];
        canonical_open_object(writer);
        canonical_member_integer(writer, "approved",
                                 view->approved == NULL ? 0 : view->approved[i]);
        canonical_member_text(writer, "assurance", assurance_name(requirement->assurance));
        api_write_texts(writer, "groups", requirement->groups, requirement->group_count);
        canonical_member_integer(writer, "quorum", requirement->quorum);
        canonical_member_text(writer, "rule", requirement->rule);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

static void write_votes(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "votes");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->vote_count; i++) {
        const struct vote_row *vote = &view->votes[i];
        canonical_open_object(writer);
        canonical_member_text(writer, "assurance", assurance_name(vote->assurance));
        api_write_time(writer, "at", vote->at);
        canonical_member_text(writer, "id", vote->id);
        canonical_member_bool(writer, "late", vote->is_late);
        canonical_member_text(writer, "person", vote->person_name);
        if (vote->is_quick) {
            canonical_member_bool(writer, "quick", true);
        }
        canonical_member_text(writer, "reason", vote->reason);
        if (vote->is_retyped) {
            canonical_member_bool(writer, "retyped", true);
        }
        canonical_member_integer(writer, "revision", vote->revision);
        canonical_member_text(writer, "vote", vote->approves ? "approve" : "deny");
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

/* What approvers changed, for the agent that must run what was approved and nothing else. */
static void write_edits(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "edits");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->edit_count; i++) {
        const struct edit_row *edit = &view->edits[i];
        canonical_open_object(writer);
        api_write_time(writer, "at", edit->at);
        write_canonical(writer, "changes", edit->changes);
        api_write_hex(writer, "digest", &edit->digest);
        canonical_member_text(writer, "person", edit->person_name);
        canonical_member_text(writer, "reason", edit->reason);
        canonical_member_integer(writer, "revision", edit->revision);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

void api_write_budget(struct canonical_writer *writer, const struct view_budget *budget)
{
    if (!budget->has_one) {
        return;
    }
    canonical_name(writer, "budget");
    canonical_open_object(writer);
    canonical_member_integer(writer, "limit", budget->limit);
    canonical_member_integer(writer, "used", budget->used);
    canonical_close_object(writer);
}

static void write_dwell(struct canonical_writer *writer, const struct request_view *view)
{
    if (!view->has_dwell) {
        return;
    }
    canonical_name(writer, "dwell");
    canonical_open_object(writer);
    canonical_member_integer(writer, "needed_ms", view->dwell_needed_ms);
    api_write_time(writer, "viewed_at", view->viewed_at);
    canonical_close_object(writer);
}

static void write_group(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "group");
    canonical_open_object(writer);
    canonical_member_integer(writer, "count", view->repeats);
    canonical_member_text(writer, "key", view->group_key);
    canonical_close_object(writer);
}

/* Who was asked since when, who is next and when, and what happens at zero. */
static void write_ladder(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "ladder");
    canonical_open_object(writer);
    api_write_time(writer, "next_at", view->next_rung_at);
    canonical_name(writer, "rungs");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->rung_count; i++) {
        const struct view_rung *rung = &view->rungs[i];
        canonical_open_object(writer);
        api_write_time(writer, "at", rung->at);
        api_write_texts(writer, "groups", rung->groups, rung->group_count);
        canonical_member_bool(writer, "reached", rung->is_reached);
        canonical_member_text(writer, "rule", rung->rule);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
    canonical_member_text(writer, "then", request_state_name(REQUEST_EXPIRED));
    canonical_close_object(writer);
}

static void write_watches(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_name(writer, "watching");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->watch_count; i++) {
        const struct watch_row *watch = &view->watches[i];
        canonical_open_object(writer);
        canonical_member_text(writer, "person", watch->person_name);
        api_write_time(writer, "since", watch->since_at);
        api_write_time(writer, "until", watch->until_at);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

/* Who is still wanted: only while it can matter. */
static void write_pending(struct canonical_writer *writer, const struct request_view *view)
{
    canonical_member_integer(writer, "missing", view->missing);
}

/* Which of agent and subject the caller only claims. */
static void write_unverified(struct canonical_writer *writer, const char *unverified)
{
    if (unverified[0] == '\0') {
        return;
    }
    canonical_name(writer, "unverified");
    canonical_open_array(writer);
    if (strncmp(unverified, "agent", 5) == 0) {
        canonical_string(writer, "agent");
    }
    if (strstr(unverified, "subject") != NULL) {
        canonical_string(writer, "subject");
    }
    canonical_close_array(writer);
}

void api_write_request(struct canonical_writer *writer, const struct request_view *view,
                       const char *token)
{
    const struct request_row *request = &view->request;
    bool is_pending = request->state == REQUEST_PENDING;
    canonical_open_object(writer);
    if (request->act[0] != '\0') {
        write_canonical(writer, "act", request->act);
    }
    write_canonical(writer, "action", request->action);
    canonical_member_text(writer, "agent", request->agent_name);
    api_write_texts(writer, "asked", view->asked_groups, view->asked_group_count);
    canonical_member_text(writer, "audience",
                          request->audience[0] == '\0' ? NULL : request->audience);
    api_write_budget(writer, &view->budget);
    canonical_member_text(writer, "caller", request->caller_name);
    if (request->challenge != NULL) {
        write_canonical(writer, "challenge", request->challenge);
    }
    canonical_member_integer(writer, "comments", request->comment_count);
    write_canonical(writer, "context", request->context);
    api_write_time(writer, "created_at", request->created_at);
    api_write_hex(writer, "digest", &request->digest);
    write_dwell(writer, view);
    write_edits(writer, view);
    api_write_time(writer, "ended_at", request->ended_at);
    if (request->explanation != NULL) {
        write_canonical(writer, "explanation", request->explanation);
    }
    canonical_member_bool(writer, "frozen", view->is_frozen);
    if (view->has_grant) {
        write_grant(writer, view, token);
    }
    if (view->group_key != NULL) {
        write_group(writer, view);
    }
    canonical_member_text(writer, "id", request->id);
    canonical_member_text(writer, "identity",
                          request->identity[0] == '\0' ? NULL : request->identity);
    if (is_pending) {
        write_ladder(writer, view);
    }
    canonical_member_bool(writer, "may_approve", view->may_approve);
    canonical_member_bool(writer, "may_deny", view->may_deny);
    canonical_member_bool(writer, "may_edit", view->may_edit);
    canonical_member_text(writer, "message", request->message);
    if (is_pending) {
        write_pending(writer, view);
    }
    canonical_member_integer(writer, "near_denials", request->near_denials);
    if (view->needs_passkey) {
        canonical_member_bool(writer, "needs_passkey", true);
    }
    canonical_member_integer(writer, "news", view->news);
    if (view->nobody_can_approve) {
        canonical_member_bool(writer, "nobody_can_approve", true);
    }
    canonical_member_text(writer, "open_effect_of", view->open_effect_of);
    canonical_member_text(writer, "policy", request->policy);
    if (view->has_question) {
        canonical_name(writer, "question");
        api_write_comment(writer, &view->question);
    }
    canonical_member_text(writer, "reason",
                          request->reason == REASON_NONE ? NULL
                                                         : request_reason_name(request->reason));
    write_requirements(writer, view);
    write_canonical(writer, "resource", request->resource);
    canonical_member_integer(writer, "revision", request->revision);
    canonical_member_text(writer, "risk", policy_risk_name((enum policy_risk)request->risk));
    canonical_member_text(writer, "salt", request->salt);
    if (request->show != NULL) {
        write_canonical(writer, "show", request->show);
    }
    canonical_member_text(writer, "state", request_state_name(request->state));
    write_canonical(writer, "subject", request->subject);
    api_write_time(writer, "timeout_at", is_pending ? request->timeout_at : 0);
    write_unverified(writer, request->unverified);
    canonical_member_text(writer, "verdict",
                          policy_verdict_name((enum policy_verdict)request->verdict));
    write_votes(writer, view);
    if (is_pending) {
        write_watches(writer, view);
    }
    canonical_member_text(writer, "why", request->why);
    canonical_close_object(writer);
}

bool api_sign_token(struct api *api, const char *typ, const struct grant_claims *claims,
                    struct builder *out, struct error *error)
{
    struct builder payload BUILDER_SCOPE;
    builder_init(&payload, GRANT_CLAIMS_BYTES_MAX);
    grant_append_claims(claims, &payload);
    const struct signer *signer =
        keyring_signer(api->options.issuer_keys, SIGNER_ES256, api->wall_now);
    return jws_sign(signer, typ, payload.bytes, payload.length, out, error);
}
