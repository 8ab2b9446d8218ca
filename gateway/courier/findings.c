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
 * question is under way once, however many wait for it. Answers are kept in memory alone: after a
 * restart everything is asked anew.
 */

enum {
    FINDINGS_MAX = 512,
    ABOUT_BYTES = 160,
    PAUSE_MS_MAX = 60 * 1000,
    ADDRESS_MS = 24 * 3600 * 1000
};

enum stage { FREE = 0, WANTED, UNDER_WAY, ANSWERED };

struct entry {
    enum stage stage;
    size_t channel;
    enum notifier_asks asks;
    char about[ABOUT_BYTES];
    int64_t known_tick;
    struct notifier_finding finding;
};

struct question_errand {
    struct errand errand; /* first */
    struct findings *findings;
    struct entry *entry; /* does not move, and is not given away while it is under way */
};

struct findings {
    const struct courier_options *options;
    struct transfers *transfers;
    pthread_mutex_t mutex;
    struct entry entries[FINDINGS_MAX];
    /* Until when a service wants no more questions of a sort. */
    int64_t paused_until[OPERATIONS_CHANNELS_MAX][NOTIFIER_ASKS_COUNT];
    bool has_wanted;
};

struct findings *findings_create(const struct courier_options *options, struct transfers *transfers)
{
    struct findings *findings = memory_zeroed(1, sizeof *findings);
    findings->options = options;
    findings->transfers = transfers;
    pthread_mutex_init(&findings->mutex, NULL);
    return findings;
}

void findings_destroy(struct findings *findings)
{
    if (findings != NULL) {
        pthread_mutex_destroy(&findings->mutex);
        free(findings);
    }
}

/* ---- looking; any thread ---- */

