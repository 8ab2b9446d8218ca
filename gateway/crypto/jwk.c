#include "crypto/jwk.h"

#include "base/check.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "crypto/jwk_internal.h"
#include "formats/text.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum {
    MODULUS_BYTES_MAX = 1024,
    MODULUS_BITS_MIN = 2048,
    EXPONENT_BYTES_MAX = 4, /* a large exponent makes a check slow: nobody needs more than 65537 */
    COORDINATE_BYTES_MAX = 66,
};

/* What an algorithm is made of; `bytes` is the length of r and of s. */
static const struct {
    const char *name, *hash, *curve;
    enum jwk_type type;
    size_t bytes;
    bool is_pss;
} algorithms[JWK_ALGORITHM_COUNT] = {
    [JWK_ALGORITHM_NONE] = {.name = "none"},
    [JWK_RS256] = {"RS256", "SHA256", NULL, JWK_TYPE_RSA, 0, false},
    [JWK_RS384] = {"RS384", "SHA384", NULL, JWK_TYPE_RSA, 0, false},
    [JWK_RS512] = {"RS512", "SHA512", NULL, JWK_TYPE_RSA, 0, false},
    [JWK_PS256] = {"PS256", "SHA256", NULL, JWK_TYPE_RSA, 0, true},
    [JWK_PS384] = {"PS384", "SHA384", NULL, JWK_TYPE_RSA, 0, true},
    [JWK_PS512] = {"PS512", "SHA512", NULL, JWK_TYPE_RSA, 0, true},
    [JWK_ES256] = {"ES256", "SHA256", "P-256", JWK_TYPE_EC, 32, false},
    [JWK_ES384] = {"ES384", "SHA384", "P-384", JWK_TYPE_EC, 48, false},
    [JWK_ES512] = {"ES512", "SHA512", "P-521", JWK_TYPE_EC, 66, false},
    [JWK_EDDSA] = {"EdDSA", NULL, "Ed25519", JWK_TYPE_OKP, 32, false},
};

enum jwk_algorithm jwk_algorithm_find(const char *name)
{
    for (enum jwk_algorithm i = JWK_RS256; name != NULL && i < JWK_ALGORITHM_COUNT; i++) {
        if (strcmp(name, algorithms[i].name) == 0) {
            return i;
        }
    }
    return name != NULL && strcmp(name, "Ed25519") == 0 ? JWK_EDDSA : JWK_ALGORITHM_NONE;
}

const char *jwk_algorithm_name(enum jwk_algorithm algorithm)
{
    return algorithms[(unsigned)algorithm < JWK_ALGORITHM_COUNT ? algorithm : JWK_ALGORITHM_NONE]
        .name;
}

static bool refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_INVALID, "bad_key", NULL, "the key cannot be used: %s", what);
}

/* ---- reading ---- */

static bool read_bytes(const struct json *object, const char *name, unsigned char *bytes,
                       size_t bytes_max, size_t *out_length)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    return text != NULL && json_text_length(value) > 0 &&
           text_read_base64url(text, json_text_length(value), bytes, bytes_max, out_length);
}

/* A text without NULs that fits; absent is "". */
static bool read_name(const struct json *object, const char *name, char *out, size_t out_bytes)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    size_t length = json_text_length(value);
    if (value == NULL) {
        out[0] = '\0';
        return true;
    }
    if (text == NULL || length >= out_bytes || strlen(text) != length) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

/* On the curve, not at infinity, in range. */
static bool is_sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool is_sound = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return is_sound;
}

