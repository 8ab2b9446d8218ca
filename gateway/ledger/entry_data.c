#include "ledger/entry_data.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include <string.h>

static void begin(struct canonical_writer *writer, struct builder *out)
{
    canonical_begin(writer, out);
    canonical_open_object(writer);
}

static void member_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    text_write_time(wall_ms, text);
    canonical_member_text(writer, name, text);
}

static void member_texts(struct canonical_writer *writer, const char *name,
                         struct ledger_texts texts)
{
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < texts.count; i++) {
        canonical_string(writer, texts.items[i]);
    }
    canonical_close_array(writer);
}

static void member_some(struct canonical_writer *writer, const char *name,
                        struct ledger_texts texts)
{
    if (texts.count > 0) {
        member_texts(writer, name, texts);
    }
}

void ledger_data_submitted(struct builder *out, const struct ledger_submitted *submitted)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_some(&writer, "act", submitted->act);
    canonical_member_text(&writer, "action", submitted->action);
    canonical_member_text(&writer, "agent", submitted->agent);
    canonical_member_text(&writer, "audience", submitted->audience);
    canonical_member_text(&writer, "identity", submitted->identity);
    member_texts(&writer, "parties", submitted->parties);
    canonical_member_text(&writer, "resource", submitted->resource);
    canonical_member_text(&writer, "subject", submitted->subject);
    member_some(&writer, "unverified", submitted->unverified);
    canonical_close_object(&writer);
}

static void member_requirements(struct canonical_writer *writer,
                                const struct ledger_requirements *requirements)
{
    canonical_name(writer, "requirements");
    canonical_open_array(writer);
    for (size_t i = 0; i < requirements->count; i++) {
        const struct ledger_requirement *item = &requirements->items[i];
        canonical_open_object(writer);
        canonical_member_text(writer, "assurance", item->assurance);
        member_texts(writer, "groups", item->groups);
        canonical_member_integer(writer, "quorum", item->quorum);
        canonical_member_text(writer, "rule", item->rule);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

void ledger_data_decided(struct builder *out, const struct ledger_decided *decided)
{
    const struct ledger_requirements *requirements = &decided->requirements;
    bool asks = requirements->count > 0;
    struct canonical_writer writer;
    begin(&writer, out);
    if (asks) {
        canonical_member_bool(&writer, "allows_self", requirements->allows_self);
    }
    canonical_member_text(&writer, "cause", decided->cause);
    canonical_member_integer(&writer, "cost", decided->cost);
    if (asks) {
        canonical_member_integer(&writer, "deny_quorum", requirements->deny_quorum);
        member_requirements(&writer, requirements);
    }
    canonical_member_integer(&writer, "revision", decided->revision);
    canonical_member_text(&writer, "risk", decided->risk);
    member_texts(&writer, "rules", decided->rules);
    if (asks) {
        member_time(&writer, "timeout_at", requirements->timeout_at_ms);
    }
    canonical_member_text(&writer, "verdict", decided->verdict);
    canonical_close_object(&writer);
}

void ledger_data_grown(struct builder *out, const struct ledger_requirements *requirements)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_bool(&writer, "allows_self", requirements->allows_self);
    canonical_member_integer(&writer, "deny_quorum", requirements->deny_quorum);
    member_requirements(&writer, requirements);
    member_time(&writer, "timeout_at", requirements->timeout_at_ms);
    canonical_close_object(&writer);
}

void ledger_data_rung(struct builder *out, int64_t requirement, int64_t rung,
                      struct ledger_texts groups)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "groups", groups);
    canonical_member_integer(&writer, "requirement", requirement);
    canonical_member_integer(&writer, "rung", rung);
    canonical_close_object(&writer);
}

void ledger_data_seen(struct builder *out, int64_t revision, const char *comment_digest)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "comment_digest", comment_digest);
    canonical_member_integer(&writer, "revision", revision);
    canonical_close_object(&writer);
}

void ledger_data_edited(struct builder *out, int64_t revision, struct ledger_texts changed)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "changed", changed);
    canonical_member_integer(&writer, "revision", revision);
    canonical_close_object(&writer);
}

