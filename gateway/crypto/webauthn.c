#include "crypto/cbor_internal.h"
#include "crypto/webauthn_internal.h"

#include "formats/json.h"
#include "formats/text.h"
#include <openssl/err.h>
#include <string.h>

/* authenticatorData, section 6.1. */
enum flag {
    FLAG_USER_PRESENT = 0x01,
    FLAG_USER_VERIFIED = 0x04,
    FLAG_BACKUP_ELIGIBLE = 0x08,
    FLAG_BACKED_UP = 0x10,
    FLAG_ATTESTED = 0x40,
    FLAG_EXTENSIONS = 0x80,
};
enum { HEAD_BYTES = SHA256_BYTES + 1 + 4, CHALLENGE_BYTES_MAX = 64 };

struct authenticator_data {
    unsigned char flags;
    uint32_t sign_count;
    struct webauthn_bytes rest; /* behind the head */
};

static bool malformed(struct error *error, const char *what)
{
    return error_set(error, ERROR_INVALID, "passkey_malformed", NULL, "%s", what);
}

static bool refuse(struct error *error, const char *code, const char *why)
{
    return error_set(error, ERROR_FORBIDDEN, code, NULL, "%s", why);
}

/* ---- client data, section 5.8.1 ---- */

static bool is_text(const struct json *value, const char *expected)
{
    size_t length = strlen(expected);
    return json_text(value) != NULL && json_text_length(value) == length &&
           memcmp(json_text(value), expected, length) == 0;
}

static bool is_challenge(const struct json *value, struct webauthn_bytes expected)
{
    unsigned char given[CHALLENGE_BYTES_MAX];
    size_t length = 0;
    return json_text(value) != NULL && expected.length > 0 &&
           text_read_base64url(json_text(value), json_text_length(value), given, sizeof given,
                               &length) &&
           length == expected.length && crypto_equal(given, expected.bytes, length);
}

/* Level 3 adds topOrigin to what an embedded page says. */
static bool is_embedded(const struct json *root)
{
    enum json_type type = json_type(json_member(root, "crossOrigin"));
    return (type != JSON_TYPE_ABSENT && type != JSON_TYPE_FALSE) ||
           json_member(root, "topOrigin") != NULL;
}

static bool check_client_data(const struct webauthn_expected *expected, const char *type,
                              struct webauthn_bytes client_data, struct error *error)
{
    if (client_data.length == 0 || client_data.length > WEBAUTHN_CLIENT_DATA_BYTES_MAX) {
        return malformed(error, "the passkey's client data is missing or too long");
    }
    struct error wrong = {0};
    struct json_document *document JSON_SCOPE =
        json_parse((const char *)client_data.bytes, client_data.length, &wrong);
    const struct json *root = document == NULL ? NULL : json_root(document);
    if (json_type(root) != JSON_TYPE_OBJECT) {
        return malformed(error, "the passkey's client data is not one strict JSON object");
    }
    if (!is_text(json_member(root, "type"), type)) {
        return refuse(error, "passkey_wrong_type",
                      "the passkey did something else than what it was asked for");
    }
    if (!is_challenge(json_member(root, "challenge"), expected->challenge)) {
        return refuse(error, "passkey_wrong_challenge",
                      "the passkey answered another challenge than this one; begin again");
    }
    if (!is_text(json_member(root, "origin"), expected->origin)) {
        return refuse(error, "passkey_wrong_origin",
                      "the passkey was used on another page than this gateway's");
    }
    return !is_embedded(root) ||
           refuse(error, "passkey_embedded", "the passkey was used inside another site's page");
}

/* ---- authenticator data ---- */

