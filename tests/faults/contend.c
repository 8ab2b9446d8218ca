/*
 * Contested redemptions: GRANTS grants are asked for, then each is redeemed TRIES times over
 * CONNECTIONS connections at once, by its holder and by another caller in turns.
 *
 *   contend PORT GRANTS TRIES CONNECTIONS ROUND        keys in CONTEND_HOLDER and CONTEND_OTHER
 *
 * Prints `tries N`, `redeemed GRANT FENCE` for each grant, and `violation TEXT` for whatever must
 * not be. Exactly one try per grant may be answered 200; every other one is 409 already_redeemed,
 * and tells the winner its fence. A fence handed out before another try began is the lower one.
 */

#include "base/memory.h"
#include "tests/support/load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 2048, GRANTS_MAX = 100000 };

struct contended {
    char token[TOKEN_BYTES];
    char id[64];
    size_t success_count;
    int64_t fence;
    int64_t began_ns; /* of the try that succeeded */
    int64_t ended_ns;
    bool was_won_by_other;
};

struct contention {
    const char *secrets[2];
    const char *round;
    size_t grant_count;
    size_t try_count;  /* of each */
    size_t sent_count; /* of all */
    size_t asked_count;
    size_t answered_count;
    struct contended *grants;
    size_t *current; /* per connection: which try it has under way */
    size_t violation_count;
};

static void violate(struct contention *contention, const char *what, const char *detail)
{
    contention->violation_count++;
    printf("violation %s: %.300s\n", what, detail);
}

/* ---- asking for the grants ---- */

static bool next_ask(void *context, size_t index, struct builder *out)
{
    struct contention *contention = context;
    char body[512];
    if (contention->asked_count == contention->grant_count) {
        return false;
    }
    contention->current[index] = contention->asked_count++;
    int length = snprintf(body, sizeof body,
                          "{\"subject\":{\"type\":\"user\",\"id\":\"alice\"},\"resource\":{"
                          "\"type\":\"order\",\"id\":\"%s-%zu\"},\"audience\":\"orders-api\","
                          "\"action\":{\"name\":\"orders.get\"}}",
                          contention->round, contention->current[index]);
    load_append_request(out, "POST", "/v1/requests", contention->secrets[0], NULL, body,
                        (size_t)length);
    return true;
}

static void on_asked(void *context, size_t index, const struct load_reply *reply)
{
    struct contention *contention = context;
    struct contended *grant = &contention->grants[contention->current[index]];
    if (reply->status != 201 ||
        !load_find_text(reply, "\"token\":\"", grant->token, sizeof grant->token) ||
        !load_find_text(reply, "\"id\":\"grt_", grant->id, sizeof grant->id)) {
        violate(contention, "a grant was not issued", reply->body);
    }
}

static void on_lost(void *context, size_t index)
{
    (void)index;
    violate(context, "a connection was lost", "");
}

/* ---- the tries ---- */

static bool next_try(void *context, size_t index, struct builder *out)
{
    struct contention *contention = context;
    if (contention->sent_count == contention->try_count * contention->grant_count) {
        return false;
    }
    size_t number = contention->sent_count++;
    const struct contended *grant = &contention->grants[number / contention->try_count];
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    contention->current[index] = number;
    builder_printf(&body,
                   "{\"token\":\"%s\",\"action\":{\"name\":\"orders.get\"},\"resource\":{\"type\":"
                   "\"order\",\"id\":\"%s-%zu\"}}",
                   grant->token, contention->round, number / contention->try_count);
    load_append_request(out, "POST", "/v1/grants/redeem", contention->secrets[number % 2], NULL,
                        body.bytes, body.length);
    return true;
}

static void on_success(struct contention *contention, size_t number, const struct load_reply *reply)
{
    struct contended *grant = &contention->grants[number / contention->try_count];
    int64_t fence = 0;
    if (!load_find_number(reply, "\"fence\":", &fence)) {
        violate(contention, "no fence", reply->body);
    }
    if (++grant->success_count > 1) {
        violate(contention, "redeemed twice", reply->body);
    }
    if (grant->fence != 0 && grant->fence != fence) {
        violate(contention, "the fence is not the one told before", reply->body);
    }
    grant->fence = fence;
    grant->began_ns = reply->began_ns;
    grant->ended_ns = reply->ended_ns;
    grant->was_won_by_other = number % 2 == 1;
}

