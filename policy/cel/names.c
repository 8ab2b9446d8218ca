#include "policy/cel/checker.h"

/* What names mean: macros' variables first, then the environment's, from the container outwards,
 * the longest dotted name first; then types. */

enum { NAME_BYTES_MAX = 512 };

/* `a.b.c` as text; false when the node is no plain chain of names or too long. */
static bool read_chain(const struct cel_node *node, char *out, size_t *out_length)
{
    size_t length = NAME_BYTES_MAX;
    for (;; node = node->target) {
        if ((node->kind != CEL_NODE_NAME && node->kind != CEL_NODE_SELECT) || node->is_optional ||
            node->is_test || node->reference != CEL_REFERENCE_NONE ||
            node->name.length + 1 > length) {
            return false;
        }
        length -= node->name.length;
        memcpy(out + length, node->name.bytes, node->name.length);
        if (node->kind == CEL_NODE_NAME) {
            break;
        }
        out[--length] = '.';
    }
    *out_length = NAME_BYTES_MAX - length;
    memmove(out, out + length, *out_length);
    return true;
}

static const struct cel_node *chain_root(const struct cel_node *node)
{
    while (node->kind == CEL_NODE_SELECT || node->kind == CEL_NODE_INDEX) {
        node = node->target;
    }
    return node;
}

static const struct cel_local *find_local(const struct cel_checker *checker,
                                          const struct cel_node *node)
{
    const struct cel_local *local = node->is_absolute ? NULL : checker->locals;
    while (local != NULL && !cel_text_equal(local->name, node->name)) {
        local = local->outer;
    }
    return local;
}

/* Writes the name as seen from the container shortened to `*prefix` bytes, and shortens it. False
 * after the last. */
static bool next_candidate(const struct cel_checker *checker, const char *name, size_t name_length,
                           long *prefix, char *out, size_t *out_length)
{
    while (*prefix >= 0) {
        size_t kept = (size_t)*prefix;
        *prefix = kept == 0 ? -1 : (long)kept - 1;
        while (*prefix > 0 && checker->env->container[*prefix] != '.') {
            --*prefix;
        }
        size_t dot = kept == 0 ? 0 : 1;
        if (kept + dot + name_length >= NAME_BYTES_MAX) {
            continue;
        }
        memcpy(out, checker->env->container, kept);
        out[kept] = '.';
        memcpy(out + kept + dot, name, name_length);
        *out_length = kept + dot + name_length;
        out[*out_length] = '\0';
        return true;
    }
    return false;
}

static bool refer(struct cel_checker *checker, struct cel_node *node, const char *name,
                  size_t length)
{
    const struct cel_variable *variable = cel_find_variable(checker->env, name, length);
    if (variable != NULL) {
        node->kind = CEL_NODE_NAME;
        node->reference = CEL_REFERENCE_VARIABLE;
        node->index = (uint32_t)(variable - checker->env->variables);
        node->type = variable->type;
        return true;
    }
    const struct cel_type *type = cel_type_named(name);
    if (type == NULL) {
        return false;
    }
    node->kind = CEL_NODE_NAME;
    node->reference = CEL_REFERENCE_TYPE;
    node->literal = (struct cel_value){.kind = CEL_TYPE};
    node->literal.as.type_name = type->kind == CEL_TYPE_TIMESTAMP  ? "google.protobuf.Timestamp"
                                 : type->kind == CEL_TYPE_DURATION ? "google.protobuf.Duration"
                                                                   : type->name;
    node->type = cel_type_make(checker->source->arena, CEL_TYPE_TYPE, "type", &type, 1);
    return true;
}

bool cel_resolve_name(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_node *root = chain_root(node);
    if (root->kind != CEL_NODE_NAME || root->reference != CEL_REFERENCE_NONE) {
        return false;
    }
    const struct cel_local *local = find_local(checker, root);
    if (local != NULL) {
        if (node != root) {
            return false;
        }
        node->reference = CEL_REFERENCE_LOCAL;
        node->index = local->index;
        node->type = local->type;
        return true;
    }
    char chain[NAME_BYTES_MAX];
    char name[NAME_BYTES_MAX];
    size_t chain_length;
    size_t length;
    if (!read_chain(node, chain, &chain_length)) {
        return false;
    }
    long prefix = root->is_absolute ? 0 : (long)strlen(checker->env->container);
    while (next_candidate(checker, chain, chain_length, &prefix, name, &length)) {
        if (refer(checker, node, name, length)) {
            return true;
        }
    }
    return false;
}

