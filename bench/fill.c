/*
 * Fills the store of a gateway that is not running, through the same operations that its doors
 * call, hundreds to a commit: FINISHED requests that were allowed, redeemed and reported, PENDING
 * ones that wait for people.
 *
 *   fill CONFIG FINISHED PENDING        the caller's key in LOAD_CALLER
 */

#include "base/clock.h"
#include "base/memory.h"
#include "config/config.h"
#include "crypto/crypto.h"
#include "operations/grant_operations.h"
#include "operations/operations.h"
#include "operations/request_operations.h"
#include "store/engine_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_A_BATCH = 250, MATCH_SECRET_BYTES = 32, CHECKPOINT_PAGES = 8000 };

struct filling {
    const struct config *config;
    struct metrics *metrics;
    struct signer *signer;
    struct secret *secret;
    struct store_mark_file *mark_file;
    struct operations *operations;
    struct store *store;
    struct store_writer_options hooks;
    struct credential caller;
    struct arena *arena; /* of one batch */
    int64_t now;
};

static void must(bool ok, const struct error *error)
{
    if (!ok) {
        fprintf(stderr, "bench/fill: %s\n", error->message);
        exit(1);
    }
}

static const char *path_in(struct filling *filling, struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s", filling->config->data_folder, name);
}

static void open_all(struct filling *filling, struct arena *arena)
{
    struct error error = {0};
    const struct config *config = filling->config;
    bool was_found = false;
    bool was_rolled_back = false;
    struct store_mark mark;
    filling->metrics = metrics_create();
    filling->signer =
        signer_open(path_in(filling, arena, "ledger-key.pem"), SIGNER_ED25519, false, &error);
    must(filling->signer != NULL, &error);
    filling->secret =
        secret_open(path_in(filling, arena, "match-secret"), MATCH_SECRET_BYTES, false, &error);
    must(filling->secret != NULL, &error);
    filling->store = store_open(&(struct store_options){.path = config->store_file}, &error);
    must(filling->store != NULL, &error);
    filling->mark_file = store_mark_open(config->mark_file, &mark, &was_found, &error);
    must(filling->mark_file != NULL, &error);
    filling->operations = operations_create(
        &(struct operations_options){.metrics = filling->metrics,
                                     .ledger_signer = filling->signer,
                                     .match_secret = filling->secret,
                                     .mark_file = filling->mark_file,
                                     .mark = mark,
                                     .mark_found = was_found,
                                     .issuer = config->issuer,
                                     .origin = config->origin,
                                     .uncounted_context = config->uncounted_context,
                                     .effect_due_ms = config->effect_due_ms,
                                     .pending_per_caller_max = INT64_MAX});
    must(operations_start(filling->operations, filling->store, clock_wall_ms(), &was_rolled_back,
                          &error),
         &error);
    operations_fill_hooks(filling->operations, &filling->hooks);
}

static void close_all(struct filling *filling)
{
    operations_destroy(filling->operations);
    store_mark_close(filling->mark_file);
    store_close(filling->store);
    secret_destroy(filling->secret);
    signer_close(filling->signer);
    metrics_destroy(filling->metrics);
}

static void publish(struct filling *filling)
{
    struct error error = {0};
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_file *files;
    size_t count;
    const char *json;
    must(config_read_policy(filling->config->policy_folder, arena, &files, &count, &json, &error),
         &error);
    struct start_policy start = {.policy_take = policy_compile(files, count, &error),
                                 .files = json,
                                 .forgets_choice = true};
    char kept[POLICY_VERSION_BYTES];
    must(start.policy_take != NULL, &error);
    must(operations_publish_at_start(filling->operations, filling->store, clock_wall_ms(), &start,
                                     kept, &error),
         &error);
}

static void begin_batch(struct filling *filling)
{
    struct error error = {0};
    filling->arena = arena_create();
    filling->now = filling->hooks.read_now(filling->hooks.context, filling->store);
    must(store_begin(filling->store, &error), &error);
    filling->hooks.begin(filling->hooks.context, filling->store, filling->now);
    filling->hooks.savepoint(filling->hooks.context);
}

