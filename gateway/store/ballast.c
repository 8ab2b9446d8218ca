/* Room kept back for a full disk. */

#include "store/engine_internal.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool is_in_place(int file, int64_t bytes)
{
    struct stat status;
    /* Blocks as well as size: a sparse file holds no room back. */
    return fstat(file, &status) == 0 && status.st_size >= bytes &&
           (int64_t)status.st_blocks * 512 >= bytes;
}

static bool fill(int file, const struct store_ballast *ballast, struct error *error)
{
    if (is_in_place(file, ballast->bytes)) {
        return true;
    }
    int cause = posix_fallocate(file, 0, ballast->bytes);
    if (cause == 0) {
        return true;
    }
    (void)unlink(ballast->path);
    if (cause == ENOSPC || cause == EDQUOT) {
        return error_set(error, ERROR_RETRY_LATER, "store_full", ballast->path,
                         "there is no room for the ballast `%s`", ballast->path);
    }
    return error_set(error, ERROR_INVALID, "ballast_not_made", ballast->path,
                     "cannot make the ballast `%s`: %s", ballast->path, strerror(cause));
}

bool store_ballast_ensure(const struct store_ballast *ballast, struct error *error)
{
    if (ballast->path == NULL) {
        return true;
    }
    int file = open(ballast->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        bool is_full = errno == ENOSPC || errno == EDQUOT;
        return error_set(error, is_full ? ERROR_RETRY_LATER : ERROR_INVALID, "ballast_not_made",
                         ballast->path, "cannot make the ballast `%s`: %s", ballast->path,
                         strerror(errno));
    }
    bool is_filled = fill(file, ballast, error);
    (void)close(file);
    return is_filled;
}

void store_ballast_release(const struct store_ballast *ballast)
{
    if (ballast->path != NULL) {
        (void)unlink(ballast->path);
    }
}

bool store_ballast_has_room(const struct store_ballast *ballast)
{
    char *path MEMORY_SCOPE = memory_text(ballast->store_path);
    struct statvfs disk;
    if (statvfs(dirname(path), &disk) != 0) {
        return false;
    }
    uint64_t needed = (uint64_t)ballast->bytes + STORE_ROOM_MARGIN_BYTES;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= needed;
}
