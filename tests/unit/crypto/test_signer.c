#include "base/builder.h"
#include "crypto/signer.h"
#include "formats/json.h"
#include "formats/text.h"
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static struct error error;

static void start(void)
{
    snprintf(folder, sizeof folder, "/tmp/countersign-signer-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key.pem", folder);
    error = (struct error){0};
}

static void stop(void)
{
    unlink(path);
    rmdir(folder); /* fails, and the next test says so, if a draft was left behind */
    ck_assert_int_ne(access(folder, F_OK), 0);
}

static struct signer *open_new(enum signer_kind kind)
{
    struct signer *signer = signer_open(path, kind, true, &error);
    ck_assert_msg(signer != NULL, "%s", error.message);
    return signer;
}

static void write_file(const char *text, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(file, mode), 0);
    close(file);
}

static void read_hex(const char *hex, unsigned char *out, size_t length)
{
    size_t read = 0;
    ck_assert(text_read_hex(hex, strlen(hex), out, length, &read));
    ck_assert_uint_eq(read, length);
}

START_TEST(signer__keys_are_made_private_and_opened_again)
{
    enum signer_kind kind = _i == 0 ? SIGNER_ES256 : SIGNER_ED25519;
    umask(0);
    struct signer *made = open_new(kind);
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 07777, 0600);
    struct signer *again = signer_open(path, kind, false, &error);
    ck_assert_ptr_nonnull(again);
    ck_assert_int_eq(signer_kind(again), kind);
    ck_assert_str_eq(signer_key_id(made), signer_key_id(again));
    ck_assert_uint_eq(strlen(signer_key_id(made)), 43);
    unsigned char signature[64];
    ck_assert(signer_sign(made, "text", 4, signature, &error));
    ck_assert(signer_verify(again, "text", 4, signature));
    signer_close(made);
    signer_close(again);
}
END_TEST

START_TEST(signer__key_files_are_pkcs8_pem)
{
    signer_close(open_new(SIGNER_ES256));
    char line[64] = "";
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_str_eq(line, "-----BEGIN PRIVATE KEY-----\n");
}
END_TEST

START_TEST(signer__an_absent_key_is_not_made_unasked)
{
    ck_assert_ptr_null(signer_open(path, SIGNER_ES256, false, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "key_file_missing");
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(signer__a_key_others_can_read_is_refused)
{
    signer_close(open_new(SIGNER_ES256));
    static const mode_t modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        error = (struct error){0};
        chmod(path, modes[i]);
        ck_assert_ptr_null(signer_open(path, SIGNER_ES256, true, &error));
        ck_assert_str_eq(error.code, "key_file_open_to_others");
        ck_assert_str_eq(error.subject, path);
    }
    chmod(path, 0400);
    struct signer *signer = signer_open(path, SIGNER_ES256, true, &error);
    ck_assert_ptr_nonnull(signer);
    signer_close(signer);
}
END_TEST

START_TEST(signer__a_key_of_another_kind_is_refused)
{
    signer_close(open_new(SIGNER_ES256));
    ck_assert_ptr_null(signer_open(path, SIGNER_ED25519, true, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "Ed25519"));
}
END_TEST

START_TEST(signer__what_is_no_key_is_refused_and_kept)
{
    static const char *const texts[] = {
        "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        /* Encrypted: must be refused, not ask the terminal. */
        "-----BEGIN ENCRYPTED PRIVATE "
        "KEY-----\nMIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAIC\n"
        "CAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAAAAAAAAAAAAAAAAAAAAAAE\nQAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END ENCRYPTED "
        "PRIVATE KEY-----\n"};
    write_file(texts[_i], 0600);
    ck_assert_ptr_null(signer_open(path, SIGNER_ES256, true, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "key");
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_int_eq(facts.st_size, (off_t)strlen(texts[_i]));
}
END_TEST

START_TEST(signer__a_folder_or_a_pipe_is_no_key_file)
{
    ck_assert_ptr_null(signer_open(folder, SIGNER_ES256, true, &error));
    ck_assert_int_ne(error.kind, ERROR_NONE);
    error = (struct error){0};
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(signer_open(path, SIGNER_ES256, true, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "not a regular file"));
}
END_TEST

START_TEST(signer__a_huge_file_is_refused)
{
    write_file("x", 0600);
    ck_assert_int_eq(truncate(path, 1 << 20), 0);
    ck_assert_ptr_null(signer_open(path, SIGNER_ES256, true, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "too large"));
}
END_TEST

START_TEST(signer__a_folder_that_is_absent_is_an_error)
{
    ck_assert_ptr_null(signer_open("/nonexistent/key.pem", SIGNER_ES256, true, &error));
    ck_assert_int_eq(error.kind, ERROR_INTERNAL);
    ck_assert_str_eq(error.code, "key_file");
}
END_TEST

START_TEST(signer__ed25519_gives_the_values_of_rfc_8032)
{
    unsigned char seed[32];
    unsigned char public_key[65];
    unsigned char expected[64];
    unsigned char signature[64];
    read_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, 32);
    struct signer *signer = signer_from_seed(SIGNER_ED25519, seed);
    ck_assert_uint_eq(signer_public_key(signer, public_key), 32);
    read_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", expected, 32);
    ck_assert_mem_eq(public_key, expected, 32);
    read_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
             expected, 64);
    ck_assert(signer_sign(signer, "\x72", 1, signature, &error));
    ck_assert_mem_eq(signature, expected, 64);
    ck_assert(signer_verify_ed25519(public_key, "\x72", 1, signature));
    ck_assert(!signer_verify_ed25519(public_key, "\x73", 1, signature));
    signature[63] ^= 1;
    ck_assert(!signer_verify_ed25519(public_key, "\x72", 1, signature));
    signer_close(signer);
}
END_TEST

