#include "operations/notice_internal.h"
#include <stdatomic.h>
#include <string.h>

/* Leasing: what leaves, as it is by then, and what is stale. */

/* In one job of the store's, which everything else waits for: what is more is leased by the next.
 */
enum { COMPOSED_BYTES_MAX = 256 * 1024 };

/* One row on its way to be leased. `stale` says why it tells nothing any more. */
struct leasing {
    struct operation *operation;
    const struct operations_channel *channel; /* NULL: not configured any more */
    struct notice_lease *lease;
    struct request_row request;
    const char *stale;
    bool is_gone;      /* settled here: left for later, or told in a round-up */
    bool is_strangers; /* the card's reader may know no more of the request than how it stands */
};

static bool is_prompt(const char *event)
{
    return strcmp(event, "request.pending") == 0 || strcmp(event, "request.escalated") == 0 ||
           strcmp(event, "request.edited") == 0;
}

/* A prompt that could not be delivered in time asks nobody for anything any more. */
static void judge_event(struct leasing *leasing)
{
    const struct notice_row *row = &leasing->lease->row;
    if (row->attempts > 0 && is_prompt(row->event) && leasing->request.state != REQUEST_PENDING) {
        leasing->stale = "request_ended";
    }
}

/* No mail address has the shape of an id, which holds no `@`; one may well begin like it. */
static bool is_person(const char *recipient)
{
    return strncmp(recipient, "per_", 4) == 0 && strchr(recipient, '@') == NULL;
}

/* They may have muted the channel since. */
static bool judge_choice(struct leasing *leasing, const struct person_row *person,
                         struct error *error)
{
    bool is_told = strcmp(leasing->lease->row.event, NOTICE_TEST_EVENT) == 0;
    if (!is_told && !choice_lets_tell(leasing->operation, leasing->channel, person,
                                      leasing->request.risk, &is_told, error)) {
        return false;
    }
    leasing->stale = is_told ? leasing->stale : "muted";
    return true;
}

static bool find_address_of(struct leasing *leasing, struct error *error)
{
    struct operation *operation = leasing->operation;
    struct notice_lease *lease = leasing->lease;
    const char *recipient = lease->row.recipient;
    struct person_row person;
    bool may_know = true;
    if (recipient[0] == '\0') {
        return find_conversation(operation, leasing->channel, &lease->to, error);
    }
    if (!is_person(recipient)) {
        lease->to = recipient;
        return true;
    }
    if (!store_read_person(operation->store, lease->row.tenant, recipient, operation->arena,
                           &person, error) ||
        !find_told_address(operation, leasing->channel, lease->row.tenant, recipient, &lease->to,
                           error) ||
        (lease->row.request != NULL &&
         !may_read(operation, &person, &leasing->request, &may_know, error))) {
        return false;
    }
    leasing->stale = !person.is_enabled  ? "person_disabled"
                     : lease->to == NULL ? "no_address"
                     : !may_know         ? "asked_no_more"
                                         : NULL;
    leasing->is_strangers = !person.is_enabled || !may_know;
    return leasing->stale != NULL || judge_choice(leasing, &person, error);
}

/* What is not there needs no change, and what is shown already none again. */
static void judge_card(struct leasing *leasing, const struct card_row *card,
                       enum card_moment moment)
{
    bool is_pending = leasing->request.state == REQUEST_PENDING;
    bool tells_prompts = leasing->channel->tells == 0 ||
                         (leasing->channel->tells & (1u << CARD_ASKED | 1u << CARD_ESCALATED)) != 0;
    bool begins = moment == CARD_ENDED && !tells_prompts;
    if (strcmp(card->state, "wanted") == 0 && !is_pending && !begins) {
        leasing->stale = "request_ended";
    } else if (strcmp(card->state, "posted") == 0 && card->version >= leasing->request.version &&
               card->revision == leasing->request.revision) {
        leasing->stale = "superseded";
    }
}

static bool begin_posting(struct leasing *leasing, struct card_row *card, struct error *error)
{
    if (strcmp(card->state, "wanted") != 0) {
        return true;
    }
    card->state = "posting";
    card->told_at = leasing->operation->now;
    return store_update_card(leasing->operation->store, card, error);
}

/* What the moment is by now: what has ended meanwhile is told as ended. */
static enum card_moment moment_now(const struct leasing *leasing)
{
    return request_is_final(leasing->request.state) ? CARD_ENDED
                                                    : moment_of_event(leasing->lease->row.event);
}

/* What is behind the prompt in its line is told where the prompt is; the prompt itself may have
 * been gathered with another of this lease. */
static bool judge_gathered(struct leasing *leasing, struct error *error)
{
    struct notice_row now;
    const struct notice_row *row = &leasing->lease->row;
    if (!store_read_notice(leasing->operation->store, row->tenant, row->id,
                           leasing->operation->arena, &now, error)) {
        return false;
    }
    leasing->is_gone = strcmp(now.state, "waiting") != 0;
    leasing->stale = leasing->is_gone ? NULL : "superseded";
    return true;
}

/* Whether a prompt that is told nowhere yet leaves now is the round-up rule's to say. */
static bool judge_crowd(struct leasing *leasing, const struct card_row *card, struct error *error)
{
    if (card->roundup != NULL) {
        return judge_gathered(leasing, error);
    }
    return strcmp(card->state, "wanted") != 0 || !is_prompt(leasing->lease->row.event) ||
           gather_card(leasing->operation, leasing->channel, &leasing->request,
                       &leasing->lease->row, &leasing->is_gone, error);
}

