#include "ledger/chain_internal.h"

#include "ledger/scan_internal.h"
#include <string.h>

enum { MINTS_MAX = 20 };
#define IN(state) (1U << (state))
/* Before the end of the request. */
#define UNDECIDED                                                                                  \
    (IN(LIFE_SUBMITTED) | IN(LIFE_ALLOWED) | IN(LIFE_REFUSED) | IN(LIFE_PENDING) | IN(LIFE_EDITED))
#define APPROVED (IN(LIFE_APPROVED) | IN(LIFE_ISSUED) | IN(LIFE_REDEEMED) | IN(LIFE_UNKNOWN))

typedef bool (*chain_check)(struct chain *chain, struct life *life, const struct entry_view *entry,
                            struct finding *finding);

struct row {
    unsigned from;     /* states it may come in; 0: not about the life of a request */
    bool needs_digest; /* of the current revision */
    bool is_of_grant;
    bool may_follow_end;  /* also when nothing but the end is remembered */
    enum life_state next; /* LIFE_NONE: as it was, or as the check says */
    chain_check check;    /* may be NULL */
};

void chain_init(struct chain *chain)
{
    *chain = (struct chain){0};
    lives_init(&chain->lives);
}

void chain_finish(struct chain *chain)
{
    lives_finish(&chain->lives);
    passkeys_finish(&chain->passkeys);
}

static bool is_malformed(const struct entry_view *entry, struct finding *finding, const char *what)
{
    return finding_set(finding, "data_malformed", entry->request, "A `%s` %s.",
                       ledger_entry_type_name(entry->type), what);
}

/* The reason given, which must be one of the words of the list. */
static bool has_reason(const struct entry_view *entry, const char *const *reasons,
                       struct finding *finding)
{
    struct span reason = scan_text_member(entry->data, "reason");
    for (; *reasons != NULL; reasons++) {
        if (span_is(reason, *reasons)) {
            return true;
        }
    }
    return is_malformed(entry, finding, "needs a reason that there is");
}

static bool has_revision(const struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    int64_t revision;
    return (scan_integer_member(entry->data, "revision", 1, &revision) &&
            revision == life->revision) ||
           finding_set(finding, "other_revision", entry->request,
                       "It is not about revision %lld, which is current.",
                       (long long)life->revision);
}

static bool decide_pending(struct life *life, const struct entry_view *entry,
                           struct finding *finding)
{
    bool is_first = life->state == LIFE_SUBMITTED;
    struct span risk = scan_text_member(entry->data, "risk");
    if (!approval_require(life, entry, !is_first, finding)) {
        return false;
    }
    life->is_high = span_is(risk, "high") || span_is(risk, "critical");
    life->state = LIFE_PENDING;
    return true;
}

static bool check_decided(struct chain *chain, struct life *life, const struct entry_view *entry,
                          struct finding *finding)
{
    (void)chain;
    struct span verdict = scan_text_member(entry->data, "verdict");
    if (!has_revision(life, entry, finding)) {
        return false;
    }
    if (entry->policy.bytes == NULL) {
        return finding_set(finding, "policy_missing", entry->request,
                           "It does not say which policy decided.");
    }
    if (span_is(verdict, "require_approval") && life->state != LIFE_PENDING) {
        return decide_pending(life, entry, finding);
    }
    if (span_is(verdict, "deny") && life->state != LIFE_EDITED) {
        life->state = LIFE_REFUSED;
        return true;
    }
    if (span_is(verdict, "allow") && life->state == LIFE_SUBMITTED) {
        life->state = LIFE_ALLOWED;
        return true;
    }
    return finding_set(finding, "verdict_not_possible", entry->request,
                       "Policy cannot answer `%.*s` here.", (int)verdict.length,
                       verdict.bytes == NULL ? "" : verdict.bytes);
}

static bool check_grown(struct chain *chain, struct life *life, const struct entry_view *entry,
                        struct finding *finding)
{
    (void)chain;
    return approval_require(life, entry, true, finding);
}

static bool check_rung(struct chain *chain, struct life *life, const struct entry_view *entry,
                       struct finding *finding)
{
    (void)chain;
    return approval_add_rung(life, entry, finding);
}

static bool check_vote(struct chain *chain, struct life *life, const struct entry_view *entry,
                       struct finding *finding)
{
    (void)chain;
    return approval_add_vote(life, entry, finding);
}

static bool check_uncounted(struct chain *chain, struct life *life, const struct entry_view *entry,
                            struct finding *finding)
{
    (void)chain;
    return approval_uncount(life, entry, finding);
}

