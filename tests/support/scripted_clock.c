#include "base/clock.h"

#include "base/check.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/*
 * The clock of countersignd-scripted: the system's plus two offsets in milliseconds that a test
 * writes into the file named by COUNTERSIGN_SCRIPTED_CLOCK (16 bytes: wall offset, boot offset).
 * The product links base/system_clock.c instead and knows nothing of this.
 */

static volatile int64_t *offsets;

static int64_t read_ms(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((constructor)) static void map_offsets(void)
{
    const char *path = getenv("COUNTERSIGN_SCRIPTED_CLOCK");
    if (path == NULL) {
        return;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(descriptor >= 0);
    void *mapped = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, descriptor, 0);
    CHECK(mapped != MAP_FAILED);
    close(descriptor);
    offsets = mapped;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME) + (offsets == NULL ? 0 : offsets[0]);
}

int64_t clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME) + (offsets == NULL ? 0 : offsets[1]);
}
