#include "policy/cel/code.h"

/* From the checked tree to code: names become slots, literals constants, calls their functions, and
 * each step its cost. The costs follow cel-go, where `a.b.c` is one attribute with two qualifiers:
 * one unit each. What is read as a qualifier or as a branch of `? :` does not pay for itself. */

struct generator {
    struct cel_program *program;
    struct cel_source *source;
    bool is_checked;
};

static struct cel_code *generate(struct generator *generator, const struct cel_node *node);

static bool is_attribute(const struct cel_node *node)
{
    return (node->kind == CEL_NODE_NAME && node->reference != CEL_REFERENCE_TYPE) ||
           (node->kind == CEL_NODE_SELECT && !node->is_test) || node->kind == CEL_NODE_INDEX ||
           node->kind == CEL_NODE_TERNARY;
}

static struct cel_code *new_code(struct generator *generator, const struct cel_node *node,
                                 enum cel_code_kind kind, uint32_t cost)
{
    struct cel_code *code = ARENA_NEW(generator->program->arena, struct cel_code);
    code->kind = (uint8_t)kind;
    code->cost = cost;
    code->offset = node->offset;
    code->what = node->what;
    code->is_optional = node->is_optional;
    code->has_formula = node->is_one_overload;
    return code;
}

static bool generate_args(struct generator *generator, struct cel_code *code,
                          const struct cel_node *node)
{
    code->args = arena_array(generator->program->arena, node->count, sizeof *code->args);
    code->count = (uint16_t)node->count;
    for (uint32_t i = 0; i < node->count; i++) {
        code->args[i] = generate(generator, node->args[i]);
        if (code->args[i] == NULL) {
            return false;
        }
    }
    return true;
}

static uint32_t variable_index(struct cel_program *program, uint32_t slot)
{
    for (size_t i = 0; i < program->slot_count; i++) {
        if (program->slots[i] == slot) {
            return (uint32_t)i;
        }
    }
    if (program->slot_count == program->slot_capacity) {
        size_t capacity = program->slot_capacity == 0 ? 8 : program->slot_capacity * 2;
        uint32_t *slots = arena_array(program->arena, capacity, sizeof *slots);
        for (size_t i = 0; i < program->slot_count; i++) {
            slots[i] = program->slots[i];
        }
        program->slots = slots;
        program->slot_capacity = capacity;
    }
    program->slots[program->slot_count] = slot;
    return (uint32_t)program->slot_count++;
}

/* Literals point into the source or the tree's arena, which end before the program does. */
static struct cel_value keep(struct cel_program *program, struct cel_value value)
{
    if (value.kind == CEL_STRING || value.kind == CEL_BYTES) {
        value.as.bytes = arena_copy(program->arena, value.as.bytes, value.length);
    }
    return value;
}

static struct cel_code *generate_name(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_LOCAL, 1);
    code->index = node->index;
    switch ((enum cel_reference)node->reference) {
    case CEL_REFERENCE_VARIABLE:
        code->kind = CEL_CODE_VARIABLE;
        code->index = variable_index(generator->program, node->index);
        break;
    case CEL_REFERENCE_TYPE:
        code->kind = CEL_CODE_CONSTANT;
        code->cost = generator->is_checked ? 0 : 1; /* cel-go looks it up then */
        code->value = node->literal;
        code->value.as.type_name =
            arena_text(generator->program->arena, node->literal.as.type_name);
        break;
    case CEL_REFERENCE_LOCAL:
        break;
    case CEL_REFERENCE_NONE:
    case CEL_REFERENCE_UNKNOWN:
        code->kind = CEL_CODE_FAIL;
        code->value = keep(generator->program, cel_string(node->name.bytes, node->name.length));
        break;
    }
    return code;
}

static struct cel_code *generate_select(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code =
        new_code(generator, node, node->is_test ? CEL_CODE_HAS : CEL_CODE_SELECT,
                 is_attribute(node->target) ? 0 : 1);
    code->target = generate(generator, node->target);
    code->value = keep(generator->program, cel_string(node->name.bytes, node->name.length));
    return code->target == NULL ? NULL : code;
}

