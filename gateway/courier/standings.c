#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What channels' services said when they were asked, and what they are being asked now. One
 * inquiry is under way once, however many wait for it. Answers are kept in memory alone: after a
 * restart everything is asked anew.
 */

enum {
    STANDINGS_MAX = 512,
    UNDER_WAY_MAX = 32,
    ABOUT_BYTES = 1280, /* of a member in Teams: account, user, conversation, service */
    TOKEN_WAIT_MS = 10 * 1000,
    PAUSE_MS_MAX = 60 * 1000,
    ADDRESS_MS = 24 * 3600 * 1000
};

enum stage { FREE = 0, WANTED, NEEDS_TOKEN, UNDER_WAY, ANSWERED };

struct entry {
    enum stage stage;
    size_t channel;
    enum notifier_asks asks;
    char about[ABOUT_BYTES];
    int64_t known_tick;
    int64_t wanted_tick; /* since when it is to be asked */
    bool had_bad_token;  /* once already */
    struct notifier_standing standing;
};

struct inquiry_errand {
    struct errand errand; /* first */
    struct standings *standings;
    struct destinations *destinations;
    struct entry *entry; /* does not move, and is not given away while it is under way */
};

struct standings {
    const struct courier_options *options;
    struct transfers *transfers;
    pthread_mutex_t mutex;
    struct entry entries[STANDINGS_MAX];
    /* Until when a service wants no more inquiries of a sort. */
    int64_t paused_until[OPERATIONS_CHANNELS_MAX][NOTIFIER_ASKS_COUNT];
    bool has_wanted;
    int under_way;    /* the courier's thread's own, as the next */
    bool needs_token; /* some do */
};

struct standings *standings_create(const struct courier_options *options,
                                   struct transfers *transfers)
{
    struct standings *standings = memory_zeroed(1, sizeof *standings);
    standings->options = options;
    standings->transfers = transfers;
    pthread_mutex_init(&standings->mutex, NULL);
    return standings;
}

void standings_destroy(struct standings *standings)
{
    if (standings != NULL) {
        pthread_mutex_destroy(&standings->mutex);
        free(standings);
    }
}

/* ---- looking; any thread ---- */

