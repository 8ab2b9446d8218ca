#include "crypto/signer_internal.h"

#include "formats/text.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

/* RSASSA-PKCS1-v1_5 with SHA-256: what clouds ask for (RFC 7518 section 3.3). */

bool signer_is_rsa(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    return EVP_PKEY_is_a(key, "RSA") == 1 && bits >= RSA_BITS && bits <= RSA_BITS_MAX;
}

static bool append_number(const struct signer *signer, const char *parameter, struct builder *out)
{
    unsigned char bytes[RSA_BITS_MAX / 8];
    BIGNUM *number = NULL;
    bool is_read = EVP_PKEY_get_bn_param(signer->key, parameter, &number) == 1 &&
                   BN_num_bytes(number) <= (int)sizeof bytes;
    int length = is_read ? BN_bn2bin(number, bytes) : 0;
    BN_free(number);
    if (length > 0) {
        text_append_base64url(out, bytes, (size_t)length);
    }
    return length > 0;
}

bool signer_append_rsa(const struct signer *signer, const char *between, struct builder *out)
{
    builder_text(out, "\"e\":\"");
    bool is_read = append_number(signer, OSSL_PKEY_PARAM_RSA_E, out);
    builder_printf(out, "\",%s\"n\":\"", between);
    is_read = is_read && append_number(signer, OSSL_PKEY_PARAM_RSA_N, out);
    builder_char(out, '"');
    return is_read;
}

bool signer_sign_rsa(const struct signer *signer, const void *bytes, size_t length,
                     unsigned char out[SIGNER_SIGNATURE_BYTES_MAX], size_t *out_length)
{
    *out_length = SIGNER_SIGNATURE_BYTES_MAX;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed =
        context != NULL &&
        EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, signer->key, NULL) == 1 &&
        EVP_DigestSign(context, out, out_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    return is_signed;
}

bool signer_verify_rsa(const struct signer *signer, const void *bytes, size_t length,
                       const unsigned char *signature, size_t signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, signer->key, NULL) == 1 &&
        EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_valid;
}
