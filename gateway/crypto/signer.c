#include "crypto/signer.h"

#include "base/check.h"
#include "base/memory.h"
#include "crypto/crypto_internal.h"
#include "crypto/signer_internal.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SCALAR_BYTES = 32, SIGNATURE_BYTES = 64, THUMBPRINT_CHARACTERS = 43 };
/* A megabyte. One that was pushed out by another is verified like a stranger's. */
enum { TOKENS_REMEMBERED = 1 << 16 };

/* OpenSSL's queue of errors is per thread: drained, so that nobody else reads ours. */
static bool fail(const char *path, const char *what, struct error *error)
{
    unsigned long reason = ERR_get_error();
    char text[160] = "no reason given";
    if (reason != 0) {
        ERR_error_string_n(reason, text, sizeof text);
    }
    ERR_clear_error();
    return error_set(error, ERROR_INTERNAL, "key", path, "cannot %s: %s", what, text);
}

static void append_coordinate(struct builder *out, const char *name, const unsigned char *bytes)
{
    builder_printf(out, ",\"%s\":\"", name);
    text_append_base64url(out, bytes, SCALAR_BYTES);
    builder_char(out, '"');
}

/* The required members in order, without braces: what RFC 7638 section 3 hashes. `kid` goes in
 * front of `kty`, `use` behind it, for the whole JWK. */
static void append_key_members(const struct signer *signer, const char *key_id, struct builder *out)
{
    if (signer->kind == SIGNER_RS256) {
        struct builder between BUILDER_SCOPE;
        builder_init(&between, 0);
        if (key_id != NULL) {
            builder_printf(&between, "\"kid\":\"%s\",", key_id);
        }
        builder_text(&between, "\"kty\":\"RSA\",");
        CHECK(signer_append_rsa(signer, between.bytes, out));
        builder_text(out, key_id == NULL ? "" : ",\"use\":\"sig\"");
        return;
    }
    builder_printf(out, "\"crv\":\"%s\"", signer->kind == SIGNER_ES256 ? "P-256" : "Ed25519");
    if (key_id != NULL) {
        builder_printf(out, ",\"kid\":\"%s\"", key_id);
    }
    builder_printf(out, ",\"kty\":\"%s\"", signer->kind == SIGNER_ES256 ? "EC" : "OKP");
    if (key_id != NULL) {
        builder_text(out, ",\"use\":\"sig\"");
    }
    if (signer->kind == SIGNER_ES256) {
        append_coordinate(out, "x", signer->public_key + 1);
        append_coordinate(out, "y", signer->public_key + 1 + SCALAR_BYTES);
    } else {
        append_coordinate(out, "x", signer->public_key);
    }
}

static void set_key_id(struct signer *signer)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_char(&text, '{');
    append_key_members(signer, NULL, &text);
    builder_char(&text, '}');
    struct sha256 thumbprint = crypto_sha256(text.bytes, text.length);
    builder_clear(&text);
    text_append_base64url(&text, thumbprint.bytes, sizeof thumbprint.bytes);
    CHECK(text.length == THUMBPRINT_CHARACTERS);
    memcpy(signer->key_id, text.bytes, sizeof signer->key_id);
}

