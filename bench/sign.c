/* What one token costs to sign and to verify, by algorithm, on one thread. Prints `name value`
 * lines, microseconds. Verifying is of a token that this process did not make: one it did is found
 * by its hash. */

#include "base/check.h"
#include "crypto/signer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MEASURED_MS = 500, PAYLOAD_BYTES = 700 };

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double sign_us(const struct signer *signer, const char *payload)
{
    size_t count = 0;
    double from = now_us();
    do {
        struct builder token BUILDER_SCOPE;
        struct error error = {0};
        builder_init(&token, 0);
        CHECK(jws_sign(signer, "bench+jwt", payload, PAYLOAD_BYTES, &token, &error));
        count++;
    } while (now_us() - from < MEASURED_MS * 1e3);
    return (now_us() - from) / (double)count;
}

static double verify_us(const struct signer *verifier, const struct builder *token)
{
    size_t count = 0;
    double from = now_us();
    do {
        struct builder payload BUILDER_SCOPE;
        struct error error = {0};
        builder_init(&payload, 0);
        CHECK(jws_verify(verifier, "bench+jwt", token->bytes, token->length, &payload, &error));
        count++;
    } while (now_us() - from < MEASURED_MS * 1e3);
    return (now_us() - from) / (double)count;
}

static void measure(const char *folder, const char *name, enum signer_kind kind)
{
    char path[128];
    char payload[PAYLOAD_BYTES];
    struct error error = {0};
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    memset(payload, 'x', sizeof payload);
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    struct signer *signer = signer_open(path, kind, true, &error);
    struct signer *verifier = signer_open(path, kind, false, &error);
    CHECK(signer != NULL && verifier != NULL);
    CHECK(jws_sign(signer, "bench+jwt", payload, sizeof payload, &token, &error));
    printf("token_sign_%s %.1f\n", name, sign_us(signer, payload));
    printf("token_verify_%s %.1f\n", name, verify_us(verifier, &token));
    signer_close(signer);
    signer_close(verifier);
    unlink(path);
}

int main(void)
{
    char folder[] = "/tmp/countersign-sign-XXXXXX";
    crypto_start();
    CHECK(mkdtemp(folder) != NULL);
    measure(folder, "es256", SIGNER_ES256);
    measure(folder, "rs256", SIGNER_RS256);
    measure(folder, "ed25519", SIGNER_ED25519);
    CHECK(rmdir(folder) == 0);
    return 0;
}
