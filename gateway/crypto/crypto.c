#include "crypto/crypto.h"

#include "base/check.h"
#include "formats/text.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Fetched once, read-only afterwards: fetching at each use costs more than hashing 600 bytes. */
static EVP_MD *sha256_algorithm;
static EVP_MAC *hmac_algorithm;
static pthread_key_t hash_key;
static pthread_key_t hmac_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Contexts of each thread, freed by their keys' destructors when the thread ends. */
static _Thread_local EVP_MD_CTX *hash_context;
static _Thread_local EVP_MAC_CTX *hmac_context;

static void free_hash(void *context)
{
    EVP_MD_CTX_free(context);
}

static void free_hmac(void *context)
{
    EVP_MAC_CTX_free(context);
}

static void fetch_algorithms(void)
{
    CHECK(sodium_init() >= 0);
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac_algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    CHECK(sha256_algorithm != NULL && hmac_algorithm != NULL);
    CHECK(pthread_key_create(&hash_key, free_hash) == 0 &&
          pthread_key_create(&hmac_key, free_hmac) == 0);
}

void crypto_start(void)
{
    pthread_once(&once, fetch_algorithms);
}

static EVP_MD_CTX *begin_sha256(void)
{
    crypto_start();
    if (hash_context == NULL) {
        hash_context = EVP_MD_CTX_new();
        CHECK(hash_context != NULL);
        CHECK(pthread_setspecific(hash_key, hash_context) == 0);
    }
    CHECK(EVP_DigestInit_ex2(hash_context, sha256_algorithm, NULL) == 1);
    return hash_context;
}

static void add(EVP_MD_CTX *context, const void *bytes, size_t length)
{
    CHECK(length == 0 || EVP_DigestUpdate(context, bytes, length) == 1);
}

static struct sha256 end_sha256(EVP_MD_CTX *context)
{
    struct sha256 hash;
    CHECK(EVP_DigestFinal_ex(context, hash.bytes, NULL) == 1);
    return hash;
}

struct sha256 crypto_sha256(const void *bytes, size_t length)
{
    EVP_MD_CTX *context = begin_sha256();
    add(context, bytes, length);
    return end_sha256(context);
}

struct sha256 crypto_sha256_prefixed(unsigned char prefix, const void *first, size_t first_length,
                                     const void *second, size_t second_length)
{
    EVP_MD_CTX *context = begin_sha256();
    add(context, &prefix, 1);
    add(context, first, first_length);
    add(context, second, second_length);
    return end_sha256(context);
}

/* OpenSSL's SHA-256 uses the processor's instructions, where libsodium's does not. */
static EVP_MAC_CTX *begin_hmac(const void *key, size_t key_length)
{
    crypto_start();
    char digest[] = "SHA256";
    OSSL_PARAM sha256[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    bool is_new = hmac_context == NULL;
    if (is_new) {
        hmac_context = EVP_MAC_CTX_new(hmac_algorithm);
        CHECK(hmac_context != NULL);
        CHECK(pthread_setspecific(hmac_key, hmac_context) == 0);
    }
    /* No key would mean the last one's. */
    CHECK(EVP_MAC_init(hmac_context, key_length == 0 ? (const void *)"" : key, key_length,
                       is_new ? sha256 : NULL) == 1);
    return hmac_context;
}

struct sha256 crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes,
                                 size_t length)
{
    EVP_MAC_CTX *context = begin_hmac(key, key_length);
    struct sha256 mac;
    size_t written = 0;
    CHECK(length == 0 || EVP_MAC_update(context, bytes, length) == 1);
    CHECK(EVP_MAC_final(context, mac.bytes, &written, sizeof mac.bytes) == 1 &&
          written == sizeof mac.bytes);
    return mac;
}

bool crypto_equal(const void *left, const void *right, size_t length)
{
    return sodium_memcmp(left, right, length) == 0;
}

void crypto_random(void *out, size_t length)
{
    crypto_start();
    /* getrandom(2), which waits until the kernel is seeded; libsodium aborts when it cannot. */
    randombytes_buf(out, length);
}

void crypto_wipe(void *bytes, size_t length)
{
    sodium_memzero(bytes, length);
}

void crypto_make_secret(const char *prefix, char out[SECRET_TEXT_BYTES])
{
    enum { RANDOM_BYTES = 32, RANDOM_CHARACTERS = 43 };
    CHECK(strlen(prefix) + 1 + RANDOM_CHARACTERS < SECRET_TEXT_BYTES);
    unsigned char random[RANDOM_BYTES];
    crypto_random(random, sizeof random);
    struct builder text;
    builder_init(&text, 0);
    text_append_base64url(&text, random, sizeof random);
    snprintf(out, SECRET_TEXT_BYTES, "%s_%s", prefix, text.bytes);
    crypto_wipe(random, sizeof random);
    crypto_wipe(text.bytes, text.length);
    builder_finish(&text);
}

void crypto_sha1(const void *bytes, size_t length, unsigned char out[SHA1_BYTES])
{
    size_t written = 0;
    CHECK(EVP_Q_digest(NULL, "SHA1", NULL, bytes, length, out, &written) == 1 &&
          written == SHA1_BYTES);
}
