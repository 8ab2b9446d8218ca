#include "tests/support/authenticator.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/text.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { ID_LENGTH = 32, HONEST_FLAGS = 0x05, ATTESTED = 0x40 };

struct authenticator {
    enum webauthn_algorithm algorithm;
    EVP_PKEY *key;
    unsigned char id[ID_LENGTH];
    struct builder cose;
    unsigned count;
};

static void put(struct builder *out, const void *bytes, size_t length)
{
    builder_append(out, bytes, length);
}

static void put_byte(struct builder *out, unsigned byte)
{
    builder_char(out, (char)byte);
}

/* A CBOR byte string of up to 65535 bytes, in its shortest form. */
static void put_bytes(struct builder *out, const unsigned char *bytes, size_t length)
{
    if (length < 24) {
        put_byte(out, 0x40 + (unsigned)length);
    } else if (length < 256) {
        put_byte(out, 0x58);
        put_byte(out, (unsigned)length);
    } else {
        put_byte(out, 0x59);
        put_byte(out, (unsigned)length >> 8);
        put_byte(out, (unsigned)length & 0xFF);
    }
    put(out, bytes, length);
}

static void put_number(struct builder *out, const EVP_PKEY *key, const char *name, int width)
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];
    CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    int length = width == 0 ? BN_num_bytes(number) : width;
    CHECK(BN_bn2binpad(number, bytes, length) == length);
    put_bytes(out, bytes, (size_t)length);
    BN_free(number);
}

