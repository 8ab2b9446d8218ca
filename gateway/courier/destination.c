#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include "notifiers/account_notice.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A destination's circuit:
 *
 *     closed ──5 failures, one after another──> open ──its time is over──> half open
 *        ^                                       ^                             │ one at a time
 *        └──────────────answered─────────────────┼─────────────────────────────┤
 *                                                └──────────failed again───────┘
 *
 * While it is open nothing is leased for it, so that what waits keeps its attempts, and what is new
 * waits with it. A test goes through whatever the circuit says.
 */

enum {
    IN_FLIGHT_MAX = 8,
    PER_SECOND_MAX = 20,
    FAILURES_TO_OPEN = 5,
    OPEN_MS = 5 * 1000,
    OPEN_MS_MAX = 60 * 1000,
    HELD_MS_MAX = NOTICE_LEASE_MS / 6, /* a letter may take 42 seconds, and a lease is 60 */
    TOKEN_EARLY_MS = 5 * 60 * 1000,    /* a token is not used in its last minutes */
    TOKEN_MS_MAX = 24 * 3600 * 1000,
    CHECK_MS = 3600 * 1000, /* a channel that asks its service about itself does so again */
    CHECK_AGAIN_MS = 60 * 1000,
};

struct destination {
    size_t index;
    const struct courier_channel *channel;
    const struct notifier *notifier;
    int in_flight;
    int failures;      /* one after another */
    int64_t open_tick; /* open until then; 0: closed */
    int64_t next_tick; /* nothing is sent before: the rate */
    char *token;
    int64_t token_until_tick;
    bool is_fetching_token;
    struct delivery *first, *last; /* held */
    int held;
    const char *problem;   /* what the service says that the operator must mend; static */
    int64_t checking_tick; /* since when the channel itself is asked about; 0: it is not */
    int64_t next_check_tick;
    bool was_skipped; /* by the last lease: what is due for it must be looked for again */
};

struct token_errand {
    struct errand errand;
    struct destination *destination;
};

struct destinations {
    struct courier *courier;
    struct operations *operations;
    struct transfers *transfers;
    struct findings *findings;
    struct destination *items;
    size_t count;
};

struct destinations *destinations_create(struct courier *courier,
                                         const struct courier_options *options,
                                         struct transfers *transfers, struct findings *findings)
{
    struct destinations *destinations = memory_zeroed(1, sizeof *destinations);
    destinations->courier = courier;
    destinations->operations = options->operations;
    destinations->transfers = transfers;
    destinations->findings = findings;
    destinations->count = options->channel_count;
    destinations->items = memory_zeroed(options->channel_count + 1, sizeof *destinations->items);
    for (size_t i = 0; i < options->channel_count; i++) {
        destinations->items[i].index = i;
        destinations->items[i].channel = &options->channels[i];
        destinations->items[i].notifier = notifier_find(options->channels[i].channel.kind);
    }
    return destinations;
}

static void forget_token(struct destination *destination)
{
    if (destination->token != NULL) {
        crypto_wipe(destination->token, strlen(destination->token));
    }
    free(destination->token);
    destination->token = NULL;
}

void destinations_destroy(struct destinations *destinations,
                          void (*on_cut)(void *context, void *owner), void *context)
{
    if (destinations == NULL) {
        return;
    }
    for (size_t i = 0; i < destinations->count; i++) {
        struct destination *destination = &destinations->items[i];
        while (destination->first != NULL) {
            struct delivery *delivery = destination->first;
            destination->first = delivery->next;
            on_cut(context, delivery);
        }
        forget_token(destination);
    }
    free(destinations->items);
    free(destinations);
}

/* ---- the circuit ---- */

static void note_state(struct destinations *destinations, const struct destination *destination)
{
    int64_t left = destination->open_tick - clock_boot_ms();
    operations_note_channel(destinations->operations, destination->index,
                            &(struct operations_channel_state){
                                .problem = destination->problem,
                                .failures = destination->failures,
                                .in_flight = destination->in_flight,
                                .held = destination->held,
                                .open_until = destination->open_tick == 0
                                                  ? 0
                                                  : clock_wall_ms() + (left > 0 ? left : 0)});
}

