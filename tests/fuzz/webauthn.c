/* What an authenticator sent is refused or understood whole. The input is an attestation object;
 * and it is the authenticator data of an assertion, which no signature of nothing makes good. */

#include "crypto/webauthn.h"
#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static const char created[] =
    "{\"type\":\"webauthn.create\",\"challenge\":\"AAAA\",\"origin\":\"http://localhost\"}";
static const char got[] =
    "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\",\"origin\":\"http://localhost\"}";
static const unsigned char challenge[3];
static const struct webauthn_expected expected = {
    .rp_id = "localhost", .origin = "http://localhost", .challenge = {challenge, sizeof challenge}};

static struct webauthn_bytes text(const char *bytes)
{
    return (struct webauthn_bytes){(const unsigned char *)bytes, strlen(bytes)};
}

static void check_made(const struct webauthn_passkey *passkey)
{
    struct error error = {0};
    enum webauthn_algorithm algorithm;
    struct webauthn_bytes key = {passkey->key, passkey->key_length};
    CHECK(passkey->id_length > 0 && passkey->id_length <= sizeof passkey->id);
    CHECK(webauthn_read_key(key, &algorithm, &error) && algorithm == passkey->algorithm);
    key.length--;
    CHECK(!webauthn_read_key(key, &algorithm, &error));
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    static struct webauthn_passkey passkey;
    struct error error = {0};
    struct webauthn_bytes input = {bytes, length};
    bool is_made = webauthn_verify_registration(&expected, text(created), input, &passkey, &error);
    CHECK(is_made == (error.kind == ERROR_NONE));
    if (is_made) {
        check_made(&passkey);
    }
    struct webauthn_assertion assertion = {.client_data = text(got), .authenticator_data = input};
    uint32_t count;
    error = (struct error){0};
    CHECK(!webauthn_verify_assertion(&expected, input, &assertion, &count, &error));
    CHECK(error.kind == ERROR_INVALID || error.kind == ERROR_FORBIDDEN);
    return 0;
}
