#include "policy/cel/code.h"

/* What is constant is evaluated once, when it is compiled. The cost stays what it was. */

static bool is_foldable(const struct cel_code *code)
{
    switch ((enum cel_code_kind)code->kind) {
    case CEL_CODE_SELECT:
    case CEL_CODE_HAS:
        return code->target->kind == CEL_CODE_CONSTANT;
    case CEL_CODE_INDEX:
        return code->target->kind == CEL_CODE_CONSTANT && code->args[0]->kind == CEL_CODE_CONSTANT;
    case CEL_CODE_CALL:
        if (code->callee->candidates[0]->is_host) {
            return false;
        }
        break;
    case CEL_CODE_OPERATOR:
    case CEL_CODE_EQUAL:
    case CEL_CODE_COMPARE:
    case CEL_CODE_IN:
    case CEL_CODE_NOT:
    case CEL_CODE_AND:
    case CEL_CODE_OR:
    case CEL_CODE_TERNARY:
    case CEL_CODE_LIST:
    case CEL_CODE_MAP:
    case CEL_CODE_OR_ELSE:
        break;
    case CEL_CODE_CONSTANT:
    case CEL_CODE_VARIABLE:
    case CEL_CODE_LOCAL:
    case CEL_CODE_LOOP:
    case CEL_CODE_BIND:
    case CEL_CODE_OPT_MAP:
    case CEL_CODE_FAIL:
        return false;
    }
    for (size_t i = 0; i < code->count; i++) {
        if (code->args[i]->kind != CEL_CODE_CONSTANT) {
            return false;
        }
    }
    return true;
}

const struct cel_code *cel_fold(struct cel_program *program, struct cel_code *code)
{
    if (!is_foldable(code)) {
        return code;
    }
    struct cel_run run = {
        .program = program,
        .arena = program->arena,
        .cost_max = program->env->limits.cost,
        .memory_max = program->fold_memory_left,
        .work_left = CEL_WORK_MAX / 16,
        .at = code,
    };
    struct cel_value value = cel_eval(&run, code);
    program->fold_memory_left -= run.memory;
    /* Errors and stops are left to happen when they are reached. */
    if (run.is_stopped || cel_is_error(value)) {
        return code;
    }
    struct cel_code *constant = ARENA_NEW(program->arena, struct cel_code);
    *constant = (struct cel_code){.kind = CEL_CODE_CONSTANT,
                                  .offset = code->offset,
                                  .cost = (uint32_t)run.cost,
                                  .value = value};
    return constant;
}
