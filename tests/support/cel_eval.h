#ifndef TESTS_SUPPORT_CEL_EVAL_H
#define TESTS_SUPPORT_CEL_EVAL_H

/* Evaluates one CEL expression and says what came out, as text. */

#include "policy/cel/cel_internal.h"
#include <check.h>
#include <string.h>
#include <time.h>

/* `value true`, `error no such key: "a"`, `stopped it costs …`, `refused 1:3 unknown_name`. The
 * text lives in the arena. */
static inline const char *cel_said(struct arena *arena, const struct cel_env *env,
                                   const char *source, size_t length, cel_find find, void *context)
{
    struct error error = {0};
    struct cel_program *program = cel_compile(env, source, length, NULL, NULL, &error);
    if (program == NULL) {
        return arena_printf(arena, "refused %d:%d %s", error.line, error.column, error.code);
    }
    struct cel_result result;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 4096);
    cel_evaluate(program, find, context, -1, arena, &result);
    if (result.outcome == CEL_OUTCOME_VALUE) {
        builder_text(&text, "value ");
        cel_print(&text, result.value);
    } else {
        builder_printf(&text, "%s %s", result.outcome == CEL_OUTCOME_ERROR ? "error" : "stopped",
                       result.problem.message);
    }
    cel_program_destroy(program);
    return arena_copy(arena, text.bytes, text.length);
}

static inline const char *cel_said_of(struct arena *arena, const char *source)
{
    struct cel_env *env = cel_env_create(NULL);
    const char *said = cel_said(arena, env, source, strlen(source), NULL, NULL);
    cel_env_destroy(env);
    return said;
}

static inline uint32_t cel_declare(struct cel_env *env, const char *name, const char *type)
{
    struct error error = {0};
    uint32_t slot = 0;
    const struct cel_type *read = cel_type_read(env, type, &error);
    ck_assert_msg(read != NULL && cel_env_declare(env, name, read, &slot, &error), "%s: %s", name,
                  error.message);
    return slot;
}

/* Processor time of this thread. */
static inline double cel_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#endif