static bool is_open(const struct destination *destination, int64_t tick)
{
    return destination->open_tick > tick;
}

/* Open, and its time is over: one message tries whether it answers again. */
static bool is_half_open(const struct destination *destination, int64_t tick)
{
    return destination->open_tick != 0 && destination->open_tick <= tick;
}

static void note_success(struct destination *destination)
{
    if (destination->open_tick != 0) {
        LOG(LOG_LEVEL_INFO, "channel_answers_again",
            LOG_TEXT("channel", destination->channel->channel.name));
    }
    destination->failures = 0;
    destination->open_tick = 0;
}

static void note_failure(struct destination *destination, int64_t asked_ms, const char *reason)
{
    int64_t tick = clock_boot_ms();
    destination->failures++;
    if (asked_ms == 0 && destination->failures < FAILURES_TO_OPEN) {
        return;
    }
    int doublings = destination->failures - FAILURES_TO_OPEN;
    int64_t pause =
        doublings >= 4 ? OPEN_MS_MAX : (int64_t)OPEN_MS << (doublings > 0 ? doublings : 0);
    pause = pause > OPEN_MS_MAX ? OPEN_MS_MAX : pause;
    pause += pause * (tick % 100) / 1000; /* so that many gateways do not come at once */
    pause = asked_ms > 0 ? asked_ms : pause;
    if (destination->open_tick == 0) {
        LOG(LOG_LEVEL_WARN, "channel_fails",
            LOG_TEXT("channel", destination->channel->channel.name), LOG_TEXT("reason", reason));
    }
    destination->open_tick = tick + pause;
}

static bool is_skipped(const struct destination *destination, int64_t tick)
{
    return is_open(destination, tick) || destination->held > 0 ||
           (is_half_open(destination, tick) && destination->in_flight > 0);
}

const char *destinations_skipped(struct destinations *destinations, struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    int64_t tick = clock_boot_ms();
    builder_init(&text, 0);
    builder_char(&text, ' ');
    for (size_t i = 0; i < destinations->count; i++) {
        struct destination *destination = &destinations->items[i];
        if (is_skipped(destination, tick)) {
            destination->was_skipped = true;
            builder_printf(&text, "%s ", destination->channel->channel.name);
        }
    }
    return text.length > 1 ? arena_copy(arena, text.bytes, text.length) : NULL;
}

/* ---- what waits for its turn ---- */

static bool is_test(const struct delivery *delivery)
{
    return strcmp(delivery->notice->row.event, NOTICE_TEST_EVENT) == 0;
}

static void hold(struct destination *destination, struct delivery *delivery)
{
    delivery->next = NULL;
    if (destination->last != NULL) {
        destination->last->next = delivery;
    } else {
        destination->first = delivery;
    }
    destination->last = delivery;
    destination->held++;
}

static struct delivery *take_held(struct destination *destination)
{
    struct delivery *delivery = destination->first;
    destination->first = delivery->next;
    if (destination->first == NULL) {
        destination->last = NULL;
    }
    destination->held--;
    return delivery;
}

void destinations_take(struct destinations *destinations, struct lease *lease,
                       struct notice_lease *notice)
{
    struct delivery *delivery = memory_zeroed(1, sizeof *delivery);
    *delivery = (struct delivery){.errand.kind = ERRAND_DELIVERY,
                                  .lease = lease,
                                  .notice = notice,
                                  .leased_tick = clock_boot_ms()};
    for (size_t i = 0; i < destinations->count && delivery->destination == NULL; i++) {
        if (strcmp(destinations->items[i].channel->channel.name, notice->row.channel) == 0) {
            delivery->destination = &destinations->items[i];
        }
    }
    if (delivery->destination == NULL) {
        courier_settle(destinations->courier, delivery,
                       &(struct notice_settlement){
                           .outcome = NOTICE_DEAD,
                           .reason = "no channel of this name is configured any more"});
        free(delivery);
        return;
    }
    hold(delivery->destination, delivery);
}

