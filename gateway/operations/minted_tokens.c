#include "operations/minted_tokens.h"

#include "base/memory.h"
#include "crypto/crypto.h"
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 1 << 10,
    /* No token lives longer (policy/requirements.h: at most 15 min). */
    TOKEN_LIFE_MAX_MS = 15 * 60 * 1000,
};

/* Open addressing with linear probing; a zero key is a free place. */
struct minted {
    uint64_t key;
    int64_t boot_ms;
};

struct minted_tokens {
    struct minted *places;
    size_t capacity; /* a power of two, at least twice the count */
    size_t count;
};

struct minted_tokens *minted_tokens_create(void)
{
    struct minted_tokens *minted = memory_zeroed(1, sizeof *minted);
    minted->capacity = FIRST_CAPACITY;
    minted->places = memory_zeroed(minted->capacity, sizeof *minted->places);
    return minted;
}

void minted_tokens_destroy(struct minted_tokens *minted)
{
    if (minted != NULL) {
        free(minted->places);
        free(minted);
    }
}

/* 64 bits of a hash: two of a million tokens share one less than once in ten million times, and
 * then the younger is judged as if it were the older or the reverse. */
static uint64_t key_of(const char *token)
{
    struct sha256 hash = crypto_sha256(token, strlen(token));
    uint64_t key;
    memcpy(&key, hash.bytes, sizeof key);
    return key == 0 ? 1 : key;
}

static struct minted *find_place(const struct minted_tokens *minted, uint64_t key)
{
    size_t place = (size_t)key & (minted->capacity - 1);
    while (minted->places[place].key != 0 && minted->places[place].key != key) {
        place = (place + 1) & (minted->capacity - 1);
    }
    return &minted->places[place];
}

static size_t count_living(const struct minted_tokens *minted, int64_t boot_ms)
{
    size_t living = 0;
    for (size_t i = 0; i < minted->capacity; i++) {
        const struct minted *place = &minted->places[i];
        living += place->key != 0 && boot_ms - place->boot_ms < TOKEN_LIFE_MAX_MS ? 1 : 0;
    }
    return living;
}

/* Moves what has not run out into a table at most a quarter full. */
static void make_room(struct minted_tokens *minted, int64_t boot_ms)
{
    struct minted_tokens old = *minted;
    size_t living = count_living(minted, boot_ms);
    if (living >= MINTED_TOKENS_MAX) {
        living = 0;
    }
    minted->capacity = FIRST_CAPACITY;
    while (minted->capacity < living * 4) {
        minted->capacity *= 2;
    }
    minted->places = memory_zeroed(minted->capacity, sizeof *minted->places);
    minted->count = 0;
    for (size_t i = 0; living > 0 && i < old.capacity; i++) {
        const struct minted *place = &old.places[i];
        if (place->key != 0 && boot_ms - place->boot_ms < TOKEN_LIFE_MAX_MS) {
            *find_place(minted, place->key) = *place;
            minted->count++;
        }
    }
    free(old.places);
}

void minted_tokens_remember(struct minted_tokens *minted, const char *token, int64_t boot_ms)
{
    if (minted->count * 2 >= minted->capacity) {
        make_room(minted, boot_ms);
    }
    struct minted *place = find_place(minted, key_of(token));
    minted->count += place->key == 0 ? 1 : 0;
    *place = (struct minted){.key = key_of(token), .boot_ms = boot_ms};
}

int64_t minted_tokens_elapsed(const struct minted_tokens *minted, const char *token,
                              int64_t boot_ms)
{
    const struct minted *place = find_place(minted, key_of(token));
    if (place->key == 0) {
        return -1;
    }
    return boot_ms > place->boot_ms ? boot_ms - place->boot_ms : 0;
}
