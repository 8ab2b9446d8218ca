#ifndef NOTIFIERS_QUIET_HOURS_H
#define NOTIFIERS_QUIET_HOURS_H

/* The hours of each day in which prompts of low risk wait: of a channel, and of a person. Pure. */

#include "base/error.h"
#include <stdint.h>

/* Minutes of a day of UTC; both the same: never. */
struct quiet_hours {
    int from, to;
};

/* `22:00-07:00`, of UTC, or `22:00-07:00 +02:00`. False when it is written otherwise. */
bool quiet_hours_read(const char *text, struct quiet_hours *out) MUST_CHECK;
int quiet_hours_minutes(const struct quiet_hours *hours);
/* When it is no longer quiet; `now` when it is not. */
int64_t quiet_hours_until(const struct quiet_hours *hours, int64_t now);

#endif