static struct entry *find(struct standings *standings, size_t channel,
                          const struct notifier_inquiry *inquiry)
{
    for (size_t i = 0; i < STANDINGS_MAX; i++) {
        struct entry *entry = &standings->entries[i];
        if (entry->stage != FREE && entry->channel == channel && entry->asks == inquiry->asks &&
            strcmp(entry->about, inquiry->about) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* A free one, or the one answered longest ago; NULL when all are being asked. */
static struct entry *take_entry(struct standings *standings)
{
    struct entry *oldest = NULL;
    for (size_t i = 0; i < STANDINGS_MAX; i++) {
        struct entry *entry = &standings->entries[i];
        if (entry->stage == FREE) {
            return entry;
        }
        if (entry->stage == ANSWERED &&
            (oldest == NULL || entry->known_tick < oldest->known_tick)) {
            oldest = entry;
        }
    }
    return oldest;
}

static bool is_fresh(const struct entry *entry, const struct standings_age *age)
{
    switch (entry->standing.known) {
    case NOTIFIER_GOOD:
        return entry->known_tick >= age->good_since;
    case NOTIFIER_BAD:
        return entry->known_tick >= age->bad_since;
    case NOTIFIER_UNANSWERED:
        return entry->known_tick >= age->unanswered_since;
    case NOTIFIER_UNKNOWN:
        break;
    }
    return false;
}

static void say_unanswered(struct notifier_standing *out, const char *reason)
{
    *out = (struct notifier_standing){.known = NOTIFIER_UNANSWERED};
    snprintf(out->reason, sizeof out->reason, "%.200s", reason);
}

/* Has it asked. */
static void want(struct standings *standings, struct entry *entry, size_t channel,
                 const struct notifier_inquiry *inquiry, struct notifier_standing *out)
{
    int64_t paused_until = standings->paused_until[channel][inquiry->asks];
    int64_t tick = clock_boot_ms();
    entry = entry != NULL ? entry : take_entry(standings);
    if (paused_until > tick) {
        say_unanswered(out, "the service wants to be asked less often");
        out->retry_after_ms = paused_until - tick;
    } else if (entry == NULL) {
        say_unanswered(out, "too much is being asked already");
    } else {
        *entry = (struct entry){
            .stage = WANTED, .channel = channel, .asks = inquiry->asks, .wanted_tick = tick};
        snprintf(entry->about, sizeof entry->about, "%s", inquiry->about);
        standings->has_wanted = true;
        *out = (struct notifier_standing){.known = NOTIFIER_UNKNOWN};
    }
}

void standings_look(struct standings *standings, size_t channel,
                    const struct notifier_inquiry *inquiry, const struct standings_age *age,
                    struct notifier_standing *out)
{
    if (strlen(inquiry->about) >= ABOUT_BYTES || channel >= OPERATIONS_CHANNELS_MAX) {
        say_unanswered(out, "this cannot be asked");
        return;
    }
    pthread_mutex_lock(&standings->mutex);
    struct entry *entry = find(standings, channel, inquiry);
    if (entry != NULL && entry->stage == ANSWERED && is_fresh(entry, age)) {
        *out = entry->standing;
    } else if (entry != NULL && entry->stage != ANSWERED) {
        *out = (struct notifier_standing){.known = NOTIFIER_UNKNOWN};
    } else {
        want(standings, entry, channel, inquiry, out);
    }
    bool is_new = standings->has_wanted;
    pthread_mutex_unlock(&standings->mutex);
    if (is_new) {
        transfers_wake(standings->transfers);
    }
}

/* ---- asking; on the courier's thread ---- */

static void settle(struct standings *standings, struct entry *entry,
                   const struct notifier_standing *standing)
{
    int64_t tick = clock_boot_ms();
    int64_t pause_ms = standing->retry_after_ms;
    pthread_mutex_lock(&standings->mutex);
    entry->standing = *standing;
    entry->known_tick = tick;
    entry->stage = ANSWERED;
    if (standing->known == NOTIFIER_UNANSWERED && pause_ms > 0) {
        standings->paused_until[entry->channel][entry->asks] =
            tick + (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX);
    }
    pthread_mutex_unlock(&standings->mutex);
    if (standings->options->on_standing != NULL) {
        standings->options->on_standing(standings->options->context);
    }
}

static void set_stage(struct standings *standings, struct entry *entry, enum stage stage)
{
    pthread_mutex_lock(&standings->mutex);
    entry->stage = stage;
    pthread_mutex_unlock(&standings->mutex);
}

/* It is looked again when the courier turns next, but not for long. */
static void wait_for_token(struct standings *standings, struct entry *entry)
{
    struct notifier_standing standing;
    if (clock_boot_ms() - entry->wanted_tick < TOKEN_WAIT_MS) {
        standings->needs_token = true;
        set_stage(standings, entry, NEEDS_TOKEN);
        return;
    }
    say_unanswered(&standing, "there is no token to ask with");
    settle(standings, entry, &standing);
}

static void ask(struct standings *standings, struct destinations *destinations, struct entry *entry)
{
    const struct courier_channel *channel = &standings->options->channels[entry->channel];
    struct notifier_inquiry inquiry = {entry->asks, entry->about};
    struct notifier_message message;
    struct notifier_standing standing;
    struct error error = {0};
    const char *token = NULL;
    if (notifier_find(channel->channel.kind)->compose_token != NULL &&
        !destinations_token(destinations, channel, &token)) {
        wait_for_token(standings, entry);
        return;
    }
    struct arena *arena ARENA_SCOPE = arena_create();
    struct inquiry_errand *errand = memory_zeroed(1, sizeof *errand);
    *errand = (struct inquiry_errand){.errand.kind = ERRAND_INQUIRY,
                                      .standings = standings,
                                      .destinations = destinations,
                                      .entry = entry};
    if (!notifier_find(channel->channel.kind)
             ->compose_inquiry(&channel->channel, &inquiry, token, arena, &message, &error)) {
        say_unanswered(&standing, error.message);
        standing.known = NOTIFIER_BAD;
    } else if (transfers_add(standings->transfers, channel, &message, errand)) {
        standings->under_way++;
        return;
    } else {
        say_unanswered(&standing, "could not be started");
    }
    free(errand);
    settle(standings, entry, &standing);
}

static struct entry *take_wanted(struct standings *standings)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&standings->mutex);
    for (size_t i = 0; standings->has_wanted && i < STANDINGS_MAX && entry == NULL; i++) {
        entry = standings->entries[i].stage == WANTED ? &standings->entries[i] : NULL;
    }
    standings->has_wanted = entry != NULL;
    if (entry != NULL) {
        entry->stage = UNDER_WAY;
    }
    pthread_mutex_unlock(&standings->mutex);
    return entry;
}

static void want_again(struct standings *standings)
{
    pthread_mutex_lock(&standings->mutex);
    for (size_t i = 0; standings->needs_token && i < STANDINGS_MAX; i++) {
        if (standings->entries[i].stage == NEEDS_TOKEN) {
            standings->entries[i].stage = WANTED;
            standings->has_wanted = true;
        }
    }
    pthread_mutex_unlock(&standings->mutex);
    standings->needs_token = false;
}

void standings_run(struct standings *standings, struct destinations *destinations)
{
    struct entry *entry = NULL;
    want_again(standings);
    do {
        entry = standings->under_way < UNDER_WAY_MAX ? take_wanted(standings) : NULL;
        if (entry != NULL) {
            ask(standings, destinations, entry);
        }
    } while (entry != NULL);
}

static void note_unanswered(const struct entry *entry, const struct courier_channel *channel,
                            const struct notifier_standing *standing)
{
    if (standing->known == NOTIFIER_UNANSWERED) {
        LOG(LOG_LEVEL_WARN, "inquiry_not_answered", LOG_TEXT("channel", channel->channel.name),
            LOG_TEXT("about", entry->about), LOG_TEXT("reason", standing->reason));
    }
}

void standings_finish(struct errand *errand, const struct transfer_result *result)
{
    struct inquiry_errand *own = (struct inquiry_errand *)errand;
    struct entry *entry = own->entry;
    const struct courier_channel *channel = &own->standings->options->channels[entry->channel];
    struct notifier_inquiry inquiry = {entry->asks, entry->about};
    struct notifier_reply reply = {.status = result->status,
                                   .retry_after_ms = result->retry_after_ms,
                                   .body = result->body,
                                   .length = result->length,
                                   .scopes = result->scopes};
    struct notifier_standing standing = {0};
    const struct notifier *notifier = notifier_find(channel->channel.kind);
    own->standings->under_way--;
    if (result->status == 401 && notifier->compose_token != NULL && !entry->had_bad_token) {
        entry->had_bad_token = true;
        destinations_drop_token(own->destinations, channel);
        wait_for_token(own->standings, entry);
        free(own);
        return;
    }
    if (result->status == 0) {
        say_unanswered(&standing, result->failure);
    } else {
        notifier->read_answer(&channel->channel, &inquiry, &reply, &standing);
    }
    note_unanswered(entry, channel, &standing);
    settle(own->standings, entry, &standing);
    free(own);
}

/* ---- before a notice leaves ---- */

enum notifier_known standings_ask_first(struct standings *standings, size_t channel,
                                        const struct notifier_notice *notice, int64_t asked_tick,
                                        struct notifier_standing *out)
{
    const struct courier_channel *own = &standings->options->channels[channel];
    const struct notifier *notifier = notifier_find(own->channel.kind);
    struct notifier_inquiry inquiries[NOTIFIER_INQUIRIES_MAX];
    struct arena *arena ARENA_SCOPE = arena_create();
    struct standings_age age = {.good_since = asked_tick - STANDINGS_GOOD_MS,
                                .bad_since = asked_tick,
                                .unanswered_since = asked_tick};
    enum notifier_known known = NOTIFIER_GOOD;
    *out = (struct notifier_standing){.known = NOTIFIER_GOOD};
    if (notifier->list_inquiries == NULL) {
        return known;
    }
    if (notice == NULL || notice->is_test) {
        age.good_since = asked_tick; /* how it is now is what counts */
    }
    size_t count = notifier->list_inquiries(&own->channel, notice, arena, inquiries);
    for (size_t i = 0; i < count && known == NOTIFIER_GOOD; i++) {
        struct notifier_standing one;
        struct standings_age own_age = age;
        own_age.good_since -= inquiries[i].asks == NOTIFIER_ASKS_ADDRESS ? ADDRESS_MS : 0;
        standings_look(standings, channel, &inquiries[i], &own_age, &one);
        known = one.known;
        if (known != NOTIFIER_GOOD || one.value[0] != '\0') {
            *out = one;
        }
    }
    return known;
}
