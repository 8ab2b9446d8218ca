#include "courier/mail_threads.h"

#include "base/memory.h"
#include "courier/egress_internal.h"
#include <pthread.h>
#include <stdlib.h>

struct letter {
    struct letter *next;
    struct mail_threads *threads;
    pthread_t thread;
    CURL *curl;
    CURLcode code;
};

struct mail_threads {
    void (*wake)(void *context);
    void *context;
    atomic_bool must_stop;
    pthread_mutex_t mutex;
    pthread_cond_t has_ended;
    int running;
    struct letter *ended;
};

struct mail_threads *mail_threads_create(void (*wake)(void *context), void *context)
{
    struct mail_threads *threads = memory_zeroed(1, sizeof *threads);
    threads->wake = wake;
    threads->context = context;
    pthread_mutex_init(&threads->mutex, NULL);
    pthread_cond_init(&threads->has_ended, NULL);
    return threads;
}

static struct letter *take_ended(struct mail_threads *threads)
{
    pthread_mutex_lock(&threads->mutex);
    struct letter *letter = threads->ended;
    if (letter != NULL) {
        threads->ended = letter->next;
    }
    pthread_mutex_unlock(&threads->mutex);
    if (letter != NULL) {
        pthread_join(letter->thread, NULL);
    }
    return letter;
}

void mail_threads_destroy(struct mail_threads *threads)
{
    if (threads == NULL) {
        return;
    }
    atomic_store(&threads->must_stop, true);
    pthread_mutex_lock(&threads->mutex);
    while (threads->running > 0) {
        pthread_cond_wait(&threads->has_ended, &threads->mutex);
    }
    pthread_mutex_unlock(&threads->mutex);
    for (struct letter *letter = take_ended(threads); letter != NULL;) {
        free(letter);
        letter = take_ended(threads);
    }
    pthread_cond_destroy(&threads->has_ended);
    pthread_mutex_destroy(&threads->mutex);
    free(threads);
}

static void *run_thread(void *context)
{
    struct letter *letter = context;
    struct mail_threads *threads = letter->threads;
    letter->code = curl_easy_perform(letter->curl);
    pthread_mutex_lock(&threads->mutex);
    letter->next = threads->ended;
    threads->ended = letter;
    threads->wake(threads->context);
    threads->running--;
    pthread_cond_signal(&threads->has_ended);
    pthread_mutex_unlock(&threads->mutex);
    return NULL;
}

bool mail_threads_start(struct mail_threads *threads, CURL *curl)
{
    struct letter *letter = memory_zeroed(1, sizeof *letter);
    letter->threads = threads;
    letter->curl = curl;
    egress_stop_when(curl, &threads->must_stop);
    pthread_mutex_lock(&threads->mutex);
    bool is_started = pthread_create(&letter->thread, NULL, run_thread, letter) == 0;
    threads->running += is_started;
    pthread_mutex_unlock(&threads->mutex);
    if (!is_started) {
        free(letter);
    }
    return is_started;
}

CURL *mail_threads_take(struct mail_threads *threads, CURLcode *out_code)
{
    struct letter *letter = take_ended(threads);
    if (letter == NULL) {
        return NULL;
    }
    CURL *curl = letter->curl;
    *out_code = letter->code;
    free(letter);
    return curl;
}