static bool check_edited(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    (void)chain;
    int64_t revision;
    if (!scan_integer_member(entry->data, "revision", 1, &revision) ||
        revision != life->revision + 1 || !span_is(entry->actor_kind, "person") ||
        entry->digest.bytes == NULL) {
        return is_malformed(entry, finding, "needs a person, the next revision and its digest");
    }
    life->revision = revision;
    life_keep(&life->digest, entry->digest);
    life_keep(&life->editor, entry->actor_id);
    life_forget_votes(life);
    return true;
}

static bool check_approved(struct chain *chain, struct life *life, const struct entry_view *entry,
                           struct finding *finding)
{
    (void)chain;
    if (!has_revision(life, entry, finding)) {
        return false;
    }
    struct span reason = scan_text_member(entry->data, "reason");
    if (life->state == LIFE_ALLOWED && span_is(reason, "policy_allow")) {
        return true;
    }
    if (life->state == LIFE_PENDING && span_is(reason, "approved_by_people")) {
        return approval_check(life, entry, finding);
    }
    return finding_set(finding, "approved_without_votes", entry->request,
                       "Approved as `%.*s`, which neither policy nor people had said.",
                       (int)reason.length, reason.bytes == NULL ? "" : reason.bytes);
}

static bool check_denied(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    (void)chain;
    static const char *const reasons[] = {"policy_deny",     "denied_by_person", "frozen",
                                          "recently_denied", "rolled_back",      NULL};
    if (!has_reason(entry, reasons, finding)) {
        return false;
    }
    struct span reason = scan_text_member(entry->data, "reason");
    if (span_is(reason, "policy_deny") && life->state != LIFE_REFUSED) {
        return finding_set(finding, "denied_without_cause", entry->request,
                           "Denied by policy, which had not said so.");
    }
    if (span_is(reason, "denied_by_person") &&
        (life->state != LIFE_PENDING || approval_count_denies(life) < life->deny_quorum)) {
        return finding_set(finding, "denied_without_cause", entry->request,
                           "Denied by people without their votes.");
    }
    return true;
}

/* Times are of one form, so that their texts sort as they do. */
static bool is_before(struct span left, struct span right)
{
    return memcmp(left.bytes, right.bytes, left.length) < 0;
}

static bool check_expired(struct chain *chain, struct life *life, const struct entry_view *entry,
                          struct finding *finding)
{
    (void)chain;
    static const char *const reasons[] = {"timed_out", NULL};
    if (!has_reason(entry, reasons, finding)) {
        return false;
    }
    return !is_before(entry->at, life->timeout_at) ||
           finding_set(finding, "expired_early", entry->request, "Expired before its timeout.");
}

static bool check_cancelled(struct chain *chain, struct life *life, const struct entry_view *entry,
                            struct finding *finding)
{
    (void)chain;
    (void)life;
    static const char *const reasons[] = {"withdrawn", "cancelled_by_admin", "frozen",
                                          "rolled_back", NULL};
    return has_reason(entry, reasons, finding);
}

static bool check_issued(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    struct span claim_until = scan_text_member(entry->data, "claim_until");
    if (entry->grant.bytes == NULL || !scan_is_time(claim_until)) {
        return is_malformed(entry, finding, "needs a grant and until when it can be claimed");
    }
    if (lives_has_ended(&chain->lives, entry->grant)) {
        return finding_set(finding, "grant_twice", entry->grant,
                           "A grant of this id was issued before.");
    }
    lives_note_ended(&chain->lives, entry->grant);
    life_keep(&life->grant, entry->grant);
    life_keep(&life->claim_until, claim_until);
    life->is_bearer = false;
    (void)!scan_bool_member(entry->data, "bearer", &life->is_bearer);
    chain->grant_count++;
    return true;
}

static bool check_minted(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    (void)chain;
    struct span expires_at = scan_text_member(entry->data, "expires_at");
    int64_t mint;
    if (!scan_integer_member(entry->data, "mint", 1, &mint) || mint != life->mint + 1 ||
        mint > MINTS_MAX || !scan_is_time(expires_at)) {
        return is_malformed(entry, finding, "needs the next number of at most 20, and an end");
    }
    if (is_before(life->claim_until, expires_at)) {
        return finding_set(finding, "token_too_long", entry->grant,
                           "A token was minted that outlives the time to claim its grant.");
    }
    life->mint = mint;
    life_keep(&life->token_until, expires_at);
    life->is_bound = scan_text_member(entry->data, "cnf").bytes != NULL;
    return true;
}