/* ---- sending ---- */

static int64_t retry_ms(const struct delivery *delivery)
{
    int attempt = delivery->notice->row.attempts + 1;
    unsigned chance = (unsigned)(clock_boot_ms() % 1000);
    return delivery->notice->is_card ? notifier_retry_card_after_ms(attempt, chance)
                                     : notifier_retry_after_ms(attempt, chance);
}

static void settle_failure(struct destinations *destinations, const struct delivery *delivery,
                           struct notice_settlement *settlement)
{
    int64_t asked_ms = settlement->retry_after_ms;
    int64_t planned_ms = retry_ms(delivery);
    settlement->outcome = planned_ms == 0 ? NOTICE_DEAD : NOTICE_RETRY;
    settlement->retry_after_ms = asked_ms > planned_ms ? asked_ms : planned_ms;
    courier_settle(destinations->courier, delivery, settlement);
}

static struct notifier_notice notice_of(const struct delivery *delivery)
{
    const struct notice_lease *lease = delivery->notice;
    return (struct notifier_notice){.id = lease->row.id,
                                    .payload = lease->row.payload,
                                    .to = lease->to,
                                    .address = lease->address,
                                    .is_test = is_test(delivery),
                                    .token = delivery->destination->token,
                                    .is_account = account_moment_of(lease->row.event) != 0};
}

static void send_one(struct destinations *destinations, struct delivery *delivery,
                     const char *place)
{
    struct destination *destination = delivery->destination;
    const struct notifier_channel *channel = &destination->channel->channel;
    struct error error = {0};
    struct notifier_message message;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct notifier_notice notice = notice_of(delivery);
    notice.place = place[0] == '\0' ? NULL : place;
    if (destination->notifier->compose(channel, &notice, clock_wall_ms(), arena, &message,
                                       &error)) {
        if (transfers_add(destinations->transfers, destination->channel, &message, delivery)) {
            destination->in_flight++;
            return;
        }
        settle_failure(destinations, delivery,
                       &(struct notice_settlement){.reason = "could not be started"});
    } else {
        /* What cannot be written down now cannot be later: a template or an address is wrong. */
        courier_settle(
            destinations->courier, delivery,
            &(struct notice_settlement){.outcome = NOTICE_DEAD, .reason = error.message});
    }
    free(delivery);
}

static void defer(struct destinations *destinations, struct delivery *delivery)
{
    courier_settle(destinations->courier, delivery,
                   &(struct notice_settlement){.outcome = NOTICE_DEFERRED, .retry_after_ms = 1000});
    free(delivery);
}

/* A test answers now: it does not wait for the login server to come to itself. */
static void fail_tests(struct destinations *destinations, struct destination *destination,
                       const char *reason)
{
    int held = destination->held;
    for (int i = 0; i < held; i++) {
        struct delivery *delivery = take_held(destination);
        if (is_test(delivery)) {
            settle_failure(destinations, delivery, &(struct notice_settlement){.reason = reason});
            free(delivery);
        } else {
            hold(destination, delivery);
        }
    }
}

static const char no_token[] =
    "the login server gives no token: what it says is in the log (channel_fails)";

/* Nothing goes without a token: the circuit opens at once, and longer each time. */
static void note_no_token(struct destinations *destinations, struct destination *destination,
                          int64_t asked_ms, const char *reason)
{
    if (destination->failures < FAILURES_TO_OPEN - 1) {
        destination->failures = FAILURES_TO_OPEN - 1;
    }
    destination->problem = no_token;
    note_failure(destination, asked_ms, reason);
    fail_tests(destinations, destination, reason);
}