bool cel_refuse_name(struct cel_checker *checker, struct cel_node *node)
{
    struct cel_nearest nearest = {.word = node->name.bytes, .length = node->name.length};
    for (const struct cel_local *local = checker->locals; local != NULL; local = local->outer) {
        cel_nearest_offer(&nearest, local->name.bytes, local->name.length);
        nearest.best = nearest.best == local->name.bytes
                           ? arena_copy(checker->source->arena, nearest.best, local->name.length)
                           : nearest.best;
    }
    for (size_t i = 0; i < checker->env->variable_count; i++) {
        const char *name = checker->env->variables[i].name;
        cel_nearest_offer(&nearest, name, strlen(name));
    }
    return cel_refuse(checker->source, node->offset, "unknown_name",
                      nearest.best != NULL ? "no variable is named `%.*s`; did you mean `%s`?"
                                           : "no variable is named `%.*s`%s",
                      (int)(node->name.length < 100 ? node->name.length : 100), node->name.bytes,
                      nearest.best != NULL ? nearest.best : "; a text stands in quotes");
}

/* Takes `a.b(c)` as a call of the function `a.b` when there is one. */
static const struct cel_function_entry *find_qualified(struct cel_checker *checker,
                                                       struct cel_node *node)
{
    const struct cel_node *root = chain_root(node->args[0]);
    char chain[NAME_BYTES_MAX];
    char name[NAME_BYTES_MAX];
    size_t length;
    size_t chain_length;
    if (root->kind != CEL_NODE_NAME || find_local(checker, root) != NULL ||
        !read_chain(node->args[0], chain, &chain_length) ||
        chain_length + 1 + node->name.length > sizeof chain) {
        return NULL;
    }
    chain[chain_length++] = '.';
    memcpy(chain + chain_length, node->name.bytes, node->name.length);
    chain_length += node->name.length;
    long prefix = root->is_absolute ? 0 : (long)strlen(checker->env->container);
    while (next_candidate(checker, chain, chain_length, &prefix, name, &length)) {
        const struct cel_function_entry *entry = cel_find_function(checker->env, name, length);
        if (entry != NULL && entry->row->style == CEL_GLOBAL) {
            node->is_member = false;
            node->offset = root->offset;
            node->args++;
            node->count--;
            return entry;
        }
    }
    return NULL;
}

const struct cel_function_entry *cel_resolve_function(struct cel_checker *checker,
                                                      struct cel_node *node)
{
    const struct cel_function_entry *found;
    if (node->is_member) {
        found = find_qualified(checker, node);
        return found != NULL ? found
                             : cel_find_function(checker->env, node->name.bytes, node->name.length);
    }
    char name[NAME_BYTES_MAX];
    size_t length;
    long prefix = node->is_absolute ? 0 : (long)strlen(checker->env->container);
    while (next_candidate(checker, node->name.bytes, node->name.length, &prefix, name, &length)) {
        found = cel_find_function(checker->env, name, length);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

bool cel_refuse_function(struct cel_checker *checker, struct cel_node *node)
{
    struct cel_nearest nearest = {.word = node->name.bytes, .length = node->name.length};
    static const char *const macros[] = {"has",    "all",        "exists",      "exists_one",
                                         "map",    "filter",     "existsOne",   "transformList",
                                         "optMap", "optFlatMap", "transformMap"};
    for (size_t i = 0; i < CEL_BUCKETS; i++) {
        for (const struct cel_function_entry *entry = checker->env->buckets[i]; entry != NULL;
             entry = entry->next) {
            cel_nearest_offer(&nearest, entry->name, strlen(entry->name));
        }
    }
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        if (cel_text_is(node->name, macros[i])) {
            return cel_refuse(checker->source, node->offset, "bad_macro",
                              "`%s` is not used like this: it wants %s", macros[i],
                              i == 0 ? "one member: `has(value.member)`"
                                     : "a receiver, a variable and an expression: "
                                       "`list.all(x, x > 0)`");
        }
        cel_nearest_offer(&nearest, macros[i], strlen(macros[i]));
    }
    return cel_refuse(checker->source, node->offset, "unknown_function",
                      nearest.best != NULL ? "no function is named `%.*s`; did you mean `%s`?"
                                           : "no function is named `%.*s`%s",
                      (int)(node->name.length < 100 ? node->name.length : 100), node->name.bytes,
                      nearest.best != NULL ? nearest.best : "");
}
