/* CEL alone: link with libcel.a, RE2 and the C++ library. Prints true. */

#include "policy/cel/cel.h"
#include <stdio.h>
#include <string.h>

static struct cel_value find(struct cel_run *run, uint32_t slot)
{
    (void)slot;
    return cel_int(*(const int *)cel_context(run));
}

int main(void)
{
    const char *source = "amount > 1000 && amount % 2 == 0";
    int amount = 1500;
    uint32_t slot;
    struct error error = {0};
    struct cel_result result = {0};
    struct arena *arena = arena_create();
    struct cel_env *env = cel_env_create(NULL);
    struct cel_program *program = NULL;
    if (cel_env_declare(env, "amount", cel_type_read(env, "int", &error), &slot, &error)) {
        program = cel_compile(env, source, strlen(source), "bool", NULL, &error);
    }
    if (program != NULL) {
        cel_evaluate(program, find, &amount, -1, arena, &result);
    }
    bool is_value = result.outcome == CEL_OUTCOME_VALUE;
    puts(is_value ? result.value.as.boolean ? "true" : "false" : error.message);
    cel_program_destroy(program);
    cel_env_destroy(env);
    arena_destroy(arena);
    return is_value ? 0 : 1;
}