static void fetch_token(struct destinations *destinations, struct destination *destination)
{
    struct error error = {0};
    struct notifier_message message;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct token_errand *errand = memory_zeroed(1, sizeof *errand);
    *errand = (struct token_errand){.errand.kind = ERRAND_TOKEN, .destination = destination};
    if (destination->notifier->compose_token(&destination->channel->channel, clock_wall_ms(), arena,
                                             &message, &error) &&
        transfers_add(destinations->transfers, destination->channel, &message, errand)) {
        destination->is_fetching_token = true;
        return;
    }
    free(errand);
    note_no_token(destinations, destination, 0, "no token can be asked for");
}

/* Whether there is a token, or none is needed; starts to fetch one otherwise. */
static bool has_token(struct destinations *destinations, struct destination *destination,
                      int64_t tick)
{
    if (destination->notifier->compose_token == NULL) {
        return true;
    }
    if (destination->token != NULL && destination->token_until_tick > tick) {
        return true;
    }
    if (!destination->is_fetching_token) {
        fetch_token(destinations, destination);
    }
    return false;
}

/* ---- what is asked before ---- */

/* What the operator must mend is in the log when it begins and when it is over. */
static void note_finding(struct destinations *destinations, struct destination *destination,
                         const struct notifier_finding *found)
{
    const char *problem = found->known == NOTIFIER_BAD    ? found->problem
                          : found->known == NOTIFIER_GOOD ? NULL
                                                          : destination->problem;
    const char *name = destination->channel->channel.name;
    if (problem != NULL && problem != destination->problem) {
        LOG(LOG_LEVEL_WARN, "channel_fails", LOG_TEXT("channel", name),
            LOG_TEXT("reason", problem));
    } else if (problem == NULL && destination->problem != NULL) {
        LOG(LOG_LEVEL_INFO, "channel_answers_again", LOG_TEXT("channel", name));
    }
    destination->problem = problem;
    note_state(destinations, destination);
}

/* Whether the first that is held may go, and to where. */
static enum notifier_known ask_first(struct destinations *destinations,
                                     struct destination *destination, int64_t tick,
                                     struct notifier_finding *out)
{
    struct delivery *delivery = destination->first;
    struct notifier_notice notice = notice_of(delivery);
    delivery->asked_tick = delivery->asked_tick == 0 ? tick : delivery->asked_tick;
    enum notifier_known known = findings_ask_first(destinations->findings, destination->index,
                                                   &notice, delivery->asked_tick, out);
    if (known == NOTIFIER_GOOD && destination->notifier->list_questions != NULL) {
        note_finding(destinations, destination, out);
    }
    return known;
}

/* It is tried again: what keeps it back can be mended. */
static void refuse_one(struct destinations *destinations, struct delivery *delivery,
                       const struct notifier_finding *found)
{
    struct destination *destination = delivery->destination;
    note_finding(destinations, destination, found);
    if (found->known == NOTIFIER_UNANSWERED) {
        note_failure(destination, found->retry_after_ms, found->reason);
    }
    settle_failure(destinations, delivery,
                   &(struct notice_settlement){.reason = found->reason,
                                               .retry_after_ms = found->retry_after_ms});
    free(delivery);
}

/* Also where nothing is sent: what stands there has buttons. */
static void check_channel(struct destinations *destinations, struct destination *destination,
                          int64_t tick)
{
    struct notifier_finding found;
    if (destination->notifier->list_questions == NULL || tick < destination->next_check_tick) {
        return;
    }
    destination->checking_tick =
        destination->checking_tick == 0 ? tick : destination->checking_tick;
    if (findings_ask_first(destinations->findings, destination->index, NULL,
                           destination->checking_tick, &found) == NOTIFIER_UNKNOWN) {
        return;
    }
    note_finding(destinations, destination, &found);
    destination->checking_tick = 0;
    destination->next_check_tick =
        tick + (found.known == NOTIFIER_GOOD ? CHECK_MS : CHECK_AGAIN_MS);
}

