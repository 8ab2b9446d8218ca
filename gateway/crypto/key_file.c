#include "crypto/crypto_internal.h"

#include "base/memory.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(const char *path, const char *what, struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "key_file", path, "cannot %s key file `%s`: %s", what,
                     path, strerror(errno));
}

static bool check_mode(int file, const char *path, struct error *error)
{
    struct stat facts;
    if (fstat(file, &facts) != 0) {
        return fail(path, "look at", error);
    }
    if (!S_ISREG(facts.st_mode)) {
        return error_set(error, ERROR_INVALID, "key_file", path,
                         "key file `%s` is not a regular file", path);
    }
    if ((facts.st_mode & 077) != 0) {
        return error_set(error, ERROR_INVALID, "key_file_open_to_others", path,
                         "key file `%s` has mode %04o, others may read it: chmod 600 it, or "
                         "replace the key if they may have",
                         path, (unsigned)(facts.st_mode & 07777));
    }
    return true;
}

static bool read_whole(int file, const char *path, unsigned char *bytes, size_t *out_length,
                       struct error *error)
{
    size_t length = 0;
    for (;;) {
        ssize_t count = read(file, bytes + length, KEY_FILE_BYTES_MAX - length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return fail(path, "read", error);
        }
        if (count == 0) {
            *out_length = length;
            return true;
        }
        length += (size_t)count;
        if (length == KEY_FILE_BYTES_MAX) {
            return error_set(error, ERROR_INVALID, "key_file", path,
                             "`%s` is too large to be a key file", path);
        }
    }
}

bool key_file_read(const char *path, unsigned char bytes[KEY_FILE_BYTES_MAX], size_t *out_length,
                   bool *out_is_absent, struct error *error)
{
    *out_is_absent = false;
    /* Without O_NONBLOCK, opening a FIFO put in its place would wait for ever. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) {
        *out_is_absent = errno == ENOENT;
        return errno == ENOENT ? error_set(error, ERROR_INVALID, "key_file_missing", path,
                                           "there is no key file `%s`", path)
                               : fail(path, "open", error);
    }
    bool is_read =
        check_mode(file, path, error) && read_whole(file, path, bytes, out_length, error);
    close(file);
    return is_read;
}

static bool write_whole(int file, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(file, bytes, length);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        }
    }
    return true;
}

static bool write_new(const char *path, const unsigned char *bytes, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return false;
    }
    /* The umask only takes bits away: set what must be. */
    bool is_written =
        fchmod(file, 0600) == 0 && write_whole(file, bytes, length) && fsync(file) == 0;
    int reason = errno;
    is_written = close(file) == 0 && is_written;
    errno = reason;
    return is_written;
}

static bool sync_folder(const char *path)
{
    char *copy MEMORY_SCOPE = memory_text(path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return false;
    }
    bool is_synced = fsync(folder) == 0;
    int reason = errno;
    close(folder);
    errno = reason;
    return is_synced;
}

bool key_file_create(const char *path, const unsigned char *bytes, size_t length,
                     struct error *error)
{
    char id[ID_BYTES];
    crypto_make_id("new", 0, id);
    size_t size = strlen(path) + sizeof id + 2;
    char *draft MEMORY_SCOPE = memory_zeroed(1, size);
    snprintf(draft, size, "%s.%s", path, id);
    /* link(2) names the finished file only if nothing has the name yet. */
    bool is_made = write_new(draft, bytes, length) && (link(draft, path) == 0 || errno == EEXIST) &&
                   sync_folder(path);
    int reason = errno;
    if (unlink(draft) != 0 && is_made) {
        return fail(draft, "remove", error);
    }
    errno = reason;
    return is_made || fail(path, "make", error);
}
