#include "tests/support/authority.h"

#include "base/check.h"
#include "base/memory.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

struct authority_leaf authority_good_leaf(const char *names)
{
    return (struct authority_leaf){.names = names,
                                   .usage = "critical,digitalSignature",
                                   .extended = "clientAuth,serverAuth",
                                   .basic = "critical,CA:FALSE",
                                   .subject = "workload",
                                   .begins_s = -60,
                                   .ends_s = 3600};
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (value == NULL) {
        return;
    }
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *begin_certificate(EVP_PKEY *key, const char *name, long begins_s, long ends_s)
{
    unsigned char serial[8];
    X509 *certificate = X509_new();
    CHECK(certificate != NULL && RAND_bytes(serial, sizeof serial) == 1);
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), begins_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), ends_s);
    X509_set_pubkey(certificate, key);
    if (name != NULL) {
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                   (const unsigned char *)name, -1, -1, 0);
    }
    return certificate;
}

struct authority *authority_create(const char *name, const struct authority *parent)
{
    struct authority *authority = memory_zeroed(1, sizeof *authority);
    authority->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    authority->certificate = begin_certificate(authority->key, name, -3600, 24 * 3600);
    X509 *issuer = parent == NULL ? authority->certificate : parent->certificate;
    X509_set_issuer_name(authority->certificate, X509_get_subject_name(issuer));
    add_extension(authority->certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(authority->certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(authority->certificate, issuer, NID_subject_key_identifier, "hash");
    add_extension(authority->certificate, issuer, NID_authority_key_identifier, "keyid");
    CHECK(X509_sign(authority->certificate, parent == NULL ? authority->key : parent->key,
                    EVP_sha256()) > 0);
    return authority;
}

void authority_destroy(struct authority *authority)
{
    if (authority != NULL) {
        EVP_PKEY_free(authority->key);
        X509_free(authority->certificate);
        free(authority);
    }
}

void authority_append_pem(const struct authority *authority, struct builder *out)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    CHECK(PEM_write_bio_X509(memory, authority->certificate) == 1);
    long length = BIO_get_mem_data(memory, &bytes);
    builder_append(out, bytes, (size_t)length);
    BIO_free(memory);
}

static void append_der(X509 *certificate, struct builder *out)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    CHECK(length > 0);
    builder_append(out, (const char *)der, (size_t)length);
    OPENSSL_free(der);
}

void authority_append_leaf(const struct authority *authority, const struct authority_leaf *leaf,
                           bool with_issuer, struct builder *out)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *certificate = begin_certificate(key, leaf->subject, leaf->begins_s, leaf->ends_s);
    X509 *issuer = authority->certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints, leaf->basic);
    add_extension(certificate, issuer, NID_key_usage, leaf->usage);
    add_extension(certificate, issuer, NID_ext_key_usage, leaf->extended);
    add_extension(certificate, issuer, NID_subject_alt_name, leaf->names);
    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    CHECK(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    append_der(certificate, out);
    if (with_issuer) {
        append_der(issuer, out);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}
