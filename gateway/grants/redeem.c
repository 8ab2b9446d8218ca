#include "grants/grant.h"

#include "base/check.h"

#include <string.h>

enum { FENCE_NUMBER_BITS = 40, FENCE_EPOCH_MAX = (1 << 13) - 1 };

/* Both known and the same: two empty names are nobody's. */
static bool is_same(const char *left, const char *right)
{
    return left != NULL && right != NULL && left[0] != '\0' && strcmp(left, right) == 0;
}

static bool is_unknown(const struct grant_redemption *facts)
{
    return facts->state <= GRANT_ABSENT || facts->state >= GRANT_STATE_COUNT;
}

static bool is_wrong_audience(const struct grant_redemption *facts)
{
    if (facts->audience == NULL) {
        return true;
    }
    if (facts->audience[0] == '\0') {
        return !is_same(facts->redeemer, facts->holder);
    }
    return !facts->redeemer_serves_audience;
}

/* A grant bound to a key is good with that key alone, also for who asked: a stolen API key must not
 * do. Else the redeemer being the caller is the proof; where another redeems there is none. */
static bool is_wrong_holder(const struct grant_redemption *facts)
{
    if (facts->confirmation != NULL && facts->confirmation[0] != '\0') {
        return !is_same(facts->confirmation, facts->shown);
    }
    return !facts->is_bearer && !is_same(facts->redeemer, facts->holder);
}

static bool is_redeemed(const struct grant_redemption *facts)
{
    return facts->state == GRANT_REDEEMED || facts->state == GRANT_SUCCEEDED ||
           facts->state == GRANT_FAILED || facts->state == GRANT_UNKNOWN;
}

static bool is_frozen(const struct grant_redemption *facts)
{
    return facts->is_frozen;
}

static bool is_revoked(const struct grant_redemption *facts)
{
    return facts->state == GRANT_REVOKED;
}

static bool is_lapsed(const struct grant_redemption *facts)
{
    return facts->state == GRANT_LAPSED || facts->now >= facts->claim_until;
}

static bool is_superseded(const struct grant_redemption *facts)
{
    return !is_same(facts->token, facts->newest_token);
}

/* Either clock is enough: a wall clock that stepped back never revives what the boot clock saw run
 * out, and a restart, which forgets the boot clock, leaves the wall clock. */
static bool is_expired(const struct grant_redemption *facts)
{
    bool has_run_out =
        facts->elapsed_ms != -1 && (facts->elapsed_ms < 0 || facts->elapsed_ms >= facts->ttl_ms);
    return has_run_out || facts->now >= facts->token_expires_at;
}

static bool is_other_action(const struct grant_redemption *facts)
{
    return !facts->digest_matches;
}

static bool is_no_longer_permitted(const struct grant_redemption *facts)
{
    return !facts->policy_still_permits;
}

/*
 * In order; the first that holds is the answer.
 * - Audience and holder first: a wrong party learns nothing else, not even whether the grant was
 *   used. A named audience is checked before the holder because it is the wider door.
 * - already_redeemed before everything that time can change: a retry whose token has expired, or
 *   that comes during a freeze, must learn that the first try went through, or it would be tempted
 *   to ask for a new grant and run the action twice.
 * - frozen before revoked and lapsed: a freeze revokes its grants in batches, and the answer must
 *   not depend on whether the batch has got there.
 * - superseded_token before expired: the newest token, not a fresh one, is what this party lacks.
 * - args_mismatch and policy_changed last: they cost the most to find out, and are asked only of
 *   one who otherwise might redeem.
 */
static const struct {
    enum grant_refusal refusal;
    bool (*holds)(const struct grant_redemption *facts);
} refusals[] = {
    {GRANT_REFUSED_UNKNOWN_GRANT, is_unknown},
    {GRANT_REFUSED_WRONG_AUDIENCE, is_wrong_audience},
    {GRANT_REFUSED_WRONG_HOLDER, is_wrong_holder},
    {GRANT_REFUSED_ALREADY_REDEEMED, is_redeemed},
    {GRANT_REFUSED_FROZEN, is_frozen},
    {GRANT_REFUSED_REVOKED, is_revoked},
    {GRANT_REFUSED_LAPSED, is_lapsed},
    {GRANT_REFUSED_SUPERSEDED_TOKEN, is_superseded},
    {GRANT_REFUSED_EXPIRED, is_expired},
    {GRANT_REFUSED_ARGS_MISMATCH, is_other_action},
    {GRANT_REFUSED_POLICY_CHANGED, is_no_longer_permitted},
};

enum grant_refusal grant_check_redemption(const struct grant_redemption *facts)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].holds(facts)) {
            return refusals[i].refusal;
        }
    }
    return grant_apply(facts->state, GRANT_REDEEM) == NULL ? GRANT_REFUSED_UNKNOWN_GRANT
                                                           : GRANT_ACCEPTED;
}

const char *grant_refusal_name(enum grant_refusal refusal)
{
    static const char *const names[GRANT_REFUSAL_COUNT] = {
        [GRANT_REFUSED_UNKNOWN_GRANT] = "unknown_grant",
        [GRANT_ACCEPTED] = "",
        [GRANT_REFUSED_EXPIRED] = "expired",
        [GRANT_REFUSED_SUPERSEDED_TOKEN] = "superseded_token",
        [GRANT_REFUSED_ALREADY_REDEEMED] = "already_redeemed",
        [GRANT_REFUSED_REVOKED] = "revoked",
        [GRANT_REFUSED_LAPSED] = "lapsed",
        [GRANT_REFUSED_ARGS_MISMATCH] = "args_mismatch",
        [GRANT_REFUSED_WRONG_AUDIENCE] = "wrong_audience",
        [GRANT_REFUSED_WRONG_HOLDER] = "wrong_holder",
        [GRANT_REFUSED_POLICY_CHANGED] = "policy_changed",
        [GRANT_REFUSED_FROZEN] = "frozen",
    };
    return (unsigned)refusal < GRANT_REFUSAL_COUNT ? names[refusal] : "unknown_grant";
}

int64_t grant_token_expiry(int64_t now, int64_t ttl_ms, int64_t claim_until)
{
    int64_t expires_at;
    if (ttl_ms <= 0 || now < 0 || claim_until <= now) {
        return 0;
    }
    if (__builtin_add_overflow(now, ttl_ms, &expires_at) || expires_at > claim_until) {
        expires_at = claim_until;
    }
    /* NumericDate on the wire has whole seconds; up would outlive what was permitted. */
    expires_at -= expires_at % 1000;
    return expires_at > now ? expires_at : 0;
}

int64_t grant_fence(int64_t epoch, int64_t number)
{
    /* 13 and 40 bits are 53: exact as a JSON number everywhere. Zero would be no fence at all. */
    CHECK(epoch >= 0 && epoch <= FENCE_EPOCH_MAX);
    CHECK(number >= 0 && number < (INT64_C(1) << FENCE_NUMBER_BITS));
    CHECK(epoch > 0 || number > 0);
    return (epoch << FENCE_NUMBER_BITS) + number;
}
