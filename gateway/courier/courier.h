#ifndef COURIER_COURIER_H
#define COURIER_COURIER_H

/*
 * The outgoing door: a thread of its own that leases notices from the outbox, has the channel's
 * notifier compose them, carries them with libcurl, has the reply judged, and settles them: sent,
 * to be tried again, or dead. It shares nothing with the loop but jobs; a receiver that hangs,
 * redirects, floods or vanishes costs a connection and no one's time. At least once: a notice whose
 * settlement was lost is sent again under the same id. Each destination has bounds of its own, and
 * one that fails again and again is left alone for a while (circuit.c). It also fetches key
 * sets for trust/ and looks whether its files have changed.
 *
 * Egress: https (http only where the channel says so), no redirects, no proxy from the environment,
 * and every address is checked after resolution, on the socket that would be opened: only public
 * addresses, or those the configuration allows the channel.
 */

#include "base/error.h"
#include "notifiers/notifier.h"
#include "operations/operations.h"
#include "store/writer.h"
#include "trust/trust.h"
#include <stddef.h>
#include <stdint.h>

enum { COURIER_NETWORKS_MAX = 16 };

/* An address block, IPv4 as mapped IPv6. */
struct courier_network {
    unsigned char address[16];
    int bits; /* of 128 */
};

struct courier_channel {
    struct notifier_channel channel;
    struct courier_network allowed[COURIER_NETWORKS_MAX];
    size_t allowed_count;
    bool allows_http;          /* plain text: http, or mail without TLS */
    const char *ca_file;       /* NULL: the system's */
    const char *proxy;         /* URL of an egress proxy, with its password if any; NULL: none */
    const char *const *spared; /* whom it reaches without: hosts, `.example.com`, address blocks */
    size_t spared_count;
    bool needs_no_proxy;   /* the gateway's is not for it */
    const char *app_token; /* Slack: opens sockets for what is pressed; NULL: it comes by HTTP */
    int in_flight_max;     /* messages under way at once; 0: 8 */
    int per_second_max;    /* 0: 20 */
};

/* Where an issuer's keys are fetched: the same rules of egress as for a channel. */
struct courier_source {
    struct courier_channel reach;
};

struct courier_options {
    struct operations *operations;
    struct store_writer *writer;
    const struct courier_channel *channels; /* borrowed until courier_destroy */
    size_t channel_count;
    struct trust *trust;                  /* NULL: nothing is fetched */
    const struct courier_source *sources; /* by the number of the issuer */
    /* What was pressed in a channel with an app token; on any thread. False: not now. */
    bool (*take_envelope)(void *context, const char *channel, const char *id, const char *payload,
                          size_t length);
    void (*on_standing)(
        void *context); /* courier_find would say more now; on the courier's thread */
    void *context;
};

struct courier;

struct courier *courier_start(const struct courier_options *options,
                              struct error *error) MUST_CHECK;
/* Reads the files of `trust` again now, whatever their times. Any thread. */
void courier_reread(struct courier *courier);
/* Any thread: what an envelope asked for is done. `response`: JSON that answers a modal, or NULL.
 */
void courier_acknowledge(struct courier *courier, const char *channel, const char *id,
                         const char *response);
/* Any thread; after each batch of the store. What is due in the outbox leaves now and not within 50
 * ms. */
void courier_look(struct courier *courier);
/* Any thread. Says something to one person through the channel, at once and once: nothing is kept,
 * and what fails is logged. False when the channel says no words or too many wait. */
bool courier_say(struct courier *courier, const char *channel, const struct notifier_word *word);
/* Any thread. What the channel's service says of this, at most `age_ms` ago; what is not known is
 * asked, and `on_standing` says when to come again. One that could not be answered since
 * `asked_tick` (of clock_boot_ms) is UNANSWERED, and so is everything about a channel that asks
 * nothing. */
void courier_find(struct courier *courier, const char *channel,
                  const struct notifier_inquiry *inquiry, int64_t age_ms, int64_t asked_tick,
                  struct notifier_standing *out);

/* Ends transfers under way without settling them (their lease runs out) and the thread. Call before
 * the writer stops; results of its jobs must still be delivered until courier_destroy. */
void courier_stop(struct courier *courier);
void courier_destroy(struct courier *courier); /* accepts NULL */

/* `10.0.0.0/8` or `fd00::/8`. INVALID says what is wrong. */
bool courier_read_network(const char *text, struct courier_network *out,
                          struct error *error) MUST_CHECK;
/* Whether this channel may connect to the address (16 bytes; IPv4 as mapped IPv6). */
bool courier_is_within(const struct courier_network *network, const unsigned char address[16]);
/* The proxy through which this channel reaches `url`; NULL: none. A name is compared as it is
 * written, and not looked up. */
const char *courier_proxy_for(const struct courier_channel *channel, const char *url);
bool courier_may_reach(const struct courier_channel *channel, const unsigned char address[16]);

#endif