static void end_batch(struct filling *filling)
{
    struct error error = {0};
    must(filling->hooks.finish(filling->hooks.context, filling->store, filling->now, &error),
         &error);
    must(store_commit(filling->store, &error), &error);
    if (store_log_pages(filling->store) > CHECKPOINT_PAGES) {
        store_checkpoint(filling->store);
    }
    arena_destroy(filling->arena);
}

static struct operation begin(struct filling *filling)
{
    struct error error = {0};
    struct operation operation;
    must(operation_begin(&operation, filling->operations, filling->store, filling->arena,
                         filling->now, &filling->caller, &error),
         &error);
    return operation;
}

static void submit(struct filling *filling, const char *action, int64_t number,
                   struct submit_input *input, struct submit_result *out)
{
    struct error error = {0};
    struct operation operation = begin(filling);
    *input = (struct submit_input){
        .subject = "{\"id\":\"alice\",\"type\":\"user\"}",
        .subject_key = "user/alice",
        .action = arena_printf(filling->arena,
                               "{\"name\":\"%s\",\"properties\":{\"args\":{\"amount\":125,"
                               "\"number\":%lld}}}",
                               action, (long long)number),
        .action_name = action,
        .resource = "{\"id\":\"4711\",\"type\":\"order\"}",
        .resource_key = "order/4711",
        .context = "{}",
    };
    must(operation_submit_request(&operation, input, out, &error), &error);
}

static void finish_one(struct filling *filling, int64_t number)
{
    struct error error = {0};
    struct submit_input input;
    struct submit_result submitted;
    struct request_view view;
    struct redeem_result redeemed;
    struct effect_result effect;
    submit(filling, "orders.get", number, &input, &submitted);
    struct operation operation = begin(filling);
    must(operation_read_request(&operation, submitted.request, true, &view, &error), &error);
    operation = begin(filling);
    struct redeem_input redeem = {.claims = view.token,
                                  .has_claims = view.has_token,
                                  .action = input.action,
                                  .resource = input.resource};
    must(operation_redeem_grant(&operation, &redeem, &redeemed, &error), &error);
    operation = begin(filling);
    struct effect_input report = {.grant = redeemed.grant, .report = GRANT_REPORT_SUCCEEDED};
    must(redeemed.refusal == GRANT_ACCEPTED &&
             operation_report_effect(&operation, &report, &effect, &error),
         &error);
}

static void fill(struct filling *filling, int64_t finished_count, int64_t pending_count)
{
    struct submit_input input;
    struct submit_result submitted;
    int64_t total = finished_count + pending_count;
    int64_t first = clock_wall_ms() * 1000; /* what is asked twice is another fill's */
    for (int64_t done = 0; done < total;) {
        begin_batch(filling);
        for (int i = 0; i < REQUESTS_A_BATCH && done < total; i++, done++) {
            if (done < finished_count) {
                finish_one(filling, first + done);
            } else {
                submit(filling, "payments.refund", first + done, &input, &submitted);
            }
        }
        end_batch(filling);
    }
}

int main(int count, char **words)
{
    struct error error = {0};
    struct filling filling = {0};
    const char *secret = getenv("LOAD_CALLER");
    if (count != 4 || secret == NULL) {
        fprintf(stderr, "fill CONFIG FINISHED PENDING, the caller's key in LOAD_CALLER\n");
        return 64;
    }
    crypto_start();
    struct arena *arena ARENA_SCOPE = arena_create();
    filling.config = config_load(words[1], arena, &error);
    must(filling.config != NULL, &error);
    must(identity_read_bearer(arena_printf(arena, "Bearer %s", secret), &filling.caller, &error),
         &error);
    open_all(&filling, arena);
    publish(&filling);
    fill(&filling, strtoll(words[2], NULL, 10), strtoll(words[3], NULL, 10));
    must(operations_stop(filling.operations, filling.store, clock_wall_ms(), &error), &error);
    close_all(&filling);
    return 0;
}
