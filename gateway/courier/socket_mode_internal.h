#ifndef COURIER_SOCKET_MODE_INTERNAL_H
#define COURIER_SOCKET_MODE_INTERNAL_H

#include "base/arena.h"
#include "courier/courier.h"
#include <stdatomic.h>

/* Where the next socket is to be opened, or why it cannot be. */
struct socket_mode_place {
    const char *url;
    int64_t retry_after_ms; /* of a failure */
    bool is_hopeless;       /* of one that only a person can mend */
};
/* socket_mode_place.c: apps.connections.open. Blocks, within 20 seconds or until `*must_stop`.
 * RETRY_LATER; `out` is filled as far as it goes. */
bool socket_mode_find_place(const struct courier_channel *channel, const atomic_bool *must_stop,
                            struct arena *arena, struct socket_mode_place *out,
                            struct error *error) MUST_CHECK;
/* Pure: what an answer of this status and body says. */
bool socket_mode_read_place(const char *body, size_t length, long status, bool is_any_host,
                            struct arena *arena, struct socket_mode_place *out,
                            struct error *error) MUST_CHECK;

#endif
