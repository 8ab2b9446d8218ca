#include "crypto/password.h"

#include "crypto/crypto.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { PASSES = 3, MEMORY_BYTES = 64 * 1024 * 1024 };

_Static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_argon2id_STRBYTES, "libsodium's text form");

static bool no_memory(struct error *error)
{
    return error_set(error, ERROR_RETRY_LATER, "no_memory", NULL,
                     "there is no memory to check a password with; try again in a moment");
}

bool password_hash(const char *password, size_t length, char out[PASSWORD_HASH_BYTES],
                   struct error *error)
{
    crypto_start();
    return crypto_pwhash_argon2id_str(out, password, length, PASSES, MEMORY_BYTES) == 0 ||
           no_memory(error);
}

bool password_verify(const char *hash, const char *password, size_t length, bool *out_matches,
                     struct error *error)
{
    crypto_start();
    errno = 0;
    if (crypto_pwhash_argon2id_str_verify(hash, password, length) == 0) {
        *out_matches = true;
        return true;
    }
    /* libsodium sets EINVAL for a password that differs; what it could not compute it leaves to
     * the system. */
    if (errno == ENOMEM) {
        return no_memory(error);
    }
    *out_matches = false;
    return true;
}

bool password_is_outdated(const char *hash)
{
    return crypto_pwhash_argon2id_str_needs_rehash(hash, PASSES, MEMORY_BYTES) != 0;
}

const char *password_dummy_hash(void)
{
    return "$argon2id$v=19$m=65536,t=3,p=1$qSCS8wPrJdFlM7MGp/5Azg$"
           "jRJELn14xOFRgr2a38FmpHFo5mH9aBBTj99eNpJufsg";
}
