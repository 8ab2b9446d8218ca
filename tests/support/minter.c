#include "tests/support/minter.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/text.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

struct minter {
    enum jwk_algorithm algorithm;
    EVP_PKEY *key;
};

static bool is_rsa(enum jwk_algorithm algorithm)
{
    return algorithm >= JWK_RS256 && algorithm <= JWK_PS512;
}

static const char *curve_of(enum jwk_algorithm algorithm)
{
    return algorithm == JWK_ES256   ? "P-256"
           : algorithm == JWK_ES384 ? "P-384"
           : algorithm == JWK_ES512 ? "P-521"
                                    : "Ed25519";
}

static size_t curve_bytes(enum jwk_algorithm algorithm)
{
    return algorithm == JWK_ES384 ? 48 : algorithm == JWK_ES512 ? 66 : 32;
}

static const char *hash_of(enum jwk_algorithm algorithm)
{
    switch ((int)algorithm) {
    case JWK_RS384:
    case JWK_PS384:
    case JWK_ES384:
        return "SHA384";
    case JWK_RS512:
    case JWK_PS512:
    case JWK_ES512:
        return "SHA512";
    case JWK_EDDSA:
        return NULL;
    default:
        return "SHA256";
    }
}

struct minter *minter_create(enum jwk_algorithm algorithm)
{
    struct minter *minter = memory_zeroed(1, sizeof *minter);
    minter->algorithm = algorithm;
    minter->key = is_rsa(algorithm) ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                  : algorithm == JWK_EDDSA
                      ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve_of(algorithm));
    CHECK(minter->key != NULL);
    return minter;
}

void minter_destroy(struct minter *minter)
{
    if (minter != NULL) {
        EVP_PKEY_free(minter->key);
        free(minter);
    }
}

static void append_number(const struct minter *minter, const char *parameter, size_t bytes_fixed,
                          struct builder *out)
{
    unsigned char bytes[1024];
    BIGNUM *number = NULL;
    CHECK(EVP_PKEY_get_bn_param(minter->key, parameter, &number) == 1);
    int length =
        bytes_fixed == 0 ? BN_bn2bin(number, bytes) : BN_bn2binpad(number, bytes, (int)bytes_fixed);
    text_append_base64url(out, bytes, (size_t)length);
    BN_free(number);
}

void minter_append_jwk(const struct minter *minter, const char *more, struct builder *out)
{
    builder_printf(out, "{%s", more);
    if (is_rsa(minter->algorithm)) {
        builder_text(out, "\"kty\":\"RSA\",\"n\":\"");
        append_number(minter, OSSL_PKEY_PARAM_RSA_N, 0, out);
        builder_text(out, "\",\"e\":\"");
        append_number(minter, OSSL_PKEY_PARAM_RSA_E, 0, out);
    } else if (minter->algorithm == JWK_EDDSA) {
        unsigned char bytes[32];
        size_t length = sizeof bytes;
        CHECK(EVP_PKEY_get_raw_public_key(minter->key, bytes, &length) == 1);
        builder_text(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
        text_append_base64url(out, bytes, length);
    } else {
        size_t bytes = curve_bytes(minter->algorithm);
        builder_printf(out, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"", curve_of(minter->algorithm));
        append_number(minter, OSSL_PKEY_PARAM_EC_PUB_X, bytes, out);
        builder_text(out, "\",\"y\":\"");
        append_number(minter, OSSL_PKEY_PARAM_EC_PUB_Y, bytes, out);
    }
    builder_text(out, "\"}");
}

static size_t sign(const struct minter *minter, const void *bytes, size_t length,
                   unsigned char out[JWK_SIGNATURE_BYTES_MAX])
{
    size_t out_length = JWK_SIGNATURE_BYTES_MAX;
    EVP_PKEY_CTX *padding = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(EVP_DigestSignInit_ex(context, &padding, hash_of(minter->algorithm), NULL, NULL,
                                minter->key, NULL) == 1);
    if (minter->algorithm >= JWK_PS256 && minter->algorithm <= JWK_PS512) {
        CHECK(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    CHECK(EVP_DigestSign(context, out, &out_length, bytes, length) == 1);
    EVP_MD_CTX_free(context);
    return out_length;
}

static size_t to_pair(const struct minter *minter, unsigned char *bytes, size_t length)
{
    size_t half = curve_bytes(minter->algorithm);
    const unsigned char *der = bytes;
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)length);
    CHECK(numbers != NULL);
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), bytes, (int)half);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), bytes + half, (int)half);
    ECDSA_SIG_free(numbers);
    return 2 * half;
}

void minter_append_token(const struct minter *minter, const char *header, const char *claims,
                         struct builder *out)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, (const unsigned char *)header, strlen(header));
    builder_char(&text, '.');
    text_append_base64url(&text, (const unsigned char *)claims, strlen(claims));
    unsigned char signature[JWK_SIGNATURE_BYTES_MAX];
    size_t length = sign(minter, text.bytes, text.length, signature);
    if (!is_rsa(minter->algorithm) && minter->algorithm != JWK_EDDSA) {
        length = to_pair(minter, signature, length);
    }
    builder_char(&text, '.');
    text_append_base64url(&text, signature, length);
    builder_append(out, text.bytes, text.length);
}
