#include "operations/operations_internal.h"

#include "base/check.h"
#include <stdio.h>
#include <string.h>

/* Idempotency keys share one table with those of submissions; a key of another endpoint is another
 * key. */
#define KEY_PREFIX "call:"

enum { KEY_BYTES_MAX = 512 };

bool operation_use_key(struct operation *operation, const char *key, const struct sha256 *body,
                       bool *out_is_first, struct error *error)
{
    const struct principal *principal = &operation->principal;
    char name[KEY_BYTES_MAX];
    struct idempotency_row row = {.body = *body};
    struct idempotency_row known;
    bool is_known = false;
    int length = snprintf(name, sizeof name, KEY_PREFIX "%s", key);
    CHECK(length > 0 && (size_t)length < sizeof name);
    if (!store_find_idempotency(operation->store, principal->tenant, principal->id, name, &known,
                                &is_known, error)) {
        return false;
    }
    if (is_known && memcmp(known.body.bytes, body->bytes, SHA256_BYTES) != 0) {
        return error_set(error, ERROR_CONFLICT, "idempotency_mismatch", "Idempotency-Key",
                         "this key was used before for another call: use a new key");
    }
    *out_is_first = !is_known;
    return is_known || store_insert_idempotency(operation->store, principal->tenant, principal->id,
                                                name, &row, operation->now, error);
}