static bool is_redeemer(const struct life *life, const struct entry_view *entry)
{
    return span_equals(life->redeemer_kind, entry->actor_kind) &&
           span_equals(life->redeemer_id, entry->actor_id);
}

/* Whoever redeems says how it knew the holder; that must fit what was issued. Entries of before
 * this was recorded say nothing. */
static bool check_holder(const struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    struct span holder = scan_text_member(entry->data, "holder");
    if (holder.bytes == NULL) {
        return !life->is_bound ||
               finding_set(finding, "holder_unproven", entry->grant,
                           "Redeemed without the key that its token was bound to.");
    }
    bool is_shown = span_is(holder, "key") || span_is(holder, "certificate");
    if (!is_shown && !span_is(holder, "caller") && !span_is(holder, "bearer")) {
        return is_malformed(entry, finding, "names no way the holder was proven");
    }
    if (is_shown != life->is_bound) {
        return finding_set(finding, "holder_unproven", entry->grant,
                           life->is_bound ? "Redeemed without the key that its token was bound to."
                                          : "Redeemed with a key that its token was not bound to.");
    }
    if (span_is(holder, "caller") && !span_equals(life->asker, entry->actor_id)) {
        return finding_set(finding, "holder_unproven", entry->grant,
                           "Redeemed as by who asked, but by another.");
    }
    return !span_is(holder, "bearer") || life->is_bearer ||
           finding_set(finding, "holder_unproven", entry->grant,
                       "Redeemed by a bearer, but it was not issued for bearers.");
}

static bool check_redeemed(struct chain *chain, struct life *life, const struct entry_view *entry,
                           struct finding *finding)
{
    int64_t mint;
    int64_t fence;
    if (!scan_integer_member(entry->data, "mint", 0, &mint) ||
        !scan_integer_member(entry->data, "fence", 1, &fence)) {
        return is_malformed(entry, finding, "needs a mint and a fence");
    }
    if (mint != 0 && mint != life->mint) {
        return finding_set(finding, "redeemed_old_token", entry->grant,
                           "Redeemed by token %lld while token %lld was the newest.",
                           (long long)mint, (long long)life->mint);
    }
    if (is_before(life->claim_until, entry->at) ||
        (mint != 0 && is_before(life->token_until, entry->at))) {
        return finding_set(finding, "redeemed_late", entry->grant, "Redeemed after its time.");
    }
    if (!check_holder(life, entry, finding)) {
        return false;
    }
    if (fence <= chain->fence) {
        return finding_set(finding, "fence_fell", entry->grant,
                           "Its fence %lld is not above %lld, which was given before.",
                           (long long)fence, (long long)chain->fence);
    }
    chain->fence = fence;
    life_keep(&life->redeemer_kind, entry->actor_kind);
    life_keep(&life->redeemer_id, entry->actor_id);
    return true;
}

static bool check_lapsed(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    (void)chain;
    return !is_before(entry->at, life->claim_until) ||
           finding_set(finding, "lapsed_early", entry->grant, "Lapsed before its time.");
}

/* `succeeded` and `failed` end it; `unknown` waits for a person. */
static bool take_outcome(struct life *life, const struct entry_view *entry, bool may_be_unknown,
                         struct finding *finding)
{
    struct span outcome = scan_text_member(entry->data, "outcome");
    bool is_unknown = span_is(outcome, "unknown");
    if (!span_is(outcome, "succeeded") && !span_is(outcome, "failed") &&
        !(is_unknown && may_be_unknown)) {
        return is_malformed(entry, finding, "needs an outcome that is possible here");
    }
    life->state = is_unknown ? LIFE_UNKNOWN : LIFE_OVER;
    return true;
}

static bool check_effect(struct chain *chain, struct life *life, const struct entry_view *entry,
                         struct finding *finding)
{
    (void)chain;
    if (!is_redeemer(life, entry)) {
        return finding_set(finding, "effect_by_other", entry->grant,
                           "The effect was reported by another than who redeemed.");
    }
    return take_outcome(life, entry, true, finding);
}

static bool check_resolved(struct chain *chain, struct life *life, const struct entry_view *entry,
                           struct finding *finding)
{
    (void)chain;
    if (!span_is(entry->actor_kind, "person")) {
        return finding_set(finding, "effect_by_other", entry->grant,
                           "Only a person can say what an unknown effect was.");
    }
    return take_outcome(life, entry, false, finding);
}

