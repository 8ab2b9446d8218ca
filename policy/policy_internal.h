#ifndef POLICY_POLICY_INTERNAL_H
#define POLICY_POLICY_INTERNAL_H

/* Shared by the files of this room only. A compiled policy is one arena: rules sorted by name (so
 * that file order cannot matter), each with its patterns and its share of a decision worked out in
 * advance, and the index over their patterns. */

#include "formats/yaml.h"
#include "policy/policy.h"

enum field { FIELD_ACTION, FIELD_RESOURCE, FIELD_SUBJECT, FIELD_AGENT, FIELD_TENANT, FIELD_COUNT };

extern const char *const field_names[FIELD_COUNT];
extern const char field_separators[FIELD_COUNT];

/* A text of known length; what an input's field or a pattern's literal piece is. */
struct span {
    const char *bytes;
    size_t length;
};

enum pattern_kind { PATTERN_EXACT, PATTERN_ONE_STAR, PATTERN_GLOB };

struct pattern {
    enum pattern_kind kind;
    struct span text;
    struct span prefix; /* literal bytes before the first star */
    struct span suffix; /* literal bytes after the last star */
    bool crosses;       /* PATTERN_ONE_STAR: the star is a double one */
};

struct rule_field {
    struct pattern *patterns;
    size_t count; /* 0: fits everything */
};

struct rule {
    const char *name;
    const char *file;
    int line, column;
    enum policy_verdict verdict;
    enum policy_risk risk;
    const char *message; /* or NULL */
    struct rule_field fields[FIELD_COUNT];
    struct policy_requirement requirement; /* only for require_approval */
    struct policy_grant grant;
    struct span explained; /* its object in an explanation */
};

struct index;

struct policy {
    struct arena *arena; /* owns everything below */
    char version[POLICY_VERSION_BYTES];
    struct rule *rules; /* sorted by name */
    size_t rule_count;
    enum policy_verdict default_verdict;
    enum policy_risk default_risk;
    const struct policy_requirement *default_requirement; /* or NULL */
    struct index *index;
    int64_t windows[POLICY_WINDOWS_MAX]; /* ascending */
    size_t window_count;
    unsigned history_kinds[POLICY_HISTORY_KINDS_MAX]; /* sets of parts that rules read */
    size_t history_kind_count;
};

/* pattern.c */
bool pattern_read(struct pattern *out_pattern, struct span text, const char **out_problem);
bool pattern_matches(const struct pattern *pattern, struct span text, char separator);

/* index.c: rules whose match may fit, each once and ascending. Where a rule is filed depends on
 * which of its pieces fewest other rules share. */
struct index *index_build(const struct rule *rules, size_t rule_count, struct arena *arena);
size_t index_find(const struct index *index, const struct span texts[FIELD_COUNT],
                  struct arena *arena, uint32_t **out_rules);

/* read.c: one rule or the defaults from their YAML. */
struct reader {
    struct policy *policy;
    const char *file; /* in the policy's arena */
    struct arena *scratch;
    struct error *error;
};
bool read_defaults(struct reader *reader, const struct yaml_node *node);
bool read_rule(struct reader *reader, const struct yaml_node *node, struct rule *rule);

/* terms.c: the `approval` and `grant` members, completed from what they inherit. */
bool read_approval(struct reader *reader, const struct yaml_node *node,
                   const struct policy_requirement *inherited, bool is_critical,
                   struct policy_requirement *requirement);
bool read_grant(struct reader *reader, const struct yaml_node *node, struct policy_grant *grant);
/* A list of texts copied into the policy, none of them twice. */
bool read_names(struct reader *reader, const struct yaml_node *node, size_t most,
                const char ***out_names, size_t *out_count);
/* The text of a scalar that holds no NUL. */
bool read_text(struct reader *reader, const struct yaml_node *node, const char **out_text);
const struct yaml_node *find_key(const struct yaml_node *mapping, const char *key);

/* requirements.c */
extern const struct policy_grant grant_defaults;
void copy_requirement(struct arena *arena, const struct policy_requirement *from,
                      struct policy_requirement *to);
const char **copy_texts(struct arena *arena, const char *const *texts, size_t count);
/* Request-wide members get the strictest value of all: smallest deny_quorum, self-approval only
 * when all allow it. */
void level_requirements(struct policy_requirement *requirements, size_t count);
bool has_text(const char *const *texts, size_t count, const char *text);

#endif
