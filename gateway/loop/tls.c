#include "loop/tls.h"

#include "base/memory.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* ECDHE and an AEAD, for TLS 1.2; the suites of 1.3 are all of that kind. */
#define TLS12_SUITES                                                                               \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct tls_context {
    SSL_CTX *ssl;
    bool takes_unverified;
};

struct certificate {
    struct http_certificate seen;
    unsigned char *chain;
    char *texts; /* all texts of `seen`, one allocation */
};

struct tls {
    SSL *ssl;
    bool keeps_chain;
    struct certificate *certificate;
    bool has_said_goodbye;
    bool has_failed; /* after a fatal error OpenSSL must not be asked to shut down */
};

static bool fail(struct error *error, const char *code, const char *file, const char *advice)
{
    unsigned long reason = ERR_peek_error(); /* the first is the cause, the rest its echoes */
    const char *text = ERR_reason_error_string(reason);
    if (ERR_SYSTEM_ERROR(reason)) {
        text = strerror(ERR_GET_REASON(reason));
    }
    error_set(error, ERROR_INVALID, code, file, "cannot use `%s`: %s; %s", file,
              text == NULL ? "refused by OpenSSL" : text, advice);
    ERR_clear_error();
    return false;
}

/* ALPN (RFC 7301): http/1.1 or nothing. A client that offers only h2 is told so by an alert. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned int offered_length,
                           void *argument)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl, (void)argument;
    unsigned char *chosen = NULL;
    int result =
        SSL_select_next_proto(&chosen, out_length, ours, sizeof(ours) - 1, offered, offered_length);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The handshake still proves that the peer holds the leaf's key; whom the chain leads to is for
 * whoever reads it. */
static int accept_any(X509_STORE_CTX *context, void *unused)
{
    (void)unused;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

static void take_unverified(SSL_CTX *ssl, const struct tls_options *options)
{
    int mode = SSL_VERIFY_PEER;
    if (options->client_certificate_required) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(ssl, mode, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
    SSL_CTX_set_max_cert_list(ssl, HTTP_CHAIN_BYTES_MAX);
}

static bool load_client_ca(SSL_CTX *ssl, const struct tls_options *options, struct error *error)
{
    if (options->client_ca_file == NULL) {
        if (options->takes_unverified) {
            take_unverified(ssl, options);
        }
        return true;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(options->client_ca_file);
    if (names == NULL || SSL_CTX_load_verify_file(ssl, options->client_ca_file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(error, "client_ca_file", options->client_ca_file,
                    "name a readable PEM file with the client CA certificates");
    }
    SSL_CTX_set_client_CA_list(ssl, names);
    int mode = SSL_VERIFY_PEER;
    if (options->client_certificate_required) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    SSL_CTX_set_verify(ssl, mode, NULL);
    return true;
}

static bool load_files(SSL_CTX *ssl, const struct tls_options *options, struct error *error)
{
    if (SSL_CTX_use_certificate_chain_file(ssl, options->certificate_file) != 1) {
        return fail(error, "certificate_file", options->certificate_file,
                    "name a readable PEM file with the certificate and its chain");
    }
    if (SSL_CTX_use_PrivateKey_file(ssl, options->key_file, SSL_FILETYPE_PEM) != 1) {
        return fail(error, "key_file", options->key_file,
                    "name a readable PEM file with the certificate's private key");
    }
    if (SSL_CTX_check_private_key(ssl) != 1) {
        return fail(error, "key_file", options->key_file,
                    "name the key that belongs to the certificate");
    }
    return load_client_ca(ssl, options, error);
}

static bool set_rules(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
           SSL_CTX_set_cipher_list(ssl, TLS12_SUITES) == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384") == 1;
}

struct tls_context *tls_context_create(const struct tls_options *options, struct error *error)
{
    ERR_clear_error();
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    if (ssl == NULL || !set_rules(ssl)) {
        SSL_CTX_free(ssl);
        fail(error, "tls", options->certificate_file, "OpenSSL refuses the TLS settings");
        return NULL;
    }
    if (!load_files(ssl, options, error)) {
        SSL_CTX_free(ssl);
        return NULL;
    }
    struct tls_context *context = memory_zeroed(1, sizeof(*context));
    context->ssl = ssl;
    context->takes_unverified = options->client_ca_file == NULL && options->takes_unverified;
    return context;
}

void tls_context_destroy(struct tls_context *context)
{
    if (context == NULL) {
        return;
    }
    SSL_CTX_free(context->ssl);
    free(context);
}

struct tls *tls_create(struct tls_context *context, int fd)
{
    struct tls *tls = memory_zeroed(1, sizeof(*tls));
    tls->ssl = SSL_new(context->ssl);
    tls->keeps_chain = context->takes_unverified;
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
        memory_exhausted(sizeof(*tls));
    }
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    if (tls->certificate != NULL) {
        free(tls->certificate->texts);
        free(tls->certificate->chain);
        free(tls->certificate);
    }
    free(tls);
}

static enum tls_status status_of(struct tls *tls, int result)
{
    if (result > 0) {
        return TLS_DONE;
    }
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        tls->has_failed = true;
        return TLS_FAILED;
    }
}

/* ---- the client's certificate ---- */

static bool usable_name(const ASN1_IA5STRING *name)
{
    size_t length = (size_t)ASN1_STRING_length(name);
    return length > 0 && memchr(ASN1_STRING_get0_data(name), '\0', length) == NULL;
}

static void add_name(struct builder *texts, size_t *offsets, size_t *count,
                     const ASN1_IA5STRING *name, bool *has_failed)
{
    if (*count == HTTP_CERTIFICATE_NAMES_MAX || !usable_name(name)) {
        *has_failed = true;
        return;
    }
    offsets[(*count)++] = texts->length;
    builder_append(texts, (const char *)ASN1_STRING_get0_data(name),
                   (size_t)ASN1_STRING_length(name));
    builder_char(texts, '\0');
}

struct name_offsets {
    size_t uris[HTTP_CERTIFICATE_NAMES_MAX];
    size_t uri_count;
    size_t dns_names[HTTP_CERTIFICATE_NAMES_MAX];
    size_t dns_name_count;
};

/* False when a name has a NUL or there are more than can be told: half a list of names would
 * mislead whoever decides by it. */
static bool read_names(X509 *x509, struct builder *texts, struct name_offsets *offsets)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool has_failed = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            add_name(texts, offsets->uris, &offsets->uri_count, name->d.uniformResourceIdentifier,
                     &has_failed);
        } else if (name->type == GEN_DNS) {
            add_name(texts, offsets->dns_names, &offsets->dns_name_count, name->d.dNSName,
                     &has_failed);
        }
    }
    GENERAL_NAMES_free(names);
    return !has_failed;
}