static EVP_PKEY *make_rsa(const unsigned char *modulus, size_t modulus_length,
                          const unsigned char *exponent, size_t exponent_length)
{
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_length, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (n != NULL && e != NULL && builder != NULL && BN_num_bits(n) >= MODULUS_BITS_MIN &&
        BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key = make_key("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static bool read_rsa(const struct json *object, struct jwk *key, struct error *error)
{
    unsigned char modulus[MODULUS_BYTES_MAX];
    unsigned char exponent[EXPONENT_BYTES_MAX];
    size_t modulus_length;
    size_t exponent_length;
    if (!read_bytes(object, "n", modulus, sizeof modulus, &modulus_length) ||
        !read_bytes(object, "e", exponent, sizeof exponent, &exponent_length) || modulus[0] == 0 ||
        exponent[0] == 0) {
        return refuse(error, "`n` and `e` must be base64url numbers of at most 8192 and 32 bits");
    }
    key->type = JWK_TYPE_RSA;
    key->key = make_rsa(modulus, modulus_length, exponent, exponent_length);
    if (key->key == NULL) {
        return refuse(error, "an RSA key needs 2048 bits or more and an odd exponent above 1");
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"e\":\"");
    text_append_base64url(&text, exponent, exponent_length);
    builder_text(&text, "\",\"kty\":\"RSA\",\"n\":\"");
    text_append_base64url(&text, modulus, modulus_length);
    builder_text(&text, "\"}");
    key->hash = crypto_sha256(text.bytes, text.length);
    return true;
}

static EVP_PKEY *make_ec(const char *curve, const unsigned char *point, size_t length)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length) == 1) {
        key = make_key("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    if (key != NULL && !is_sound(key)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static size_t curve_bytes(const char *curve, enum jwk_type type)
{
    for (size_t i = JWK_RS256; i < JWK_ALGORITHM_COUNT; i++) {
        if (algorithms[i].type == type && strcmp(algorithms[i].curve, curve) == 0) {
            return algorithms[i].bytes;
        }
    }
    return 0;
}

static bool read_ec(const struct json *object, struct jwk *key, struct error *error)
{
    unsigned char point[1 + 2 * COORDINATE_BYTES_MAX] = {4}; /* uncompressed */
    size_t x_length = 0;
    size_t y_length = 0;
    size_t bytes = curve_bytes(key->curve, JWK_TYPE_EC);
    /* RFC 7518 section 6.2.1.2: exactly the length of the field, leading zeros kept. */
    if (bytes == 0 || !read_bytes(object, "x", point + 1, bytes, &x_length) ||
        !read_bytes(object, "y", point + 1 + bytes, bytes, &y_length) || x_length != bytes ||
        y_length != bytes) {
        return refuse(error, "an EC key needs `crv` P-256, P-384 or P-521 and whole `x` and `y`");
    }
    key->type = JWK_TYPE_EC;
    key->key = make_ec(key->curve, point, 1 + 2 * bytes);
    if (key->key == NULL) {
        return refuse(error, "the point is not on its curve");
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", key->curve);
    text_append_base64url(&text, point + 1, bytes);
    builder_text(&text, "\",\"y\":\"");
    text_append_base64url(&text, point + 1 + bytes, bytes);
    builder_text(&text, "\"}");
    key->hash = crypto_sha256(text.bytes, text.length);
    return true;
}

static bool read_okp(const struct json *object, struct jwk *key, struct error *error)
{
    unsigned char x[32];
    size_t length = 0;
    if (strcmp(key->curve, "Ed25519") != 0 || !read_bytes(object, "x", x, sizeof x, &length) ||
        length != sizeof x) {
        return refuse(error, "an OKP key needs `crv` Ed25519 and 32 bytes of `x`");
    }
    key->type = JWK_TYPE_OKP;
    key->key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, sizeof x);
    if (key->key == NULL) {
        return refuse(error, "`x` is no Ed25519 key");
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
    text_append_base64url(&text, x, sizeof x);
    builder_text(&text, "\"}");
    key->hash = crypto_sha256(text.bytes, text.length);
    return true;
}

/* Whoever publishes a private key has lost it. `k` is a symmetric one. */
static bool holds_private_part(const struct json *object)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_member(object, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* RFC 7517 section 4.3: absent, or it names verify. */
static bool may_verify(const struct json *object)
{
    const struct json *operations = json_member(object, "key_ops");
    for (size_t i = 0; i < json_count(operations); i++) {
        const char *text = json_text(json_element(operations, i));
        if (text != NULL && strcmp(text, "verify") == 0) {
            return true;
        }
    }
    return operations == NULL;
}

static bool read_use(const struct json *object, struct jwk *key)
{
    char use[16];
    if (!read_name(object, "use", use, sizeof use)) {
        return false;
    }
    key->use = use[0] == '\0' || strcmp(use, "sig") == 0 ? JWK_USE_SIGNATURE
               : strcmp(use, "jwt-svid") == 0            ? JWK_USE_JWT_SVID
               : strcmp(use, "x509-svid") == 0           ? JWK_USE_X509_SVID
                                                         : 0;
    return key->use != 0;
}

static bool read_algorithm(const struct json *object, struct jwk *key)
{
    char name[16];
    if (!read_name(object, "alg", name, sizeof name)) {
        return false;
    }
    key->algorithm = jwk_algorithm_find(name);
    return name[0] == '\0' || key->algorithm != JWK_ALGORITHM_NONE;
}

static bool append_endorsement(const struct json *value, struct builder *out)
{
    const char *text = json_text(value);
    size_t length = json_text_length(value);
    if (text == NULL || length == 0 || length > JWK_ENDORSEMENT_BYTES_MAX ||
        strlen(text) != length || strchr(text, '\n') != NULL) {
        return false;
    }
    builder_printf(out, "%s\n", text);
    return true;
}

static bool read_endorsements(const struct json *object, struct jwk *key)
{
    const struct json *list = json_member(object, "endorsements");
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    if (list == NULL) {
        return true;
    }
    if (json_type(list) != JSON_TYPE_ARRAY || json_count(list) > JWK_ENDORSEMENTS_MAX) {
        return false;
    }
    builder_text(&text, "\n");
    for (size_t i = 0; i < json_count(list); i++) {
        if (!append_endorsement(json_element(list, i), &text)) {
            return false;
        }
    }
    key->endorsements = memory_zeroed(1, text.length + 1);
    memcpy(key->endorsements, text.bytes, text.length);
    return true;
}

static bool read_parts(const struct json *object, struct jwk *key, struct error *error)
{
    char type[8];
    if (!read_name(object, "kty", type, sizeof type) ||
        !read_name(object, "crv", key->curve, sizeof key->curve) ||
        !read_name(object, "kid", key->key_id, sizeof key->key_id)) {
        return refuse(error, "`kty`, `crv` and `kid` must be short texts");
    }
    if (holds_private_part(object)) {
        return refuse(error, "it holds a private or symmetric part");
    }
    if (!may_verify(object) || !read_use(object, key) || !read_algorithm(object, key)) {
        return refuse(error, "`use`, `key_ops` or `alg` say it is for something else");
    }
    if (!read_endorsements(object, key)) {
        return refuse(error, "`endorsements` must be a list of at most 200 short texts");
    }
    if (strcmp(type, "RSA") == 0) {
        return read_rsa(object, key, error);
    }
    if (strcmp(type, "EC") == 0) {
        return read_ec(object, key, error);
    }
    return strcmp(type, "OKP") == 0 ? read_okp(object, key, error)
                                    : refuse(error, "`kty` must be RSA, EC or OKP");
}

struct jwk *jwk_read(const struct json *object, struct error *error)
{
    struct jwk *key = memory_zeroed(1, sizeof *key);
    bool is_read = json_type(object) == JSON_TYPE_OBJECT ? read_parts(object, key, error)
                                                         : refuse(error, "it is no JSON object");
    ERR_clear_error();
    if (!is_read) {
        jwk_destroy(key);
        return NULL;
    }
    return key;
}

void jwk_destroy(struct jwk *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->key);
        free(key->certificate);
        free(key->endorsements);
        free(key);
    }
}

const char *jwk_key_id(const struct jwk *key)
{
    return key->key_id;
}

enum jwk_use jwk_use(const struct jwk *key)
{
    return key->use;
}

void jwk_thumbprint(const struct jwk *key, char out[JWK_THUMBPRINT_BYTES])
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, key->hash.bytes, sizeof key->hash.bytes);
    CHECK(text.length == JWK_THUMBPRINT_BYTES - 1);
    memcpy(out, text.bytes, JWK_THUMBPRINT_BYTES);
}

/* ---- checking ---- */

bool jwk_is_for(const struct jwk *key, enum jwk_algorithm algorithm)
{
    if (key->key == NULL || algorithm <= JWK_ALGORITHM_NONE || algorithm >= JWK_ALGORITHM_COUNT ||
        (key->algorithm != JWK_ALGORITHM_NONE && key->algorithm != algorithm)) {
        return false;
    }
    return algorithms[algorithm].type == key->type &&
           (key->type == JWK_TYPE_RSA || strcmp(algorithms[algorithm].curve, key->curve) == 0);
}

bool jwk_endorses(const struct jwk *key, const char *channel)
{
    struct builder line BUILDER_SCOPE;
    builder_init(&line, 0);
    builder_printf(&line, "\n%s\n", channel);
    return key->endorsements != NULL && channel[0] != '\0' && strchr(channel, '\n') == NULL &&
           strstr(key->endorsements, line.bytes) != NULL;
}

/* r||s of fixed width outside (RFC 7518 section 3.4), DER inside OpenSSL. Freed by the caller. */
static unsigned char *to_der(const unsigned char *pair, size_t bytes, size_t *out_length)
{
    unsigned char *der = NULL;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, (int)bytes, NULL);
    BIGNUM *s = BN_bin2bn(pair + bytes, (int)bytes, NULL);
    if (numbers == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(numbers, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(numbers);
        return NULL;
    }
    int length = i2d_ECDSA_SIG(numbers, &der);
    ECDSA_SIG_free(numbers);
    *out_length = length > 0 ? (size_t)length : 0;
    return length > 0 ? der : NULL;
}

/* RFC 7518 section 3.5: the salt is as long as the hash. */
static bool set_padding(EVP_PKEY_CTX *context, enum jwk_algorithm algorithm)
{
    return !algorithms[algorithm].is_pss ||
           (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool verify(const struct jwk *key, enum jwk_algorithm algorithm, const void *bytes,
                   size_t length, const unsigned char *signature, size_t signature_length)
{
    EVP_PKEY_CTX *padding = NULL; /* the context's */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid = context != NULL &&
                    EVP_DigestVerifyInit_ex(context, &padding, algorithms[algorithm].hash, NULL,
                                            NULL, key->key, NULL) == 1 &&
                    set_padding(padding, algorithm) &&
                    EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    return is_valid;
}

bool jwk_verify(const struct jwk *key, enum jwk_algorithm algorithm, const void *bytes,
                size_t length, const unsigned char *signature, size_t signature_length)
{
    if (!jwk_is_for(key, algorithm)) {
        return false;
    }
    bool is_valid;
    if (key->type == JWK_TYPE_EC) {
        size_t half = algorithms[algorithm].bytes;
        size_t der_length = 0;
        unsigned char *der =
            signature_length == 2 * half ? to_der(signature, half, &der_length) : NULL;
        is_valid = der != NULL && verify(key, algorithm, bytes, length, der, der_length);
        OPENSSL_free(der);
    } else {
        is_valid = verify(key, algorithm, bytes, length, signature, signature_length);
    }
    ERR_clear_error();
    return is_valid;
}