static bool lease_card(struct leasing *leasing, struct error *error)
{
    struct operation *operation = leasing->operation;
    struct notice_lease *lease = leasing->lease;
    struct card_row card;
    bool is_found = false;
    if (!store_find_card(operation->store, lease->row.tenant, lease->row.request,
                         lease->row.channel, lease->row.recipient, operation->arena, &card,
                         &is_found, error)) {
        return false;
    }
    if (!is_found) {
        leasing->stale = "no_card";
        return true;
    }
    judge_card(leasing, &card, moment_of_event(lease->row.event));
    lease->address = leasing->channel->notifier->changes_cards ? card.address : NULL;
    if (leasing->stale == NULL && !judge_crowd(leasing, &card, error)) {
        return false;
    }
    if (leasing->stale != NULL || leasing->is_gone) {
        return true;
    }
    if (!find_address_of(leasing, error)) {
        return false;
    }
    if (leasing->stale != NULL && lease->address == NULL) {
        return true;
    }
    leasing->stale = NULL; /* a card that can be changed is, whoever its reader is by now */
    lease->may_stand = strcmp(card.state, "posting") == 0;
    lease->revision = leasing->request.revision;
    lease->version = leasing->request.version;
    lease->is_bare = leasing->channel->notifier->changes_cards &&
                     leasing->channel->notifier->decides && lease->address == NULL &&
                     leasing->request.state == REQUEST_PENDING;
    struct card_reader reader = {.recipient = lease->row.recipient,
                                 .is_stranger = leasing->is_strangers,
                                 .is_bare = lease->is_bare};
    return compose_card(operation, leasing->channel, &leasing->request, &reader,
                        moment_now(leasing), &lease->row.payload, error) &&
           begin_posting(leasing, &card, error);
}

static bool lease_roundup_here(struct leasing *leasing, struct error *error)
{
    return find_address_of(leasing, error) && lease_roundup(leasing->operation, leasing->channel,
                                                            leasing->lease, &leasing->stale, error);
}

static bool look_up(struct leasing *leasing, struct error *error)
{
    struct notice_lease *lease = leasing->lease;
    leasing->channel = find_channel(leasing->operation->operations, lease->row.channel);
    lease->is_card = leasing->channel != NULL && leasing->channel->notifier->shows_cards;
    if (leasing->channel == NULL) {
        return true; /* the courier says so */
    }
    if (leasing->channel->notifier->calls_back) {
        lease->to = lease->row.recipient;
        leasing->stale =
            task_callback_leads(leasing->channel, lease->to) ? NULL : "callback_not_allowed";
        return true;
    }
    if (lease->is_card && lease->row.roundup != NULL) {
        return lease_roundup_here(leasing, error);
    }
    if (lease->row.request == NULL) {
        return !lease->is_card || find_address_of(leasing, error);
    }
    if (!store_read_request(leasing->operation->store, lease->row.tenant, lease->row.request,
                            leasing->operation->arena, &leasing->request, error)) {
        return false;
    }
    if (lease->is_card) {
        return lease_card(leasing, error);
    }
    judge_event(leasing);
    return true;
}

/* One notice about what is not there must not hold up all others. */
static bool prepare(struct leasing *leasing, struct error *error)
{
    struct error cause = {0};
    if (look_up(leasing, &cause)) {
        return true;
    }
    if (cause.kind != ERROR_NOT_FOUND) {
        return error_set(error, cause.kind, cause.code, NULL, "%s", cause.message);
    }
    leasing->stale = "not_there";
    return true;
}

static bool settle_stale(struct leasing *leasing, struct error *error)
{
    struct operation *operation = leasing->operation;
    struct notice_row *row = &leasing->lease->row;
    row->state = "stale";
    row->last_error = leasing->stale;
    row->settled_at = operation->now;
    row->answer = NULL;
    if (row->line[0] != '\0') {
        note_notice_due(operation->operations, operation->now);
    }
    return store_settle_notice(operation->store, row, error) &&
           record_notice(operation, row, LEDGER_NOTICE_DEAD, leasing->stale, error);
}

/* For the next lease; one that a round-up of this lease took, or left for later, stays as it is. */
static bool give_back(struct operation *operation, const struct notice_row *row,
                      struct error *error)
{
    struct error cause = {0};
    return store_settle_notice(operation->store, row, &cause) || cause.kind == ERROR_CONFLICT ||
           error_set(error, cause.kind, cause.code, NULL, "%s", cause.message);
}

bool operation_lease_notices(struct operation *operation, const char *skipped,
                             struct notice_lease **out, size_t *out_count, struct error *error)
{
    struct notice_row *rows = NULL;
    size_t count = 0;
    size_t kept = 0;
    size_t composed = 0;
    int64_t next = 0;
    if (!authorize(operation, OPERATION_DELIVER_NOTICES, NULL, NULL, error) ||
        !store_lease_notices(operation->store, operation->now, NOTICE_LEASE_MS, NOTICES_LEASED_MAX,
                             skipped, operation->arena, &rows, &count, error)) {
        return false;
    }
    struct notice_lease *leases = arena_array(operation->arena, count, sizeof *leases);
    for (size_t i = 0; i < count; i++) {
        struct leasing leasing = {.operation = operation, .lease = &leases[kept]};
        leases[kept] = (struct notice_lease){.row = rows[i]};
        if (composed > COMPOSED_BYTES_MAX) {
            if (!give_back(operation, &rows[i], error)) {
                return false;
            }
            continue;
        }
        if (!prepare(&leasing, error) ||
            (leasing.stale != NULL && !settle_stale(&leasing, error))) {
            return false;
        }
        if (leasing.stale == NULL && !leasing.is_gone) {
            composed += strlen(leases[kept].row.payload);
            kept++;
        }
    }
    if (!store_next_notice_at(operation->store, skipped, &next, error)) {
        return false;
    }
    atomic_store(&operation->operations->notices_due_at, next);
    *out = leases;
    *out_count = kept;
    return true;
}