bool destinations_token(struct destinations *destinations, const struct courier_channel *channel,
                        const char **out)
{
    int64_t tick = clock_boot_ms();
    for (size_t i = 0; i < destinations->count; i++) {
        struct destination *destination = &destinations->items[i];
        if (destination->channel == channel) {
            bool needs_none = destination->notifier->compose_token == NULL;
            bool has_one = needs_none || (!is_open(destination, tick) &&
                                          has_token(destinations, destination, tick));
            *out = has_one ? destination->token : NULL;
            return has_one;
        }
    }
    return false;
}

static int limit_or(int limit, int fallback)
{
    return limit > 0 ? limit : fallback;
}

static bool may_send(struct destinations *destinations, struct destination *destination,
                     int64_t tick)
{
    bool tests = is_test(destination->first);
    int most = is_half_open(destination, tick)
                   ? 1
                   : limit_or(destination->channel->in_flight_max, IN_FLIGHT_MAX);
    return (tests || !is_open(destination, tick)) && (tests || destination->in_flight < most) &&
           destination->next_tick <= tick && has_token(destinations, destination, tick);
}

/* What cannot go in good time goes back, and what the circuit stops goes back at once: sent late,
 * it could be leased anew and sent twice. */
static bool goes_back(const struct destination *destination, int64_t tick)
{
    return !is_test(destination->first) &&
           (is_open(destination, tick) || tick - destination->first->leased_tick > HELD_MS_MAX);
}

static void run_one(struct destinations *destinations, struct destination *destination)
{
    int64_t tick = clock_boot_ms();
    int64_t gap = 1000 / limit_or(destination->channel->per_second_max, PER_SECOND_MAX);
    while (destination->first != NULL) {
        if (goes_back(destination, tick)) {
            defer(destinations, take_held(destination));
            continue;
        }
        struct notifier_finding found;
        enum notifier_known known = may_send(destinations, destination, tick)
                                        ? ask_first(destinations, destination, tick, &found)
                                        : NOTIFIER_UNKNOWN;
        if (known == NOTIFIER_UNKNOWN) {
            break;
        }
        if (known == NOTIFIER_GOOD) {
            send_one(destinations, take_held(destination), found.value);
        } else {
            refuse_one(destinations, take_held(destination), &found);
        }
        /* A burst of a second's worth, then evenly. */
        destination->next_tick =
            destination->next_tick < tick - 1000 ? tick - 1000 + gap : destination->next_tick + gap;
    }
}

void destinations_run(struct destinations *destinations)
{
    for (size_t i = 0; i < destinations->count; i++) {
        struct destination *destination = &destinations->items[i];
        check_channel(destinations, destination, clock_boot_ms());
        if (destination->first != NULL) {
            run_one(destinations, destination);
            note_state(destinations, destination);
        }
    }
}

void destinations_look(struct destinations *destinations)
{
    int64_t tick = clock_boot_ms();
    for (size_t i = 0; i < destinations->count; i++) {
        struct destination *destination = &destinations->items[i];
        if (destination->was_skipped && !is_skipped(destination, tick)) {
            destination->was_skipped = false;
            operations_look_at_outbox(destinations->operations);
        }
    }
}

/* ---- what came of it ---- */

static struct notifier_reply reply_of(const struct transfer_result *result)
{
    return (struct notifier_reply){.status = result->status,
                                   .retry_after_ms = result->retry_after_ms,
                                   .body = result->body,
                                   .length = result->length};
}

