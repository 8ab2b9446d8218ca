/* Other people's tokens and key sets: no input crashes a reader, and no token verifies with a key
 * that did not sign it. The input is a token; and it is a key set, whose keys are then asked. */

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/jwt.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void read_token(const char *bytes, size_t length, bool brings_key)
{
    struct error error = {0};
    struct jwt jwt JWT_SCOPE = {0};
    bool is_read = jwt_read(bytes, length, brings_key, &jwt, &error);
    CHECK(is_read == (error.kind == ERROR_NONE));
    CHECK(is_read || (error.kind == ERROR_UNAUTHENTICATED && error.code != NULL));
    if (is_read) {
        CHECK(jwt.algorithm != JWK_ALGORITHM_NONE && json_type(jwt.claims) == JSON_TYPE_OBJECT);
        CHECK((jwt.key != NULL) == brings_key);
        struct jwk *key = jwk_read(jwt.key, NULL);
        if (key != NULL) {
            (void)!jwt_is_signed_by(&jwt, key);
        }
        jwk_destroy(key);
    }
}

static void ask(const struct jwk_set *set)
{
    static const unsigned char nobody_signed[64] = {1, 2, 3};
    for (int algorithm = JWK_RS256; algorithm < JWK_ALGORITHM_COUNT; algorithm++) {
        size_t cursor = 0;
        const struct jwk *key;
        while ((key = jwk_set_next(set, JWK_USE_SIGNATURE, NULL, (enum jwk_algorithm)algorithm,
                                   &cursor)) != NULL) {
            CHECK(!jwk_verify(key, (enum jwk_algorithm)algorithm, "text", 4, nobody_signed,
                              sizeof nobody_signed));
        }
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    crypto_start();
    read_token((const char *)bytes, length, false);
    read_token((const char *)bytes, length, true);
    struct error error = {0};
    struct jwk_set *set = jwk_set_parse((const char *)bytes, length, &error);
    CHECK((set == NULL) == (error.kind != ERROR_NONE));
    if (set != NULL) {
        CHECK(jwk_set_count(set) + jwk_set_left_out(set) <= JWK_SET_KEYS_MAX);
        ask(set);
    }
    jwk_set_unref(set);
    return 0;
}
