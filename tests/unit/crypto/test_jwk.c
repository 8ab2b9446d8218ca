#include "base/builder.h"
#include "crypto/jwk.h"
#include "crypto/jwt.h"
#include "tests/support/minter.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

static struct builder text;
static struct error error;

static void start(void)
{
    builder_init(&text, 0);
    error = (struct error){0};
}

static void stop(void)
{
    builder_finish(&text);
}

/* ---- vectors of the standards ---- */

/* RFC 7515 appendix A.1 to A.3 share their claims. */
#define RFC7515_CLAIMS                                                                             \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"   \
    "VlfQ"
#define RFC7638_N                                                                                  \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"  \
    "PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"  \
    "qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6We"   \
    "Zu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

static const struct {
    const char *name, *key, *token;
} vectors[] = {
    {"RFC 7515 A.2, RS256",
     "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26"
     "mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soM"
     "Zo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4u"
     "DZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
     "4FRWyuXpoQ\"}",
     "eyJhbGciOiJSUzI1NiJ9." RFC7515_CLAIMS
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1"
     "L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYE"
     "UipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515 A.3, ES256",
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
     "\"y\":"
     "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
     "eyJhbGciOiJFUzI1NiJ9." RFC7515_CLAIMS
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
};

START_TEST(jwk__the_examples_of_the_standards_verify)
{
    struct json_document *key_document JSON_SCOPE =
        json_parse(vectors[_i].key, strlen(vectors[_i].key), &error);
    ck_assert_ptr_nonnull(key_document);
    struct jwk *key = jwk_read(json_root(key_document), &error);
    ck_assert_msg(key != NULL, "%s: %s", vectors[_i].name, error.message);
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert_msg(jwt_read(vectors[_i].token, strlen(vectors[_i].token), false, &jwt, &error),
                  "%s: %s", vectors[_i].name, error.message);
    ck_assert_msg(jwt_is_signed_by(&jwt, key), "%s", vectors[_i].name);
    ck_assert_str_eq(json_text(json_member(jwt.claims, "iss")), "joe");
    jwt.signature[5] ^= 1;
    ck_assert_msg(!jwt_is_signed_by(&jwt, key), "%s, one bit changed", vectors[_i].name);
    jwk_destroy(key);
}
END_TEST

static struct jwk *read_key(const char *json)
{
    struct json_document *document JSON_SCOPE = json_parse(json, strlen(json), &error);
    ck_assert_msg(document != NULL, "%s: %s", error.message, json);
    return jwk_read(json_root(document), &error);
}

/* RFC 8037 appendix A.4: the payload is no JSON, so the key is asked alone. */
START_TEST(jwk__the_ed25519_example_of_rfc_8037_verifies)
{
    static const char signed_text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    static const unsigned char signature[] = {
        0x86, 0x0c, 0x98, 0xd2, 0x29, 0x7f, 0x30, 0x60, 0xa3, 0x3f, 0x42, 0x73, 0x96,
        0x72, 0xd6, 0x1b, 0x53, 0xcf, 0x3a, 0xde, 0xfe, 0xd3, 0xd3, 0xc6, 0x72, 0xf3,
        0x20, 0xdc, 0x02, 0x1b, 0x41, 0x1e, 0x9d, 0x59, 0xb8, 0x62, 0x8d, 0xc3, 0x51,
        0xe2, 0x48, 0xb8, 0x8b, 0x29, 0x46, 0x8e, 0x0e, 0x41, 0x85, 0x5b, 0x0f, 0xb7,
        0xd8, 0x3b, 0xb1, 0x5b, 0xe9, 0x02, 0xbf, 0xcc, 0xb8, 0xcd, 0x0a, 0x02};
    struct jwk *key = read_key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                               "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    char thumbprint[JWK_THUMBPRINT_BYTES];
    ck_assert_ptr_nonnull(key);
    ck_assert(
        jwk_verify(key, JWK_EDDSA, signed_text, strlen(signed_text), signature, sizeof signature));
    ck_assert(!jwk_verify(key, JWK_EDDSA, signed_text, strlen(signed_text) - 1, signature,
                          sizeof signature));
    jwk_thumbprint(key, thumbprint);
    ck_assert_str_eq(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); /* A.3 */
    jwk_destroy(key);
}
END_TEST

START_TEST(jwk__the_thumbprint_of_rfc_7638_comes_out)
{
    struct jwk *key = read_key("{\"kty\":\"RSA\",\"n\":\"" RFC7638_N
                               "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");
    char thumbprint[JWK_THUMBPRINT_BYTES];
    ck_assert_msg(key != NULL, "%s", error.message);
    jwk_thumbprint(key, thumbprint);
    ck_assert_str_eq(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    ck_assert_str_eq(jwk_key_id(key), "2011-04-29");
    jwk_destroy(key);
}
END_TEST

/* ---- every algorithm ---- */

static struct jwk *key_of(const struct minter *minter, const char *more)
{
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    minter_append_jwk(minter, more, &json);
    return read_key(json.bytes);
}

START_TEST(jwk__a_signature_verifies_with_its_key_and_algorithm_and_no_other)
{
    enum jwk_algorithm algorithm = (enum jwk_algorithm)_i;
    struct minter *minter = minter_create(algorithm);
    struct minter *other = minter_create(algorithm);
    struct jwk *key = key_of(minter, "");
    struct jwk *other_key = key_of(other, "");
    char header[64];
    snprintf(header, sizeof header, "{\"alg\":\"%s\"}", jwk_algorithm_name(algorithm));
    minter_append_token(minter, header, "{\"a\":1}", &text);
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert_msg(jwt_read(text.bytes, text.length, false, &jwt, &error), "%s", error.message);
    ck_assert_int_eq(jwt.algorithm, algorithm);
    ck_assert(jwt_is_signed_by(&jwt, key));
    ck_assert(!jwt_is_signed_by(&jwt, other_key));
    for (int i = 0; i < JWK_ALGORITHM_COUNT; i++) {
        ck_assert_msg(i == _i ||
                          !jwk_verify(key, (enum jwk_algorithm)i, jwt.signed_bytes,
                                      jwt.signed_length, jwt.signature, jwt.signature_length),
                      "%s verified as %s", jwk_algorithm_name(algorithm),
                      jwk_algorithm_name((enum jwk_algorithm)i));
    }
    ck_assert(!jwk_verify(key, algorithm, jwt.signed_bytes, jwt.signed_length, jwt.signature,
                          jwt.signature_length - 1));
    jwk_destroy(key);
    jwk_destroy(other_key);
    minter_destroy(minter);
    minter_destroy(other);
}
END_TEST

START_TEST(jwk__a_key_that_names_an_algorithm_is_for_no_other)
{
    struct minter *minter = minter_create(JWK_PS256);
    struct jwk *key = key_of(minter, "\"alg\":\"PS256\",");
    ck_assert_msg(key != NULL, "%s", error.message);
    ck_assert(jwk_is_for(key, JWK_PS256));
    ck_assert(!jwk_is_for(key, JWK_RS256));
    ck_assert(!jwk_is_for(key, JWK_ES256));
    ck_assert(!jwk_is_for(key, JWK_ALGORITHM_NONE));
    jwk_destroy(key);
    minter_destroy(minter);
}
END_TEST

START_TEST(jwk__names_of_algorithms_are_exact)
{
    ck_assert_int_eq(jwk_algorithm_find("RS256"), JWK_RS256);
    ck_assert_int_eq(jwk_algorithm_find("Ed25519"), JWK_EDDSA);
    static const char *const refused[] = {"none", "None", "nOnE", "HS256", "rs256", "RS256 ", ""};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_int_eq(jwk_algorithm_find(refused[i]), JWK_ALGORITHM_NONE);
    }
    ck_assert_int_eq(jwk_algorithm_find(NULL), JWK_ALGORITHM_NONE);
}
END_TEST

/* ---- what is no key ---- */

#define GOOD_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define GOOD_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC(more)                                                                                   \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\"" more "}"

static const char *const no_keys[] = {
    "[]",
    "{}",
    "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
    EC(",\"d\":\"AAAA\""),
    EC(",\"use\":\"enc\""),
    EC(",\"alg\":\"HS256\""),
    EC(",\"alg\":7"),
    EC(",\"key_ops\":[\"sign\"]"),
    EC(",\"key_ops\":[]"),
    EC(",\"kid\":9"),
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_X "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\"}",
    "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" GOOD_X "\",\"y\":\"" GOOD_Y "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GOOD_X "=\",\"y\":\"" GOOD_Y "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" GOOD_X "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQ\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"Ag\"}",
    "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAAAAE\"}",
    "{\"kty\":\"RSA\",\"n\":\"" GOOD_X "\",\"e\":\"AQAB\"}",
};

START_TEST(jwk__what_is_no_public_signature_key_is_refused)
{
    ck_assert_msg(read_key(no_keys[_i]) == NULL, "%s was taken", no_keys[_i]);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "bad_key");
}
END_TEST