static bool read_authenticator_data(struct webauthn_bytes bytes, struct authenticator_data *out,
                                    struct error *error)
{
    if (bytes.length < HEAD_BYTES || bytes.length > WEBAUTHN_AUTHENTICATOR_DATA_BYTES_MAX) {
        return malformed(error, "the passkey's authenticator data is too short or too long");
    }
    const unsigned char *count = bytes.bytes + SHA256_BYTES + 1;
    out->flags = bytes.bytes[SHA256_BYTES];
    out->sign_count =
        (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 | count[3];
    out->rest = (struct webauthn_bytes){bytes.bytes + HEAD_BYTES, bytes.length - HEAD_BYTES};
    bool is_backed_up_only = (out->flags & FLAG_BACKED_UP) && !(out->flags & FLAG_BACKUP_ELIGIBLE);
    return !is_backed_up_only || malformed(error, "the passkey says it is backed up and cannot be");
}

static bool check_flags(const struct webauthn_expected *expected, struct webauthn_bytes bytes,
                        const struct authenticator_data *data, struct error *error)
{
    struct sha256 rp = crypto_sha256(expected->rp_id, strlen(expected->rp_id));
    if (!crypto_equal(rp.bytes, bytes.bytes, SHA256_BYTES)) {
        return refuse(error, "passkey_wrong_rp", "the passkey belongs to another site");
    }
    if ((data->flags & FLAG_USER_PRESENT) == 0) {
        return refuse(error, "passkey_not_present", "nobody touched the passkey");
    }
    return (data->flags & FLAG_USER_VERIFIED) != 0 ||
           refuse(error, "passkey_not_verified",
                  "the passkey did not check who used it; set a PIN or a fingerprint on it");
}

/* Extensions are one CBOR map that ends the data; nothing in it is used. */
static bool check_extensions(const struct authenticator_data *data, struct webauthn_bytes rest,
                             struct error *error)
{
    bool has_extensions = (data->flags & FLAG_EXTENSIONS) != 0;
    bool is_map = has_extensions && rest.length > 0 && rest.bytes[0] >> 5 == 5;
    size_t expected = is_map ? webauthn_item_length(rest) : 0;
    return (has_extensions == is_map && (expected > 0) == has_extensions &&
            rest.length == expected) ||
           malformed(error, "there are bytes behind the passkey's authenticator data");
}

/* ---- registration ---- */

/* {"fmt": text, "attStmt": map, "authData": bytes}, section 6.5.4. The statement is passed over. */
static bool find_authenticator_data(struct webauthn_bytes object, struct webauthn_bytes *out)
{
    struct cbor reader;
    struct cbor_bytes data = {0};
    bool has_format = false;
    bool has_statement = false;
    cbor_begin(&reader, object.bytes, object.length);
    size_t count = cbor_read_map(&reader);
    for (size_t i = 0; i < count && !reader.has_failed; i++) {
        struct cbor_bytes name = cbor_read_text(&reader);
        if (name.length == 8 && memcmp(name.bytes, "authData", 8) == 0 && data.bytes == NULL) {
            data = cbor_read_byte_string(&reader);
        } else if (name.length == 3 && memcmp(name.bytes, "fmt", 3) == 0 && !has_format) {
            has_format = cbor_read_text(&reader).length > 0;
        } else if (name.length == 7 && memcmp(name.bytes, "attStmt", 7) == 0 && !has_statement) {
            has_statement = true;
            cbor_skip(&reader);
        } else {
            cbor_fail(&reader);
        }
    }
    *out = (struct webauthn_bytes){data.bytes, data.length};
    return cbor_is_done(&reader) && has_format && has_statement && data.bytes != NULL;
}

/* aaguid | length of id | id | COSE key, section 6.5.1; `rest` moves behind them. */
static bool read_attested(struct webauthn_bytes *rest, struct webauthn_passkey *out)
{
    enum { FIXED = WEBAUTHN_AAGUID_BYTES + 2 };
    if (rest->length < FIXED) {
        return false;
    }
    memcpy(out->aaguid, rest->bytes, sizeof out->aaguid);
    out->id_length =
        (size_t)rest->bytes[WEBAUTHN_AAGUID_BYTES] << 8 | rest->bytes[WEBAUTHN_AAGUID_BYTES + 1];
    if (out->id_length == 0 || out->id_length > sizeof out->id ||
        rest->length - FIXED < out->id_length) {
        return false;
    }
    memcpy(out->id, rest->bytes + FIXED, out->id_length);
    rest->bytes += FIXED + out->id_length;
    rest->length -= FIXED + out->id_length;
    out->key_length = webauthn_item_length(*rest);
    if (out->key_length == 0 || out->key_length > sizeof out->key) {
        return false;
    }
    memcpy(out->key, rest->bytes, out->key_length);
    rest->bytes += out->key_length;
    rest->length -= out->key_length;
    return true;
}

bool webauthn_verify_registration(const struct webauthn_expected *expected,
                                  struct webauthn_bytes client_data,
                                  struct webauthn_bytes attestation_object,
                                  struct webauthn_passkey *out, struct error *error)
{
    struct webauthn_passkey passkey = {0};
    struct authenticator_data data;
    struct webauthn_bytes bytes;
    if (!check_client_data(expected, "webauthn.create", client_data, error)) {
        return false;
    }
    if (attestation_object.length > WEBAUTHN_ATTESTATION_BYTES_MAX ||
        !find_authenticator_data(attestation_object, &bytes)) {
        return malformed(error, "the passkey's attestation object is not of its form");
    }
    if (!read_authenticator_data(bytes, &data, error) ||
        !check_flags(expected, bytes, &data, error)) {
        return false;
    }
    if ((data.flags & FLAG_ATTESTED) == 0 || !read_attested(&data.rest, &passkey)) {
        return malformed(error, "the passkey's answer holds no key");
    }
    struct webauthn_bytes key = {passkey.key, passkey.key_length};
    if (!check_extensions(&data, data.rest, error) ||
        !webauthn_read_key(key, &passkey.algorithm, error)) {
        return false;
    }
    passkey.sign_count = data.sign_count;
    passkey.is_backup_eligible = (data.flags & FLAG_BACKUP_ELIGIBLE) != 0;
    *out = passkey;
    return true;
}

/* ---- assertion ---- */

/* Signed is authenticatorData and the hash of the client data (step 20); Ed25519 hashes by itself.
 */
static bool is_signed_by(EVP_PKEY *key, enum webauthn_algorithm algorithm,
                         const struct webauthn_assertion *assertion)
{
    unsigned char text[WEBAUTHN_AUTHENTICATOR_DATA_BYTES_MAX + SHA256_BYTES];
    const struct webauthn_bytes *data = &assertion->authenticator_data;
    struct sha256 hash = crypto_sha256(assertion->client_data.bytes, assertion->client_data.length);
    memcpy(text, data->bytes, data->length);
    memcpy(text + data->length, hash.bytes, sizeof hash.bytes);
    const char *digest = algorithm == WEBAUTHN_EDDSA ? NULL : "SHA256";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1 &&
        EVP_DigestVerify(context, assertion->signature.bytes, assertion->signature.length, text,
                         data->length + sizeof hash.bytes) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_valid;
}

static bool check_signature(struct webauthn_bytes key, const struct webauthn_assertion *assertion,
                            struct error *error)
{
    enum webauthn_algorithm algorithm;
    EVP_PKEY *made = webauthn_make_key(key, &algorithm, error);
    if (made == NULL) {
        return false;
    }
    bool is_valid = assertion->signature.length <= WEBAUTHN_SIGNATURE_BYTES_MAX &&
                    is_signed_by(made, algorithm, assertion);
    EVP_PKEY_free(made);
    return is_valid || refuse(error, "passkey_bad_signature",
                              "the signature is not one of this passkey over this challenge");
}

bool webauthn_verify_assertion(const struct webauthn_expected *expected, struct webauthn_bytes key,
                               const struct webauthn_assertion *assertion, uint32_t *out_sign_count,
                               struct error *error)
{
    struct authenticator_data data;
    if (!check_client_data(expected, "webauthn.get", assertion->client_data, error) ||
        !read_authenticator_data(assertion->authenticator_data, &data, error) ||
        !check_flags(expected, assertion->authenticator_data, &data, error)) {
        return false;
    }
    if ((data.flags & FLAG_ATTESTED) != 0) {
        return malformed(error, "the passkey sent a new key where its signature was asked for");
    }
    if (!check_extensions(&data, data.rest, error) || !check_signature(key, assertion, error)) {
        return false;
    }
    *out_sign_count = data.sign_count;
    return true;
}

bool webauthn_count_advances(uint32_t stored, uint32_t given)
{
    return (stored == 0 && given == 0) || given > stored;
}
