#include "crypto/crypto.h"

#include "base/check.h"
#include <pthread.h>
#include <string.h>

enum { ID_CHARACTERS = 26, PREFIX_MAX = ID_BYTES - 1 - ID_CHARACTERS - 1 };

/* When the clock of one thread is behind that of another, as times read once a turn are, the later
 * time stands. A clock that is further behind was stepped back, and is followed. */
static const int64_t behind_max_ms = 1000;

/* The last id made: its time, and its 80 random bits as 16 and 64. */
static struct {
    pthread_mutex_t lock;
    int64_t ms;
    uint16_t high;
    uint64_t low;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER, .ms = INT64_MIN};

/* The next id in the same millisecond is a random step of 1 to 2^32 further, so that ids stay in
 * order and the next one cannot be guessed. The first starts with a zero bit: room for the steps.
 */
static void advance(int64_t now)
{
    unsigned char random[10];
    crypto_random(random, sizeof random);
    uint64_t low;
    memcpy(&low, random, sizeof low);
    if (now > last.ms || now < last.ms - behind_max_ms) {
        last.ms = now;
        last.low = low;
        last.high = (uint16_t)((random[8] & 0x7F) << 8 | random[9]);
        return;
    }
    uint64_t before = last.low;
    last.low += 1 + (low & 0xFFFFFFFF);
    last.high = (uint16_t)(last.high + (last.low < before));
}

static void write_id(const char *prefix, unsigned __int128 bits, char out[ID_BYTES])
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    size_t length = strlen(prefix);
    CHECK(length > 0 && length <= PREFIX_MAX);
    memcpy(out, prefix, length);
    out[length] = '_';
    char *end = out + length + 1 + ID_CHARACTERS;
    *end = '\0';
    for (int i = 1; i <= ID_CHARACTERS; i++) {
        end[-i] = alphabet[(unsigned)bits & 31];
        bits >>= 5;
    }
}

void crypto_make_id(const char *prefix, int64_t now, char out[ID_BYTES])
{
    CHECK(now >= 0 && now < INT64_C(1) << 48);
    CHECK(pthread_mutex_lock(&last.lock) == 0);
    advance(now);
    unsigned __int128 bits =
        (unsigned __int128)((uint64_t)last.ms << 16 | last.high) << 64 | last.low;
    CHECK(pthread_mutex_unlock(&last.lock) == 0);
    write_id(prefix, bits, out);
}

void crypto_first_id(const char *prefix, int64_t at, char out[ID_BYTES])
{
    CHECK(at >= 0 && at < INT64_C(1) << 48);
    write_id(prefix, (unsigned __int128)((uint64_t)at << 16) << 64, out);
}
