#include "policy/cel/code.h"

/* From source to program, and what can be asked of one. */

static bool fits_wanted(const struct cel_env *env, struct cel_source *source,
                        const struct cel_type *type, const char *wants)
{
    struct cel_unifier unifier = {.arena = source->arena, .steps_left = 1000};
    struct cel_env scratch = {
        .arena = source->arena, .objects = env->objects, .object_count = env->object_count};
    const struct cel_type *wanted = cel_type_read(&scratch, wants, source->error);
    if (wanted == NULL) {
        return false;
    }
    if (cel_type_fits(&unifier, type, wanted)) {
        return true;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 200);
    cel_type_print(&text, type);
    return cel_refuse(source, 0, "bad_type", "this gives %s where %s is wanted%s", text.bytes,
                      wants, strcmp(wants, "bool") == 0 ? "; end in a comparison: `… == …`" : "");
}

static bool build(struct cel_program *program, struct cel_source *source, const char *wants,
                  bool is_strict)
{
    struct cel_checked checked = {0};
    struct cel_node *root = cel_parse(source);
    if (root == NULL || !cel_check(program->env, source, root, is_strict, &checked) ||
        (wants != NULL && !fits_wanted(program->env, source, checked.type, wants))) {
        return false;
    }
    program->local_count = checked.local_count;
    struct builder type BUILDER_SCOPE;
    builder_init(&type, 1000);
    cel_type_print(&type, checked.type);
    program->type = arena_copy(program->arena, type.bytes, type.length);
    program->root = cel_generate(program, source, root, is_strict);
    return program->root != NULL;
}

struct cel_program *cel_compile_with(const struct cel_env *env, const char *source, size_t length,
                                     const char *wants, bool is_checked, bool has_macros,
                                     uint32_t *out_offset, struct error *error)
{
    struct error local = {0};
    struct arena *tree ARENA_SCOPE = arena_create();
    struct arena *arena = arena_create();
    struct cel_program *program = ARENA_NEW(arena, struct cel_program);
    program->arena = arena;
    program->env = env;
    program->fold_memory_left = env->limits.memory_bytes / 4;
    struct cel_source text = {
        .bytes = source,
        .length = length,
        .arena = tree,
        .limits = &env->limits,
        .has_macros = has_macros,
        .error = &local,
    };
    if (build(program, &text, wants, is_checked)) {
        return program;
    }
    if (out_offset != NULL) {
        *out_offset = text.error_offset;
    }
    error_set_at(error, local.kind == ERROR_NONE ? ERROR_INTERNAL : local.kind,
                 local.code == NULL ? "not_compiled" : local.code, NULL, local.line, local.column,
                 "%s", local.message);
    cel_program_destroy(program);
    return NULL;
}

struct cel_program *cel_compile(const struct cel_env *env, const char *source, size_t length,
                                const char *wants, uint32_t *out_offset, struct error *error)
{
    return cel_compile_with(env, source, length, wants, true, true, out_offset, error);
}

void cel_program_destroy(struct cel_program *program)
{
    if (program == NULL) {
        return;
    }
    for (struct cel_callee *callee = program->callees; callee != NULL; callee = callee->next) {
        const struct cel_function_row *row = callee->candidates[0]->row;
        if (row->release != NULL && callee->prepared != NULL) {
            row->release(callee->prepared);
        }
    }
    arena_destroy(program->arena); /* which holds the program itself */
}

const char *cel_program_type(const struct cel_program *program)
{
    return program->type;
}

bool cel_program_reads(const struct cel_program *program, uint32_t slot)
{
    for (size_t i = 0; i < program->slot_count; i++) {
        if (program->slots[i] == slot) {
            return true;
        }
    }
    return false;
}

struct visit {
    const char *name;
    cel_visit_call call;
    void *context;
};

static bool visit_call(const struct visit *visit, const struct cel_code *code)
{
    const struct cel_function_entry *entry = code->callee->candidates[0];
    if (strcmp(entry->name, visit->name) != 0) {
        return true;
    }
    struct cel_value args[CEL_ARGS_MAX] = {0};
    size_t first = entry->row->style == CEL_MEMBER ? 1 : 0;
    size_t count = 0;
    for (size_t i = first; i < code->count && count < CEL_ARGS_MAX; i++) {
        args[count++] =
            code->args[i]->kind == CEL_CODE_CONSTANT ? code->args[i]->value : (struct cel_value){0};
    }
    return visit->call(visit->context, args, count, code->offset);
}

static bool visit_code(const struct visit *visit, const struct cel_code *code)
{
    if ((code->kind == CEL_CODE_CALL || code->kind == CEL_CODE_OR_ELSE) &&
        !visit_call(visit, code)) {
        return false;
    }
    if (code->target != NULL && !visit_code(visit, code->target)) {
        return false;
    }
    if (code->filter != NULL && !visit_code(visit, code->filter)) {
        return false;
    }
    for (size_t i = 0; i < code->count; i++) {
        if (!visit_code(visit, code->args[i])) {
            return false;
        }
    }
    return true;
}

bool cel_program_each_call(const struct cel_program *program, const char *name,
                           cel_visit_call visit, void *context)
{
    struct visit walk = {.name = name, .call = visit, .context = context};
    return visit_code(&walk, program->root);
}
