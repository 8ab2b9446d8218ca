#include "crypto/signer.h"

#include "base/check.h"
#include "crypto/crypto_internal.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include <string.h>

/* Signatures in base64url: of an RSA key of 4096 bits, and of 64 bytes. */
enum { TOKEN_BYTES_MAX = 8 * 1024, LONG_SIGNATURE_CHARACTERS = 683, SIGNATURE_CHARACTERS = 86 };

/* The one header this signer writes for this `typ`, encoded. */
static void append_header(const struct signer *signer, const char *typ, struct builder *out)
{
    struct builder header BUILDER_SCOPE;
    builder_init(&header, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &header);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "alg", signer_algorithm(signer));
    canonical_member_text(&writer, "kid", signer_key_id(signer));
    canonical_member_text(&writer, "typ", typ);
    canonical_close_object(&writer);
    text_append_base64url(out, (const unsigned char *)header.bytes, header.length);
}

bool jws_sign(const struct signer *signer, const char *typ, const char *payload,
              size_t payload_length, struct builder *out, struct error *error)
{
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    append_header(signer, typ, &token);
    builder_char(&token, '.');
    text_append_base64url(&token, (const unsigned char *)payload, payload_length);
    size_t room =
        signer_kind(signer) == SIGNER_RS256 ? LONG_SIGNATURE_CHARACTERS : SIGNATURE_CHARACTERS;
    if (token.length + 1 + room > TOKEN_BYTES_MAX) {
        return error_set(error, ERROR_LIMIT, "token_too_long", NULL,
                         "the payload of %zu bytes makes a token longer than %d bytes",
                         payload_length, TOKEN_BYTES_MAX);
    }
    unsigned char signature[SIGNER_SIGNATURE_BYTES_MAX];
    size_t signature_length = 0;
    if (!signer_sign_any(signer, token.bytes, token.length, signature, &signature_length, error)) {
        return false;
    }
    builder_char(&token, '.');
    text_append_base64url(&token, signature, signature_length);
    struct sha256 hash = crypto_sha256(token.bytes, token.length);
    signer_remember(signer, &hash);
    builder_append(out, token.bytes, token.length);
    return true;
}

/* Most tokens come back to the process that made them; their hash costs a hundredth of their
 * signature. */
static bool is_signed(const struct signer *signer, const char *token, size_t token_length,
                      size_t signed_length, const unsigned char *signature, size_t signature_length)
{
    struct sha256 hash = crypto_sha256(token, token_length);
    return signer_remembers(signer, &hash) ||
           signer_verify_any(signer, token, signed_length, signature, signature_length);
}

static bool refuse(struct error *error, const char *message)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "invalid_token", NULL, "%s", message);
}

bool jws_verify(const struct signer *signer, const char *typ, const char *token,
                size_t token_length, struct builder *out_payload, struct error *error)
{
    if (token_length > TOKEN_BYTES_MAX) {
        return refuse(error, "the token is longer than 8 KiB");
    }
    struct builder header BUILDER_SCOPE;
    builder_init(&header, 0);
    append_header(signer, typ, &header);
    builder_char(&header, '.');
    /* Only a header we would have written is ours: compared as bytes, no parser sees a stranger's
     * `alg`, `crit` or `jwk`. */
    if (token_length < header.length || memcmp(token, header.bytes, header.length) != 0) {
        return refuse(error, "the token was not made by this gateway's current key for this use");
    }
    const char *payload = token + header.length;
    const char *end = token + token_length;
    const char *dot = memchr(payload, '.', (size_t)(end - payload));
    if (dot == NULL) {
        return refuse(error, "the token is cut short: it has no signature");
    }
    unsigned char signature[SIGNER_SIGNATURE_BYTES_MAX];
    size_t signature_length = 0;
    if (!text_read_base64url(dot + 1, (size_t)(end - dot - 1), signature, sizeof signature,
                             &signature_length) ||
        !is_signed(signer, token, token_length, (size_t)(dot - token), signature,
                   signature_length)) {
        return refuse(error, "the signature of the token is not valid");
    }
    unsigned char bytes[TOKEN_BYTES_MAX];
    size_t length = 0;
    if (!text_read_base64url(payload, (size_t)(dot - payload), bytes, sizeof bytes, &length)) {
        return refuse(error, "the payload of the token is not base64url");
    }
    builder_append(out_payload, (const char *)bytes, length);
    return true;
}
