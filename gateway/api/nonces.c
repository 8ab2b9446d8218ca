#include "api/api_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>

/*
 * Nonces for DPoP proofs (RFC 9449 sections 8 and 9): a proof that was signed before it was needed,
 * by who had the key for a while, is worth nothing afterwards. A nonce is a MAC over the present
 * two minutes, so that there is nothing to remember; one serves everybody, and `jti` once. The key
 * lives as long as the process: after a restart a client signs once more.
 */

enum { STEP_MS = 2 * 60 * 1000, KEY_BYTES = 32, MAC_BYTES = 18 };

struct api_nonces {
    unsigned char key[KEY_BYTES];
};

struct api_nonces *api_nonces_create(void)
{
    struct api_nonces *nonces = memory_zeroed(1, sizeof *nonces);
    crypto_random(nonces->key, sizeof nonces->key);
    return nonces;
}

void api_nonces_destroy(struct api_nonces *nonces)
{
    if (nonces != NULL) {
        crypto_wipe(nonces->key, sizeof nonces->key);
        free(nonces);
    }
}

static const char *nonce_of(struct api_call *call, int64_t step)
{
    const struct api_nonces *nonces = call->api->nonces;
    const char *text = arena_printf(call->arena, "dpop nonce\n%lld", (long long)step);
    struct sha256 mac =
        crypto_hmac_sha256((const char *)nonces->key, sizeof nonces->key, text, strlen(text));
    struct builder nonce BUILDER_SCOPE;
    builder_init(&nonce, 0);
    text_append_base64url(&nonce, mac.bytes, MAC_BYTES);
    return arena_copy(call->arena, nonce.bytes, nonce.length);
}

static bool takes_nonces(const struct api_call *call)
{
    return call->route->takes_nonce && call->api->options.dpop_nonces;
}

const char *api_nonce(struct api_call *call)
{
    return takes_nonces(call) ? nonce_of(call, clock_boot_ms() / STEP_MS) : NULL;
}

static bool is_equal(const char *left, const char *right)
{
    return strlen(left) == strlen(right) && crypto_equal(left, right, strlen(left));
}

bool api_check_nonce(struct api_call *call, const char *given, struct error *error)
{
    int64_t step = clock_boot_ms() / STEP_MS;
    return !takes_nonces(call) || is_equal(given, nonce_of(call, step)) ||
           is_equal(given, nonce_of(call, step - 1)) ||
           error_set(error, ERROR_UNAUTHENTICATED, "use_dpop_nonce", "DPoP",
                     "sign another proof, with the `nonce` that the DPoP-Nonce header has");
}