static bool is_of_kind(const EVP_PKEY *key, enum signer_kind kind)
{
    if (kind == SIGNER_ED25519) {
        return EVP_PKEY_is_a(key, "ED25519") == 1;
    }
    if (kind == SIGNER_RS256) {
        return signer_is_rsa(key);
    }
    char group[32] = "";
    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static bool read_public_key(struct signer *signer)
{
    if (signer->kind == SIGNER_RS256) {
        return true;
    }
    size_t length = sizeof signer->public_key;
    if (signer->kind == SIGNER_ED25519) {
        if (EVP_PKEY_get_raw_public_key(signer->key, signer->public_key, &length) != 1) {
            return false;
        }
        signer->public_key_length = length;
        return length == SCALAR_BYTES;
    }
    unsigned char x[SCALAR_BYTES];
    unsigned char y[SCALAR_BYTES];
    BIGNUM *numbers[2] = {NULL, NULL};
    bool is_read = EVP_PKEY_get_bn_param(signer->key, OSSL_PKEY_PARAM_EC_PUB_X, &numbers[0]) == 1 &&
                   EVP_PKEY_get_bn_param(signer->key, OSSL_PKEY_PARAM_EC_PUB_Y, &numbers[1]) == 1 &&
                   BN_bn2binpad(numbers[0], x, sizeof x) == SCALAR_BYTES &&
                   BN_bn2binpad(numbers[1], y, sizeof y) == SCALAR_BYTES;
    BN_free(numbers[0]);
    BN_free(numbers[1]);
    if (is_read) {
        signer->public_key[0] = 4; /* uncompressed, SEC 1 section 2.3.3 */
        memcpy(signer->public_key + 1, x, sizeof x);
        memcpy(signer->public_key + 1 + SCALAR_BYTES, y, sizeof y);
        signer->public_key_length = POINT_BYTES;
    }
    return is_read;
}

/* A private key whose public half belongs to another key signs what nobody can verify. */
static bool has_matching_halves(const struct signer *signer)
{
    static const char probe[] = "countersign key check";
    unsigned char signature[SIGNER_SIGNATURE_BYTES_MAX];
    size_t length = 0;
    return signer_sign_any(signer, probe, sizeof probe, signature, &length, NULL) &&
           signer_verify_any(signer, probe, sizeof probe, signature, length);
}

static struct signer *create_take(EVP_PKEY *key, enum signer_kind kind)
{
    struct signer *signer = memory_zeroed(1, sizeof *signer);
    signer->kind = kind;
    signer->key = key;
    signer->operations = memory_zeroed(1, sizeof *signer->operations);
    CHECK(pthread_mutex_init(&signer->operations->mutex, NULL) == 0);
    if (!read_public_key(signer) || !has_matching_halves(signer)) {
        signer_close(signer);
        return NULL;
    }
    set_key_id(signer);
    return signer;
}

/* Encrypted keys are refused; without this OpenSSL would ask the terminal. */
static int no_password(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static const char *key_name(enum signer_kind kind)
{
    switch (kind) {
    case SIGNER_ES256:
        return "P-256";
    case SIGNER_ED25519:
        return "Ed25519";
    case SIGNER_RS256:
        return "RSA (2048 to 4096 bits)";
    }
    return "known";
}

static struct signer *read_key(const char *path, enum signer_kind kind, const unsigned char *pem,
                               size_t length, struct error *error)
{
    BIO *memory = BIO_new_mem_buf(pem, (int)length);
    CHECK(memory != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey_ex(memory, NULL, no_password, NULL, NULL, NULL);
    BIO_free(memory);
    ERR_clear_error();
    struct signer *signer = NULL;
    if (key == NULL || !is_of_kind(key, kind)) {
        error_set(error, ERROR_INVALID, "key", path,
                  "`%s` does not hold an unencrypted %s private key in PEM", path, key_name(kind));
        EVP_PKEY_free(key);
    } else if ((signer = create_take(key, kind)) == NULL) {
        ERR_clear_error();
        error_set(error, ERROR_INVALID, "key", path,
                  "the private and the public half of the key in `%s` do not match", path);
    }
    return signer;
}

static struct signer *open_file(const char *path, enum signer_kind kind, bool *out_is_absent,
                                struct error *error)
{
    unsigned char pem[KEY_FILE_BYTES_MAX];
    size_t length = 0;
    struct signer *signer = NULL;
    if (key_file_read(path, pem, &length, out_is_absent, error)) {
        signer = read_key(path, kind, pem, length, error);
    }
    crypto_wipe(pem, sizeof pem);
    return signer;
}

static EVP_PKEY *make_key(enum signer_kind kind)
{
    switch (kind) {
    case SIGNER_ES256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case SIGNER_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case SIGNER_RS256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    }
    return NULL;
}

static bool create_file(const char *path, enum signer_kind kind, struct error *error)
{
    EVP_PKEY *key = make_key(kind);
    BIO *memory = BIO_new(BIO_s_secmem());
    char *pem = NULL;
    long length = 0;
    bool is_made = key != NULL && memory != NULL &&
                   PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                   (length = BIO_get_mem_data(memory, &pem)) > 0;
    is_made = is_made ? key_file_create(path, (unsigned char *)pem, (size_t)length, error)
                      : fail(path, "make a key", error);
    BIO_free(memory);
    EVP_PKEY_free(key);
    return is_made;
}

struct signer *signer_open(const char *path, enum signer_kind kind, bool create_if_absent,
                           struct error *error)
{
    bool is_absent = false;
    struct error first = {0};
    struct signer *signer = open_file(path, kind, &is_absent, &first);
    if (signer != NULL) {
        return signer;
    }
    if (!is_absent || !create_if_absent) {
        error_set(error, first.kind, first.code, first.subject, "%s", first.message);
        return NULL;
    }
    return create_file(path, kind, error) ? open_file(path, kind, &is_absent, error) : NULL;
}

struct signer *signer_from_seed(enum signer_kind kind, const unsigned char seed[32])
{
    CHECK(kind == SIGNER_ED25519);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, SCALAR_BYTES);
    CHECK(key != NULL);
    struct signer *signer = create_take(key, kind);
    CHECK(signer != NULL);
    return signer;
}

void signer_close(struct signer *signer)
{
    if (signer != NULL) {
        EVP_PKEY_CTX_free(signer->operations->signing);
        EVP_PKEY_CTX_free(signer->operations->verifying);
        pthread_mutex_destroy(&signer->operations->mutex);
        free(signer->operations->made);
        free(signer->operations);
        EVP_PKEY_free(signer->key);
        free(signer);
    }
}

enum signer_kind signer_kind(const struct signer *signer)
{
    return signer->kind;
}

const char *signer_algorithm(const struct signer *signer)
{
    switch (signer->kind) {
    case SIGNER_ES256:
        return "ES256";
    case SIGNER_ED25519:
        return "EdDSA";
    case SIGNER_RS256:
        return "RS256";
    }
    return "none";
}

const char *signer_key_id(const struct signer *signer)
{
    return signer->key_id;
}

size_t signer_public_key(const struct signer *signer, unsigned char out[65])
{
    memcpy(out, signer->public_key, signer->public_key_length);
    return signer->public_key_length;
}

void signer_append_jwk(const struct signer *signer, struct builder *out)
{
    builder_printf(out, "{\"alg\":\"%s\",", signer_algorithm(signer));
    append_key_members(signer, signer->key_id, out);
    builder_char(out, '}');
}

/* ECDSA signatures are DER inside OpenSSL, r||s of fixed width outside (RFC 7518 section 3.4). */
static bool der_to_pair(const unsigned char *der, size_t length, unsigned char out[SIGNATURE_BYTES])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    bool is_written =
        pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, SCALAR_BYTES) == SCALAR_BYTES &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + SCALAR_BYTES, SCALAR_BYTES) == SCALAR_BYTES;
    ECDSA_SIG_free(pair);
    return is_written;
}