/* The statement stands as what was hashed: canonical in itself, it is so within the entry. */
static void member_proof(struct canonical_writer *writer, const struct ledger_proof *proof)
{
    canonical_name(writer, "proof");
    canonical_open_object(writer);
    canonical_member_text(writer, "authenticator_data", proof->authenticator_data);
    canonical_member_text(writer, "client_data", proof->client_data);
    canonical_member_text(writer, "credential", proof->credential);
    canonical_member_text(writer, "origin", proof->origin);
    canonical_member_text(writer, "passkey", proof->passkey);
    canonical_member_text(writer, "public_key", proof->public_key);
    canonical_member_text(writer, "rp_id", proof->rp_id);
    canonical_member_text(writer, "signature", proof->signature);
    canonical_member_raw(writer, "statement", proof->statement, strlen(proof->statement));
    canonical_close_object(writer);
}

void ledger_data_stranded(struct builder *out, bool is_stranded)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_bool(&writer, "stranded", is_stranded);
    canonical_close_object(&writer);
}

void ledger_data_watched(struct builder *out, int64_t until_ms)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_time(&writer, "until", until_ms);
    canonical_close_object(&writer);
}

static void member_if(struct canonical_writer *writer, const char *name, bool is_so)
{
    if (is_so) {
        canonical_member_bool(writer, name, true);
    }
}

void ledger_data_vote(struct builder *out, const struct ledger_vote *vote)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_bool(&writer, "approve", vote->is_approve);
    canonical_member_text(&writer, "comment_digest", vote->comment_digest);
    if (vote->was_shown) {
        canonical_member_integer(&writer, "dwell_ms", vote->dwell_ms);
    }
    member_if(&writer, "over_budget", vote->is_over_budget);
    if (vote->proof != NULL) {
        member_proof(&writer, vote->proof);
    }
    member_if(&writer, "quick", vote->is_quick);
    member_if(&writer, "retyped", vote->is_retyped);
    canonical_member_integer(&writer, "revision", vote->revision);
    canonical_close_object(&writer);
}

void ledger_data_uncounted(struct builder *out, const char *person, const char *reason)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "person", person);
    canonical_member_text(&writer, "reason", reason);
    canonical_close_object(&writer);
}

void ledger_data_approved(struct builder *out, const struct ledger_approved *approved)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_name(&writer, "assigned");
    canonical_open_array(&writer);
    for (size_t i = 0; i < approved->assigned_count; i++) {
        const struct ledger_assigned *item = &approved->assigned[i];
        canonical_open_object(&writer);
        canonical_member_text(&writer, "group", item->group);
        canonical_member_text(&writer, "person", item->person);
        canonical_member_integer(&writer, "requirement", item->requirement);
        canonical_close_object(&writer);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "reason", approved->reason);
    canonical_member_integer(&writer, "revision", approved->revision);
    canonical_close_object(&writer);
}

void ledger_data_ended(struct builder *out, int64_t revision, const char *reason)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "reason", reason);
    canonical_member_integer(&writer, "revision", revision);
    canonical_close_object(&writer);
}

void ledger_data_evaluated(struct builder *out, const char *evaluation,
                           const struct ledger_submitted *asked, const char *verdict,
                           struct ledger_texts rules)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_some(&writer, "act", asked->act);
    canonical_member_text(&writer, "action", asked->action);
    canonical_member_text(&writer, "agent", asked->agent);
    canonical_member_text(&writer, "evaluation", evaluation);
    canonical_member_text(&writer, "identity", asked->identity);
    canonical_member_text(&writer, "resource", asked->resource);
    member_texts(&writer, "rules", rules);
    canonical_member_text(&writer, "subject", asked->subject);
    member_some(&writer, "unverified", asked->unverified);
    canonical_member_text(&writer, "verdict", verdict);
    canonical_close_object(&writer);
}

void ledger_data_issued(struct builder *out, const struct ledger_issued *issued)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "audience", issued->audience);
    canonical_member_bool(&writer, "bearer", issued->is_bearer);
    member_time(&writer, "claim_until", issued->claim_until_ms);
    canonical_close_object(&writer);
}

void ledger_data_minted(struct builder *out, int64_t mint, int64_t expires_at_ms,
                        const char *confirmation)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "cnf", confirmation);
    member_time(&writer, "expires_at", expires_at_ms);
    canonical_member_integer(&writer, "mint", mint);
    canonical_close_object(&writer);
}

void ledger_data_redeemed(struct builder *out, const struct ledger_redeemed *redeemed)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_time(&writer, "effect_due", redeemed->effect_due_ms);
    canonical_member_integer(&writer, "fence", redeemed->fence);
    canonical_member_text(&writer, "holder", redeemed->holder);
    canonical_member_text(&writer, "how", redeemed->how);
    canonical_member_integer(&writer, "mint", redeemed->mint);
    canonical_close_object(&writer);
}

