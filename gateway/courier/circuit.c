#include "base/clock.h"
#include "base/log.h"
#include "courier/destination_internal.h"

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

enum { OPEN_MS = 5 * 1000, OPEN_MS_MAX = 60 * 1000 };

bool destination_is_open(const struct destination *destination, int64_t tick)
{
    return destination->open_tick > tick;
}

/* Open, and its time is over: one message tries whether it answers again. */
bool destination_is_half_open(const struct destination *destination, int64_t tick)
{
    return destination->open_tick != 0 && destination->open_tick <= tick;
}

void destination_note_success(struct destination *destination)
{
    if (destination->open_tick != 0) {
        LOG(LOG_LEVEL_INFO, "channel_answers_again",
            LOG_TEXT("channel", destination->channel->channel.name));
    }
    destination->failures = 0;
    destination->open_tick = 0;
}

void destination_note_failure(struct destination *destination, int64_t asked_ms, const char *reason)
{
    int64_t tick = clock_boot_ms();
    destination->failures++;
    if (asked_ms == 0 && destination->failures < DESTINATION_FAILURES_TO_OPEN) {
        return;
    }
    int doublings = destination->failures - DESTINATION_FAILURES_TO_OPEN;
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
