#include "crypto/x509.h"

#include "base/check.h"
#include "base/memory.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* 112 bits: no RSA below 2048 bits, no SHA-1. */
enum { SECURITY_LEVEL = 2 };

struct x509_chain {
    STACK_OF(X509) * certificates; /* the leaf first */
};

struct x509_bundle {
    atomic_int references;
    size_t count;
    X509_STORE *store; /* read-only after creation */
};

static bool refuse_chain(struct error *error, const char *what)
{
    ERR_clear_error();
    return error_set(error, ERROR_UNAUTHENTICATED, "bad_certificate", NULL,
                     "the client certificate cannot be read: %s", what);
}

static bool refuse_bundle(struct error *error, const char *what)
{
    ERR_clear_error();
    return error_set(error, ERROR_INVALID, "bad_bundle", NULL, "this is no trust bundle: %s", what);
}

static STACK_OF(X509) * new_stack(void)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    CHECK(stack != NULL);
    return stack;
}

static void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}

/* ---- chains ---- */

static struct x509_chain *keep_chain(STACK_OF(X509) * certificates, bool is_whole,
                                     struct error *error)
{
    if (!is_whole || sk_X509_num(certificates) == 0) {
        free_stack(certificates);
        refuse_chain(error, "it is not 1 to 8 whole X.509 certificates");
        return NULL;
    }
    struct x509_chain *chain = memory_zeroed(1, sizeof *chain);
    chain->certificates = certificates;
    return chain;
}

struct x509_chain *x509_chain_read(const unsigned char *der, size_t length, struct error *error)
{
    STACK_OF(X509) *certificates = new_stack();
    const unsigned char *end = der + length;
    bool is_whole = length <= X509_CHAIN_BYTES_MAX;
    while (is_whole && der < end) {
        X509 *certificate = d2i_X509(NULL, &der, (long)(end - der));
        is_whole = certificate != NULL && sk_X509_num(certificates) < X509_CHAIN_MAX;
        if (!is_whole) {
            X509_free(certificate);
        } else {
            CHECK(sk_X509_push(certificates, certificate) > 0);
        }
    }
    return keep_chain(certificates, is_whole, error);
}

/* All certificates of the text; false when there are more than `most`, or one is broken. */
static bool read_pem(const char *pem, size_t length, int most, STACK_OF(X509) * out)
{
    BIO *memory = BIO_new_mem_buf(pem, (int)length);
    CHECK(memory != NULL);
    X509 *certificate;
    bool is_whole = true;
    ERR_clear_error();
    while (is_whole && (certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL) {
        is_whole = sk_X509_num(out) < most;
        if (is_whole) {
            CHECK(sk_X509_push(out, certificate) > 0);
        } else {
            X509_free(certificate);
        }
    }
    unsigned long reason = ERR_peek_last_error();
    /* What ends a whole file. */
    bool is_end =
        ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(memory);
    return is_whole && is_end;
}

struct x509_chain *x509_chain_read_pem(const char *pem, size_t length, struct error *error)
{
    STACK_OF(X509) *certificates = new_stack();
    bool is_whole =
        length <= 2 * X509_CHAIN_BYTES_MAX && read_pem(pem, length, X509_CHAIN_MAX, certificates);
    return keep_chain(certificates, is_whole, error);
}

void x509_chain_destroy(struct x509_chain *chain)
{
    if (chain != NULL) {
        free_stack(chain->certificates);
        free(chain);
    }
}

static bool read_names(X509 *leaf, struct x509_facts *out)
{
    int critical = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    out->names_are_critical = critical == 1;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI || out->uri_count++ > 0) {
            continue;
        }
        const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
        size_t length = (size_t)ASN1_STRING_length(uri);
        const unsigned char *bytes = ASN1_STRING_get0_data(uri);
        if (length < sizeof out->uri && memchr(bytes, '\0', length) == NULL) {
            memcpy(out->uri, bytes, length);
            out->uri[length] = '\0';
        }
    }
    GENERAL_NAMES_free(names);
    return critical != -2; /* the extension is there twice */
}

static bool read_time(const ASN1_TIME *time, int64_t *out_ms)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *out_ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

static void read_usage(X509 *leaf, struct x509_facts *out)
{
    uint32_t usage = X509_get_key_usage(leaf);
    uint32_t extended = X509_get_extended_key_usage(leaf);
    int place = X509_get_ext_by_NID(leaf, NID_key_usage, -1);
    /* As basicConstraints say: X509_check_ca would overlook a CA whose key usage forgets it. */
    out->is_ca = (X509_get_extension_flags(leaf) & EXFLAG_CA) != 0;
    out->has_key_usage = usage != UINT32_MAX;
    out->key_usage_is_critical =
        place >= 0 && X509_EXTENSION_get_critical(X509_get_ext(leaf, place)) == 1;
    if (out->has_key_usage) {
        out->may_sign = (usage & KU_DIGITAL_SIGNATURE) != 0;
        out->may_sign_certificates = (usage & KU_KEY_CERT_SIGN) != 0;
        out->may_sign_lists = (usage & KU_CRL_SIGN) != 0;
    }
    out->has_extended_usage = extended != UINT32_MAX;
    if (out->has_extended_usage) {
        out->may_be_client = (extended & XKU_SSL_CLIENT) != 0;
        out->may_be_server = (extended & XKU_SSL_SERVER) != 0;
    }
}

