#include "base/clock.h"

#include <fcntl.h>
#include <unistd.h>

/* Another process of the same boot can count on with its boot clock: proc(5). */
void clock_read_boot_id(char out[CLOCK_BOOT_ID_BYTES])
{
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, out, CLOCK_BOOT_ID_BYTES - 1);
    if (file >= 0) {
        (void)close(file);
    }
    if (length != CLOCK_BOOT_ID_BYTES - 1) {
        length = 0;
    }
    out[length] = '\0';
}
