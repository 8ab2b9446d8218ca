#include "policy/policy_internal.h"

#include "base/check.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>

/*
 * `history` in conditions: a value that only its functions look into. What it stands for is a set
 * of parts, told by an address in this array.
 */
static const char part_sets[POLICY_HISTORY_PARTS_ALL + 1];

enum { TEXT_BYTES_MAX = 16 };

struct cel_value history_value(void)
{
    return (struct cel_value){.kind = CEL_ABSTRACT, .as.host = &part_sets[POLICY_HISTORY_DEFAULT]};
}

/* A literal or computed text as C text; false when it is longer than any word that is known. */
static bool copy_text(struct cel_value value, char out[TEXT_BYTES_MAX])
{
    if (value.kind != CEL_STRING || value.length >= TEXT_BYTES_MAX ||
        memchr(value.as.bytes, '\0', value.length) != NULL) {
        return false;
    }
    memcpy(out, value.as.bytes, value.length);
    out[value.length] = '\0';
    return true;
}

static bool read_window(struct cel_value value, int64_t *out_ms)
{
    char text[TEXT_BYTES_MAX];
    return copy_text(value, text) && text_read_duration(text, out_ms) &&
           *out_ms >= POLICY_WINDOW_MS_MIN && *out_ms <= POLICY_WINDOW_MS_MAX;
}

static bool read_past(struct cel_value value, enum policy_past *out_past)
{
    char text[TEXT_BYTES_MAX];
    return copy_text(value, text) && policy_past_read(text, out_past);
}

static bool read_parts(const struct cel_value *args, size_t count, unsigned *out_parts)
{
    unsigned parts = 0;
    for (size_t i = 0; i < count; i++) {
        char text[TEXT_BYTES_MAX];
        enum policy_history_part part;
        if (!copy_text(args[i], text) || !policy_history_part_read(text, &part)) {
            return false;
        }
        parts |= (unsigned)part;
    }
    *out_parts = parts;
    return parts != 0;
}

static struct cel_value not_known(struct cel_run *run)
{
    return cel_fail(run, "the history of this request is not known here");
}

/* Windows, outcomes and parts were checked at load; only dyn() gets something else here. */
static struct cel_value call_count(struct cel_run *run, const struct cel_value *args, size_t count)
{
    const struct facts *facts = cel_context(run);
    const struct policy_history *history = facts->input->history;
    enum policy_past past = POLICY_PAST_ANY;
    int64_t window_ms;
    int64_t answer;
    if (args[0].kind != CEL_ABSTRACT || !read_window(args[1], &window_ms) ||
        (count > 2 && !read_past(args[2], &past))) {
        return cel_fail(run, "history.count takes a window and perhaps an outcome");
    }
    unsigned parts = (unsigned)((const char *)args[0].as.host - part_sets);
    if (history == NULL || history->count == NULL ||
        !history->count(history->context, parts, past, window_ms, &answer)) {
        return not_known(run);
    }
    return cel_int(answer);
}

static struct cel_value call_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    unsigned parts;
    if (args[0].kind != CEL_ABSTRACT || !read_parts(args + 1, count - 1, &parts)) {
        return cel_fail(run, "history.of takes names of parts");
    }
    return (struct cel_value){.kind = CEL_ABSTRACT, .as.host = &part_sets[parts]};
}

static struct cel_value call_denials(struct cel_run *run, const struct cel_value *args,
                                     size_t count)
{
    const struct facts *facts = cel_context(run);
    const struct policy_history *history = facts->input->history;
    (void)args;
    (void)count;
    return history == NULL || history->denials < 0 ? not_known(run) : cel_int(history->denials);
}

bool add_history(struct cel_env *env, struct error *error)
{
    static const struct {
        const char *name, *signature;
        cel_function call;
    } functions[] = {
        {"count", "history.(string) -> int", call_count},
        {"count", "history.(string, string) -> int", call_count},
        {"of", "history.(string) -> history", call_of},
        {"of", "history.(string, string) -> history", call_of},
        {"of", "history.(string, string, string) -> history", call_of},
        {"of", "history.(string, string, string, string) -> history", call_of},
        {"denials", "history.() -> int", call_denials},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!cel_env_add_function(env, functions[i].name, functions[i].signature, functions[i].call,
                                  error)) {
            return false;
        }
    }
    return true;
}

/* ---- at load ---- */

struct noting {
    struct policy *policy;
    struct error *error;
    uint32_t offset;
};

static int compare_windows(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static bool add_window(struct noting *noting, int64_t window_ms)
{
    struct policy *policy = noting->policy;
    for (size_t i = 0; i < policy->window_count; i++) {
        if (policy->windows[i] == window_ms) {
            return true;
        }
    }
    if (policy->window_count == POLICY_WINDOWS_MAX) {
        return error_set(noting->error, ERROR_INVALID, "too_many_windows", NULL,
                         "a policy looks back over at most %d different windows; use one that "
                         "another rule has",
                         POLICY_WINDOWS_MAX);
    }
    policy->windows[policy->window_count++] = window_ms;
    qsort(policy->windows, policy->window_count, sizeof *policy->windows, compare_windows);
    return true;
}

static bool add_kind(struct noting *noting, unsigned parts)
{
    struct policy *policy = noting->policy;
    for (size_t i = 0; i < policy->history_kind_count; i++) {
        if (policy->history_kinds[i] == parts) {
            return true;
        }
    }
    if (policy->history_kind_count == POLICY_HISTORY_KINDS_MAX) {
        return error_set(noting->error, ERROR_INVALID, "too_many_histories", NULL,
                         "a policy names at most %d different sets of parts in `history.of`",
                         POLICY_HISTORY_KINDS_MAX);
    }
    policy->history_kinds[policy->history_kind_count++] = parts;
    return true;
}

static bool visit_count(void *context, const struct cel_value *args, size_t count, uint32_t offset)
{
    struct noting *noting = context;
    enum policy_past past;
    int64_t window_ms;
    noting->offset = offset;
    if (count == 0 || !read_window(args[0], &window_ms)) {
        return error_set(noting->error, ERROR_INVALID, "invalid_window", NULL,
                         "history is counted over a window written out, 1s to 90d; write "
                         "history.count(\"1h\")");
    }
    if (count > 1 && !read_past(args[1], &past)) {
        return error_set(noting->error, ERROR_INVALID, "unknown_outcome", NULL,
                         "the outcome is written out: any, pending, approved, denied, expired, "
                         "cancelled, redeemed, succeeded or failed");
    }
    return add_window(noting, window_ms);
}

static bool visit_of(void *context, const struct cel_value *args, size_t count, uint32_t offset)
{
    struct noting *noting = context;
    unsigned parts;
    noting->offset = offset;
    if (!read_parts(args, count, &parts)) {
        return error_set(noting->error, ERROR_INVALID, "unknown_part", NULL,
                         "what is held equal is written out: agent, action, resource, subject or "
                         "digest");
    }
    return add_kind(noting, parts);
}

bool note_history(struct reader *reader, const struct cel_program *program, uint32_t *out_offset)
{
    struct noting noting = {.policy = reader->policy, .error = reader->error};
    if (!cel_program_reads(program, SLOT_HISTORY)) {
        return true;
    }
    bool is_noted = add_kind(&noting, POLICY_HISTORY_DEFAULT) &&
                    cel_program_each_call(program, "count", visit_count, &noting) &&
                    cel_program_each_call(program, "of", visit_of, &noting);
    *out_offset = noting.offset;
    return is_noted;
}
