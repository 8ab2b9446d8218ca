#include "base/memory.h"
#include "trust/trust_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fail(const char *path, const char *why, struct error *error)
{
    return error_set(error, ERROR_INVALID, "trust_file", path, "`%s` cannot be used: %s", path,
                     why);
}

static bool read_whole(int descriptor, char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = read(descriptor, bytes + done, length - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool trust_read_file(const char *path, char **out_bytes, size_t *out_length,
                     struct file_stamp *out_stamp, struct error *error)
{
    struct stat about;
    /* Not blocking on a pipe somebody put there. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return fail(path, strerror(errno), error);
    }
    if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_size > JWK_SET_BYTES_MAX) {
        close(descriptor);
        return fail(path, "it is no regular file of at most 512 KiB", error);
    }
    size_t length = (size_t)about.st_size;
    char *bytes = memory_zeroed(1, length + 1);
    bool is_read = read_whole(descriptor, bytes, length);
    close(descriptor);
    if (!is_read) {
        free(bytes);
        return fail(path, "it changed while it was read", error);
    }
    *out_bytes = bytes;
    *out_length = length;
    *out_stamp = (struct file_stamp){about.st_mtim, about.st_ino, about.st_size};
    return true;
}

bool trust_read_bundle(const char *path, const char *bytes, size_t length,
                       struct x509_bundle **out_bundle, struct jwk_set **out_keys,
                       struct error *error)
{
    struct error cause = {0};
    struct jwk_set *keys = NULL;
    struct x509_bundle *bundle = NULL;
    size_t start = strspn(bytes, " \t\r\n");
    if (bytes[start] != '{') {
        bundle = x509_bundle_read_pem(bytes, length, &cause);
    } else if ((keys = jwk_set_parse(bytes, length, &cause)) != NULL) {
        bundle = x509_bundle_of_set(keys, &cause);
    }
    if (bundle == NULL) {
        jwk_set_unref(keys);
        return fail(path, cause.message, error);
    }
    *out_bundle = bundle;
    *out_keys = keys;
    return true;
}
