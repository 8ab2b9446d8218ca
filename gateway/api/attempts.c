#include "api/api_internal.h"

#include "base/memory.h"
#include "crypto/crypto.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * How often a password may be tried, without letting an attacker lock anybody out. Three token
 * buckets: of the account from this address, of the address (an IPv6 /64 is one), and of the
 * account from wherever nobody signed in to it before. A right password fills them again, so that
 * only wrong ones count. Whoever signed in from an address is not slowed there by what others try
 * elsewhere; from a new address they share the third bucket with the attacker, which goes on
 * refilling. What all of them together may cost is bounded by the workers' queue. The table is of
 * fixed size: under pressure the longest unused bucket is forgotten.
 */

enum { BUCKETS = 8192, PROBES = 8, KEY_BYTES = 16, TOKEN = 1000 };

enum bucket_kind { OF_PAIR, OF_ADDRESS, OF_ACCOUNT, BUCKET_KINDS };

static const struct {
    int64_t burst;   /* attempts at once */
    int64_t each_ms; /* one more that often */
} rules[BUCKET_KINDS] = {
    [OF_PAIR] = {.burst = 5, .each_ms = 20 * 1000},
    [OF_ADDRESS] = {.burst = 20, .each_ms = 3 * 1000},
    [OF_ACCOUNT] = {.burst = 20, .each_ms = 10 * 1000},
};

struct bucket {
    unsigned char key[KEY_BYTES];
    int64_t refilled_at; /* boot clock; 0: free */
    int64_t millitokens; /* a thousandth of an attempt */
    bool has_signed_in;  /* of a pair */
};

struct api_attempts {
    unsigned char seed[SHA256_BYTES]; /* nobody outside can aim at another's place */
    struct bucket buckets[BUCKETS];
};

struct api_attempts *api_attempts_create(void)
{
    struct api_attempts *attempts = memory_zeroed(1, sizeof *attempts);
    crypto_random(attempts->seed, sizeof attempts->seed);
    return attempts;
}

void api_attempts_destroy(struct api_attempts *attempts)
{
    free(attempts);
}

/* The address as it counts: an IPv6 host commonly owns its /64. */
static void group_address(const char *text, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr address;
    if (inet_pton(AF_INET6, text, &address) == 1) {
        memset(address.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
    } else {
        snprintf(out, INET6_ADDRSTRLEN, "%s", text);
    }
}

static struct bucket *find_bucket(struct api_attempts *attempts, enum bucket_kind kind,
                                  const char *account, const char *address, int64_t now)
{
    char text[512];
    int length = snprintf(text, sizeof text, "%d\n%s\n%s", (int)kind,
                          kind == OF_ACCOUNT ? "" : address, kind == OF_ADDRESS ? "" : account);
    struct sha256 hash =
        crypto_hmac_sha256(attempts->seed, sizeof attempts->seed, text, (size_t)length);
    struct bucket *least = NULL;
    size_t start;
    memcpy(&start, hash.bytes + KEY_BYTES, sizeof start);
    for (size_t i = 0; i < PROBES; i++) {
        struct bucket *bucket = &attempts->buckets[(start + i) % BUCKETS];
        if (bucket->refilled_at != 0 && memcmp(bucket->key, hash.bytes, KEY_BYTES) == 0) {
            return bucket;
        }
        if (least == NULL || bucket->refilled_at < least->refilled_at) {
            least = bucket;
        }
    }
    *least = (struct bucket){.refilled_at = now, .millitokens = rules[kind].burst * TOKEN};
    memcpy(least->key, hash.bytes, KEY_BYTES);
    return least;
}

static void refill(struct bucket *bucket, enum bucket_kind kind, int64_t now)
{
    int64_t most = rules[kind].burst * TOKEN;
    int64_t elapsed = now - bucket->refilled_at;
    int64_t full_ms = rules[kind].burst * rules[kind].each_ms;
    elapsed = elapsed > full_ms ? full_ms : elapsed;
    bucket->millitokens += elapsed * TOKEN / rules[kind].each_ms;
    bucket->millitokens = bucket->millitokens > most ? most : bucket->millitokens;
    bucket->refilled_at = now;
}

/* Milliseconds until the bucket has one attempt. */
static int64_t wait_of(const struct bucket *bucket, enum bucket_kind kind)
{
    int64_t missing = TOKEN - bucket->millitokens;
    return missing <= 0 ? 0 : missing * rules[kind].each_ms / TOKEN;
}

static void find_all(struct api *api, const char *account, const char *peer,
                     struct bucket *out[BUCKET_KINDS])
{
    char address[INET6_ADDRSTRLEN];
    int64_t now = loop_now(api->options.loop) + 1; /* 0 is free */
    group_address(peer, address);
    for (enum bucket_kind kind = 0; kind < BUCKET_KINDS; kind++) {
        out[kind] = find_bucket(api->attempts, kind, account, address, now);
        refill(out[kind], kind, now);
    }
}

bool api_attempts_take(struct api *api, const char *account, const char *peer, struct error *error)
{
    struct bucket *buckets[BUCKET_KINDS];
    int64_t wait_ms = 0;
    find_all(api, account, peer, buckets);
    size_t count = buckets[OF_PAIR]->has_signed_in ? OF_ACCOUNT : BUCKET_KINDS;
    for (size_t i = 0; i < count; i++) {
        int64_t this_ms = wait_of(buckets[i], (enum bucket_kind)i);
        wait_ms = this_ms > wait_ms ? this_ms : wait_ms;
    }
    if (wait_ms > 0) {
        char seconds[24]; /* becomes Retry-After */
        snprintf(seconds, sizeof seconds, "%lld", (long long)(wait_ms + 999) / 1000);
        return error_set(error, ERROR_LIMIT, "too_many_attempts", seconds,
                         "too many attempts; try again in %s seconds", seconds);
    }
    for (size_t i = 0; i < count; i++) {
        buckets[i]->millitokens -= TOKEN;
    }
    return true;
}

void api_attempts_succeeded(struct api *api, const char *account, const char *peer)
{
    struct bucket *buckets[BUCKET_KINDS];
    find_all(api, account, peer, buckets);
    for (enum bucket_kind kind = 0; kind < BUCKET_KINDS; kind++) {
        int64_t most = rules[kind].burst * TOKEN;
        buckets[kind]->millitokens = kind == OF_PAIR || buckets[kind]->millitokens + TOKEN > most
                                         ? most
                                         : buckets[kind]->millitokens + TOKEN;
    }
    buckets[OF_PAIR]->has_signed_in = true;
}