START_TEST(signer__key_ids_are_the_thumbprints_of_rfc_7638)
{
    /* RFC 8037 appendix A.3: the thumbprint of the key of appendix A.1. */
    unsigned char seed[32];
    read_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32);
    struct signer *signer = signer_from_seed(SIGNER_ED25519, seed);
    ck_assert_str_eq(signer_key_id(signer), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    struct builder jwk BUILDER_SCOPE;
    builder_init(&jwk, 0);
    signer_append_jwk(signer, &jwk);
    ck_assert_str_eq(jwk.bytes,
                     "{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\","
                     "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"kty\":\"OKP\","
                     "\"use\":\"sig\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    signer_close(signer);
}
END_TEST

/* The key of RFC 7515 appendix A.3, whose signature over the text there is given. */
static const char rfc7515_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";

START_TEST(signer__es256_verifies_the_signature_of_rfc_7515)
{
    write_file(rfc7515_key, 0600);
    struct signer *signer = signer_open(path, SIGNER_ES256, false, &error);
    ck_assert_msg(signer != NULL, "%s", error.message);
    struct builder jwk BUILDER_SCOPE;
    builder_init(&jwk, 0);
    signer_append_jwk(signer, &jwk);
    ck_assert_ptr_nonnull(
        strstr(jwk.bytes, "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""));
    ck_assert_ptr_nonnull(
        strstr(jwk.bytes, "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""));
    static const char text[] =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0d"
        "HA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char encoded[] =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    unsigned char signature[64];
    size_t length = 0;
    ck_assert(text_read_base64url(encoded, strlen(encoded), signature, sizeof signature, &length));
    ck_assert(signer_verify(signer, text, strlen(text), signature));
    signature[0] ^= 1;
    ck_assert(!signer_verify(signer, text, strlen(text), signature));
    signer_close(signer);
}
END_TEST

START_TEST(signer__no_changed_bit_verifies)
{
    struct signer *signer = open_new(_i == 0 ? SIGNER_ES256 : SIGNER_ED25519);
    unsigned char signature[64];
    ck_assert(signer_sign(signer, "text", 4, signature, &error));
    for (size_t bit = 0; bit < 512; bit += 3) {
        signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
        ck_assert_msg(!signer_verify(signer, "text", 4, signature), "bit %zu", bit);
        signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    ck_assert(!signer_verify(signer, "texT", 4, signature));
    ck_assert(!signer_verify(signer, "text", 3, signature));
    ck_assert(signer_verify(signer, "text", 4, signature));
    unsigned char zeros[64] = {0};
    ck_assert(!signer_verify(signer, "text", 4, zeros));
    memset(zeros, 0xFF, sizeof zeros);
    ck_assert(!signer_verify(signer, "text", 4, zeros));
    signer_close(signer);
}
END_TEST

static void *sign_often(void *context)
{
    const struct signer *signer = context;
    for (int i = 0; i < 200; i++) {
        unsigned char signature[64];
        struct error own = {0};
        if (!signer_sign(signer, &i, sizeof i, signature, &own) ||
            !signer_verify(signer, &i, sizeof i, signature)) {
            return context;
        }
    }
    return NULL;
}

START_TEST(signer__threads_share_a_signer)
{
    struct signer *signer = open_new(_i == 0 ? SIGNER_ES256 : SIGNER_ED25519);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, signer), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    signer_close(signer);
}
END_TEST

static void *open_at_once(void *context)
{
    struct error own = {0};
    struct signer **out = context;
    *out = signer_open(path, SIGNER_ED25519, true, &own);
    return NULL;
}

START_TEST(signer__two_who_make_the_key_at_once_get_the_same)
{
    enum { OPENERS = 8 };
    struct signer *signers[OPENERS] = {NULL};
    pthread_t threads[OPENERS];
    for (int i = 0; i < OPENERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_at_once, &signers[i]), 0);
    }
    for (int i = 0; i < OPENERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_ptr_nonnull(signers[i]);
        ck_assert_str_eq(signer_key_id(signers[i]), signer_key_id(signers[0]));
    }
    for (int i = 0; i < OPENERS; i++) {
        signer_close(signers[i]);
    }
    signer_close(NULL);
}
END_TEST

/* The members in RFC 7638's order, and a signature as long as the key. */
START_TEST(signer__rsa_keys_sign_and_show_their_public_half)
{
    struct signer *signer = open_new(SIGNER_RS256);
    struct signer *again = signer_open(path, SIGNER_RS256, false, &error);
    struct builder jwk BUILDER_SCOPE;
    unsigned char signature[SIGNER_SIGNATURE_BYTES_MAX];
    size_t length = 0;
    builder_init(&jwk, 0);
    signer_append_jwk(signer, &jwk);
    ck_assert_ptr_nonnull(strstr(jwk.bytes, "{\"alg\":\"RS256\",\"e\":\"AQAB\",\"kid\":\""));
    ck_assert_ptr_nonnull(strstr(jwk.bytes, "\"kty\":\"RSA\",\"n\":\""));
    ck_assert_ptr_null(strstr(jwk.bytes, "\"d\""));
    ck_assert(signer_sign_any(signer, "text", 4, signature, &length, &error));
    ck_assert_uint_eq(length, 256);
    ck_assert(signer_verify_any(again, "text", 4, signature, length));
    ck_assert(!signer_verify_any(again, "texT", 4, signature, length));
    ck_assert(!signer_verify_any(again, "text", 4, signature, length - 1));
    signature[9] ^= 1;
    ck_assert(!signer_verify_any(again, "text", 4, signature, length));
    signer_close(signer);
    signer_close(again);
}
END_TEST

START_TEST(signer__an_rsa_key_too_short_is_refused)
{
    char command[512];
    snprintf(command, sizeof command,
             "umask 077; openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "
             "'%s' 2>/dev/null || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 "
             "-out '%s' 2>/dev/null",
             path, path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_ptr_null(signer_open(path, SIGNER_RS256, false, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, signer__keys_are_made_private_and_opened_again, 0, 2);
    tcase_add_test(tests, signer__key_files_are_pkcs8_pem);
    tcase_add_test(tests, signer__an_absent_key_is_not_made_unasked);
    tcase_add_test(tests, signer__a_key_others_can_read_is_refused);
    tcase_add_test(tests, signer__a_key_of_another_kind_is_refused);
    tcase_add_loop_test(tests, signer__what_is_no_key_is_refused_and_kept, 0, 4);
    tcase_add_test(tests, signer__a_folder_or_a_pipe_is_no_key_file);
    tcase_add_test(tests, signer__a_huge_file_is_refused);
    tcase_add_test(tests, signer__a_folder_that_is_absent_is_an_error);
    tcase_add_test(tests, signer__ed25519_gives_the_values_of_rfc_8032);
    tcase_add_test(tests, signer__key_ids_are_the_thumbprints_of_rfc_7638);
    tcase_add_test(tests, signer__es256_verifies_the_signature_of_rfc_7515);
    tcase_add_loop_test(tests, signer__no_changed_bit_verifies, 0, 2);
    tcase_add_test(tests, signer__rsa_keys_sign_and_show_their_public_half);
    tcase_add_test(tests, signer__an_rsa_key_too_short_is_refused);
    tcase_add_loop_test(tests, signer__threads_share_a_signer, 0, 2);
    tcase_add_test(tests, signer__two_who_make_the_key_at_once_get_the_same);
}

int main(void)
{
    TCase *tests = tcase_create("signer");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    add_tests(tests);
    Suite *suite = suite_create("signer");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