void ledger_data_reason(struct builder *out, const char *reason)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "reason", reason);
    canonical_close_object(&writer);
}

void ledger_data_effect(struct builder *out, const char *outcome, const char *result_digest)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "outcome", outcome);
    canonical_member_text(&writer, "result_digest", result_digest);
    canonical_close_object(&writer);
}

void ledger_data_notice(struct builder *out, const struct ledger_notice *notice)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_integer(&writer, "attempt", notice->attempt);
    canonical_member_text(&writer, "channel", notice->channel);
    canonical_member_text(&writer, "notice", notice->notice);
    canonical_member_text(&writer, "purpose", notice->purpose);
    canonical_member_text(&writer, "reason", notice->reason);
    canonical_close_object(&writer);
}

void ledger_data_changed(struct builder *out, const char *id, const char *owner,
                         struct ledger_texts changed)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "changed", changed);
    canonical_member_text(&writer, "id", id);
    canonical_member_text(&writer, "owner", owner);
    canonical_close_object(&writer);
}

void ledger_data_passkey(struct builder *out, const struct ledger_passkey *passkey)
{
    static const char *const changed[] = {"passkey"};
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "changed", (struct ledger_texts){.items = changed, .count = 1});
    canonical_member_text(&writer, "id", passkey->id);
    canonical_member_text(&writer, "owner", passkey->owner);
    canonical_name(&writer, "passkey");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "credential", passkey->credential);
    canonical_member_text(&writer, "public_key", passkey->public_key);
    canonical_member_text(&writer, "rp_id", passkey->rp_id);
    member_time(&writer, "trusted_at", passkey->trusted_at_ms);
    canonical_close_object(&writer);
    canonical_close_object(&writer);
}

void ledger_data_group(struct builder *out, const char *group, struct ledger_texts added,
                       struct ledger_texts removed)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_texts(&writer, "added", added);
    canonical_member_text(&writer, "group", group);
    member_texts(&writer, "removed", removed);
    canonical_close_object(&writer);
}

void ledger_data_published(struct builder *out, const char *previous, bool is_rollback,
                           int64_t rule_count)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "previous", previous);
    if (is_rollback) {
        canonical_member_bool(&writer, "rollback", true);
    }
    canonical_member_integer(&writer, "rule_count", rule_count);
    canonical_close_object(&writer);
}

void ledger_data_signin(struct builder *out, const char *method, const char *outcome)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "method", method);
    canonical_member_text(&writer, "outcome", outcome);
    canonical_close_object(&writer);
}

void ledger_data_refusals(struct builder *out, const struct ledger_refusals *refusals)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_integer(&writer, "count", refusals->count);
    canonical_member_text(&writer, "kind", refusals->kind);
    member_time(&writer, "since", refusals->since_ms);
    canonical_member_text(&writer, "source", refusals->source);
    canonical_close_object(&writer);
}

void ledger_data_freeze(struct builder *out, const char *freeze, const char *scope,
                        const char *target, const char *reason)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "freeze", freeze);
    canonical_member_text(&writer, "reason", reason);
    canonical_member_text(&writer, "scope", scope);
    canonical_member_text(&writer, "target", target);
    canonical_close_object(&writer);
}

void ledger_data_detail(struct builder *out, const char *detail)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_text(&writer, "detail", detail);
    canonical_close_object(&writer);
}

void ledger_data_stepped(struct builder *out, int64_t step_ms)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_integer(&writer, "step_ms", step_ms);
    canonical_close_object(&writer);
}

void ledger_data_epoch(struct builder *out, const struct ledger_epoch *epoch)
{
    struct canonical_writer writer;
    begin(&writer, out);
    canonical_member_integer(&writer, "epoch", epoch->epoch);
    canonical_name(&writer, "previous");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "origin", epoch->previous_origin);
    canonical_member_text(&writer, "root", epoch->previous_root);
    canonical_member_integer(&writer, "size", (int64_t)epoch->previous_size);
    canonical_close_object(&writer);
    canonical_member_text(&writer, "reason", epoch->reason);
    canonical_close_object(&writer);
}

void ledger_data_erased(struct builder *out, int64_t count, int64_t before_ms)
{
    struct canonical_writer writer;
    begin(&writer, out);
    member_time(&writer, "before", before_ms);
    canonical_member_integer(&writer, "count", count);
    canonical_close_object(&writer);
}
