#include "operations/notice_internal.h"
#include <string.h>

/*
 * Who is told. A channel as a whole has one card of a request; where a kind tells people, each who
 * is asked has one at an address of their own. What is told first is said by the channel's `tell`;
 * what follows goes where a card is.
 */

enum {
    RECIPIENTS_MAX = 200, /* of one channel and request */
};

enum card_moment moment_of_event(const char *event)
{
    static const struct {
        const char *event;
        enum card_moment moment;
    } moments[] = {
        {"request.pending", CARD_ASKED},  {"request.escalated", CARD_ESCALATED},
        {"request.edited", CARD_EDITED},  {"request.question", CARD_QUESTION},
        {"request.approved", CARD_ENDED}, {"request.denied", CARD_ENDED},
        {"request.expired", CARD_ENDED},  {"request.cancelled", CARD_ENDED},
        {NOTICE_TEST_EVENT, CARD_TEST},
    };
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        if (strcmp(moments[i].event, event) == 0) {
            return moments[i].moment;
        }
    }
    return 0;
}

const struct operations_channel *find_channel(const struct operations *operations, const char *name)
{
    for (size_t i = 0; i < operations->options.channel_count; i++) {
        if (strcmp(operations->options.channels[i].name, name) == 0) {
            return &operations->options.channels[i];
        }
    }
    return NULL;
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

bool channel_serves(const struct operations_channel *channel, const char *const *groups,
                    size_t count)
{
    if (channel->group_count == 0) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_listed(channel->groups, channel->group_count, groups[i])) {
            return true;
        }
    }
    return false;
}

bool channel_is_for(const struct operations_channel *channel, const struct person_row *person)
{
    return person->is_enabled && (channel->person_count == 0 ||
                                  is_listed(channel->people, channel->person_count, person->name));
}

/* ---- recipients ---- */

struct recipients {
    const char **items; /* ids of people, addresses, "" for the whole channel */
    size_t count;
};

static void add_recipient(struct recipients *recipients, const char *recipient)
{
    if (recipients->count < RECIPIENTS_MAX &&
        !is_listed(recipients->items, recipients->count, recipient)) {
        recipients->items[recipients->count++] = recipient;
    }
}

static bool add_person(struct operation *operation, const struct operations_channel *channel,
                       const struct request_row *request, const struct person_row *person,
                       const struct ledger_texts *parties, struct recipients *out,
                       struct error *error)
{
    const char *address = NULL;
    bool is_told = false;
    /* Who may not approve, the requester above all, is not asked. */
    if (!channel_is_for(channel, person) || has_party(parties, person->id)) {
        return true;
    }
    if (!find_told_address(operation, channel, person->tenant, person->id, &address, error)) {
        return false;
    }
    if (address == NULL) {
        return true;
    }
    if (!choice_lets_tell(operation, channel, person, request->risk, &is_told, error)) {
        return false;
    }
    if (is_told) {
        add_recipient(out, arena_text(operation->arena, person->id));
    }
    return true;
}

static bool add_group(struct operation *operation, const struct operations_channel *channel,
                      const struct request_row *request, const char *group,
                      const struct ledger_texts *parties, struct recipients *out,
                      struct error *error)
{
    struct person_row *members;
    size_t count;
    if (!channel_serves(channel, &group, 1)) {
        return true;
    }
    if (!store_list_members(operation->store, request->tenant, group, operation->arena, &members,
                            &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_person(operation, channel, request, &members[i], parties, out, error)) {
            return false;
        }
    }
    return true;
}

static bool find_recipients(struct operation *operation, const struct operations_channel *channel,
                            const struct request_row *request, struct recipients *out,
                            struct error *error)
{
    struct approvals_case facts = {.asked_at = request->asked_at, .now = operation->now};
    struct ledger_texts parties;
    const char **groups;
    size_t count;
    out->items = arena_array(operation->arena, RECIPIENTS_MAX, sizeof *out->items);
    if (!load_requirements(operation, request, &facts, error)) {
        return false;
    }
    list_asked_groups(operation, &facts, &groups, &count);
    if (!channel_asks_people(channel)) {
        if (channel_serves(channel, groups, count)) {
            add_recipient(out, "");
        }
        return true;
    }
    for (size_t i = 0; i < channel->to_count && channel_serves(channel, groups, count); i++) {
        add_recipient(out, channel->to[i]);
    }
    if (!find_parties(operation, request, &parties, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_group(operation, channel, request, groups[i], &parties, out, error)) {
            return false;
        }
    }
    return true;
}

/* ---- cards and their notices ---- */