static void on_refusal(struct contention *contention, size_t number, const struct load_reply *reply)
{
    struct contended *grant = &contention->grants[number / contention->try_count];
    int64_t fence = 0;
    if (reply->status != 409 || strstr(reply->body, "\"code\":\"already_redeemed\"") == NULL) {
        violate(contention, "neither redeemed nor already_redeemed", reply->body);
        return;
    }
    if (strstr(reply->body, "\"yours\":true") == NULL) {
        return;
    }
    if (!load_find_number(reply, "\"fence\":", &fence) ||
        (grant->fence != 0 && grant->fence != fence) ||
        (grant->success_count > 0 && grant->was_won_by_other != (number % 2 == 1))) {
        violate(contention, "who is told `yours` did not get it so", reply->body);
    }
    grant->fence = fence;
}

static void on_tried(void *context, size_t index, const struct load_reply *reply)
{
    struct contention *contention = context;
    contention->answered_count++;
    if (reply->status == 200) {
        on_success(contention, contention->current[index], reply);
    } else {
        on_refusal(contention, contention->current[index], reply);
    }
}

/* ---- after all ---- */

static void check_order(struct contention *contention, const struct contended *earlier,
                        const struct contended *later)
{
    bool is_before = earlier->ended_ns < later->began_ns;
    if (earlier->fence == later->fence || (is_before && earlier->fence > later->fence)) {
        violate(contention, "fences do not grow", later->id);
    }
}

static void check_all(struct contention *contention)
{
    for (size_t i = 0; i < contention->grant_count; i++) {
        const struct contended *grant = &contention->grants[i];
        if (grant->success_count != 1) {
            violate(contention, "not redeemed exactly once", grant->id);
        }
        for (size_t j = 0; j < i; j++) {
            check_order(contention, &contention->grants[j], grant);
            check_order(contention, grant, &contention->grants[j]);
        }
        printf("redeemed grt_%s %lld\n", grant->id, (long long)grant->fence);
    }
    if (contention->answered_count != contention->try_count * contention->grant_count) {
        violate(contention, "tries without an answer", "");
    }
    printf("tries %zu\n", contention->answered_count);
}

static void run_phase(struct load_options *options,
                      bool (*next)(void *context, size_t index, struct builder *out),
                      void (*on_reply)(void *context, size_t index, const struct load_reply *reply))
{
    options->next = next;
    options->on_reply = on_reply;
    struct load *load = load_create(options);
    load_nudge(load);
    load_run(load);
    load_destroy(load);
}

int main(int count, char **words)
{
    if (count != 6 || getenv("CONTEND_HOLDER") == NULL || getenv("CONTEND_OTHER") == NULL) {
        fprintf(stderr, "contend PORT GRANTS TRIES CONNECTIONS ROUND, keys in CONTEND_HOLDER and "
                        "CONTEND_OTHER\n");
        return 64;
    }
    struct contention contention = {.secrets = {getenv("CONTEND_HOLDER"), getenv("CONTEND_OTHER")},
                                    .round = words[5],
                                    .grant_count = strtoul(words[2], NULL, 10),
                                    .try_count = strtoul(words[3], NULL, 10)};
    struct load_options options = {.port = (uint16_t)strtoul(words[1], NULL, 10),
                                   .connection_count = strtoul(words[4], NULL, 10),
                                   .context = &contention,
                                   .on_lost = on_lost};
    if (contention.grant_count > GRANTS_MAX || options.connection_count == 0) {
        return 64;
    }
    contention.grants = memory_zeroed(contention.grant_count, sizeof *contention.grants);
    contention.current = memory_zeroed(options.connection_count, sizeof *contention.current);
    run_phase(&options, next_ask, on_asked);
    run_phase(&options, next_try, on_tried);
    check_all(&contention);
    free(contention.grants);
    free(contention.current);
    return contention.violation_count > 0;
}
