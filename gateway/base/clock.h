#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Where time comes from. Only main, the loop and the store thread read a clock, once per turn or
 * batch; everything below gets `now` as an argument. Which clock is linked is chosen by the
 * Makefile: base/system_clock.c in the product, tests/support/scripted_clock.c in
 * countersignd-scripted. */

#include <stdint.h>

/* Wall time, milliseconds since 1970 UTC (CLOCK_REALTIME). May step. */
int64_t clock_wall_ms(void);
/* Milliseconds that only grow and count suspend (CLOCK_BOOTTIME). */
int64_t clock_boot_ms(void);

enum { CLOCK_BOOT_ID_BYTES = 37 }; /* 36 characters and NUL */
/* Names this boot of the machine, within which clock_boot_ms goes on. "" when it is not to be had.
 */
void clock_read_boot_id(char out[CLOCK_BOOT_ID_BYTES]);

#endif
