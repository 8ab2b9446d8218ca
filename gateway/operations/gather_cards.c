#include "base/check.h"
#include "operations/notice_internal.h"
#include <stdio.h>
#include <string.h>

/*
 * Round-ups: prompts that leave together. A prompt that is gathered is settled at once and names
 * its round-up, which is a notice of its own in the same transaction: what was gathered is told as
 * long as that notice is, and a gateway that is killed in between finds it in the outbox.
 *
 *     waiting ──few──> its own card        waiting ──many──> gathered ──> one message
 *
 * What changes later follows the message it was told in. A request whose risk is raised, or which
 * is asked again, leaves it and has a card of its own from then on.
 */

enum {
    MEMBERS_MAX = 500,          /* of one round-up; more make another */
    CHANGES_TOGETHER_MS = 2000, /* changes of a round-up that stands are told together */
    AGAIN_MS = 1000,
};

static bool is_risky(const struct request_row *request)
{
    return request->risk != POLICY_RISK_LOW && request->risk != POLICY_RISK_MEDIUM;
}

static struct roundup_place place_of(const struct notice_row *notice)
{
    return (struct roundup_place){notice->tenant, notice->channel, notice->recipient};
}

/* ---- making one ---- */

/* Whether what waits is a prompt that may go in a round-up. */
static bool may_gather(struct operation *operation, const struct notice_row *notice, bool *out,
                       struct error *error)
{
    struct request_row request;
    enum card_moment moment = moment_of_event(notice->event);
    *out = moment == CARD_ASKED || moment == CARD_ESCALATED || moment == CARD_EDITED;
    if (!*out) {
        return true;
    }
    if (!store_read_request(operation->store, notice->tenant, notice->request, operation->arena,
                            &request, error)) {
        return false;
    }
    *out = request.state == REQUEST_PENDING && !is_risky(&request);
    return true;
}

static bool gather_one(struct operation *operation, struct notice_row *notice, const char *roundup,
                       struct error *error)
{
    struct card_row card;
    bool is_found = false;
    notice->state = "gathered";
    notice->roundup = roundup;
    notice->gathering = 0;
    notice->settled_at = operation->now;
    notice->last_error = NULL;
    notice->answer = NULL;
    if (!store_find_card(operation->store, notice->tenant, notice->request, notice->channel,
                         notice->recipient, operation->arena, &card, &is_found, error) ||
        !store_settle_notice(operation->store, notice, error)) {
        return false;
    }
    CHECK(is_found); /* it was listed by its card */
    card.roundup = roundup;
    return store_update_card(operation->store, &card, error) &&
           record_notice(operation, notice, LEDGER_NOTICE_GATHERED, roundup, error);
}

static bool insert_roundup_notice(struct operation *operation, const struct roundup_row *roundup,
                                  int64_t due_at, struct error *error)
{
    struct notice_row notice = {.channel = roundup->channel,
                                .event = NOTICE_ROUNDUP_EVENT,
                                .recipient = roundup->recipient,
                                .line = arena_printf(operation->arena, "roundup/%s", roundup->id),
                                .payload = "",
                                .due_at = due_at,
                                .roundup = roundup->id};
    return insert_notice(operation, roundup->tenant, &notice, error);
}

static bool make_roundup(struct operation *operation, struct notice_row *notices, size_t count,
                         struct error *error)
{
    struct roundup_row *roundup = ARENA_NEW(operation->arena, struct roundup_row);
    *roundup = (struct roundup_row){.channel = notices[0].channel,
                                    .recipient = notices[0].recipient,
                                    .state = "wanted",
                                    .version = 1,
                                    .created_at = operation->now};
    memcpy(roundup->tenant, notices[0].tenant, sizeof roundup->tenant);
    crypto_make_id("rnd", operation->now, roundup->id);
    if (!store_insert_roundup(operation->store, roundup, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!gather_one(operation, &notices[i], roundup->id, error)) {
            return false;
        }
    }
    return insert_roundup_notice(operation, roundup, operation->now, error);
}

static bool leave_for_later(struct operation *operation, struct notice_row *notice, int64_t until,
                            struct error *error)
{
    notice->due_at = until;
    notice->gathering = 1;
    note_notice_due(operation->operations, until);
    return store_settle_notice(operation->store, notice, error);
}