static void finish_token(struct destinations *destinations, struct token_errand *errand,
                         const struct transfer_result *result)
{
    struct destination *destination = errand->destination;
    struct notifier_reply reply = reply_of(result);
    struct error error = {0};
    const char *token = NULL;
    int64_t lifetime_ms = 0;
    struct arena *arena ARENA_SCOPE = arena_create();
    destination->is_fetching_token = false;
    forget_token(destination);
    if (result->status != 0 &&
        destination->notifier->read_token(&reply, arena, &token, &lifetime_ms, &error)) {
        lifetime_ms = lifetime_ms > TOKEN_MS_MAX ? TOKEN_MS_MAX : lifetime_ms;
        destination->problem = destination->problem == no_token ? NULL : destination->problem;
        destination->token = memory_zeroed(1, strlen(token) + 1);
        memcpy(destination->token, token, strlen(token));
        destination->token_until_tick =
            clock_boot_ms() +
            (lifetime_ms > 2 * TOKEN_EARLY_MS ? lifetime_ms - TOKEN_EARLY_MS : lifetime_ms / 2);
    } else {
        note_no_token(destinations, destination, result->retry_after_ms,
                      result->status == 0 ? result->failure : error.message);
    }
    note_state(destinations, destination);
    free(errand);
}

/* Whether the destination itself fares badly, whatever it thinks of the message. */
static bool is_trouble(const struct transfer_result *result)
{
    return result->status == 0 || result->status == 429 ||
           (result->status >= 500 && result->status < 550);
}

/* What was said, for people: the status and the beginning of a text. */
static const char *answer_text(const struct transfer_result *result, struct arena *arena)
{
    if (result->status == 0) {
        return NULL;
    }
    bool is_text = text_is_utf8(result->body, result->length) &&
                   memchr(result->body, '\0', result->length) == NULL;
    return result->length == 0 ? arena_printf(arena, "%ld", result->status)
           : is_text           ? arena_printf(arena, "%ld %s", result->status, result->body)
                     : arena_printf(arena, "%ld (%zu bytes that are no text)", result->status,
                                    result->length);
}

static void finish_delivery(struct destinations *destinations, struct delivery *delivery,
                            const struct transfer_result *result)
{
    struct destination *destination = delivery->destination;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct notifier_reply reply = reply_of(result);
    struct notifier_notice notice = notice_of(delivery);
    struct notifier_judgement judgement = {0};
    destination->in_flight--;
    if (result->status != 0) {
        destination->notifier->judge(&destination->channel->channel, &notice, &reply, arena,
                                     &judgement);
    }
    const char *reason = result->status == 0 ? result->failure
                         : judgement.reason != NULL
                             ? judgement.reason
                             : arena_printf(arena, "answered %ld", result->status);
    if (is_trouble(result)) {
        /* Callbacks have many receivers: what one of them asks for is not the others' to bear. */
        note_failure(destination, destination->notifier->calls_back ? 0 : result->retry_after_ms,
                     reason);
    } else {
        note_success(destination);
    }
    if (judgement.verdict == NOTIFIER_BAD_TOKEN) {
        forget_token(destination);
        if (!delivery->had_bad_token) {
            delivery->had_bad_token = true;
            hold(destination, delivery);
            note_state(destinations, destination);
            return;
        }
    }
    struct notice_settlement settlement = {
        .reason = judgement.verdict == NOTIFIER_SENT ? NULL : reason,
        .retry_after_ms =
            judgement.retry_after_ms != 0 ? judgement.retry_after_ms : result->retry_after_ms,
        .answer = answer_text(result, arena),
        .address = judgement.address,
        .may_have_arrived = result->status == 0 && result->was_sent};
    if (judgement.verdict == NOTIFIER_SENT || judgement.verdict == NOTIFIER_DEAD) {
        settlement.outcome = judgement.verdict == NOTIFIER_SENT ? NOTICE_SENT : NOTICE_DEAD;
        courier_settle(destinations->courier, delivery, &settlement);
    } else {
        settle_failure(destinations, delivery, &settlement);
    }
    note_state(destinations, destination);
    free(delivery);
}

void destinations_finish(struct destinations *destinations, struct errand *errand,
                         const struct transfer_result *result)
{
    if (errand->kind == ERRAND_TOKEN) {
        finish_token(destinations, (struct token_errand *)errand, result);
    } else {
        finish_delivery(destinations, (struct delivery *)errand, result);
    }
}
