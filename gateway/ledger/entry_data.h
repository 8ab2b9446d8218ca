#ifndef LEDGER_ENTRY_DATA_H
#define LEDGER_ENTRY_DATA_H

/*
 * The members of `data` for each type of entry. This is the contract between who writes entries
 * (operations) and who verifies them (verify.h, the dashboard, anybody): write `data` with these
 * functions and with nothing else. Each appends one canonical JSON object. Times are milliseconds
 * in and RFC 3339 out; digests are 64 lower-case hex digits; a text that is NULL is left out
 * unless the comment says it is needed.
 *
 * What goes around `data`: every entry about a request names it in `request`, and its tenant
 * throughout; every entry about a grant names both `request` and `grant`; the entries marked D
 * carry in `digest` the digest of the request's current revision; policy.decided,
 * requirements.grown, request.approved and request.denied carry `policy`.
 *
 * Order within a request (anything else is a finding):
 *
 *   request.submitted D ── policy.decided D ─┬─ allow ────────────> request.approved (policy_allow)
 *        │                                   ├─ deny ─────────────> request.denied (policy_deny)
 *        │ request.denied                    └─ require_approval ─> pending
 *        │ (frozen, recently_denied)
 *   pending: rung.reached, requirements.grown, request.stranded, vote D, vote.uncounted;
 *            request.edited D ── policy.decided D (require_approval again, votes start again);
 *            policy.decided D with verdict deny ── request.denied (policy_deny);
 *            request.approved D | request.denied | request.expired | request.cancelled
 *   anywhere after request.submitted: request.viewed, request.commented, request.watched, notice.*;
 *   request.cancelled: from any state before the end;  vote.late: after the end only
 *   request.approved ── grant.issued D ── grant.minted * ─┬─ grant.redeemed D ── effect.reported
 *                                                         │     │ (succeeded, failed)
 *                                                         │     └─ effect.reported (unknown) or
 *                                                         │        effect.unknown ──
 * effect.resolved └─ grant.revoked | grant.lapsed grant.refused: anywhere, also for a grant that
 * does not exist
 */

#include "base/builder.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_texts {
    const char *const *items;
    size_t count;
};

/* request.submitted. `parties` are the ids of the people who may not approve because they are the
 * subject, the agent's registered owner or who submitted; ids of people only, each once. */
struct ledger_submitted {
    const char *action; /* needed, as the next three; names only, never arguments */
    const char *agent;
    const char *resource;
    const char *subject;
    const char *audience;
    struct ledger_texts parties;
    const char *identity;           /* what the caller proved to be, when not by an API key */
    struct ledger_texts act;        /* who acts for whom, the current actor first; none: left out */
    struct ledger_texts unverified; /* of `agent` and `subject`; none: left out */
};
void ledger_data_submitted(struct builder *out, const struct ledger_submitted *submitted);

/* What one matching rule asks for. The place in the list is the requirement's number. */
struct ledger_requirement {
    const char *rule;
    const char *assurance; /* `chat`, `session` or `passkey` */
    int64_t quorum;        /* at least 1 */
    struct ledger_texts groups;
};
/* All that must be met. `groups` are those asked by now, with the rungs reached so far; a later
 * rung is recorded (rung.reached) before a vote through it. In requirements.grown, and in
 * policy.decided after an edit, each requirement there was is still there under its rule, at least
 * as strict in quorum and assurance; deny_quorum and allows_self do not loosen. */
struct ledger_requirements {
    const struct ledger_requirement *items;
    size_t count;
    int64_t deny_quorum;   /* deny votes that end it; the smallest of the rules, at least 1 */
    int64_t timeout_at_ms; /* when it expires */
    bool allows_self;      /* every matching rule lets a party approve */
};

/* policy.decided. `requirements` only with verdict `require_approval`. */
struct ledger_decided {
    int64_t revision;          /* 1 as submitted; each edit adds one */
    const char *verdict;       /* `allow`, `deny` or `require_approval` */
    const char *risk;          /* `low`, `medium`, `high` or `critical` */
    const char *cause;         /* `submitted`, `edited` or `published` */
    int64_t cost;              /* of the evaluation, in CEL units */
    struct ledger_texts rules; /* names of those that matched, sorted */
    struct ledger_requirements requirements;
};
void ledger_data_decided(struct builder *out, const struct ledger_decided *decided);