static struct cel_code *generate_index(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code =
        new_code(generator, node, CEL_CODE_INDEX, is_attribute(node->target) ? 0 : 1);
    code->target = generate(generator, node->target);
    if (code->target == NULL || !generate_args(generator, code, node)) {
        return NULL;
    }
    /* A key that is an attribute itself is the qualifier: its own unit pays for both. */
    code->has_two = is_attribute(node->args[0]) && node->args[0]->kind != CEL_NODE_TERNARY;
    return code;
}

static bool are_literal(const struct cel_code *code, size_t first)
{
    for (size_t i = first; i < code->count; i++) {
        if (code->args[i]->kind != CEL_CODE_CONSTANT) {
            return false;
        }
    }
    return true;
}

static bool prepare(struct generator *generator, struct cel_code *code)
{
    struct cel_callee *callee = code->callee;
    const struct cel_function_row *row = callee->candidates[0]->row;
    if (callee->count != 1 || row->prepare == NULL || code->count == 0 || !are_literal(code, 1)) {
        return true;
    }
    struct cel_value *args = arena_array(generator->program->arena, code->count, sizeof *args);
    for (size_t i = 0; i < code->count; i++) {
        args[i] = code->args[i]->value;
        if (code->args[i]->kind != CEL_CODE_CONSTANT) {
            args[i] = (struct cel_value){0};
        }
    }
    struct error error = {0};
    if (row->prepare(args, code->count, generator->program->arena, &callee->prepared, &error)) {
        return true;
    }
    return cel_refuse(generator->source, code->count > 1 ? code->args[1]->offset : code->offset,
                      error.code == NULL ? "bad_argument" : error.code, "%s", error.message);
}

static struct cel_code *generate_call(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_CALL, 0);
    if (!generate_args(generator, code, node)) {
        return NULL;
    }
    if (node->candidate_count == 0) {
        code->kind = CEL_CODE_FAIL;
        code->has_two = true;
        code->value = keep(generator->program, cel_string(node->name.bytes, node->name.length));
        return code;
    }
    struct cel_callee *callee = ARENA_NEW(generator->program->arena, struct cel_callee);
    memcpy(callee->candidates, node->candidates, sizeof callee->candidates);
    callee->count = node->candidate_count;
    callee->next = generator->program->callees;
    generator->program->callees = callee;
    code->callee = callee;
    const char *name = callee->candidates[0]->name;
    if (node->is_member && code->count == 2 && !callee->candidates[0]->is_host &&
        (strcmp(name, "or") == 0 || strcmp(name, "orValue") == 0)) {
        code->kind = CEL_CODE_OR_ELSE;
        code->what = strcmp(name, "or") == 0;
        return code;
    }
    return prepare(generator, code) ? code : NULL;
}

static struct cel_code *generate_operator(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_OPERATOR, 0);
    switch ((enum cel_operator)node->what) {
    case CEL_OP_EQUAL:
    case CEL_OP_UNEQUAL:
        code->kind = CEL_CODE_EQUAL;
        break;
    case CEL_OP_LESS:
    case CEL_OP_LESS_EQUAL:
    case CEL_OP_GREATER:
    case CEL_OP_GREATER_EQUAL:
        code->kind = CEL_CODE_COMPARE;
        break;
    case CEL_OP_IN:
        code->kind = CEL_CODE_IN;
        break;
    case CEL_OP_NOT:
        code->kind = CEL_CODE_NOT;
        break;
    case CEL_OP_ADD:
    case CEL_OP_SUBTRACT:
    case CEL_OP_MULTIPLY:
    case CEL_OP_DIVIDE:
    case CEL_OP_MODULO:
    case CEL_OP_NEGATE:
    case CEL_OPERATORS:
        break;
    }
    return generate_args(generator, code, node) ? code : NULL;
}

/* In a branch of `? :` an attribute's own unit is not charged, its qualifiers' are. */
static void drop_attribute_cost(const struct cel_node *node, const struct cel_code *branch)
{
    struct cel_code *code = (struct cel_code *)branch; /* made by this generator alone */
    while (is_attribute(node) && node->kind != CEL_NODE_TERNARY) {
        if (code->kind != CEL_CODE_SELECT && code->kind != CEL_CODE_INDEX) {
            code->cost -= code->cost > 0 ? 1 : 0; /* a folded one as well */
            return;
        }
        if (code->cost > 0) {
            code->cost--;
            return;
        }
        code = (struct cel_code *)code->target;
        node = node->target;
    }
}

