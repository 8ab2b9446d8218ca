#include "crypto/cbor_internal.h"
#include "crypto/webauthn_internal.h"

#include "base/check.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

/* COSE keys: RFC 9052 section 7, RFC 9053 section 7.1, RFC 8230 section 4. */

enum label { LABEL_KTY = 1, LABEL_ALG = 3, LABEL_CRV = -1, LABEL_X = -2, LABEL_Y = -3 };
enum { RSA_N = -1, RSA_E = -2 };
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3, CRV_P256 = 1, CRV_ED25519 = 6 };
enum { COORDINATE_BYTES = 32, RSA_BYTES_MIN = 256, RSA_BYTES_MAX = 512, EXPONENT_BYTES_MAX = 4 };
enum { LABELS_MAX = 5 };

struct cose_key {
    int64_t kty, alg, crv;
    struct cbor_bytes first, second; /* x and y; n and e */
    unsigned seen;                   /* one bit a label: a label twice is refused */
};

static unsigned bit_of(int64_t label)
{
    switch (label) {
    case LABEL_KTY:
        return 1;
    case LABEL_ALG:
        return 2;
    case LABEL_CRV:
        return 4;
    case LABEL_X:
        return 8;
    case LABEL_Y:
        return 16;
    default:
        return 0;
    }
}

/* What -1 to -3 mean depends on the type of key, which canonical order puts first. */
static void read_member(struct cbor *reader, struct cose_key *key)
{
    int64_t label = cbor_read_integer(reader);
    unsigned bit = bit_of(label);
    if (bit == 0 || (key->seen & bit) != 0 || ((key->seen & 1) == 0 && bit != 1)) {
        cbor_fail(reader);
        return;
    }
    key->seen |= bit;
    if (label == LABEL_KTY) {
        key->kty = cbor_read_integer(reader);
    } else if (label == LABEL_ALG) {
        key->alg = cbor_read_integer(reader);
    } else if (key->kty == KTY_RSA) {
        *(label == RSA_N ? &key->first : &key->second) = cbor_read_byte_string(reader);
    } else if (label == LABEL_CRV) {
        key->crv = cbor_read_integer(reader);
    } else {
        *(label == LABEL_X ? &key->first : &key->second) = cbor_read_byte_string(reader);
    }
}

static bool read_cose(struct webauthn_bytes bytes, struct cose_key *out)
{
    struct cbor reader;
    cbor_begin(&reader, bytes.bytes, bytes.length);
    size_t count = cbor_read_map(&reader);
    for (size_t i = 0; i < count && i < LABELS_MAX && !reader.has_failed; i++) {
        read_member(&reader, out);
    }
    return count <= LABELS_MAX && cbor_is_done(&reader);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    bool is_made = params != NULL && context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
                   EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    if (!is_made) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* EVP_PKEY_public_check finds the point at infinity and what is off the curve. */
static EVP_PKEY *check_take(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool is_good = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    if (!is_good) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static EVP_PKEY *make_es256(const struct cose_key *cose)
{
    unsigned char point[1 + 2 * COORDINATE_BYTES] = {4}; /* uncompressed, SEC 1 section 2.3.3 */
    if (cose->crv != CRV_P256 || cose->seen != 31 || cose->first.length != COORDINATE_BYTES ||
        cose->second.length != COORDINATE_BYTES) {
        return NULL;
    }
    memcpy(point + 1, cose->first.bytes, COORDINATE_BYTES);
    memcpy(point + 1 + COORDINATE_BYTES, cose->second.bytes, COORDINATE_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CHECK(builder != NULL);
    bool is_filled = OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                                     "prime256v1", 0) == 1 &&
                     OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                      sizeof point) == 1;
    EVP_PKEY *key = is_filled ? from_params("EC", builder) : NULL;
    OSSL_PARAM_BLD_free(builder);
    return check_take(key);
}

static EVP_PKEY *make_eddsa(const struct cose_key *cose)
{
    bool is_of_form =
        cose->crv == CRV_ED25519 && cose->seen == 15 && cose->first.length == COORDINATE_BYTES;
    return is_of_form ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, cose->first.bytes,
                                                       cose->first.length)
                      : NULL;
}

static bool is_rsa_form(const struct cose_key *cose)
{
    const struct cbor_bytes *n = &cose->first;
    const struct cbor_bytes *e = &cose->second;
    return cose->seen == 15 && n->length >= RSA_BYTES_MIN && n->length <= RSA_BYTES_MAX &&
           e->length >= 1 && e->length <= EXPONENT_BYTES_MAX && (n->bytes[0] & 0x80) != 0 &&
           (n->bytes[n->length - 1] & 1) != 0 && e->bytes[0] != 0 &&
           (e->bytes[e->length - 1] & 1) != 0 && (e->length > 1 || e->bytes[0] >= 3);
}

static EVP_PKEY *make_rs256(const struct cose_key *cose)
{
    if (!is_rsa_form(cose)) {
        return NULL;
    }
    BIGNUM *n = BN_bin2bn(cose->first.bytes, (int)cose->first.length, NULL);
    BIGNUM *e = BN_bin2bn(cose->second.bytes, (int)cose->second.length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    CHECK(n != NULL && e != NULL && builder != NULL);
    bool is_filled = OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
                     OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1;
    EVP_PKEY *key = is_filled ? from_params("RSA", builder) : NULL;
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *make_key(const struct cose_key *cose)
{
    if (cose->kty == KTY_EC2 && cose->alg == WEBAUTHN_ES256) {
        return make_es256(cose);
    }
    if (cose->kty == KTY_OKP && cose->alg == WEBAUTHN_EDDSA) {
        return make_eddsa(cose);
    }
    return cose->kty == KTY_RSA && cose->alg == WEBAUTHN_RS256 ? make_rs256(cose) : NULL;
}

EVP_PKEY *webauthn_make_key(struct webauthn_bytes bytes, enum webauthn_algorithm *out_algorithm,
                            struct error *error)
{
    struct cose_key cose = {0};
    EVP_PKEY *key = NULL;
    if (bytes.length <= WEBAUTHN_KEY_BYTES_MAX && read_cose(bytes, &cose)) {
        key = make_key(&cose);
    }
    ERR_clear_error();
    if (key == NULL) {
        error_set(
            error, ERROR_INVALID, "passkey_key", NULL,
            "the passkey's public key is no ES256, EdDSA or RS256 key in its exact COSE form");
        return NULL;
    }
    *out_algorithm = (enum webauthn_algorithm)cose.alg;
    return key;
}

bool webauthn_read_key(struct webauthn_bytes key, enum webauthn_algorithm *out_algorithm,
                       struct error *error)
{
    EVP_PKEY *made = webauthn_make_key(key, out_algorithm, error);
    EVP_PKEY_free(made);
    return made != NULL;
}

size_t webauthn_item_length(struct webauthn_bytes bytes)
{
    struct cbor reader;
    cbor_begin(&reader, bytes.bytes, bytes.length);
    cbor_skip(&reader);
    return reader.has_failed ? 0 : reader.at;
}
