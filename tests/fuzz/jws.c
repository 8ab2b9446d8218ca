/* No text is accepted as a token but those the signer made. The input is a token as it came; and it
 * is a payload, whose token is then spoilt by one bit. */

#include "base/check.h"
#include "crypto/signer.h"
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static struct signer *signer;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    static const unsigned char seed[32] = "not a secret: fuzzing only.....";
    signer = signer_from_seed(SIGNER_ED25519, seed);
    return 0;
}

static bool is_accepted(const char *token, size_t length, struct builder *payload)
{
    struct error error = {0};
    builder_clear(payload);
    bool is_valid = jws_verify(signer, "grant+jwt", token, length, payload, &error);
    CHECK(is_valid == (error.kind == ERROR_NONE));
    CHECK(is_valid || (error.kind == ERROR_UNAUTHENTICATED && payload->length == 0));
    return is_valid;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    struct builder payload BUILDER_SCOPE;
    builder_init(&payload, 0);
    CHECK(!is_accepted((const char *)bytes, length, &payload));
    struct error error = {0};
    if (!jws_sign(signer, "grant+jwt", (const char *)bytes, length, &token, &error)) {
        CHECK(error.kind == ERROR_LIMIT);
        return 0;
    }
    CHECK(is_accepted(token.bytes, token.length, &payload));
    CHECK(payload.length == length && memcmp(payload.bytes, bytes, length) == 0);
    size_t place = length == 0 ? 0 : (size_t)bytes[0] * 97 + length;
    token.bytes[place % token.length] ^= (char)(1 << place % 7);
    CHECK(!is_accepted(token.bytes, token.length, &payload));
    return 0;
}