static const struct row ROWS[LEDGER_ENTRY_TYPE_COUNT] = {
    [LEDGER_POLICY_DECIDED] = {.from = IN(LIFE_SUBMITTED) | IN(LIFE_EDITED) | IN(LIFE_PENDING),
                               .needs_digest = true,
                               .check = check_decided},
    [LEDGER_REQUIREMENTS_GROWN] = {.from = IN(LIFE_PENDING), .check = check_grown},
    [LEDGER_RUNG_REACHED] = {.from = IN(LIFE_PENDING), .check = check_rung},
    [LEDGER_REQUEST_VIEWED] = {.from = UNDECIDED | APPROVED, .may_follow_end = true},
    [LEDGER_REQUEST_STRANDED] = {.from = IN(LIFE_PENDING)},
    [LEDGER_REQUEST_WATCHED] = {.from = UNDECIDED | APPROVED, .may_follow_end = true},
    [LEDGER_REQUEST_COMMENTED] = {.from = UNDECIDED | APPROVED, .may_follow_end = true},
    [LEDGER_REQUEST_EDITED] = {.from = IN(LIFE_PENDING),
                               .next = LIFE_EDITED,
                               .check = check_edited},
    [LEDGER_VOTE] = {.from = IN(LIFE_PENDING), .needs_digest = true, .check = check_vote},
    [LEDGER_VOTE_LATE] = {.from = APPROVED, .may_follow_end = true},
    [LEDGER_VOTE_UNCOUNTED] = {.from = IN(LIFE_PENDING), .check = check_uncounted},
    [LEDGER_REQUEST_APPROVED] = {.from = IN(LIFE_ALLOWED) | IN(LIFE_PENDING),
                                 .needs_digest = true,
                                 .next = LIFE_APPROVED,
                                 .check = check_approved},
    [LEDGER_REQUEST_DENIED] = {.from = UNDECIDED, .next = LIFE_OVER, .check = check_denied},
    [LEDGER_REQUEST_EXPIRED] = {.from = IN(LIFE_PENDING),
                                .next = LIFE_OVER,
                                .check = check_expired},
    [LEDGER_REQUEST_CANCELLED] = {.from = UNDECIDED, .next = LIFE_OVER, .check = check_cancelled},
    [LEDGER_GRANT_ISSUED] = {.from = IN(LIFE_APPROVED),
                             .needs_digest = true,
                             .next = LIFE_ISSUED,
                             .check = check_issued},
    [LEDGER_GRANT_MINTED] = {.from = IN(LIFE_ISSUED), .is_of_grant = true, .check = check_minted},
    [LEDGER_GRANT_REDEEMED] = {.from = IN(LIFE_ISSUED),
                               .needs_digest = true,
                               .is_of_grant = true,
                               .next = LIFE_REDEEMED,
                               .check = check_redeemed},
    [LEDGER_GRANT_REVOKED] = {.from = IN(LIFE_ISSUED), .is_of_grant = true, .next = LIFE_OVER},
    [LEDGER_GRANT_LAPSED] = {.from = IN(LIFE_ISSUED),
                             .is_of_grant = true,
                             .next = LIFE_OVER,
                             .check = check_lapsed},
    [LEDGER_EFFECT_REPORTED] = {.from = IN(LIFE_REDEEMED),
                                .is_of_grant = true,
                                .check = check_effect},
    [LEDGER_EFFECT_UNKNOWN] = {.from = IN(LIFE_REDEEMED),
                               .is_of_grant = true,
                               .next = LIFE_UNKNOWN},
    [LEDGER_EFFECT_RESOLVED] = {.from = IN(LIFE_UNKNOWN),
                                .is_of_grant = true,
                                .check = check_resolved},
};

static const char *state_name(enum life_state state)
{
    switch (state) {
    case LIFE_NONE:
        return "new";
    case LIFE_SUBMITTED:
        return "submitted";
    case LIFE_ALLOWED:
        return "allowed by policy";
    case LIFE_REFUSED:
        return "denied by policy";
    case LIFE_PENDING:
        return "pending";
    case LIFE_EDITED:
        return "edited";
    case LIFE_APPROVED:
        return "approved";
    case LIFE_ISSUED:
        return "granted";
    case LIFE_REDEEMED:
        return "redeemed";
    case LIFE_UNKNOWN:
        return "of unknown effect";
    case LIFE_OVER:
        return "over";
    }
    return "unknown";
}

