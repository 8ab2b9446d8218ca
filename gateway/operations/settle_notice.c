#include "formats/text.h"
#include "operations/notice_internal.h"
#include <stdatomic.h>
#include <string.h>

/* Leasing and settling: what leaves, what is stale, and what came of it. */

bool record_notice(struct operation *operation, const struct notice_row *notice,
                   enum ledger_entry_type type, const char *reason, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_notice(&data, &(struct ledger_notice){.notice = notice->id,
                                                      .channel = notice->channel,
                                                      .purpose = notice->event,
                                                      .reason = reason,
                                                      .attempt = notice->attempts});
    struct record record = {.type = type,
                            .tenant = notice->tenant,
                            .request = notice->request,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

/* ---- settling ---- */

/* What the other side said, of whatever bytes: as it may stand in the ledger and before people. */
static const char *shown_words(struct operation *operation, const char *words)
{
    struct builder shown BUILDER_SCOPE;
    builder_init(&shown, 0);
    if (words == NULL || words[0] == '\0') {
        return NULL;
    }
    text_append_visible(&shown, words, text_cut(words, NOTICE_ANSWER_BYTES_MAX));
    return arena_copy(operation->arena, shown.bytes, shown.length);
}

/* What stands on the channel now. */
static bool settle_card(struct operation *operation, const struct notice_lease *notice,
                        const struct notice_settlement *settlement, struct error *error)
{
    struct card_row card;
    bool is_found = false;
    if (notice->is_card && notice->row.roundup != NULL) {
        return settle_roundup(operation, notice, settlement, error);
    }
    if (!notice->is_card || notice->row.request == NULL) {
        return true;
    }
    if (!store_find_card(operation->store, notice->row.tenant, notice->row.request,
                         notice->row.channel, notice->row.recipient, operation->arena, &card,
                         &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return true;
    }
    if (settlement->outcome == NOTICE_SENT) {
        card.state = "posted";
        card.address = settlement->address != NULL ? settlement->address : card.address;
        card.revision = notice->revision;
        card.version = notice->is_bare ? -1 : notice->version; /* not all of it is shown */
        card.moment = card_moment_name(moment_of_event(notice->row.event));
        card.changed_at = operation->now;
    } else if (strcmp(card.state, "posting") == 0 && !settlement->may_have_arrived &&
               !notice->may_stand) {
        card.state = "wanted";
        card.told_at = 0;
    } else {
        return true;
    }
    return store_update_card(operation->store, &card, error);
}

static bool defer(struct operation *operation, struct notice_lease *notice,
                  const struct notice_settlement *settlement, struct error *error)
{
    notice->row.due_at = operation->now + settlement->retry_after_ms;
    note_notice_due(operation->operations, notice->row.due_at);
    return store_settle_notice(operation->store, &notice->row, error) &&
           settle_card(operation, notice, settlement, error);
}

/* It stands there and can be changed: the same notice goes again, with the buttons. */
static bool dress(struct operation *operation, struct notice_lease *notice,
                  const struct notice_settlement *settlement, struct error *error)
{
    notice->row.due_at = operation->now;
    note_notice_due(operation->operations, operation->now);
    return store_settle_notice(operation->store, &notice->row, error) &&
           settle_card(operation, notice, settlement, error);
}

static void count(const struct operation *operation, enum notice_outcome outcome)
{
    struct metrics *metrics = operation->operations->options.metrics;
    metrics_add(metrics, outcome == NOTICE_SENT ? METRIC_NOTICES_SENT : METRIC_NOTICES_DEAD, 1);
}

bool operation_settle_notice(struct operation *operation, struct notice_lease *notice,
                             const struct notice_settlement *settlement, struct error *error)
{
    static const enum ledger_entry_type types[] = {LEDGER_NOTICE_FAILED, LEDGER_NOTICE_SENT,
                                                   LEDGER_NOTICE_DEAD};
    static const char *const states[] = {"waiting", "sent", "dead"};
    struct notice_row *row = &notice->row;
    enum notice_outcome outcome = settlement->outcome;
    if (outcome == NOTICE_DEFERRED) {
        return defer(operation, notice, settlement, error);
    }
    if (outcome == NOTICE_SENT && notice->is_bare && settlement->address != NULL) {
        return dress(operation, notice, settlement, error);
    }
    if (outcome == NOTICE_RETRY && strcmp(row->event, NOTICE_TEST_EVENT) == 0) {
        outcome = NOTICE_DEAD; /* a test answers now */
    }
    row->attempts++;
    row->state = states[outcome];
    row->last_error = shown_words(operation, settlement->reason);
    row->settled_at = operation->now;
    row->answer = shown_words(operation, settlement->answer);
    row->due_at = operation->now + (outcome == NOTICE_RETRY ? settlement->retry_after_ms : 0);
    if (!store_settle_notice(operation->store, row, error) ||
        !settle_card(operation, notice, settlement, error) ||
        !record_notice(operation, row, types[outcome], row->last_error, error)) {
        return false;
    }
    if (outcome == NOTICE_RETRY) {
        note_notice_due(operation->operations, row->due_at);
    } else {
        count(operation, outcome);
    }
    if (row->line[0] != '\0') {
        note_notice_due(operation->operations, operation->now); /* the next of its line */
    }
    return true;
}

/* ---- leasing ---- */

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

bool operation_lease_notices(struct operation *operation, const char *skipped,
                             struct notice_lease **out, size_t *out_count, struct error *error)
{
    struct notice_row *rows = NULL;
    size_t count = 0;
    size_t kept = 0;
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
        if (!prepare(&leasing, error) ||
            (leasing.stale != NULL && !settle_stale(&leasing, error))) {
            return false;
        }
        kept += leasing.stale == NULL && !leasing.is_gone;
    }
    if (!store_next_notice_at(operation->store, skipped, &next, error)) {
        return false;
    }
    atomic_store(&operation->operations->notices_due_at, next);
    *out = leases;
    *out_count = kept;
    return true;
}
