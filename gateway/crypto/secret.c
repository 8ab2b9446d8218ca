#include "crypto/secret.h"

#include "base/check.h"
#include "base/memory.h"
#include "crypto/crypto_internal.h"
#include <sodium.h>
#include <string.h>

struct secret {
    size_t length;
    unsigned char bytes[];
};

struct secret *secret_create(const void *bytes, size_t length)
{
    CHECK(length <= KEY_FILE_BYTES_MAX);
    crypto_start();
    /* Between guard pages, kept out of swap and core dumps, wiped when freed. The memory ends at a
     * guard page, so that only whole words begin aligned. */
    size_t words = (sizeof(struct secret) + length + sizeof(size_t) - 1) / sizeof(size_t);
    struct secret *secret = sodium_allocarray(words, sizeof(size_t));
    if (secret == NULL) {
        memory_exhausted(length);
    }
    secret->length = length;
    if (length > 0) {
        memcpy(secret->bytes, bytes, length);
    }
    return secret;
}

static bool create_file(const char *path, size_t length, struct error *error)
{
    unsigned char bytes[KEY_FILE_BYTES_MAX];
    crypto_random(bytes, length);
    bool is_made = key_file_create(path, bytes, length, error);
    crypto_wipe(bytes, length);
    return is_made;
}

static struct secret *read_file(const char *path, size_t length, bool *out_is_absent,
                                struct error *error)
{
    unsigned char bytes[KEY_FILE_BYTES_MAX];
    size_t read_length = 0;
    struct secret *secret = NULL;
    if (!key_file_read(path, bytes, &read_length, out_is_absent, error)) {
        return NULL;
    }
    if (read_length == length) {
        secret = secret_create(bytes, length);
    } else {
        error_set(error, ERROR_INVALID, "key_file", path, "secret file `%s` has %zu bytes, not %zu",
                  path, read_length, length);
    }
    crypto_wipe(bytes, read_length);
    return secret;
}

struct secret *secret_open(const char *path, size_t length, bool create_if_absent,
                           struct error *error)
{
    CHECK(length > 0 && length < KEY_FILE_BYTES_MAX);
    bool is_absent = false;
    struct error first = {0};
    struct secret *secret = read_file(path, length, &is_absent, &first);
    if (secret != NULL) {
        return secret;
    }
    if (!is_absent || !create_if_absent) {
        error_set(error, first.kind, first.code, first.subject, "%s", first.message);
        return NULL;
    }
    return create_file(path, length, error) ? read_file(path, length, &is_absent, error) : NULL;
}

void secret_destroy(struct secret *secret)
{
    sodium_free(secret);
}

bool secret_equals(const struct secret *secret, const void *bytes, size_t length)
{
    return length == secret->length && crypto_equal(secret->bytes, bytes, length);
}

struct sha256 secret_hmac(const struct secret *key, const void *bytes, size_t length)
{
    return crypto_hmac_sha256(key->bytes, key->length, bytes, length);
}