static struct entry *find(struct findings *findings, size_t channel,
                          const struct notifier_question *question)
{
    for (size_t i = 0; i < FINDINGS_MAX; i++) {
        struct entry *entry = &findings->entries[i];
        if (entry->stage != FREE && entry->channel == channel && entry->asks == question->asks &&
            strcmp(entry->about, question->about) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* A free one, or the one answered longest ago; NULL when all are being asked. */
static struct entry *take_entry(struct findings *findings)
{
    struct entry *oldest = NULL;
    for (size_t i = 0; i < FINDINGS_MAX; i++) {
        struct entry *entry = &findings->entries[i];
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

static bool is_fresh(const struct entry *entry, const struct findings_age *age)
{
    switch (entry->finding.known) {
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

static void say_unanswered(struct notifier_finding *out, const char *reason)
{
    *out = (struct notifier_finding){.known = NOTIFIER_UNANSWERED};
    snprintf(out->reason, sizeof out->reason, "%.200s", reason);
}

/* Has it asked. */
static void want(struct findings *findings, struct entry *entry, size_t channel,
                 const struct notifier_question *question, struct notifier_finding *out)
{
    int64_t paused_until = findings->paused_until[channel][question->asks];
    int64_t tick = clock_boot_ms();
    entry = entry != NULL ? entry : take_entry(findings);
    if (paused_until > tick) {
        say_unanswered(out, "the service wants to be asked less often");
        out->retry_after_ms = paused_until - tick;
    } else if (entry == NULL) {
        say_unanswered(out, "too much is being asked already");
    } else {
        *entry = (struct entry){.stage = WANTED, .channel = channel, .asks = question->asks};
        snprintf(entry->about, sizeof entry->about, "%s", question->about);
        findings->has_wanted = true;
        *out = (struct notifier_finding){.known = NOTIFIER_UNKNOWN};
    }
}

void findings_look(struct findings *findings, size_t channel,
                   const struct notifier_question *question, const struct findings_age *age,
                   struct notifier_finding *out)
{
    if (strlen(question->about) >= ABOUT_BYTES || channel >= OPERATIONS_CHANNELS_MAX) {
        say_unanswered(out, "this cannot be asked");
        return;
    }
    pthread_mutex_lock(&findings->mutex);
    struct entry *entry = find(findings, channel, question);
    if (entry != NULL && entry->stage == ANSWERED && is_fresh(entry, age)) {
        *out = entry->finding;
    } else if (entry != NULL && entry->stage != ANSWERED) {
        *out = (struct notifier_finding){.known = NOTIFIER_UNKNOWN};
    } else {
        want(findings, entry, channel, question, out);
    }
    bool is_new = findings->has_wanted;
    pthread_mutex_unlock(&findings->mutex);
    if (is_new) {
        transfers_wake(findings->transfers);
    }
}

/* ---- asking; on the courier's thread ---- */

static void settle(struct findings *findings, struct entry *entry,
                   const struct notifier_finding *finding)
{
    int64_t tick = clock_boot_ms();
    int64_t pause_ms = finding->retry_after_ms;
    pthread_mutex_lock(&findings->mutex);
    entry->finding = *finding;
    entry->known_tick = tick;
    entry->stage = ANSWERED;
    if (finding->known == NOTIFIER_UNANSWERED && pause_ms > 0) {
        findings->paused_until[entry->channel][entry->asks] =
            tick + (pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX);
    }
    pthread_mutex_unlock(&findings->mutex);
    if (findings->options->on_found != NULL) {
        findings->options->on_found(findings->options->context);
    }
}

static void ask(struct findings *findings, struct entry *entry)
{
    const struct courier_channel *channel = &findings->options->channels[entry->channel];
    struct notifier_question question = {entry->asks, entry->about};
    struct notifier_message message;
    struct notifier_finding finding;
    struct error error = {0};
    struct arena *arena ARENA_SCOPE = arena_create();
    struct question_errand *errand = memory_zeroed(1, sizeof *errand);
    *errand = (struct question_errand){
        .errand.kind = ERRAND_QUESTION, .findings = findings, .entry = entry};
    if (!notifier_find(channel->channel.kind)
             ->compose_question(&channel->channel, &question, arena, &message, &error)) {
        say_unanswered(&finding, error.message);
        finding.known = NOTIFIER_BAD;
    } else if (transfers_add(findings->transfers, channel, &message, errand)) {
        return;
    } else {
        say_unanswered(&finding, "could not be started");
    }
    free(errand);
    settle(findings, entry, &finding);
}

void findings_run(struct findings *findings)
{
    pthread_mutex_lock(&findings->mutex);
    bool has_wanted = findings->has_wanted;
    findings->has_wanted = false;
    pthread_mutex_unlock(&findings->mutex);
    for (size_t i = 0; has_wanted && i < FINDINGS_MAX; i++) {
        struct entry *entry = &findings->entries[i];
        pthread_mutex_lock(&findings->mutex);
        bool is_wanted = entry->stage == WANTED;
        entry->stage = is_wanted ? UNDER_WAY : entry->stage;
        pthread_mutex_unlock(&findings->mutex);
        if (is_wanted) {
            ask(findings, entry);
        }
    }
}

static void note_unanswered(const struct entry *entry, const struct courier_channel *channel,
                            const struct notifier_finding *finding)
{
    if (finding->known == NOTIFIER_UNANSWERED) {
        LOG(LOG_LEVEL_WARN, "question_not_answered", LOG_TEXT("channel", channel->channel.name),
            LOG_TEXT("about", entry->about), LOG_TEXT("reason", finding->reason));
    }
}

void findings_finish(struct errand *errand, const struct transfer_result *result)
{
    struct question_errand *own = (struct question_errand *)errand;
    struct entry *entry = own->entry;
    const struct courier_channel *channel = &own->findings->options->channels[entry->channel];
    struct notifier_question question = {entry->asks, entry->about};
    struct notifier_reply reply = {.status = result->status,
                                   .retry_after_ms = result->retry_after_ms,
                                   .body = result->body,
                                   .length = result->length,
                                   .scopes = result->scopes};
    struct notifier_finding finding = {0};
    if (result->status == 0) {
        say_unanswered(&finding, result->failure);
    } else {
        notifier_find(channel->channel.kind)
            ->read_answer(&channel->channel, &question, &reply, &finding);
    }
    note_unanswered(entry, channel, &finding);
    settle(own->findings, entry, &finding);
    free(own);
}

/* ---- before a notice leaves ---- */

enum notifier_known findings_ask_first(struct findings *findings, size_t channel,
                                       const struct notifier_notice *notice, int64_t asked_tick,
                                       struct notifier_finding *out)
{
    const struct courier_channel *own = &findings->options->channels[channel];
    const struct notifier *notifier = notifier_find(own->channel.kind);
    struct notifier_question questions[NOTIFIER_QUESTIONS_MAX];
    struct arena *arena ARENA_SCOPE = arena_create();
    struct findings_age age = {.good_since = asked_tick - FINDINGS_GOOD_MS,
                               .bad_since = asked_tick,
                               .unanswered_since = asked_tick};
    enum notifier_known known = NOTIFIER_GOOD;
    *out = (struct notifier_finding){.known = NOTIFIER_GOOD};
    if (notifier->list_questions == NULL) {
        return known;
    }
    if (notice == NULL || notice->is_test) {
        age.good_since = asked_tick; /* how it is now is the question */
    }
    size_t count = notifier->list_questions(&own->channel, notice, arena, questions);
    for (size_t i = 0; i < count && known == NOTIFIER_GOOD; i++) {
        struct notifier_finding one;
        struct findings_age own_age = age;
        own_age.good_since -= questions[i].asks == NOTIFIER_ASKS_ADDRESS ? ADDRESS_MS : 0;
        findings_look(findings, channel, &questions[i], &own_age, &one);
        known = one.known;
        if (known != NOTIFIER_GOOD || one.value[0] != '\0') {
            *out = one;
        }
    }
    return known;
}