static struct cel_code *generate_ternary(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_TERNARY, 0);
    if (!generate_args(generator, code, node)) {
        return NULL;
    }
    drop_attribute_cost(node->args[1], code->args[1]);
    drop_attribute_cost(node->args[2], code->args[2]);
    return code;
}

static struct cel_code *generate_aggregate(struct generator *generator, const struct cel_node *node)
{
    bool is_list = node->kind == CEL_NODE_LIST;
    struct cel_code *code =
        new_code(generator, node, is_list ? CEL_CODE_LIST : CEL_CODE_MAP, is_list ? 10 : 30);
    if (node->are_optional != NULL) {
        bool *flags = arena_array(generator->program->arena, node->count, sizeof *flags);
        memcpy(flags, node->are_optional, node->count * sizeof *flags);
        code->are_optional = flags;
    }
    return generate_args(generator, code, node) ? code : NULL;
}

static struct cel_code *generate_loop(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_LOOP, 0);
    code->index = node->index;
    code->has_two = node->other_name.length > 0;
    code->target = generate(generator, node->target);
    code->filter = node->filter == NULL ? NULL : generate(generator, node->filter);
    if (code->target == NULL || (node->filter != NULL && code->filter == NULL)) {
        return NULL;
    }
    return generate_args(generator, code, node) ? code : NULL;
}

/* Bindings are evaluated when they are first read, as in cel-go. */
static struct cel_code *generate_bind(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code =
        new_code(generator, node, CEL_CODE_BIND, node->kind == CEL_NODE_BIND ? 10 : 0);
    code->index = node->index;
    return generate_args(generator, code, node) ? code : NULL;
}

static struct cel_code *generate_opt_map(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = new_code(generator, node, CEL_CODE_OPT_MAP, 10);
    code->index = node->index;
    struct cel_code *reading = new_code(generator, node, CEL_CODE_LOCAL, 2);
    reading->index = node->index;
    code->target = reading;
    return generate_args(generator, code, node) ? code : NULL;
}

static struct cel_code *generate_plain(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code;
    switch ((enum cel_node_kind)node->kind) {
    case CEL_NODE_LITERAL:
        code = new_code(generator, node, CEL_CODE_CONSTANT, 0);
        code->value = keep(generator->program, node->literal);
        return code;
    case CEL_NODE_NAME:
        return generate_name(generator, node);
    case CEL_NODE_SELECT:
        return generate_select(generator, node);
    case CEL_NODE_INDEX:
        return generate_index(generator, node);
    case CEL_NODE_CALL:
        return generate_call(generator, node);
    case CEL_NODE_OPERATOR:
        return generate_operator(generator, node);
    case CEL_NODE_AND:
    case CEL_NODE_OR:
        code =
            new_code(generator, node, node->kind == CEL_NODE_AND ? CEL_CODE_AND : CEL_CODE_OR, 0);
        return generate_args(generator, code, node) ? code : NULL;
    case CEL_NODE_TERNARY:
        return generate_ternary(generator, node);
    case CEL_NODE_LIST:
    case CEL_NODE_MAP:
        return generate_aggregate(generator, node);
    case CEL_NODE_LOOP:
        return generate_loop(generator, node);
    case CEL_NODE_BIND:
    case CEL_NODE_BLOCK:
        return generate_bind(generator, node);
    case CEL_NODE_OPT_MAP:
        return generate_opt_map(generator, node);
    }
    return NULL;
}

static struct cel_code *generate(struct generator *generator, const struct cel_node *node)
{
    struct cel_code *code = generate_plain(generator, node);
    return code == NULL ? NULL : (struct cel_code *)cel_fold(generator->program, code);
}

const struct cel_code *cel_generate(struct cel_program *program, struct cel_source *source,
                                    const struct cel_node *root, bool is_checked)
{
    struct generator generator = {.program = program, .source = source, .is_checked = is_checked};
    return generate(&generator, root);
}
