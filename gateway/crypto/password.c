#include "crypto/password.h"

#include "crypto/crypto.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PASSES = 3, MEMORY_BYTES = 64 * 1024 * 1024, HASH_BYTES = 32 };

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

/* `$argon2id$v=19$m=KIB,t=PASSES,p=1$SALT$HASH`, base64 without padding. */
struct parts {
    unsigned kib, passes;
    unsigned char salt[crypto_pwhash_argon2id_SALTBYTES];
    unsigned char hash[HASH_BYTES];
};

static bool read_bytes(const char *text, unsigned char *out, size_t length)
{
    size_t read_length = 0;
    return sodium_base642bin(out, length, text, strlen(text), NULL, &read_length, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           read_length == length;
}

static bool read_parts(const char *text, struct parts *out)
{
    char salt[32];
    char hash[64];
    int end = 0;
    return sscanf(text, "$argon2id$v=19$m=%7u,t=%3u,p=1$%31[A-Za-z0-9+/]$%63[A-Za-z0-9+/]%n",
                  &out->kib, &out->passes, salt, hash, &end) == 4 &&
           text[end] == '\0' && read_bytes(salt, out->salt, sizeof out->salt) &&
           read_bytes(hash, out->hash, sizeof out->hash);
}

/* Not libsodium's own verify: it answers the same whether the password differs or there was no
 * memory to find out. */
bool password_verify(const char *hash, const char *password, size_t length, bool *out_matches,
                     struct error *error)
{
    struct parts parts;
    unsigned char computed[HASH_BYTES];
    crypto_start();
    if (!read_parts(hash, &parts)) {
        *out_matches = false;
        return true;
    }
    if (crypto_pwhash_argon2id(computed, sizeof computed, password, length, parts.salt,
                               parts.passes, (size_t)parts.kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        return no_memory(error);
    }
    *out_matches = crypto_equal(computed, parts.hash, sizeof computed);
    crypto_wipe(computed, sizeof computed);
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
