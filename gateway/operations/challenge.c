#include "base/check.h"
#include "formats/text.h"
#include "operations/passkey_internal.h"
#include <string.h>

static void put_expiry(int64_t expires_at, unsigned char out[8])
{
    for (int i = 0; i < 8; i++) {
        out[i] = (unsigned char)((uint64_t)expires_at >> (56 - 8 * i));
    }
}

static int64_t get_expiry(const unsigned char bytes[8])
{
    uint64_t expires_at = 0;
    for (int i = 0; i < 8; i++) {
        expires_at = expires_at << 8 | bytes[i];
    }
    return (int64_t)expires_at;
}

void challenge_mac(const struct operation *operation, const char *purpose, const void *bytes,
                   size_t length, unsigned char out[CHALLENGE_MAC_BYTES])
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "countersign %s 1\n", purpose);
    builder_append(&text, bytes, length);
    struct sha256 mac =
        secret_hmac(operation->operations->options.match_secret, text.bytes, text.length);
    memcpy(out, mac.bytes, CHALLENGE_MAC_BYTES);
}

static void mac_of(const struct operation *operation, enum challenge_kind kind, const char *person,
                   const unsigned char head[8 + CHALLENGE_RANDOM_BYTES],
                   unsigned char out[CHALLENGE_MAC_BYTES])
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%d\n%s\n%s\n", (int)kind, operation->principal.tenant, person);
    builder_append(&text, (const char *)head, 8 + CHALLENGE_RANDOM_BYTES);
    challenge_mac(operation, "challenge", text.bytes, text.length, out);
}

void make_challenge(const struct operation *operation, enum challenge_kind kind, const char *person,
                    struct passkey_question *out)
{
    unsigned char bytes[CHALLENGE_BYTES];
    struct builder text BUILDER_SCOPE;
    out->expires_at = operation->now + CHALLENGE_MS;
    put_expiry(out->expires_at, bytes);
    crypto_random(bytes + 8, CHALLENGE_RANDOM_BYTES);
    mac_of(operation, kind, person, bytes, bytes + 8 + CHALLENGE_RANDOM_BYTES);
    builder_init(&text, 0);
    text_append_base64url(&text, bytes, sizeof bytes);
    CHECK(text.length < sizeof out->challenge);
    memcpy(out->challenge, text.bytes, text.length + 1);
}

bool read_challenge(const struct operation *operation, enum challenge_kind kind, const char *person,
                    const char *text, struct challenge *out, struct error *error)
{
    unsigned char mac[CHALLENGE_MAC_BYTES];
    size_t length = 0;
    bool is_ours =
        text_read_base64url(text, strlen(text), out->bytes, sizeof out->bytes, &length) &&
        length == sizeof out->bytes;
    if (is_ours) {
        mac_of(operation, kind, person, out->bytes, mac);
        is_ours = crypto_equal(mac, out->bytes + CHALLENGE_BYTES - sizeof mac, sizeof mac);
        out->expires_at = get_expiry(out->bytes);
    }
    return (is_ours && operation->now < out->expires_at) ||
           error_set(error, ERROR_FORBIDDEN, "challenge_invalid", NULL,
                     "this took too long, or was begun for something else; begin again");
}

bool use_challenge(struct operation *operation, const void *bytes, size_t length,
                   int64_t expires_at, struct error *error)
{
    struct sha256 hash = crypto_sha256(bytes, length);
    return store_use_challenge(operation->store, &hash, expires_at, operation->now,
                               CHALLENGES_PURGED_MAX, error);
}
