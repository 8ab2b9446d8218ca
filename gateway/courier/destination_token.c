#include "base/clock.h"
#include "base/memory.h"
#include "courier/destination_internal.h"
#include "crypto/crypto.h"
#include <stdlib.h>
#include <string.h>

/* The tokens of kinds that need one: fetched when the first notice wants to leave, kept until they
 * are over or the other side says that they are bad. */

enum {
    TOKEN_EARLY_MS = 5 * 60 * 1000, /* a token is not used in its last minutes */
    TOKEN_MS_MAX = 24 * 3600 * 1000,
};

struct token_errand {
    struct errand errand;
    struct destination *destination;
};

void destination_forget_token(struct destination *destination)
{
    if (destination->token != NULL) {
        crypto_wipe(destination->token, strlen(destination->token));
    }
    free(destination->token);
    destination->token = NULL;
}

/* A test answers now: it does not wait for the login server to come to itself. */
static void fail_tests(struct destinations *destinations, struct destination *destination,
                       const char *reason)
{
    int held = destination->held;
    for (int i = 0; i < held; i++) {
        struct delivery *delivery = destination_take_held(destination);
        if (delivery_is_test(delivery)) {
            delivery_fail(destinations, delivery, &(struct notice_settlement){.reason = reason});
            free(delivery);
        } else {
            destination_hold(destination, delivery);
        }
    }
}

static const char no_token[] =
    "the login server gives no token: what it says is in the log (channel_fails)";

/* Nothing goes without a token: the circuit opens at once, and longer each time. */
static void note_no_token(struct destinations *destinations, struct destination *destination,
                          int64_t asked_ms, const char *reason)
{
    if (destination->failures < DESTINATION_FAILURES_TO_OPEN - 1) {
        destination->failures = DESTINATION_FAILURES_TO_OPEN - 1;
    }
    destination->problem = no_token;
    destination_note_failure(destination, asked_ms, reason);
    fail_tests(destinations, destination, reason);
}

static void fetch_token(struct destinations *destinations, struct destination *destination)
{
    struct error error = {0};
    struct notifier_message message;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct token_errand *errand = memory_zeroed(1, sizeof *errand);
    *errand = (struct token_errand){.errand.kind = ERRAND_TOKEN, .destination = destination};
    if (destination->notifier->compose_token(&destination->channel->channel, clock_wall_ms(), arena,
                                             &message, &error) &&
        transfers_add(destinations->transfers, destination->channel, &message, errand)) {
        destination->is_fetching_token = true;
        return;
    }
    free(errand);
    note_no_token(destinations, destination, 0, "no token can be asked for");
}

/* Whether there is a token, or none is needed; starts to fetch one otherwise. */
bool destination_has_token(struct destinations *destinations, struct destination *destination,
                           int64_t tick)
{
    if (destination->notifier->compose_token == NULL) {
        return true;
    }
    if (destination->token != NULL && destination->token_until_tick > tick) {
        return true;
    }
    if (!destination->is_fetching_token) {
        fetch_token(destinations, destination);
    }
    return false;
}

void destination_finish_token(struct destinations *destinations, struct errand *errand,
                              const struct transfer_result *result)
{
    struct destination *destination = ((struct token_errand *)errand)->destination;
    struct notifier_reply reply = {.status = result->status,
                                   .retry_after_ms = result->retry_after_ms,
                                   .body = result->body,
                                   .length = result->length};
    struct error error = {0};
    const char *token = NULL;
    int64_t lifetime_ms = 0;
    struct arena *arena ARENA_SCOPE = arena_create();
    destination->is_fetching_token = false;
    destination_forget_token(destination);
    if (result->status != 0 &&
        destination->notifier->read_token(&reply, arena, &token, &lifetime_ms, &error)) {
        lifetime_ms = lifetime_ms > TOKEN_MS_MAX ? TOKEN_MS_MAX : lifetime_ms;
        destination->problem = destination->problem == no_token ? NULL : destination->problem;
        destination->token = memory_zeroed(1, strlen(token) + 1);
        memcpy(destination->token, token, strlen(token));
        destination->token_until_tick =
            clock_boot_ms() +
            (lifetime_ms > 2 * TOKEN_EARLY_MS ? lifetime_ms - TOKEN_EARLY_MS : lifetime_ms / 2);
    } else {
        note_no_token(destinations, destination, result->retry_after_ms,
                      result->status == 0 ? result->failure : error.message);
    }
    destination_note_state(destinations, destination);
    free(errand);
}

static struct destination *find_destination(struct destinations *destinations,
                                            const struct courier_channel *channel)
{
    for (size_t i = 0; i < destinations->count; i++) {
        if (destinations->items[i].channel == channel) {
            return &destinations->items[i];
        }
    }
    return NULL;
}

void destinations_drop_token(struct destinations *destinations,
                             const struct courier_channel *channel)
{
    struct destination *destination = find_destination(destinations, channel);
    if (destination != NULL) {
        destination_forget_token(destination);
    }
}

/* What is there is used whatever the circuit says; none is asked for while it is open. */
bool destinations_token(struct destinations *destinations, const struct courier_channel *channel,
                        const char **out)
{
    int64_t tick = clock_boot_ms();
    struct destination *destination = find_destination(destinations, channel);
    *out = NULL;
    if (destination == NULL) {
        return false;
    }
    bool is_fresh = destination->token != NULL && destination->token_until_tick > tick;
    bool may_ask =
        destination->notifier->compose_token == NULL || !destination_is_open(destination, tick);
    bool has_one = is_fresh || (may_ask && destination_has_token(destinations, destination, tick));
    *out = has_one ? destination->token : NULL;
    return has_one;
}