/* Into `der`, which holds the 72 bytes a P-256 signature takes at most; returns its length or 0. */
static size_t pair_to_der(const unsigned char pair[SIGNATURE_BYTES], unsigned char der[80])
{
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, SCALAR_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(pair + SCALAR_BYTES, SCALAR_BYTES, NULL);
    if (numbers == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(numbers, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(numbers);
        return 0;
    }
    int length = i2d_ECDSA_SIG(numbers, &der);
    ECDSA_SIG_free(numbers);
    return length > 0 ? (size_t)length : 0;
}

/* Fills *context, unless it is kept from before. */
static bool set_up(EVP_PKEY_CTX **context, EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *context))
{
    if (*context == NULL) {
        *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        return *context != NULL && init(*context) == 1;
    }
    return true;
}

static void drop(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
    *context = NULL;
}

static bool sign_es256(const struct signer *signer, const void *bytes, size_t length,
                       unsigned char out[SIGNATURE_BYTES])
{
    struct sha256 hash = crypto_sha256(bytes, length);
    struct signer_operations *operations = signer->operations;
    unsigned char der[80];
    size_t der_length = sizeof der;
    pthread_mutex_lock(&operations->mutex);
    bool is_signed =
        set_up(&operations->signing, signer->key, EVP_PKEY_sign_init) &&
        EVP_PKEY_sign(operations->signing, der, &der_length, hash.bytes, sizeof hash.bytes) == 1 &&
        der_to_pair(der, der_length, out);
    if (!is_signed) {
        drop(&operations->signing);
    }
    pthread_mutex_unlock(&operations->mutex);
    return is_signed;
}

static bool verify_es256(const struct signer *signer, const void *bytes, size_t length,
                         const unsigned char signature[SIGNATURE_BYTES])
{
    struct sha256 hash = crypto_sha256(bytes, length);
    unsigned char der[80];
    struct signer_operations *operations = signer->operations;
    size_t der_length = pair_to_der(signature, der);
    pthread_mutex_lock(&operations->mutex);
    bool is_set_up = set_up(&operations->verifying, signer->key, EVP_PKEY_verify_init);
    bool is_valid =
        is_set_up && der_length > 0 &&
        EVP_PKEY_verify(operations->verifying, der, der_length, hash.bytes, sizeof hash.bytes) == 1;
    if (!is_set_up) {
        drop(&operations->verifying);
    }
    pthread_mutex_unlock(&operations->mutex);
    return is_valid;
}