/* ---- sets ---- */

static struct jwk_set *parse_set(const char *json)
{
    return jwk_set_parse(json, strlen(json), &error);
}

static bool endorses(const char *list, const char *channel, bool *out_is_key)
{
    struct minter *minter = minter_create(JWK_ES256);
    struct builder key_text BUILDER_SCOPE;
    char more[256];
    builder_init(&key_text, 0);
    snprintf(more, sizeof more, "\"endorsements\":%s,", list);
    minter_append_jwk(minter, more, &key_text);
    struct json_document *document JSON_SCOPE = json_parse(key_text.bytes, key_text.length, &error);
    struct jwk *key = jwk_read(json_root(document), &error);
    bool is_endorsed = key != NULL && jwk_endorses(key, channel);
    *out_is_key = key != NULL;
    jwk_destroy(key);
    minter_destroy(minter);
    return is_endorsed;
}

START_TEST(jwk__a_key_endorses_what_its_list_names_and_nothing_else)
{
    static const char *const bad[] = {"\"msteams\"",     "[1]",
                                      "[\"\"]",          "[\"a\\nmsteams\"]",
                                      "{\"msteams\":1}", "[\"ms\\u0000teams\"]"};
    bool is_key;
    ck_assert(endorses("[\"skype\",\"msteams\"]", "msteams", &is_key));
    ck_assert(!endorses("[\"skype\",\"msteamsx\",\"xmsteams\"]", "msteams", &is_key) && is_key);
    ck_assert(!endorses("[\"MSTEAMS\"]", "msteams", &is_key) && is_key);
    ck_assert(!endorses("[]", "msteams", &is_key) && is_key);
    ck_assert(!endorses("[\"a\",\"b\"]", "", &is_key) && is_key);
    ck_assert(!endorses("[\"a\",\"b\"]", "a\nb", &is_key) && is_key);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error = (struct error){0};
        ck_assert(!endorses(bad[i], "msteams", &is_key));
        ck_assert_msg(!is_key, "%s", bad[i]);
        ck_assert_str_eq(error.code, "bad_key");
    }
}
END_TEST