static void make_cose(struct authenticator *made)
{
    struct builder *cose = &made->cose;
    unsigned char raw[32];
    size_t length = sizeof raw;
    builder_init(cose, 0);
    switch (made->algorithm) {
    case WEBAUTHN_ES256:
        put(cose, "\xA5\x01\x02\x03\x26\x20\x01\x21", 8);
        put_number(cose, made->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        put_byte(cose, 0x22);
        put_number(cose, made->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
        break;
    case WEBAUTHN_EDDSA:
        put(cose, "\xA4\x01\x01\x03\x27\x20\x06\x21", 8);
        CHECK(EVP_PKEY_get_raw_public_key(made->key, raw, &length) == 1);
        put_bytes(cose, raw, length);
        break;
    case WEBAUTHN_RS256:
        put(cose, "\xA4\x01\x03\x03\x39\x01\x00\x20", 8);
        put_number(cose, made->key, OSSL_PKEY_PARAM_RSA_N, 0);
        put_byte(cose, 0x21);
        put_number(cose, made->key, OSSL_PKEY_PARAM_RSA_E, 0);
        break;
    case WEBAUTHN_NONE:
        break;
    }
    CHECK(cose->length > 0);
}

struct authenticator *authenticator_create(enum webauthn_algorithm algorithm)
{
    struct authenticator *made = memory_zeroed(1, sizeof *made);
    made->algorithm = algorithm;
    made->key = algorithm == WEBAUTHN_ES256   ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                : algorithm == WEBAUTHN_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                              : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    CHECK(made->key != NULL);
    crypto_random(made->id, sizeof made->id);
    make_cose(made);
    return made;
}

void authenticator_destroy(struct authenticator *authenticator)
{
    if (authenticator != NULL) {
        EVP_PKEY_free(authenticator->key);
        builder_finish(&authenticator->cose);
        free(authenticator);
    }
}

struct webauthn_bytes authenticator_bytes(const struct builder *builder)
{
    return (struct webauthn_bytes){(const unsigned char *)builder->bytes, builder->length};
}

struct webauthn_bytes authenticator_id(const struct authenticator *authenticator)
{
    return (struct webauthn_bytes){authenticator->id, sizeof authenticator->id};
}

struct webauthn_bytes authenticator_key(const struct authenticator *authenticator)
{
    return authenticator_bytes(&authenticator->cose);
}

void authenticator_answer_finish(struct authenticator_answer *answer)
{
    builder_finish(&answer->client_data);
    builder_finish(&answer->data);
    builder_finish(&answer->object);
    builder_finish(&answer->signature);
}

static const char *either(const char *twisted, const char *honest)
{
    return twisted == NULL ? honest : twisted;
}

static void begin(struct authenticator_answer *out, const struct webauthn_expected *asked,
                  const struct authenticator_twist *twist, const char *type)
{
    builder_init(&out->client_data, 0);
    builder_init(&out->data, 0);
    builder_init(&out->object, 0);
    builder_init(&out->signature, 0);
    struct builder *text = &out->client_data;
    builder_printf(text, "{\"type\":\"%s\",\"challenge\":\"", either(twist->type, type));
    text_append_base64url(text, asked->challenge.bytes, asked->challenge.length);
    builder_printf(text, "\",\"origin\":\"%s\",\"crossOrigin\":false%s}%s",
                   either(twist->origin, asked->origin), either(twist->more, ""),
                   either(twist->behind, ""));
}

static void put_head(struct authenticator *authenticator, const struct webauthn_expected *asked,
                     const struct authenticator_twist *twist, unsigned flags, struct builder *out)
{
    const char *rp = either(twist->rp_id, asked->rp_id);
    struct sha256 hash = crypto_sha256(rp, strlen(rp));
    unsigned count = twist->count > 0 ? twist->count : ++authenticator->count;
    put(out, hash.bytes, sizeof hash.bytes);
    put_byte(out, (flags & ~(unsigned)twist->cleared) | twist->set);
    for (int shift = 24; shift >= 0; shift -= 8) {
        put_byte(out, count >> shift & 0xFF);
    }
}

void authenticator_register(struct authenticator *authenticator,
                            const struct webauthn_expected *asked,
                            const struct authenticator_twist *twist,
                            struct authenticator_answer *out)
{
    static const struct authenticator_twist honest;
    static const unsigned char aaguid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    twist = twist == NULL ? &honest : twist;
    begin(out, asked, twist, "webauthn.create");
    put_head(authenticator, asked, twist, HONEST_FLAGS | ATTESTED, &out->data);
    put(&out->data, aaguid, sizeof aaguid);
    put(&out->data, "\0\x20", 2);
    put(&out->data, authenticator->id, sizeof authenticator->id);
    struct webauthn_bytes key =
        twist->key.bytes == NULL ? authenticator_key(authenticator) : twist->key;
    put(&out->data, key.bytes, key.length);
    put(&out->data, twist->trailing.bytes, twist->trailing.length);
    put(&out->object,
        "\xA3\x63"
        "fmt\x64none\x67"
        "attStmt\xA0\x68"
        "authData",
        28);
    put_bytes(&out->object, (const unsigned char *)out->data.bytes, out->data.length);
}

void authenticator_assert(struct authenticator *authenticator,
                          const struct webauthn_expected *asked,
                          const struct authenticator_twist *twist, struct authenticator_answer *out)
{
    static const struct authenticator_twist honest;
    unsigned char signature[512];
    size_t length = sizeof signature;
    struct builder text BUILDER_SCOPE;
    twist = twist == NULL ? &honest : twist;
    begin(out, asked, twist, "webauthn.get");
    put_head(authenticator, asked, twist, HONEST_FLAGS, &out->data);
    put(&out->data, twist->trailing.bytes, twist->trailing.length);
    struct sha256 hash = crypto_sha256(out->client_data.bytes, out->client_data.length);
    builder_init(&text, 0);
    put(&text, out->data.bytes, out->data.length);
    put(&text, hash.bytes, sizeof hash.bytes);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const char *digest = authenticator->algorithm == WEBAUTHN_EDDSA ? NULL : "SHA256";
    CHECK(EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, authenticator->key, NULL) == 1);
    CHECK(EVP_DigestSign(context, signature, &length, (const unsigned char *)text.bytes,
                         text.length) == 1);
    EVP_MD_CTX_free(context);
    put(&out->signature, signature, length);
}

struct webauthn_assertion authenticator_assertion(const struct authenticator_answer *answer)
{
    return (struct webauthn_assertion){
        .client_data = authenticator_bytes(&answer->client_data),
        .authenticator_data = authenticator_bytes(&answer->data),
        .signature = authenticator_bytes(&answer->signature),
    };
}