static bool sign_ed25519(const struct signer *signer, const void *bytes, size_t length,
                         unsigned char out[SIGNATURE_BYTES])
{
    size_t out_length = SIGNATURE_BYTES;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed =
        context != NULL &&
        EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, signer->key, NULL) == 1 &&
        EVP_DigestSign(context, out, &out_length, bytes, length) == 1 &&
        out_length == SIGNATURE_BYTES;
    EVP_MD_CTX_free(context);
    return is_signed;
}

static bool verify_ed25519(EVP_PKEY *key, const void *bytes, size_t length,
                           const unsigned char signature[SIGNATURE_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid = context != NULL &&
                    EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
                    EVP_DigestVerify(context, signature, SIGNATURE_BYTES, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    return is_valid;
}

bool signer_sign(const struct signer *signer, const void *bytes, size_t length,
                 unsigned char out[64], struct error *error)
{
    CHECK(signer->kind != SIGNER_RS256); /* longer than `out` */
    bool is_signed = signer->kind == SIGNER_ES256 ? sign_es256(signer, bytes, length, out)
                                                  : sign_ed25519(signer, bytes, length, out);
    return is_signed || fail(signer->key_id, "sign", error);
}

bool signer_verify(const struct signer *signer, const void *bytes, size_t length,
                   const unsigned char signature[64])
{
    CHECK(signer->kind != SIGNER_RS256);
    bool is_valid = signer->kind == SIGNER_ES256
                        ? verify_es256(signer, bytes, length, signature)
                        : verify_ed25519(signer->key, bytes, length, signature);
    ERR_clear_error();
    return is_valid;
}

bool signer_sign_any(const struct signer *signer, const void *bytes, size_t length,
                     unsigned char out[SIGNER_SIGNATURE_BYTES_MAX], size_t *out_length,
                     struct error *error)
{
    if (signer->kind == SIGNER_RS256) {
        return signer_sign_rsa(signer, bytes, length, out, out_length) ||
               fail(signer->key_id, "sign", error);
    }
    *out_length = SIGNATURE_BYTES;
    return signer_sign(signer, bytes, length, out, error);
}

bool signer_verify_any(const struct signer *signer, const void *bytes, size_t length,
                       const unsigned char *signature, size_t signature_length)
{
    if (signer->kind == SIGNER_RS256) {
        return signer_verify_rsa(signer, bytes, length, signature, signature_length);
    }
    return signature_length == SIGNATURE_BYTES && signer_verify(signer, bytes, length, signature);
}

static struct made_token *slot_of(struct made_token *made, const struct sha256 *hash)
{
    uint32_t number;
    memcpy(&number, hash->bytes + sizeof made->hash, sizeof number);
    return &made[number % TOKENS_REMEMBERED];
}

void signer_remember(const struct signer *signer, const struct sha256 *hash)
{
    struct signer_operations *operations = signer->operations;
    pthread_mutex_lock(&operations->mutex);
    if (operations->made == NULL) {
        operations->made = memory_zeroed(TOKENS_REMEMBERED, sizeof *operations->made);
    }
    struct made_token *slot = slot_of(operations->made, hash);
    memcpy(slot->hash, hash->bytes, sizeof slot->hash);
    pthread_mutex_unlock(&operations->mutex);
}

bool signer_remembers(const struct signer *signer, const struct sha256 *hash)
{
    struct signer_operations *operations = signer->operations;
    pthread_mutex_lock(&operations->mutex);
    const struct made_token *slot =
        operations->made == NULL ? NULL : slot_of(operations->made, hash);
    bool is_known = slot != NULL && crypto_equal(slot->hash, hash->bytes, sizeof slot->hash);
    pthread_mutex_unlock(&operations->mutex);
    return is_known;
}

bool signer_verify_ed25519(const unsigned char public_key[32], const void *bytes, size_t length,
                           const unsigned char signature[64])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, SCALAR_BYTES);
    bool is_valid = key != NULL && verify_ed25519(key, bytes, length, signature);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return is_valid;
}