/* requirements.grown: a policy was published, or the like; the whole new list. */
void ledger_data_grown(struct builder *out, const struct ledger_requirements *requirements);

/* rung.reached: `groups` are added to those of requirement number `requirement`. */
void ledger_data_rung(struct builder *out, int64_t requirement, int64_t rung,
                      struct ledger_texts groups);

/* request.viewed and request.commented: which revision; of a comment its digest, else NULL. */
void ledger_data_seen(struct builder *out, int64_t revision, const char *comment_digest);

/* request.stranded: nobody may approve it any more, or somebody may again. */
void ledger_data_stranded(struct builder *out, bool is_stranded);

/* request.watched: the person says they are at it, until then; for no longer, when that is not
 * after the entry. */
void ledger_data_watched(struct builder *out, int64_t until_ms);

/* request.edited: the actor is the editor, `digest` of the entry the new one. `changed` are JSON
 * pointers of what was edited, never the values. */
void ledger_data_edited(struct builder *out, int64_t revision, struct ledger_texts changed);

/* vote and vote.late: actor kind `person`, with the assurance it was given with. A later vote of
 * the same person on the same revision replaces the earlier. One given with
 * assurance `passkey`, and no other, has a proof: all that is needed to check without the gateway
 * that a passkey of this person signed this decision. The challenge the passkey answered is the
 * SHA-256 of the canonical `statement` as it stands in the entry. `policy` of the entry is then the
 * version in force. All but ids, `rp_id`, `origin` and `statement` are base64url. */
#define LEDGER_STATEMENT "countersign vote 1"
struct ledger_proof {
    const char *passkey; /* pky_… as in key.added */
    const char *credential;
    const char *public_key; /* COSE key */
    const char *rp_id;
    const char *origin;
    const char *statement; /* {decision, digest, expires_at, gateway, nonce, person, policy,
                              request, revision, statement: LEDGER_STATEMENT, tenant} */
    const char *client_data;
    const char *authenticator_data;
    const char *signature;
};
struct ledger_vote {
    bool is_approve;
    int64_t revision;
    bool was_shown; /* then dwell_ms says for how long the person had seen the revision */
    int64_t dwell_ms;
    bool is_quick;   /* an approval faster than its risk allows; left out when not, as the next */
    bool is_retyped; /* the challenge was retyped */
    bool is_over_budget; /* more than the person's of an hour */
    const char *comment_digest;
    const struct ledger_proof *proof; /* NULL: none */
};
void ledger_data_vote(struct builder *out, const struct ledger_vote *vote);

/* vote.uncounted: the current vote of `person`, approve or deny, counts no more until they vote
 * again: `disabled`, `not_in_group`, `excluded`, `assurance`. */
void ledger_data_uncounted(struct builder *out, const char *person, const char *reason);

/* request.approved. By people: every vote that was counted and the requirement it was counted for,
 * as tallied in the transaction that approves. One person stands for one requirement, through one
 * group of it. By policy: none. */
struct ledger_assigned {
    const char *person;
    const char *group;
    int64_t requirement;
};
struct ledger_approved {
    const char *reason; /* `policy_allow` or `approved_by_people` */
    int64_t revision;
    const struct ledger_assigned *assigned;
    size_t assigned_count;
};
void ledger_data_approved(struct builder *out, const struct ledger_approved *approved);

/* request.denied: `policy_deny`, `denied_by_person`, `frozen`, `recently_denied`, `rolled_back`;
 * request.expired: `timed_out`; request.cancelled: `withdrawn`, `cancelled_by_admin`, `frozen`,
 * `rolled_back`. */
void ledger_data_ended(struct builder *out, int64_t revision, const char *reason);

/* evaluated: `evaluation` its id; `parties` and `audience` of what was asked are left out. */
void ledger_data_evaluated(struct builder *out, const char *evaluation,
                           const struct ledger_submitted *asked, const char *verdict,
                           struct ledger_texts rules);

/* grant.issued. */
struct ledger_issued {
    struct ledger_texts audience;
    int64_t claim_until_ms;
    bool is_bearer; /* no proof of the holder is possible */
};
void ledger_data_issued(struct builder *out, const struct ledger_issued *issued);

/* grant.minted: the n-th token, 1 to 20, its end, and the key its holder must show (`jkt:…` or
 * `x5t#S256:…`), NULL when none. */