static bool begin_life(struct chain *chain, const struct entry_view *entry, struct finding *finding)
{
    struct span parties = scan_member(entry->data, "parties");
    if (lives_find(&chain->lives, entry->request) != NULL ||
        lives_has_ended(&chain->lives, entry->request)) {
        return finding_set(finding, "submitted_twice", entry->request,
                           "A request of this id was submitted before.");
    }
    if (entry->digest.bytes == NULL || !scan_is_array(parties)) {
        return is_malformed(entry, finding, "needs a digest and who may not approve");
    }
    struct life *life = lives_add(&chain->lives, entry->request);
    life_keep(&life->tenant, entry->tenant);
    life_keep(&life->digest, entry->digest);
    life_keep(&life->parties, parties);
    life_keep(&life->asker, entry->actor_id);
    life->revision = 1;
    life->state = LIFE_SUBMITTED;
    chain->request_count++;
    return true;
}

/* An entry about a request that is not alive. */
static bool judge_absent(struct chain *chain, const struct row *row, const struct entry_view *entry,
                         struct finding *finding)
{
    const char *name = ledger_entry_type_name(entry->type);
    if (lives_has_ended(&chain->lives, entry->request)) {
        return row->may_follow_end || finding_set(finding, "after_end", entry->request,
                                                  "`%s` after the request was over.", name);
    }
    if (chain->begins_midway) {
        chain->unjudged_count++;
        return true;
    }
    return finding_set(finding, "request_unknown", entry->request,
                       "`%s` about a request that was never submitted.", name);
}

static bool judge(struct chain *chain, const struct row *row, struct life *life,
                  const struct entry_view *entry, struct finding *finding)
{
    const char *name = ledger_entry_type_name(entry->type);
    if (!span_equals(life->tenant, entry->tenant)) {
        return finding_set(finding, "other_tenant", entry->request,
                           "`%s` in another tenant than the request was submitted in.", name);
    }
    if ((row->from & IN(life->state)) == 0) {
        return finding_set(finding, "out_of_order", entry->request,
                           "`%s` cannot happen to a request that is %s.", name,
                           state_name(life->state));
    }
    if (row->needs_digest && !span_equals(life->digest, entry->digest)) {
        return finding_set(finding, "other_digest", entry->request,
                           "`%s` is bound to another digest than the request's.", name);
    }
    if (row->is_of_grant && !span_equals(life->grant, entry->grant)) {
        return finding_set(finding, "other_grant", entry->request,
                           "`%s` names another grant than the request has.", name);
    }
    if (row->check != NULL && !row->check(chain, life, entry, finding)) {
        return false;
    }
    life->state = row->next == LIFE_NONE ? life->state : row->next;
    if (life->state == LIFE_OVER) {
        lives_end(&chain->lives, life);
    }
    return true;
}

/* A statement is good for one vote. */
static bool check_proof(struct chain *chain, const struct entry_view *entry,
                        struct finding *finding)
{
    bool is_unknown;
    if (!passkeys_check_vote(&chain->passkeys, entry, chain->begins_midway, &is_unknown, finding)) {
        return false;
    }
    chain->unjudged_count += is_unknown;
    struct span nonce =
        scan_text_member(scan_member(scan_member(entry->data, "proof"), "statement"), "nonce");
    if (nonce.bytes != NULL && lives_has_ended(&chain->lives, nonce)) {
        return finding_set(finding, "statement_replayed", entry->request,
                           "A vote carries a statement that an earlier vote used.");
    }
    if (nonce.bytes != NULL) {
        lives_note_ended(&chain->lives, nonce);
    }
    return true;
}

bool chain_apply(struct chain *chain, const struct entry_view *entry, struct finding *finding)
{
    bool is_vote = entry->type == LEDGER_VOTE || entry->type == LEDGER_VOTE_LATE;
    if (!passkeys_note(&chain->passkeys, entry, finding) ||
        (is_vote && !check_proof(chain, entry, finding))) {
        return false;
    }
    const struct row *row = &ROWS[entry->type];
    bool begins = entry->type == LEDGER_REQUEST_SUBMITTED;
    if (row->from == 0 && !begins) {
        return true;
    }
    if (entry->request.bytes == NULL) {
        return finding_set(finding, "request_missing", (struct span){0},
                           "`%s` does not say which request it is about.",
                           ledger_entry_type_name(entry->type));
    }
    if (begins) {
        return begin_life(chain, entry, finding);
    }
    struct life *life = lives_find(&chain->lives, entry->request);
    return life == NULL ? judge_absent(chain, row, entry, finding)
                        : judge(chain, row, life, entry, finding);
}
