#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

/*
 * Client certificates after the handshake: what a chain says, and whether it leads to the
 * certificates of one bundle. The handshake proved that the peer holds the leaf's key; nothing else
 * about it is believed before x509_chain_verify.
 */

#include "crypto/crypto.h"
#include "crypto/jwk.h"
#include <stddef.h>
#include <stdint.h>

enum {
    X509_URI_BYTES = 2049,
    X509_CHAIN_MAX = 8,               /* certificates a peer may send */
    X509_CHAIN_BYTES_MAX = 32 * 1024, /* together */
    X509_BUNDLE_MAX = 100,
    X509_DEPTH_MAX = 6, /* certificates between leaf and root */
};

struct x509_facts {
    size_t uri_count;         /* URIs among the alternative names */
    char uri[X509_URI_BYTES]; /* the first; "" when it does not fit or holds a NUL */
    bool is_ca;
    bool has_key_usage, key_usage_is_critical;
    bool may_sign; /* digitalSignature */
    bool may_sign_certificates, may_sign_lists;
    bool has_extended_usage, may_be_client, may_be_server;
    bool subject_is_empty, names_are_critical;
    int64_t not_before_at, not_after_at;
    struct sha256 hash; /* of the DER form: x5t#S256 (RFC 8705 section 3.1) */
};

struct x509_chain;

/* DER certificates one after the other, the leaf first; or PEM text. NULL with UNAUTHENTICATED
 * `bad_certificate`. */
struct x509_chain *x509_chain_read(const unsigned char *der, size_t length,
                                   struct error *error) MUST_CHECK;
struct x509_chain *x509_chain_read_pem(const char *pem, size_t length,
                                       struct error *error) MUST_CHECK;
void x509_chain_destroy(struct x509_chain *chain); /* accepts NULL */
/* What the leaf says. UNAUTHENTICATED `bad_certificate` when an extension cannot be read. */
bool x509_chain_facts(const struct x509_chain *chain, struct x509_facts *out,
                      struct error *error) MUST_CHECK;

/* Trust anchors of one trust domain. Immutable; counted references; any thread. */
struct x509_bundle;

/* PEM certificates, all of them CAs. NULL with INVALID `bad_bundle`. */
struct x509_bundle *x509_bundle_read_pem(const char *pem, size_t length,
                                         struct error *error) MUST_CHECK;
/* The x509-svid keys of a SPIFFE bundle. An empty bundle ends all trust. */
struct x509_bundle *x509_bundle_of_set(const struct jwk_set *set, struct error *error) MUST_CHECK;
struct x509_bundle *x509_bundle_ref(struct x509_bundle *bundle);
void x509_bundle_unref(struct x509_bundle *bundle); /* accepts NULL */
size_t x509_bundle_count(const struct x509_bundle *bundle);

/* RFC 5280 path validation of the chain against this bundle alone, as of `now`, for a TLS client.
 * UNAUTHENTICATED `untrusted_chain`. */
bool x509_chain_verify(const struct x509_chain *chain, const struct x509_bundle *bundle,
                       int64_t now, struct error *error) MUST_CHECK;

#endif
