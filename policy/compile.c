#include "policy/policy_internal.h"

#include "base/builder.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>

/* What the passes over the files share. */
struct compilation {
    struct reader reader;
    const struct policy_file **files; /* sorted by name */
    const char **names;               /* copies in the policy's arena */
    struct yaml_node **roots;
    size_t count;
    const struct yaml_node *defaults;
    size_t defaults_file;
    struct variable_nodes variables;
};

static int compare_files(const void *left, const void *right)
{
    const struct policy_file *const *a = left;
    const struct policy_file *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static bool sort_files(struct compilation *compilation, const struct policy_file *files,
                       struct error *error)
{
    struct arena *scratch = compilation->reader.scratch;
    compilation->files = arena_array(scratch, compilation->count, sizeof(void *));
    compilation->names = arena_array(scratch, compilation->count, sizeof(char *));
    for (size_t i = 0; i < compilation->count; i++) {
        compilation->files[i] = &files[i];
    }
    qsort(compilation->files, compilation->count, sizeof(void *), compare_files);
    for (size_t i = 0; i < compilation->count; i++) {
        const char *name = compilation->files[i]->name;
        compilation->names[i] = arena_text(compilation->reader.policy->arena, name);
        if (i > 0 && strcmp(name, compilation->names[i - 1]) == 0) {
            return error_set_at(error, ERROR_INVALID, "duplicate_file", name, 1, 1,
                                "the file is there twice; keep one");
        }
    }
    return true;
}

static void append_sized(struct builder *out, const char *bytes, size_t length)
{
    char size[8];
    for (size_t i = 0; i < sizeof size; i++) {
        size[i] = (char)(unsigned char)((uint64_t)length >> (8 * (sizeof size - 1 - i)));
    }
    builder_append(out, size, sizeof size);
    builder_append(out, bytes, length);
}

/* Lengths are 8 bytes, big end first, so that no two sets of files give the same text. */
static void write_version(const struct compilation *compilation)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t i = 0; i < compilation->count; i++) {
        const struct policy_file *file = compilation->files[i];
        append_sized(&text, file->name, strlen(file->name));
        append_sized(&text, file->bytes, file->length);
    }
    struct sha256 hash = crypto_sha256(text.bytes, text.length);
    builder_clear(&text);
    text_append_hex(&text, hash.bytes, sizeof hash.bytes);
    memcpy(compilation->reader.policy->version, text.bytes, POLICY_VERSION_BYTES);
}

static bool check_version_member(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *node = yaml_member(root, "version");
    if (node == NULL) {
        return yaml_fail(reader->file, root, reader->error, "missing_member",
                         "every policy file says which form it has; write `version: 1` first");
    }
    return (node->type == YAML_SCALAR && strcmp(node->text, "1") == 0 && node->is_plain) ||
           yaml_fail(reader->file, node, reader->error, "unknown_version",
                     "this gateway reads form 1 of policy files; write `version: 1`");
}

static bool note_defaults(struct compilation *compilation, size_t file)
{
    const struct yaml_node *node = yaml_member(compilation->roots[file], "defaults");
    if (node == NULL) {
        return true;
    }
    if (compilation->defaults != NULL) {
        const struct yaml_node *first =
            find_key(compilation->roots[compilation->defaults_file], "defaults");
        return yaml_fail(compilation->names[file], find_key(compilation->roots[file], "defaults"),
                         compilation->reader.error, "duplicate_defaults",
                         "defaults stand in one file, and `%.100s` line %d has them; keep one",
                         compilation->names[compilation->defaults_file], first->line);
    }
    compilation->defaults = node;
    compilation->defaults_file = file;
    return true;
}

/* What the reader reads from now on. */
static void read_from(struct compilation *compilation, size_t file)
{
    compilation->reader.file = compilation->names[file];
    compilation->reader.source = compilation->files[file];
}

static bool open_file(struct compilation *compilation, size_t file)
{
    static const char *const keys[] = {"version", "defaults", "variables", "tools", "rules", NULL};
    struct reader *reader = &compilation->reader;
    const struct policy_file *source = compilation->files[file];
    read_from(compilation, file);
    struct yaml_node *root =
        yaml_parse(reader->file, source->bytes, source->length, reader->scratch, reader->error);
    if (root == NULL) {
        return false;
    }
    compilation->roots[file] = root;
    return yaml_only_keys(reader->file, root, keys, reader->error) &&
           check_version_member(reader, root) && note_defaults(compilation, file);
}

static bool open_files(struct compilation *compilation)
{
    compilation->roots =
        arena_array(compilation->reader.scratch, compilation->count, sizeof(void *));
    for (size_t i = 0; i < compilation->count; i++) {
        if (!open_file(compilation, i)) {
            return false;
        }
    }
    if (compilation->defaults == NULL) {
        return yaml_fail(compilation->names[0], compilation->roots[0], compilation->reader.error,
                         "missing_member",
                         "no file says what holds when no rule matches; write `defaults: "
                         "{verdict: deny}` in one of them");
    }
    read_from(compilation, compilation->defaults_file);
    return read_defaults(&compilation->reader, compilation->defaults);
}