static bool insert_card_notice(struct operation *operation,
                               const struct operations_channel *channel,
                               const struct request_row *request, const struct card_row *card,
                               const char *event, struct error *error)
{
    bool waits = request->risk == POLICY_RISK_LOW && request->state == REQUEST_PENDING;
    int64_t quiet_until = operation->now;
    if (waits && !choice_quiet_until(operation, channel, card->tenant, card->recipient,
                                     &quiet_until, error)) {
        return false;
    }
    struct notice_row notice = {.channel = card->channel,
                                .event = event,
                                .request = card->request,
                                .recipient = card->recipient,
                                .line = arena_printf(operation->arena, "%s/%s/%s", card->request,
                                                     card->channel, card->recipient),
                                .payload = "",
                                .due_at = quiet_until};
    /* An edit may have raised the risk of what was left for the morning. */
    return (waits || store_hasten_notices(operation->store, notice.line, operation->now, error)) &&
           insert_notice(operation, card->tenant, &notice, error);
}

static bool begin_card(struct operation *operation, const struct operations_channel *channel,
                       const struct request_row *request, const char *recipient, const char *event,
                       enum card_moment moment, struct error *error)
{
    struct card_row card = {.channel = channel->name,
                            .recipient = recipient,
                            .state = "wanted",
                            .moment = card_moment_name(moment)};
    memcpy(card.tenant, request->tenant, sizeof card.tenant);
    memcpy(card.request, request->id, sizeof card.request);
    return store_insert_card(operation->store, &card, error) &&
           insert_card_notice(operation, channel, request, &card, event, error);
}

static bool tells(const struct operations_channel *channel, enum card_moment moment)
{
    return channel->tells == 0 || (channel->tells & (1u << moment)) != 0;
}

/* Whether what is new at this moment begins a card: a prompt does, and other news only where the
 * channel is told of no prompts. */
static bool begins_cards(const struct operations_channel *channel, enum card_moment moment)
{
    bool is_prompt = moment == CARD_ASKED || moment == CARD_ESCALATED;
    bool tells_prompts = tells(channel, CARD_ASKED) || tells(channel, CARD_ESCALATED);
    return tells(channel, moment) &&
           (is_prompt || (!tells_prompts && !channel_asks_people(channel)));
}

static const struct card_row *card_of(const struct card_row *cards, size_t count,
                                      const char *recipient)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cards[i].recipient, recipient) == 0) {
            return &cards[i];
        }
    }
    return NULL;
}

/* People who were asked before are not told again that others are asked as well. */
static bool follows(const struct operations_channel *channel, const struct card_row *card,
                    enum card_moment moment)
{
    if (channel->notifier->changes_cards) {
        return true;
    }
    return tells(channel, moment) && (moment != CARD_ESCALATED || card->recipient[0] == '\0');
}

/* What was told in a round-up has a card of its own from now on: its risk is no longer such that it
 * may stand among others, or those who were told are told again. */
static bool leaves_roundup(const struct operations_channel *channel,
                           const struct request_row *request, const struct card_row *card,
                           enum card_moment moment)
{
    bool is_risky = request->risk != POLICY_RISK_LOW && request->risk != POLICY_RISK_MEDIUM;
    if (request->state != REQUEST_PENDING) {
        return false;
    }
    if (is_risky) {
        return true;
    }
    return channel->notifier->changes_cards ? moment == CARD_ESCALATED && tells(channel, moment)
                                            : follows(channel, card, moment);
}

static bool tell_card(struct operation *operation, const struct operations_channel *channel,
                      const struct request_row *request, struct card_row *card, const char *event,
                      enum card_moment moment, struct error *error)
{
    const char *roundup = card->roundup;
    if (roundup == NULL) {
        return !follows(channel, card, moment) ||
               insert_card_notice(operation, channel, request, card, event, error);
    }
    if (leaves_roundup(channel, request, card, moment)) {
        card->roundup = NULL;
        if (!store_update_card(operation->store, card, error) ||
            !insert_card_notice(operation, channel, request, card, event, error)) {
            return false;
        }
    } else if (moment == CARD_QUESTION) {
        return true; /* a round-up shows none */
    }
    return tell_roundup(operation, channel, request, roundup, error);
}

bool tell_cards(struct operation *operation, const struct operations_channel *channel,
                const struct request_row *request, const char *event, enum card_moment moment,
                struct error *error)
{
    struct recipients recipients = {0};
    struct card_row *cards;
    size_t count;
    if (!store_list_cards(operation->store, request->tenant, request->id, channel->name,
                          operation->arena, &cards, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!tell_card(operation, channel, request, &cards[i], event, moment, error)) {
            return false;
        }
    }
    if (!begins_cards(channel, moment)) {
        return true;
    }
    if (!find_recipients(operation, channel, request, &recipients, error)) {
        return false;
    }
    for (size_t i = 0; i < recipients.count; i++) {
        if (card_of(cards, count, recipients.items[i]) == NULL &&
            !begin_card(operation, channel, request, recipients.items[i], event, moment, error)) {
            return false;
        }
    }
    return true;
}