bool x509_chain_facts(const struct x509_chain *chain, struct x509_facts *out, struct error *error)
{
    X509 *leaf = sk_X509_value(chain->certificates, 0);
    struct x509_facts facts = {0};
    /* Whoever asks for the flags first has OpenSSL read all extensions and remember a broken one.
     */
    if ((X509_get_extension_flags(leaf) & EXFLAG_INVALID) != 0 || !read_names(leaf, &facts) ||
        !read_time(X509_get0_notBefore(leaf), &facts.not_before_at) ||
        !read_time(X509_get0_notAfter(leaf), &facts.not_after_at) ||
        X509_digest(leaf, EVP_sha256(), facts.hash.bytes, NULL) != 1) {
        return refuse_chain(error, "its extensions or times are malformed");
    }
    facts.subject_is_empty = X509_NAME_entry_count(X509_get_subject_name(leaf)) == 0;
    read_usage(leaf, &facts);
    *out = facts;
    ERR_clear_error();
    return true;
}

/* ---- bundles ---- */

static struct x509_bundle *make_bundle(const STACK_OF(X509) * anchors, struct error *error)
{
    struct x509_bundle *bundle = memory_zeroed(1, sizeof *bundle);
    atomic_init(&bundle->references, 1);
    bundle->store = X509_STORE_new();
    CHECK(bundle->store != NULL);
    for (int i = 0; i < sk_X509_num(anchors); i++) {
        X509 *anchor = sk_X509_value(anchors, i);
        /* An anchor that is no CA would vouch for itself. */
        if (X509_check_ca(anchor) != 1) {
            x509_bundle_unref(bundle);
            refuse_bundle(error, "a certificate in it is not a CA's");
            return NULL;
        }
        CHECK(X509_STORE_add_cert(bundle->store, anchor) == 1);
        bundle->count++;
    }
    ERR_clear_error();
    return bundle;
}

struct x509_bundle *x509_bundle_read_pem(const char *pem, size_t length, struct error *error)
{
    STACK_OF(X509) *anchors = new_stack();
    struct x509_bundle *bundle = NULL;
    if (length <= JWK_SET_BYTES_MAX && read_pem(pem, length, X509_BUNDLE_MAX, anchors) &&
        sk_X509_num(anchors) > 0) {
        bundle = make_bundle(anchors, error);
    } else {
        refuse_bundle(error, "it needs 1 to 100 PEM certificates");
    }
    free_stack(anchors);
    return bundle;
}

struct x509_bundle *x509_bundle_of_set(const struct jwk_set *set, struct error *error)
{
    STACK_OF(X509) *anchors = new_stack();
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < jwk_set_count(set); i++) {
        size_t length = 0;
        const unsigned char *der = jwk_set_certificate(set, i, &length);
        if (der == NULL) {
            continue;
        }
        const unsigned char *end = der + length;
        X509 *anchor = d2i_X509(NULL, &der, (long)length);
        is_whole = anchor != NULL && der == end;
        if (anchor != NULL) {
            CHECK(sk_X509_push(anchors, anchor) > 0);
        }
    }
    struct x509_bundle *bundle = NULL;
    if (is_whole) {
        bundle = make_bundle(anchors, error);
    } else {
        refuse_bundle(error, "an `x5c` in it is no certificate");
    }
    free_stack(anchors);
    return bundle;
}

struct x509_bundle *x509_bundle_ref(struct x509_bundle *bundle)
{
    atomic_fetch_add(&bundle->references, 1);
    return bundle;
}

void x509_bundle_unref(struct x509_bundle *bundle)
{
    if (bundle != NULL && atomic_fetch_sub(&bundle->references, 1) == 1) {
        X509_STORE_free(bundle->store);
        free(bundle);
    }
}

size_t x509_bundle_count(const struct x509_bundle *bundle)
{
    return bundle->count;
}

/* ---- path validation ---- */

static bool set_rules(X509_STORE_CTX *context, int64_t now)
{
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(rules, (time_t)(now / 1000));
    X509_VERIFY_PARAM_set_depth(rules, X509_DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
    /* What is in the bundle is trusted, signed by itself or not: an intermediate may be the anchor
     * (SPIFFE X.509-SVID section 3). */
    return X509_VERIFY_PARAM_set_flags(rules,
                                       X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT) == 1 &&
           X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT) == 1;
}

bool x509_chain_verify(const struct x509_chain *chain, const struct x509_bundle *bundle,
                       int64_t now, struct error *error)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    CHECK(context != NULL);
    bool is_trusted =
        bundle->count > 0 &&
        X509_STORE_CTX_init(context, bundle->store, sk_X509_value(chain->certificates, 0),
                            chain->certificates) == 1 &&
        set_rules(context, now) && X509_verify_cert(context) == 1;
    const char *reason = bundle->count == 0
                             ? "the trust bundle is empty"
                             : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    if (!is_trusted) {
        error_set(error, ERROR_UNAUTHENTICATED, "untrusted_chain", NULL,
                  "the certificate does not lead to its trust domain's bundle: %s", reason);
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return is_trusted;
}