/* Rules may name the tools and variables of every file, so those come first. */
static bool read_names_of_conditions(struct compilation *compilation)
{
    struct reader *reader = &compilation->reader;
    for (size_t i = 0; i < compilation->count; i++) {
        const struct yaml_node *tools = yaml_member(compilation->roots[i], "tools");
        const struct yaml_node *variables = yaml_member(compilation->roots[i], "variables");
        read_from(compilation, i);
        if ((tools != NULL && !read_tools(reader, tools)) ||
            (variables != NULL && !note_variables(reader, variables, &compilation->variables))) {
            return false;
        }
    }
    reader->variables = &compilation->variables;
    return sort_tools(reader) && compile_variables(reader, &compilation->variables);
}

/* Counts the rules of all files before any is read. */
static bool make_room(struct compilation *compilation)
{
    struct policy *policy = compilation->reader.policy;
    size_t total = 0;
    for (size_t i = 0; i < compilation->count; i++) {
        const struct yaml_node *rules = yaml_member(compilation->roots[i], "rules");
        if (rules == NULL) {
            continue;
        }
        if (rules->type != YAML_SEQUENCE) {
            return yaml_fail(compilation->names[i], rules, compilation->reader.error,
                             "invalid_list", "`rules` is a list; begin each rule with `- name:`");
        }
        total += rules->count;
        if (total > POLICY_RULES_MAX) {
            return yaml_fail(compilation->names[i], rules, compilation->reader.error,
                             "too_many_rules", "a policy has at most %d rules; merge some",
                             POLICY_RULES_MAX);
        }
    }
    policy->rules = arena_array(policy->arena, total, sizeof *policy->rules);
    policy->rule_capacity = total;
    return true;
}

static bool read_rules(struct compilation *compilation)
{
    struct policy *policy = compilation->reader.policy;
    for (size_t i = 0; i < compilation->count; i++) {
        const struct yaml_node *rules = yaml_member(compilation->roots[i], "rules");
        read_from(compilation, i);
        for (size_t j = 0; rules != NULL && j < rules->count; j++) {
            if (!read_rule(&compilation->reader, rules->items[j],
                           &policy->rules[policy->rule_count])) {
                return false;
            }
            policy->rule_count++;
        }
    }
    return true;
}

/* By name; rules of the same name, which are refused next, by place. */
static int compare_rules(const void *left, const void *right)
{
    const struct rule *a = left;
    const struct rule *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0) {
        order = strcmp(a->file, b->file);
    }
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool sort_rules(struct compilation *compilation)
{
    struct policy *policy = compilation->reader.policy;
    if (policy->rule_count > 0) {
        qsort(policy->rules, policy->rule_count, sizeof *policy->rules, compare_rules);
    }
    for (size_t i = 1; i < policy->rule_count; i++) {
        const struct rule *first = &policy->rules[i - 1];
        const struct rule *second = &policy->rules[i];
        if (strcmp(first->name, second->name) == 0) {
            return error_set_at(compilation->reader.error, ERROR_INVALID, "duplicate_name",
                                second->file, second->line, second->column,
                                "`%s` is also the rule at `%.100s` line %d; write another name",
                                second->name, first->file, first->line);
        }
    }
    return true;
}

static bool compile(struct compilation *compilation, const struct policy_file *files,
                    struct error *error)
{
    struct policy *policy = compilation->reader.policy;
    if (compilation->count == 0 || compilation->count > POLICY_FILES_MAX) {
        return error_set(error, ERROR_INVALID, "invalid_files", NULL,
                         "a policy has 1 to %d files and this one has %zu; write at least one with "
                         "`version: 1` and `defaults: {verdict: deny}`",
                         POLICY_FILES_MAX, compilation->count);
    }
    if (!sort_files(compilation, files, error) || !open_files(compilation) ||
        !read_names_of_conditions(compilation) || !make_room(compilation) ||
        !read_rules(compilation) || !sort_rules(compilation)) {
        return false;
    }
    conditions_finish_loading(policy);
    policy->index = index_build(policy->rules, policy->rule_count, policy->arena);
    write_version(compilation);
    return true;
}

struct policy *policy_compile(const struct policy_file *files, size_t count, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct arena *arena = arena_create();
    struct policy *policy = ARENA_NEW(arena, struct policy);
    policy->arena = arena;
    policy->default_risk = POLICY_RISK_MEDIUM;
    struct compilation compilation = {
        .reader = {.policy = policy, .scratch = scratch, .error = error}, .count = count};
    if (!compile(&compilation, files, error)) {
        policy_destroy(policy);
        return NULL;
    }
    return policy;
}

void policy_destroy(struct policy *policy)
{
    if (policy != NULL) {
        conditions_destroy(policy);
        arena_destroy(policy->arena);
    }
}

const char *policy_version(const struct policy *policy)
{
    return policy->version;
}

size_t policy_rule_count(const struct policy *policy)
{
    return policy->rule_count;
}

const int64_t *policy_windows(const struct policy *policy, size_t *out_count)
{
    *out_count = policy->window_count;
    return policy->windows;
}

const struct policy_requirement *policy_default_requirement(const struct policy *policy)
{
    return policy->default_requirement;
}

enum policy_risk policy_default_risk(const struct policy *policy)
{
    return policy->default_risk;
}