START_TEST(jwk_set__keys_are_found_by_use_id_and_algorithm)
{
    struct jwk_set *set = parse_set(
        "{\"keys\":[" EC(",\"kid\":\"a\"") "," EC(",\"kid\":\"b\",\"use\":\"sig\"") "," EC(
            ",\"kid\":\"a\",\"use\":\"jwt-svid\"") ",{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":"
                                                   "\"new\"},7]}");
    ck_assert_msg(set != NULL, "%s", error.message);
    ck_assert_uint_eq(jwk_set_count(set), 3);
    ck_assert_uint_eq(jwk_set_left_out(set), 3);
    size_t cursor = 0;
    const struct jwk *key = jwk_set_next(set, JWK_USE_SIGNATURE, "b", JWK_ES256, &cursor);
    ck_assert_str_eq(jwk_key_id(key), "b");
    ck_assert_ptr_null(jwk_set_next(set, JWK_USE_SIGNATURE, "b", JWK_ES256, &cursor));
    cursor = 0;
    ck_assert_ptr_null(jwk_set_next(set, JWK_USE_SIGNATURE, "a", JWK_RS256, &cursor));
    cursor = 0;
    ck_assert_ptr_null(jwk_set_next(set, JWK_USE_JWT_SVID, "b", JWK_ES256, &cursor));
    cursor = 0;
    size_t count = 0;
    while (jwk_set_next(set, JWK_USE_SIGNATURE, NULL, JWK_ES256, &cursor) != NULL) {
        count++;
    }
    ck_assert_uint_eq(count, 2);
    jwk_set_unref(set);
}
END_TEST