void ledger_data_minted(struct builder *out, int64_t mint, int64_t expires_at_ms,
                        const char *confirmation);

/* grant.redeemed: the actor is the redeemer; `mint` the token presented (0: none, as when an
 * evaluation redeems). Fences of one log only grow. */
struct ledger_redeemed {
    int64_t mint;
    int64_t fence;
    int64_t effect_due_ms;
    const char *how; /* `redeem`, `exchange`, `evaluation` or `mcp` */
    /* How the holder was proven: `key` (DPoP), `certificate`, `caller` (the redeemer is who asked),
     * `bearer` (not at all); NULL when the entry does not say. */
    const char *holder;
};
void ledger_data_redeemed(struct builder *out, const struct ledger_redeemed *redeemed);

/* grant.refused, grant.revoked, grant.lapsed: why (`expired`, `superseded_token`…; lifecycle). */
void ledger_data_reason(struct builder *out, const char *reason);

/* effect.reported: the actor must be who redeemed; effect.unknown, by the gateway when none came in
 * time: outcome `unknown`; effect.resolved, by a person: `succeeded` or `failed`. */
void ledger_data_effect(struct builder *out, const char *outcome, const char *result_digest);

/* notice.*: `channel` the kind of destination. */
struct ledger_notice {
    const char *notice;
    const char *channel;
    const char *purpose;
    const char *reason; /* of failed and dead */
    int64_t attempt;
};
void ledger_data_notice(struct builder *out, const struct ledger_notice *notice);

/* person.*, agent.*, caller.*, channel.*, key.*, token.*, change.* (the call that was proposed
 * stands in `changed`, its proposer in `owner`): the id of what was changed and the names
 * of the members that were; `owner` for keys, tokens and agents: whose it is. */
void ledger_data_changed(struct builder *out, const char *id, const char *owner,
                         struct ledger_texts changed);

/* key.added of a passkey: like the above, with what verifies its votes and from when on it serves
 * them; key.confirmed by another admin or the host, and it serves them from then on. */
struct ledger_passkey {
    const char *id;
    const char *owner;
    const char *credential; /* base64url, as is the next */
    const char *public_key;
    const char *rp_id;
    int64_t trusted_at_ms;
};
void ledger_data_passkey(struct builder *out, const struct ledger_passkey *passkey);

/* group.changed: who came and who left. */
void ledger_data_group(struct builder *out, const char *group, struct ledger_texts added,
                       struct ledger_texts removed);

/* policy.published: the version is the entry's `policy`; `previous` NULL for the first. `rollback`
 * is there when somebody chose a former version, not what is in the folder. */
void ledger_data_published(struct builder *out, const char *previous, bool is_rollback,
                           int64_t rule_count);

/* signin: `method` password, passkey, oidc; `outcome` in, refused, stepped_up, out. */
void ledger_data_signin(struct builder *out, const char *method, const char *outcome);

/* refusals.noted: `count` refusals of one kind from one source within the minute from `since`. */
struct ledger_refusals {
    const char *kind;
    const char *source;
    int64_t count;
    int64_t since_ms;
};
void ledger_data_refusals(struct builder *out, const struct ledger_refusals *refusals);

/* freeze and thaw: `scope` is `everything`, `tenant`, `agent` or `action`; `target` the agent's id
 * or the pattern. */
void ledger_data_freeze(struct builder *out, const char *freeze, const char *scope,
                        const char *target, const char *reason);

/* gateway.started, gateway.stopped, recovered, checkpoint.policy: one word of detail (version,
 * reason, interval). */
void ledger_data_detail(struct builder *out, const char *detail);

/* clock.stepped: by how much, negative when back. `now` and `at` stand still until the clock has
 * caught up. */
void ledger_data_stepped(struct builder *out, int64_t step_ms);

/* epoch.begun: the log this one replaces, as far as the store still knew it. */
struct ledger_epoch {
    int64_t epoch; /* of the new log, at least 2 */
    const char *previous_origin;
    uint64_t previous_size;
    const char *previous_root; /* hex */
    const char *reason;        /* `rolled_back`, `key_changed` */
};
void ledger_data_epoch(struct builder *out, const struct ledger_epoch *epoch);

/* erased: arguments and salts of `count` requests that ended before `before`. */
void ledger_data_erased(struct builder *out, int64_t count, int64_t before_ms);

#endif
