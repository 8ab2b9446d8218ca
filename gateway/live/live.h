#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

/*
 * The live door: websockets that tell dashboards what changed, in order, without being asked
 * (docs/live.md). It decides nothing and takes no votes. A connection is let in by the session's
 * cookie and an exact Origin, and must prove it is our own page with the CSRF token in its first
 * message. Each event has a number; who comes back within the ring gets what was missed, who was
 * away longer is told to fetch again. What a request looks like is read once per change, on the
 * reader thread, and shared by all who may see it. A peer that cannot keep up is dropped. Loop
 * thread only.
 */

#include "identity/principal.h"
#include "loop/http.h"
#include "loop/loop.h"
#include "operations/live_operations.h"
#include "operations/operations.h"
#include "store/writer.h"

struct live;

struct live_options {
    struct loop *loop;
    struct operations *operations;
    struct store_reader *reader;
};

struct live *live_create(const struct live_options *options, struct error *error) MUST_CHECK;
void live_destroy(struct live *live); /* accepts NULL */

/* Whether the exchange is an upgrade of ours; INVALID says what is missing. */
bool live_accepts(void *live, const struct http_exchange *exchange, struct error *error) MUST_CHECK;
/* Takes the connection. False with an error where the exchange must still be answered. */
bool live_adopt(void *live, struct http_exchange *exchange, const struct credential *credential,
                const struct live_viewer *viewer, struct error *error) MUST_CHECK;
/* What an operation changed, after its commit. */
void live_tell_changes(void *live, const struct operation *operation);
/* Freezes changed, or the policy: `kind` is "freeze" or "policy". */
void live_tell(void *live, const char *kind);
/* Closes all with 1001, for draining. */
void live_close_all(struct live *live);
bool live_is_empty(const struct live *live);

#endif
