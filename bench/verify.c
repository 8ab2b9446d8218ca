/* What proving a caller costs, per algorithm: one token from text to verdict (`check`), and one
 * that was proven a moment ago (`look`), on one core. Prints a line each. */

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "tests/support/minter.h"
#include "trust/trust.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_MS = 500 };

static const char *const subjects[] = {"bench"};
static const struct matcher_claim claim = {"sub", subjects, 1};
static const struct matcher everyone = {&claim, 1, "runner", NULL};
static const char *const audiences[] = {"gate", NULL};

static struct trust *trust_of(const struct minter *minter, enum jwk_algorithm algorithm)
{
    char path[] = "/tmp/countersign-bench-XXXXXX";
    struct error error = {0};
    struct builder keys BUILDER_SCOPE;
    builder_init(&keys, 0);
    builder_text(&keys, "{\"keys\":[");
    minter_append_jwk(minter, "\"kid\":\"k\",", &keys);
    builder_text(&keys, "]}");
    int descriptor = mkstemp(path);
    CHECK(descriptor >= 0 && write(descriptor, keys.bytes, keys.length) == (ssize_t)keys.length);
    close(descriptor);
    static struct trust_issuer issuer;
    issuer = (struct trust_issuer){.name = "bench",
                                   .keys_file = path,
                                   .terms = {.issuer = "bench",
                                             .audiences = audiences,
                                             .algorithms = 1U << algorithm,
                                             .lifetime_max_ms = 3600 * 1000,
                                             .matchers = &everyone,
                                             .matcher_count = 1}};
    struct trust *trust = trust_create(
        &(struct trust_options){.issuers = &issuer, .issuer_count = 1, .audiences = audiences},
        &error);
    CHECK(trust != NULL);
    unlink(path);
    return trust;
}

static void append_token(const struct minter *minter, const char *algorithm, struct builder *out)
{
    char header[128];
    char claims[256];
    long long now = (long long)(clock_wall_ms() / 1000);
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"k\",\"typ\":\"JWT\"}", algorithm);
    snprintf(claims, sizeof claims,
             "{\"iss\":\"bench\",\"sub\":\"bench\",\"aud\":\"gate\",\"iat\":%lld,\"exp\":%lld}",
             now, now + 600);
    minter_append_token(minter, header, claims, out);
}

static double rate(struct trust *trust, const struct builder *token, bool is_remembered)
{
    struct proof proof;
    struct error error = {0};
    int64_t now = clock_wall_ms();
    int64_t start = clock_boot_ms();
    int64_t elapsed = 0;
    long done = 0;
    while (elapsed < RUN_MS) {
        for (int i = 0; i < 100; i++, done++) {
            CHECK(is_remembered ? trust_look_token(trust, token->bytes, token->length, now, start,
                                                   &proof, &error) == TRUST_PROVEN
                                : trust_check_token(trust, token->bytes, token->length, now, start,
                                                    &proof, &error));
        }
        elapsed = clock_boot_ms() - start;
    }
    return (double)done * 1000 / (double)elapsed;
}

int main(void)
{
    crypto_start();
    printf("%-8s %14s %14s\n", "alg", "checked/s", "remembered/s");
    for (int i = JWK_RS256; i < JWK_ALGORITHM_COUNT; i++) {
        enum jwk_algorithm algorithm = (enum jwk_algorithm)i;
        struct minter *minter = minter_create(algorithm);
        struct trust *trust = trust_of(minter, algorithm);
        struct builder token BUILDER_SCOPE;
        builder_init(&token, 0);
        append_token(minter, jwk_algorithm_name(algorithm), &token);
        double checked = rate(trust, &token, false);
        printf("%-8s %14.0f %14.0f\n", jwk_algorithm_name(algorithm), checked,
               rate(trust, &token, true));
        trust_destroy(trust);
        minter_destroy(minter);
    }
    return 0;
}
