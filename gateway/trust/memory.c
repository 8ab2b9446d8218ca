#include "base/memory.h"
#include "trust/trust_internal.h"
#include <stdlib.h>
#include <string.h>

/* Two tables of fixed size, so that nobody outside can grow memory. */

enum { PROBES = 8 };

static size_t place_of(const struct sha256 *hash)
{
    size_t place;
    memcpy(&place, hash->bytes, sizeof place);
    return place;
}

bool trust_recall(struct trust *trust, const struct sha256 *hash, int64_t now, struct proof *out)
{
    bool is_found = false;
    pthread_mutex_lock(&trust->mutex);
    for (size_t i = 0; !is_found && i < PROBES; i++) {
        const struct remembered *each = &trust->remembered[(place_of(hash) + i) % TRUST_REMEMBERED];
        is_found = each->proof != NULL && each->generation == trust->generation &&
                   crypto_equal(&each->hash, hash, sizeof *hash) && now < each->proof->until_at;
        if (is_found) {
            *out = *each->proof;
        }
    }
    pthread_mutex_unlock(&trust->mutex);
    return is_found;
}

/* A free place, or its own, or an outdated one, or that which is over first. */
static struct remembered *find_place(struct trust *trust, const struct sha256 *hash)
{
    struct remembered *least = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct remembered *each = &trust->remembered[(place_of(hash) + i) % TRUST_REMEMBERED];
        if (each->proof == NULL || each->generation != trust->generation ||
            memcmp(&each->hash, hash, sizeof *hash) == 0) {
            return each;
        }
        if (least == NULL || each->proof->until_at < least->proof->until_at) {
            least = each;
        }
    }
    return least;
}

void trust_remember(struct trust *trust, const struct sha256 *hash, int64_t generation,
                    const struct proof *proof)
{
    pthread_mutex_lock(&trust->mutex);
    /* Keys that changed while the signature was checked: it must be asked again. */
    if (generation == trust->generation) {
        struct remembered *place = find_place(trust, hash);
        place->hash = *hash;
        place->generation = generation;
        if (place->proof == NULL) {
            place->proof = memory_zeroed(1, sizeof *place->proof);
        }
        *place->proof = *proof;
    }
    pthread_mutex_unlock(&trust->mutex);
}

void trust_forget_all(struct trust *trust)
{
    for (size_t i = 0; i < TRUST_REMEMBERED; i++) {
        free(trust->remembered[i].proof);
    }
    free(trust->remembered);
    free(trust->once);
}

static bool use_once(struct trust *trust, const struct dpop_proof *proof, int64_t now,
                     bool *out_was_used)
{
    struct once *free_place = NULL;
    if (trust->once == NULL) {
        trust->once = memory_zeroed(TRUST_PROOFS_ONCE_MAX, sizeof *trust->once);
    }
    for (size_t i = 0; i < 4 * PROBES; i++) {
        struct once *each = &trust->once[(place_of(&proof->once) + i) % TRUST_PROOFS_ONCE_MAX];
        bool is_over = each->until_at <= now;
        if (!is_over && memcmp(each->hash, proof->once.bytes, sizeof each->hash) == 0) {
            *out_was_used = true;
            return false;
        }
        free_place = free_place == NULL && is_over ? each : free_place;
    }
    if (free_place == NULL) {
        return false;
    }
    memcpy(free_place->hash, proof->once.bytes, sizeof free_place->hash);
    free_place->until_at = proof->until_at;
    return true;
}

bool trust_use_once(struct trust *trust, const struct dpop_proof *proof, int64_t now,
                    struct error *error)
{
    bool was_used = false;
    pthread_mutex_lock(&trust->mutex);
    bool is_taken = use_once(trust, proof, now, &was_used);
    pthread_mutex_unlock(&trust->mutex);
    if (is_taken) {
        return true;
    }
    return was_used ? error_set(error, ERROR_UNAUTHENTICATED, "invalid_dpop_proof", NULL,
                                "the DPoP proof is refused: its `jti` was used before")
                    : error_set(error, ERROR_LIMIT, "too_many_proofs", NULL,
                                "too many DPoP proofs within a minute; wait, then send a new one");
}
