#include "base/clock.h"
#include "base/memory.h"
#include "courier/destination_internal.h"
#include "formats/text.h"
#include "notifiers/account_notice.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What of each channel is known while the process runs, and what waits for its turn. */

enum {
    IN_FLIGHT_MAX = 8,
    PER_SECOND_MAX = 20,
    HELD_MS_MAX = NOTICE_LEASE_MS / 6, /* a letter may take 42 seconds, and a lease is 60 */
};

struct destinations *destinations_create(struct courier *courier,
                                         const struct courier_options *options,
                                         struct transfers *transfers, struct standings *standings)
{
    struct destinations *destinations = memory_zeroed(1, sizeof *destinations);
    destinations->courier = courier;
    destinations->operations = options->operations;
    destinations->transfers = transfers;
    destinations->standings = standings;
    destinations->count = options->channel_count;
    destinations->items = memory_zeroed(options->channel_count + 1, sizeof *destinations->items);
    for (size_t i = 0; i < options->channel_count; i++) {
        destinations->items[i].index = i;
        destinations->items[i].channel = &options->channels[i];
        destinations->items[i].notifier = notifier_find(options->channels[i].channel.kind);
    }
    return destinations;
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
        destination_forget_token(destination);
    }
    free(destinations->items);
    free(destinations);
}

/* ---- how they fare ---- */

void destination_note_state(struct destinations *destinations,
                            const struct destination *destination)
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

static bool is_skipped(const struct destination *destination, int64_t tick)
{
    return destination_is_open(destination, tick) || destination->held > 0 ||
           (destination_is_half_open(destination, tick) && destination->in_flight > 0);
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

bool delivery_is_test(const struct delivery *delivery)
{
    return strcmp(delivery->notice->row.event, NOTICE_TEST_EVENT) == 0;
}

void destination_hold(struct destination *destination, struct delivery *delivery)
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

struct delivery *destination_take_held(struct destination *destination)
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
    destination_hold(delivery->destination, delivery);
}

/* ---- sending ---- */

static int64_t retry_ms(const struct delivery *delivery)
{
    int attempt = delivery->notice->row.attempts + 1;
    unsigned chance = (unsigned)(clock_boot_ms() % 1000);
    return delivery->notice->is_card ? notifier_retry_card_after_ms(attempt, chance)
                                     : notifier_retry_after_ms(attempt, chance);
}

void delivery_fail(struct destinations *destinations, const struct delivery *delivery,
                   struct notice_settlement *settlement)
{
    int64_t asked_ms = settlement->retry_after_ms;
    int64_t planned_ms = retry_ms(delivery);
    settlement->outcome = planned_ms == 0 ? NOTICE_DEAD : NOTICE_RETRY;
    settlement->retry_after_ms = asked_ms > planned_ms ? asked_ms : planned_ms;
    courier_settle(destinations->courier, delivery, settlement);
}

struct notifier_notice delivery_notice(const struct delivery *delivery)
{
    const struct notice_lease *lease = delivery->notice;
    return (struct notifier_notice){.id = lease->row.id,
                                    .payload = lease->row.payload,
                                    .to = lease->to,
                                    .address = lease->address,
                                    .is_test = delivery_is_test(delivery),
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
    struct notifier_notice notice = delivery_notice(delivery);
    notice.place = place[0] == '\0' ? NULL : place;
    if (destination->notifier->compose(channel, &notice, clock_wall_ms(), arena, &message,
                                       &error)) {
        if (transfers_add(destinations->transfers, destination->channel, &message, delivery)) {
            destination->in_flight++;
            return;
        }
        delivery_fail(destinations, delivery,
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

static int limit_or(int limit, int fallback)
{
    return limit > 0 ? limit : fallback;
}

static bool may_send(struct destinations *destinations, struct destination *destination,
                     int64_t tick)
{
    bool tests = delivery_is_test(destination->first);
    int most = destination_is_half_open(destination, tick)
                   ? 1
                   : limit_or(destination->channel->in_flight_max, IN_FLIGHT_MAX);
    return (tests || !destination_is_open(destination, tick)) &&
           (tests || destination->in_flight < most) && destination->next_tick <= tick &&
           destination_has_token(destinations, destination, tick);
}

/* What cannot go in good time goes back, and what the circuit stops goes back at once: sent late,
 * it could be leased anew and sent twice. */
static bool goes_back(const struct destination *destination, int64_t tick)
{
    return !delivery_is_test(destination->first) &&
           (destination_is_open(destination, tick) ||
            tick - destination->first->leased_tick > HELD_MS_MAX);
}

static void run_one(struct destinations *destinations, struct destination *destination)
{
    int64_t tick = clock_boot_ms();
    int64_t gap = 1000 / limit_or(destination->channel->per_second_max, PER_SECOND_MAX);
    while (destination->first != NULL) {
        if (goes_back(destination, tick)) {
            defer(destinations, destination_take_held(destination));
            continue;
        }
        struct notifier_standing found;
        enum notifier_known known =
            may_send(destinations, destination, tick)
                ? destination_ask_first(destinations, destination, tick, &found)
                : NOTIFIER_UNKNOWN;
        if (known == NOTIFIER_UNKNOWN) {
            break;
        }
        if (known == NOTIFIER_GOOD) {
            send_one(destinations, destination_take_held(destination), found.value);
        } else {
            destination_refuse_one(destinations, destination_take_held(destination), &found);
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
        destination_check(destinations, destination, clock_boot_ms());
        if (destination->first != NULL) {
            run_one(destinations, destination);
            destination_note_state(destinations, destination);
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
    struct notifier_notice notice = delivery_notice(delivery);
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
        destination_note_failure(
            destination, destination->notifier->calls_back ? 0 : result->retry_after_ms, reason);
    } else {
        destination_note_success(destination);
    }
    if (judgement.verdict == NOTIFIER_BAD_TOKEN) {
        destination_forget_token(destination);
        if (!delivery->had_bad_token) {
            delivery->had_bad_token = true;
            destination_hold(destination, delivery);
            destination_note_state(destinations, destination);
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
        delivery_fail(destinations, delivery, &settlement);
    }
    destination_note_state(destinations, destination);
    free(delivery);
}

void destinations_finish(struct destinations *destinations, struct errand *errand,
                         const struct transfer_result *result)
{
    if (errand->kind == ERRAND_TOKEN) {
        destination_finish_token(destinations, errand, result);
    } else {
        finish_delivery(destinations, (struct delivery *)errand, result);
    }
}