START_TEST(jwk_set__a_bundle_gives_its_certificates_and_its_sequence)
{
    struct jwk_set *set =
        parse_set("{\"spiffe_sequence\":12,\"keys\":[{\"use\":\"x509-svid\","
                  "\"kty\":\"EC\",\"x5c\":[\"AQID\"]},{\"use\":\"x509-svid\","
                  "\"x5c\":[\"AQID\",\"AQID\"]}," EC(",\"use\":\"jwt-svid\"") "]}");
    size_t length = 0;
    ck_assert_msg(set != NULL, "%s", error.message);
    ck_assert_int_eq(jwk_set_sequence(set), 12);
    ck_assert_uint_eq(jwk_set_count(set), 1); /* two in x5c, and a jwt-svid without kid, are none */
    ck_assert_mem_eq(jwk_set_certificate(set, 0, &length), "\1\2\3", 3);
    ck_assert_uint_eq(length, 3);
    ck_assert_ptr_null(jwk_set_certificate(set, 1, &length));
    size_t cursor = 0;
    ck_assert_ptr_null(jwk_set_next(set, JWK_USE_X509_SVID, NULL, JWK_ES256, &cursor));
    jwk_set_unref(set);
}
END_TEST

START_TEST(jwk_set__an_empty_set_is_one)
{
    struct jwk_set *set = parse_set("{\"keys\":[]}");
    ck_assert_ptr_nonnull(set);
    ck_assert_uint_eq(jwk_set_count(set), 0);
    struct jwk_set *same = jwk_set_ref(set);
    jwk_set_unref(set);
    ck_assert_uint_eq(jwk_set_count(same), 0);
    jwk_set_unref(same);
}
END_TEST

static const char *const no_sets[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"keys\":{}}",
                                      "{\"keys\":[],\"keys\":[]}",
                                      "{\"keys\":[],\"spiffe_sequence\":-1}",
                                      "{\"keys\":[],\"spiffe_sequence\":\"1\"}",
                                      "<html>"};

START_TEST(jwk_set__what_is_none_is_refused_whole)
{
    ck_assert_msg(parse_set(no_sets[_i]) == NULL, "%s", no_sets[_i]);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "bad_key_set");
}
END_TEST

START_TEST(jwk_set__more_than_a_hundred_keys_are_refused)
{
    builder_text(&text, "{\"keys\":[0");
    for (int i = 0; i < JWK_SET_KEYS_MAX; i++) {
        builder_text(&text, ",0");
    }
    builder_text(&text, "]}");
    ck_assert_ptr_null(jwk_set_parse(text.bytes, text.length, &error));
    ck_assert_str_eq(error.code, "bad_key_set");
}
END_TEST

/* ---- headers of tokens ---- */