static void add_subject(X509 *x509, struct builder *texts)
{
    BIO *memory = BIO_new(BIO_s_mem());
    if (memory == NULL) {
        memory_exhausted(1);
    }
    X509_NAME_print_ex(memory, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253);
    char *bytes = NULL;
    long length = BIO_get_mem_data(memory, &bytes);
    builder_append(texts, bytes, length > 0 ? (size_t)length : 0);
    builder_char(texts, '\0');
    BIO_free(memory);
}

static size_t append_der(X509 *x509, unsigned char *at, size_t room)
{
    int length = i2d_X509(x509, NULL);
    if (length <= 0 || (size_t)length > room) {
        return 0;
    }
    return (size_t)i2d_X509(x509, &at);
}

/* The leaf, and what the peer sent behind it, in DER. */
static bool keep_chain(struct tls *tls, X509 *leaf)
{
    STACK_OF(X509) *rest = SSL_get_peer_cert_chain(tls->ssl); /* a server's: without the leaf */
    unsigned char bytes[HTTP_CHAIN_BYTES_MAX];
    size_t length = append_der(leaf, bytes, sizeof bytes);
    bool is_whole = length > 0;
    for (int i = 0; is_whole && i < sk_X509_num(rest); i++) {
        size_t added = append_der(sk_X509_value(rest, i), bytes + length, sizeof bytes - length);
        is_whole = added > 0;
        length += added;
    }
    if (!is_whole) {
        return false;
    }
    tls->certificate->chain = memory_zeroed(1, length);
    memcpy(tls->certificate->chain, bytes, length);
    tls->certificate->seen.chain = tls->certificate->chain;
    tls->certificate->seen.chain_length = length;
    return true;
}

static bool read_certificate(struct tls *tls)
{
    X509 *x509 = SSL_get0_peer_certificate(tls->ssl);
    if (x509 == NULL) {
        return true;
    }
    struct builder texts BUILDER_SCOPE;
    builder_init(&texts, 0);
    struct name_offsets offsets = {0};
    add_subject(x509, &texts);
    struct certificate *certificate = memory_zeroed(1, sizeof(*certificate));
    tls->certificate = certificate;
    unsigned int digest_length = 0;
    if (!read_names(x509, &texts, &offsets) || SSL_get_verify_result(tls->ssl) != X509_V_OK ||
        X509_digest(x509, EVP_sha256(), certificate->seen.sha256, &digest_length) != 1 ||
        (tls->keeps_chain && !keep_chain(tls, x509))) {
        return false;
    }
    certificate->texts = builder_take(&texts);
    certificate->seen.subject = certificate->texts;
    for (size_t i = 0; i < offsets.uri_count; i++) {
        certificate->seen.uris[i] = certificate->texts + offsets.uris[i];
    }
    for (size_t i = 0; i < offsets.dns_name_count; i++) {
        certificate->seen.dns_names[i] = certificate->texts + offsets.dns_names[i];
    }
    return true;
}

enum tls_status tls_handshake(struct tls *tls)
{
    ERR_clear_error();
    enum tls_status status = status_of(tls, SSL_do_handshake(tls->ssl));
    if (status == TLS_DONE && !read_certificate(tls)) {
        return TLS_FAILED;
    }
    return status;
}

enum tls_status tls_read(struct tls *tls, char *bytes, size_t length, size_t *out_read)
{
    ERR_clear_error();
    return status_of(tls, SSL_read_ex(tls->ssl, bytes, length, out_read));
}

enum tls_status tls_write(struct tls *tls, const char *bytes, size_t length, size_t *out_written)
{
    ERR_clear_error();
    return status_of(tls, SSL_write_ex(tls->ssl, bytes, length, out_written));
}

void tls_say_goodbye(struct tls *tls)
{
    if (!tls->has_said_goodbye && !tls->has_failed && SSL_is_init_finished(tls->ssl)) {
        tls->has_said_goodbye = true;
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
    }
}

const struct http_certificate *tls_peer_certificate(const struct tls *tls)
{
    return tls->certificate == NULL ? NULL : &tls->certificate->seen;
}

const char *tls_reason(void)
{
    unsigned long reason = ERR_peek_last_error();
    const char *text = reason == 0 ? NULL : ERR_reason_error_string(reason);
    return text == NULL ? "closed during the handshake" : text;
}
