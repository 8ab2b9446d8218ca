#include "operations/operations.h"

#include "base/check.h"
#include "base/memory.h"
#include "operations/ledger_internal.h"
#include "operations/minted_tokens.h"
#include <stdlib.h>

enum {
    REPEAT_DENIAL_WINDOW_MS = 10 * 60 * 1000,
    NEAR_WINDOW_MS = 60 * 60 * 1000,
    EFFECT_DUE_MS = 15 * 60 * 1000,
    PENDING_PER_CALLER_MAX = 10000,
    IDEMPOTENCY_KEEP_MS = 24 * 60 * 60 * 1000,
    SESSION_IDLE_MS = 30 * 60 * 1000,
    SESSION_LONGEST_MS = 12 * 60 * 60 * 1000,
    STEP_UP_MS = 5 * 60 * 1000,
    PASSKEY_TRUST_AFTER_MS = 24 * 60 * 60 * 1000,
    VOTES_PER_HOUR = 6, /* alarms that one operator follows well: EEMUA 191 */
    WATCH_MS = 10 * 60 * 1000,
};

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void choose_attention(struct operations_options *own)
{
    static const int64_t dwell_ms[OPERATIONS_RISKS] = {400, 800, 2000, 4000};
    for (size_t i = 0; i < OPERATIONS_RISKS; i++) {
        own->dwell_ms[i] = or_default(own->dwell_ms[i], dwell_ms[i]);
    }
    if (own->votes_per_hour == 0) {
        own->votes_per_hour = VOTES_PER_HOUR;
    }
    own->watch_ms = or_default(own->watch_ms, WATCH_MS);
}

static const char *const *copy_texts(struct arena *arena, const char *const *texts)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    const char **copies = arena_array(arena, count + 1, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = arena_text(arena, texts[i]);
    }
    return copies;
}

struct operations *operations_create(const struct operations_options *options)
{
    CHECK(options->ledger_signer != NULL && options->match_secret != NULL);
    CHECK(options->origin != NULL && options->mark_file != NULL);
    struct operations *operations = memory_zeroed(1, sizeof *operations);
    operations->memory = arena_create();
    operations->options = *options;
    struct operations_options *own = &operations->options;
    own->issuer = arena_text(operations->memory, options->issuer);
    own->origin = arena_text(operations->memory, options->origin);
    own->rp_id = arena_text(operations->memory, options->rp_id);
    own->passkey_origin = arena_text(operations->memory, options->passkey_origin);
    own->uncounted_context = copy_texts(operations->memory, options->uncounted_context);
    /* What waits in the outbox from before is looked for at once. */
    atomic_store(&operations->notices_due_at, options->channel_count == 0 ? 0 : 1);
    choose_attention(own);
    own->repeat_denial_window_ms =
        or_default(own->repeat_denial_window_ms, REPEAT_DENIAL_WINDOW_MS);
    own->near_window_ms = or_default(own->near_window_ms, NEAR_WINDOW_MS);
    own->effect_due_ms = or_default(own->effect_due_ms, EFFECT_DUE_MS);
    own->pending_per_caller_max = or_default(own->pending_per_caller_max, PENDING_PER_CALLER_MAX);
    own->idempotency_keep_ms = or_default(own->idempotency_keep_ms, IDEMPOTENCY_KEEP_MS);
    own->session_idle_ms = or_default(own->session_idle_ms, SESSION_IDLE_MS);
    own->session_longest_ms = or_default(own->session_longest_ms, SESSION_LONGEST_MS);
    own->step_up_ms = or_default(own->step_up_ms, STEP_UP_MS);
    own->passkey_trust_after_ms = or_default(own->passkey_trust_after_ms, PASSKEY_TRUST_AFTER_MS);
    tree_init(&operations->tree);
    operations->minted = minted_tokens_create();
    operations->pending_counts = pending_counts_create();
    return operations;
}

void operations_destroy(struct operations *operations)
{
    if (operations == NULL) {
        return;
    }
    policies_destroy(operations);
    minted_tokens_destroy(operations->minted);
    pending_counts_destroy(operations->pending_counts);
    free(operations->leaves);
    arena_destroy(operations->memory);
    free(operations);
}
