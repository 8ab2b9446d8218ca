#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MAX = 256,
    WAIT_MS_MAX = 10 * 1000, /* for a token: who was to be told looks elsewhere by then */
};

struct word {
    struct errand errand; /* first: the owner of a transfer */
    struct word *next;
    struct words *words;
    const struct courier_channel *channel;
    struct arena *arena; /* of the next */
    struct notifier_word what;
    int64_t taken_tick;
};

struct words {
    const struct courier_channel *channels;
    size_t channel_count;
    struct transfers *transfers;
    pthread_mutex_t mutex;
    struct word *first, *last;
    int count; /* that wait or are on their way */
};

struct words *words_create(const struct courier_options *options, struct transfers *transfers)
{
    struct words *words = memory_zeroed(1, sizeof *words);
    words->channels = options->channels;
    words->channel_count = options->channel_count;
    words->transfers = transfers;
    pthread_mutex_init(&words->mutex, NULL);
    return words;
}

static void free_word(struct word *word)
{
    pthread_mutex_lock(&word->words->mutex);
    word->words->count--;
    pthread_mutex_unlock(&word->words->mutex);
    arena_destroy(word->arena);
    free(word);
}

void words_destroy(struct words *words)
{
    if (words == NULL) {
        return;
    }
    while (words->first != NULL) {
        struct word *word = words->first;
        words->first = word->next;
        free_word(word);
    }
    pthread_mutex_destroy(&words->mutex);
    free(words);
}

static const struct courier_channel *find_channel(const struct words *words, const char *name)
{
    for (size_t i = 0; i < words->channel_count; i++) {
        const struct notifier_channel *channel = &words->channels[i].channel;
        if (strcmp(channel->name, name) == 0) {
            return notifier_find(channel->kind)->compose_word != NULL ? &words->channels[i] : NULL;
        }
    }
    return NULL;
}

static bool make_room(struct words *words)
{
    pthread_mutex_lock(&words->mutex);
    bool has_room = words->count < WORDS_MAX;
    words->count += has_room;
    pthread_mutex_unlock(&words->mutex);
    return has_room;
}

static void append(struct words *words, struct word *word)
{
    pthread_mutex_lock(&words->mutex);
    word->next = NULL;
    if (words->last != NULL) {
        words->last->next = word;
    } else {
        words->first = word;
    }
    words->last = word;
    pthread_mutex_unlock(&words->mutex);
}

bool words_take(struct words *words, const char *channel, const struct notifier_word *what)
{
    const struct courier_channel *found = find_channel(words, channel);
    if (found == NULL || !make_room(words)) {
        return false;
    }
    struct word *word = memory_zeroed(1, sizeof *word);
    word->errand.kind = ERRAND_WORD;
    word->words = words;
    word->channel = found;
    word->arena = arena_create();
    word->what.method = arena_text(word->arena, what->method);
    word->what.body = arena_text(word->arena, what->body);
    word->what.place = arena_text(word->arena, what->place);
    word->taken_tick = clock_boot_ms();
    append(words, word);
    transfers_wake(words->transfers);
    return true;
}

static struct word *take_all(struct words *words)
{
    pthread_mutex_lock(&words->mutex);
    struct word *all = words->first;
    words->first = words->last = NULL;
    pthread_mutex_unlock(&words->mutex);
    return all;
}

static void not_said(const struct word *word, const char *reason)
{
    LOG(LOG_LEVEL_WARN, "word_not_said", LOG_TEXT("channel", word->channel->channel.name),
        LOG_TEXT("method", word->what.method), LOG_TEXT("reason", reason));
}

static void say(struct words *words, struct word *word)
{
    const struct notifier_channel *channel = &word->channel->channel;
    struct notifier_message message;
    struct error error = {0};
    if (!notifier_find(channel->kind)
             ->compose_word(channel, &word->what, word->arena, &message, &error)) {
        not_said(word, error.message);
        free_word(word);
    } else if (!transfers_add(words->transfers, word->channel, &message, word)) {
        not_said(word, "could not be started");
        free_word(word);
    }
}

/* Where the kind needs a token that is not there yet, the word waits for it, but not for long. */
static void say_or_wait(struct words *words, struct destinations *destinations, struct word *word)
{
    bool is_ready = destinations_token(destinations, word->channel, &word->what.token);
    if (is_ready) {
        say(words, word);
    } else if (clock_boot_ms() - word->taken_tick > WAIT_MS_MAX) {
        not_said(word, "there is no token");
        free_word(word);
    } else {
        append(words, word);
    }
}

void words_run(struct words *words, struct destinations *destinations)
{
    struct word *word = take_all(words);
    while (word != NULL) {
        struct word *next = word->next;
        say_or_wait(words, destinations, word);
        word = next;
    }
}

void words_finish(struct errand *errand, const struct transfer_result *result)
{
    struct word *word = (struct word *)errand;
    const struct notifier_channel *channel = &word->channel->channel;
    struct notifier_notice notice = {.payload = ""};
    struct notifier_reply reply = {
        .status = result->status, .body = result->body, .length = result->length};
    struct notifier_judgement judgement = {0};
    if (result->status == 0) {
        not_said(word, result->failure);
    } else {
        notifier_find(channel->kind)->judge(channel, &notice, &reply, word->arena, &judgement);
        if (judgement.verdict != NOTIFIER_SENT) {
            not_said(word, judgement.reason != NULL
                               ? judgement.reason
                               : arena_printf(word->arena, "answered %ld", result->status));
        }
    }
    free_word(word);
}

void words_forget(struct errand *errand)
{
    free_word((struct word *)errand);
}
