#ifndef COURIER_MAIL_THREADS_H
#define COURIER_MAIL_THREADS_H

/*
 * Letters under way, each on a thread of its own: having delivered one, libcurl waits for the
 * server's farewell and does nothing else, so that on the courier's thread a server that says none
 * would hold up every channel there is.
 */

#include "courier/courier.h"
#include <curl/curl.h>

struct mail_threads;

/* `wake` is called on any thread when a letter has ended. */
struct mail_threads *mail_threads_create(void (*wake)(void *context), void *context);
/* Cuts what is under way and waits for it, about a second; none of it is given out any more. */
void mail_threads_destroy(struct mail_threads *threads); /* accepts NULL */
/* The handle is the thread's until it is taken. False when no thread is to be had. */
bool mail_threads_start(struct mail_threads *threads, CURL *curl);
/* One that has ended; NULL when there is none. */
CURL *mail_threads_take(struct mail_threads *threads, CURLcode *out_code);

#endif
