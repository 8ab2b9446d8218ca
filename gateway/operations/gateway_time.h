#ifndef OPERATIONS_GATEWAY_TIME_H
#define OPERATIONS_GATEWAY_TIME_H

/*
 * The time that everything here is judged by. It is the wall clock's, and never goes back: where
 * the wall clock is behind what was seen before (it was ahead, or has been set back), it goes on
 * with the boot clock instead of standing still, so that what has ended stays ended and what is to
 * end does, also in the next process of the same boot.
 *
 * After a boot with a wall clock that is behind, nobody knows how long the machine was down: then
 * has_lost_time is set, and tokens of former processes are taken for expired.
 */

#include "operations/operations_internal.h"

/* Moves time on to both clocks as read now, and returns it. Store thread, start and stop. */
int64_t gateway_time_advance(struct operations *operations, int64_t wall, int64_t tick);
/* At start: what the store remembers, and at least `least`. */
bool gateway_time_load(struct operations *operations, struct store *store, int64_t least,
                       struct error *error) MUST_CHECK;
/* In the batch's transaction; `now` is its time. */
bool gateway_time_store(const struct operations *operations, struct store *store, int64_t now,
                        struct error *error) MUST_CHECK;
/* When the wall clock, as it stands, will show what a deadline needs. 0 stays 0. Any thread. */
int64_t gateway_time_in_wall(const struct operations *operations, int64_t due_at);

#endif