/* All that may leave for this place with `notice`, as one message; alone when nothing else does. */
static bool leave_together(struct operation *operation, struct notice_row *notice,
                           bool *out_is_gone, struct error *error)
{
    struct roundup_place place = place_of(notice);
    struct notice_row *notices = NULL;
    size_t count = 0;
    size_t kept = 0;
    bool holds_this = false;
    if (!store_list_gatherable(operation->store, &place, operation->now, MEMBERS_MAX,
                               operation->arena, &notices, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_meant = false;
        if (!may_gather(operation, &notices[i], &is_meant, error)) {
            return false;
        }
        if (is_meant) {
            holds_this = holds_this || strcmp(notices[i].id, notice->id) == 0;
            notices[kept++] = notices[i];
        }
    }
    *out_is_gone = kept > 1;
    if (!*out_is_gone) {
        return true;
    }
    return make_roundup(operation, notices, kept, error) &&
           (holds_this || leave_for_later(operation, notice, operation->now + AGAIN_MS, error));
}

bool gather_card(struct operation *operation, const struct operations_channel *channel,
                 const struct request_row *request, struct notice_row *notice, bool *out_is_gone,
                 struct error *error)
{
    const struct roundup_rule *rule = &channel->roundup;
    struct roundup_place place = place_of(notice);
    struct roundup_window window = {.since = operation->now - rule->within_ms,
                                    .now = operation->now,
                                    .until = operation->now + rule->within_ms,
                                    .most = rule->over + 1};
    struct roundup_counts counts;
    int64_t until = 0;
    *out_is_gone = false;
    if (rule->over == 0 || is_risky(request)) {
        return true;
    }
    if (!store_count_place(operation->store, &place, &window, &counts, error)) {
        return false;
    }
    struct roundup_facts facts = {.was_gathering = notice->gathering != 0,
                                  .timeout_at = request->timeout_at,
                                  .told = counts.told,
                                  .roundups = counts.roundups,
                                  .due = counts.due,
                                  .gathering_until = counts.gathering_until};
    switch (roundup_judge(rule, &facts, operation->now, &until)) {
    case ROUNDUP_WAIT:
        *out_is_gone = true;
        return leave_for_later(operation, notice, until, error);
    case ROUNDUP_LEAVE:
        return leave_together(operation, notice, out_is_gone, error);
    case ROUNDUP_ALONE:
        break;
    }
    return true;
}

/* ---- what follows ---- */

static bool some_wait(struct operation *operation, const struct roundup_row *roundup, bool *out,
                      struct error *error)
{
    struct roundup_tally *tallies;
    size_t count;
    if (!store_tally_roundup(operation->store, roundup->tenant, roundup->id, operation->arena,
                             &tallies, &count, error)) {
        return false;
    }
    *out = false;
    for (size_t i = 0; i < count; i++) {
        *out = *out || tallies[i].state == REQUEST_PENDING;
    }
    return true;
}

/* When to tell of a change; 0: never, since nothing that stands can be changed and some of it still
 * waits, or the channel is told of no ends. */
static bool when_to_tell(struct operation *operation, const struct operations_channel *channel,
                         const struct roundup_row *roundup, int64_t *out, struct error *error)
{
    bool waits = false;
    *out = channel->notifier->changes_cards ? operation->now + CHANGES_TOGETHER_MS : 0;
    if (*out != 0 || (channel->tells != 0 && (channel->tells & (1u << CARD_ENDED)) == 0)) {
        return true;
    }
    if (!some_wait(operation, roundup, &waits, error)) {
        return false;
    }
    *out = waits ? 0 : operation->now;
    return true;
}

bool tell_roundup(struct operation *operation, const struct operations_channel *channel,
                  const struct request_row *request, const char *roundup, struct error *error)
{
    struct roundup_row row;
    int64_t due_at = 0;
    bool is_to_be_told = false;
    if (!store_read_roundup(operation->store, request->tenant, roundup, operation->arena, &row,
                            error)) {
        return false;
    }
    row.version++;
    if (!store_update_roundup(operation->store, &row, error)) {
        return false;
    }
    if (strcmp(row.state, "wanted") == 0) {
        return true; /* it is composed when it leaves */
    }
    if (!when_to_tell(operation, channel, &row, &due_at, error) ||
        !store_line_waits(operation->store, arena_printf(operation->arena, "roundup/%s", row.id),
                          &is_to_be_told, error)) {
        return false;
    }
    return due_at == 0 || is_to_be_told || insert_roundup_notice(operation, &row, due_at, error);
}

/* ---- leaving and arriving ---- */

static const char *stale_because(const struct operations_channel *channel,
                                 const struct roundup_row *roundup, int pending)
{
    bool is_wanted = strcmp(roundup->state, "wanted") == 0;
    bool is_posted = strcmp(roundup->state, "posted") == 0;
    bool can_change = channel->notifier->changes_cards;
    if (is_wanted && pending == 0) {
        return "request_ended";
    }
    return is_posted && (roundup->shown >= roundup->version ||
                         (!can_change && pending > 0 && roundup->shown >= 0))
               ? "superseded"
               : NULL;
}

bool lease_roundup(struct operation *operation, const struct operations_channel *channel,
                   struct notice_lease *lease, const char **out_stale, struct error *error)
{
    struct roundup_row roundup;
    int pending = 0;
    if (!store_read_roundup(operation->store, lease->row.tenant, lease->row.roundup,
                            operation->arena, &roundup, error) ||
        !compose_roundup(operation, &roundup, &lease->row.payload, &pending, error)) {
        return false;
    }
    const char *stale = stale_because(channel, &roundup, pending);
    lease->address = channel->notifier->changes_cards ? roundup.address : NULL;
    *out_stale = stale != NULL || lease->address != NULL ? stale : *out_stale;
    if (*out_stale != NULL) {
        return true;
    }
    lease->may_stand = strcmp(roundup.state, "posting") == 0;
    lease->version = roundup.version;
    if (strcmp(roundup.state, "wanted") != 0) {
        return true;
    }
    roundup.state = "posting";
    return store_update_roundup(operation->store, &roundup, error);
}

bool settle_roundup(struct operation *operation, const struct notice_lease *notice,
                    const struct notice_settlement *settlement, struct error *error)
{
    struct roundup_row roundup;
    if (!store_read_roundup(operation->store, notice->row.tenant, notice->row.roundup,
                            operation->arena, &roundup, error)) {
        return false;
    }
    if (settlement->outcome == NOTICE_SENT) {
        roundup.state = "posted";
        roundup.address = settlement->address != NULL ? settlement->address : roundup.address;
        roundup.shown = notice->version;
        roundup.changed_at = operation->now;
    } else if (strcmp(roundup.state, "posting") == 0 && !settlement->may_have_arrived &&
               !notice->may_stand) {
        roundup.state = "wanted";
    } else {
        return true;
    }
    return store_update_roundup(operation->store, &roundup, error);
}
