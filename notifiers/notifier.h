#ifndef NOTIFIERS_NOTIFIER_H
#define NOTIFIERS_NOTIFIER_H

/*
 * What one notice looks like on one kind of channel, and what an answer to it means. Pure: no
 * sockets, no clock; the courier carries. A kind of channel is a struct notifier, found by its name
 * in the one table of notifier.c.
 */

#include "base/arena.h"
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { NOTIFIER_SECRETS_MAX = 2, NOTIFIER_HEADERS_MAX = 8, NOTIFIER_ATTEMPTS_MAX = 10 };

/* A signing secret; two while one replaces the other. */
struct notifier_secret {
    unsigned char bytes[64];
    size_t length; /* 24 to 64 */
};

/* One configured destination. */
struct notifier_channel {
    const char *name;
    const char *kind; /* "webhook" */
    const char *url;
    struct notifier_secret secrets[NOTIFIER_SECRETS_MAX];
    size_t secret_count;
};

struct notifier_notice {
    const char *id;      /* ntc_…: the same on every attempt */
    const char *payload; /* JSON, frozen when it happened */
};

struct notifier_message {
    const char *url;
    const char *headers[NOTIFIER_HEADERS_MAX + 1]; /* whole lines, NULL-terminated */
    const char *body;
    size_t length;
};

/* What came back: an HTTP status, or 0 when none did. */
struct notifier_reply {
    long status;
    int64_t retry_after_ms; /* of a Retry-After, 0 when none */
};

enum notifier_verdict { NOTIFIER_RETRY = 0, NOTIFIER_SENT, NOTIFIER_DEAD };

struct notifier {
    const char *kind;
    /* `now` is this attempt's wall time. Everything in `arena`. */
    bool (*compose)(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error);
    enum notifier_verdict (*judge)(const struct notifier_reply *reply);
};

const struct notifier *notifier_find(const char *kind); /* NULL when there is none */

/* How long after the `attempt`th failure (1 is the first) to try again, moved by up to a tenth by
 * `chance` (0 to 999); 0: never, it is dead. */
int64_t notifier_retry_after_ms(int attempt, unsigned chance);

extern const struct notifier webhook_notifier; /* webhook/webhook.c: Standard Webhooks 1.0.0 */

/* `whsec_<base64>`, 24 to 64 bytes. INVALID `bad_secret`, without quoting it. */
bool webhook_read_secret(const char *text, size_t length, struct notifier_secret *out,
                         struct error *error) MUST_CHECK;

#endif