static const struct {
    const char *header, *code;
} headers[] = {
    {"{}", "algorithm_refused"},
    {"{\"alg\":\"none\"}", "algorithm_refused"},
    {"{\"alg\":\"HS256\"}", "algorithm_refused"},
    {"{\"alg\":256}", "malformed_token"},
    {"{\"alg\":\"ES256\",\"alg\":\"none\"}", "malformed_token"},
    {"{\"alg\":\"ES256\",\"kid\":1}", "malformed_token"},
    {"{\"alg\":\"ES256\",\"kid\":\"a\\u0000b\"}", "malformed_token"},
    {"{\"alg\":\"ES256\",\"typ\":[]}", "malformed_token"},
    {"[\"alg\"]", "malformed_token"},
    {"alg", "malformed_token"},
    {"{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", "critical_header"},
    {"{\"alg\":\"ES256\",\"crit\":[]}", "critical_header"},
    {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", "critical_header"},
    {"{\"alg\":\"ES256\",\"jku\":\"https://evil.example/jwks\"}", "embedded_key"},
    {"{\"alg\":\"ES256\",\"x5u\":\"https://evil.example/c\"}", "embedded_key"},
    {"{\"alg\":\"ES256\",\"jwk\":{}}", "embedded_key"},
};

START_TEST(jwt__a_header_that_asks_for_trouble_is_refused_by_name)
{
    struct minter *minter = minter_create(JWK_ES256);
    minter_append_token(minter, headers[_i].header, "{}", &text);
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert_msg(!jwt_read(text.bytes, text.length, false, &jwt, &error), "%s",
                  headers[_i].header);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_msg(strcmp(error.code, headers[_i].code) == 0, "%s: %s", headers[_i].header,
                  error.code);
    minter_destroy(minter);
}
END_TEST

static const char *const no_tokens[] = {"",
                                        ".",
                                        "..",
                                        "a.b",
                                        "eyJhbGciOiJFUzI1NiJ9.e30",
                                        "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA",
                                        "eyJhbGciOiJFUzI1NiJ9.e30.A=",
                                        "eyJhbGciOiJFUzI1NiJ9.e30. AA",
                                        "eyJhbGciOiJFUzI1NiJ9.W10.AA",
                                        "eyJhbGciOiJFUzI1NiJ9.e3.AA"};

START_TEST(jwt__what_is_no_token_is_refused)
{
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert(!jwt_read(no_tokens[_i], strlen(no_tokens[_i]), false, &jwt, &error));
    ck_assert_str_eq(error.code, "malformed_token");
}
END_TEST

START_TEST(jwt__a_huge_token_is_refused_before_it_is_read)
{
    struct jwt jwt JWT_SCOPE = {0};
    for (int i = 0; i <= JWT_BYTES_MAX; i++) {
        builder_char(&text, 'A');
    }
    ck_assert(!jwt_read(text.bytes, text.length, false, &jwt, &error));
    ck_assert_str_eq(error.code, "token_too_long");
}
END_TEST

START_TEST(jwt__a_type_is_compared_without_case_and_prefix)
{
    struct minter *minter = minter_create(JWK_ES256);
    minter_append_token(minter, "{\"alg\":\"ES256\",\"typ\":\"application/AT+JWT\",\"kid\":\"k\"}",
                        "{}", &text);
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert(jwt_read(text.bytes, text.length, false, &jwt, &error));
    ck_assert_str_eq(jwt.type, "at+jwt");
    ck_assert_str_eq(jwt.key_id, "k");
    minter_destroy(minter);
}
END_TEST

START_TEST(jwt__a_proof_brings_its_key_and_a_token_does_not)
{
    struct minter *minter = minter_create(JWK_ES256);
    struct builder header BUILDER_SCOPE;
    builder_init(&header, 0);
    builder_text(&header, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"jwk\":");
    minter_append_jwk(minter, "", &header);
    builder_text(&header, "}");
    minter_append_token(minter, header.bytes, "{}", &text);
    struct jwt jwt JWT_SCOPE = {0};
    ck_assert(!jwt_read(text.bytes, text.length, false, &jwt, &error));
    ck_assert_str_eq(error.code, "embedded_key");
    jwt_finish(&jwt);
    error = (struct error){0};
    ck_assert_msg(jwt_read(text.bytes, text.length, true, &jwt, &error), "%s", error.message);
    struct jwk *key = jwk_read(jwt.key, &error);
    ck_assert_ptr_nonnull(key);
    ck_assert(jwt_is_signed_by(&jwt, key));
    jwk_destroy(key);
    minter_destroy(minter);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
    TCase *cases = tcase_create("jwk");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_loop_test(cases, jwk__the_examples_of_the_standards_verify, 0, COUNT(vectors));
    tcase_add_test(cases, jwk__the_ed25519_example_of_rfc_8037_verifies);
    tcase_add_test(cases, jwk__the_thumbprint_of_rfc_7638_comes_out);
    tcase_add_loop_test(cases, jwk__a_signature_verifies_with_its_key_and_algorithm_and_no_other,
                        JWK_RS256, JWK_ALGORITHM_COUNT);
    tcase_add_test(cases, jwk__a_key_that_names_an_algorithm_is_for_no_other);
    tcase_add_test(cases, jwk__names_of_algorithms_are_exact);
    tcase_add_loop_test(cases, jwk__what_is_no_public_signature_key_is_refused, 0, COUNT(no_keys));
    tcase_add_test(cases, jwk__a_key_endorses_what_its_list_names_and_nothing_else);
    tcase_add_test(cases, jwk_set__keys_are_found_by_use_id_and_algorithm);
    tcase_add_test(cases, jwk_set__a_bundle_gives_its_certificates_and_its_sequence);
    tcase_add_test(cases, jwk_set__an_empty_set_is_one);
    tcase_add_loop_test(cases, jwk_set__what_is_none_is_refused_whole, 0, COUNT(no_sets));
    tcase_add_test(cases, jwk_set__more_than_a_hundred_keys_are_refused);
    tcase_add_loop_test(cases, jwt__a_header_that_asks_for_trouble_is_refused_by_name, 0,
                        COUNT(headers));
    tcase_add_loop_test(cases, jwt__what_is_no_token_is_refused, 0, COUNT(no_tokens));
    tcase_add_test(cases, jwt__a_huge_token_is_refused_before_it_is_read);
    tcase_add_test(cases, jwt__a_type_is_compared_without_case_and_prefix);
    tcase_add_test(cases, jwt__a_proof_brings_its_key_and_a_token_does_not);
    Suite *suite = suite_create("jwk");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 60);
    return run_suite(suite);
}
