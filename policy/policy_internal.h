#ifndef POLICY_POLICY_INTERNAL_H
#define POLICY_POLICY_INTERNAL_H

/* Shared by the files of this room only. A compiled policy is one arena: rules sorted by name (so
 * that file order cannot matter), each with its patterns and its share of a decision worked out in
 * advance, and the index over their patterns. */

#include "formats/yaml.h"
#include "policy/cel/cel.h"
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

/* An expression and where it stands. */
struct condition {
    struct cel_program *program; /* NULL: there is none */
    const char *file;
    int line, column;
    const char *text;
    bool has_comment;      /* ` #` behind it: perhaps cut short */
    bool is_double_quoted; /* backslashes in it are YAML's */
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
    struct condition when;
    bool takes_timeout;         /* from the defaults */
    struct span explained_head; /* its object in an explanation, up to what a decision adds, */
    struct span explained_tail; /* and from the name on, without the bracket */
};

/* What one variable is, and how many others it goes through at most. */
struct variable {
    const char *name;
    const char *type; /* of the program's result; lent by it */
    struct condition value;
    int depth;
};

/* The type of one argument, or of all of a tool's. */
enum schema_kind {
    SCHEMA_ANY,
    SCHEMA_STRING,
    SCHEMA_NUMBER,
    SCHEMA_INT,
    SCHEMA_BOOL,
    SCHEMA_LIST,
    SCHEMA_MAP,
    SCHEMA_OBJECT,
    SCHEMA_CHOICE, /* one of some strings */
};

struct schema;
struct schema_member {
    const char *name;
    const struct schema *schema;
    bool is_optional;
};
struct schema {
    enum schema_kind kind;
    const struct schema *element; /* of a list or map */
    struct schema_member *members;
    size_t member_count;
    const char **choices; /* ends with NULL */
    bool is_open;         /* an object that may have members not named */
};

struct tool {
    const char *name;
    const char *file;
    int line, column;
    const struct schema *args;
    const char **show;
    size_t show_count;
    const char **challenge;
    size_t challenge_count;
    struct cel_env *env; /* with the types of its arguments; only while loading */
    bool *has_checked;   /* beside each variable; only while loading */
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
    struct cel_env *env; /* of all conditions; NULL while there is none */
    struct variable *variables;
    size_t variable_count;
    struct tool *tools; /* sorted by name */
    size_t tool_count;
    size_t rule_capacity;                /* rules that may hold a program, also after a failure */
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
    const char *file;                 /* in the policy's arena */
    const struct policy_file *source; /* the same, as given */
    struct arena *scratch;
    struct error *error;
    const struct variable_nodes *variables; /* of all files */
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

/* schema.c: the `tools` member. */
bool read_tools(struct reader *reader, const struct yaml_node *node);
bool sort_tools(struct reader *reader);
const struct tool *find_tool(const struct policy *policy, const char *name);
/* "list(string)": the type as conditions see it. An object is made in `env` first. */
const struct cel_type *schema_type(struct cel_env *env, const struct schema *schema,
                                   struct arena *scratch, struct error *error);

/* arguments.c: whether arguments are as the tool's schema wants them; if not, `out_problem` (in the
 * arena) is a sentence that names the argument. */
bool arguments_fit(const struct tool *tool, struct cel_value args, struct arena *arena,
                   const char **out_problem);

/* conditions.c: `when` and `variables`. */
enum {
    SLOT_SUBJECT,
    SLOT_AGENT,
    SLOT_CALLER,
    SLOT_ACTION,
    SLOT_RESOURCE,
    SLOT_ARGS,
    SLOT_CONTEXT,
    SLOT_NOW,
    SLOT_HISTORY,
    SLOT_COUNT, /* variables follow */
    VARIABLES_MAX = 64,
    VARIABLE_DEPTH_MAX = 8, /* each level evaluates within the one above it */
    TOOLS_MAX = 2000,
};
/* `variables` of one file, kept to be compiled with those of all files. */
struct variable_nodes {
    const struct yaml_node *keys[VARIABLES_MAX];
    const struct yaml_node *values[VARIABLES_MAX];
    const char *files[VARIABLES_MAX];
    const struct policy_file *sources[VARIABLES_MAX];
    size_t count;
};
bool note_variables(struct reader *reader, const struct yaml_node *node,
                    struct variable_nodes *nodes);
bool compile_variables(struct reader *reader, struct variable_nodes *nodes);
bool compile_when(struct reader *reader, const struct yaml_node *node, struct rule *rule);
/* Forgets what only loading needed, and frees what is not in the arena. */
void conditions_finish_loading(struct policy *policy);
void conditions_destroy(struct policy *policy);

/* conditions_env.c: what conditions may name. `tool` (may be NULL) gives `args` its type. */
struct cel_env *make_env(const struct policy *policy, const struct tool *tool,
                         struct arena *scratch, struct error *error);
/* Declares the next variable; slots follow each other. */
bool declare_variable(struct cel_env *env, const struct variable *variable, size_t number,
                      struct error *error);

/* facts.c: what conditions of one request have read so far. */
enum fact_state { FACT_UNREAD, FACT_KNOWN, FACT_FAILED, FACT_STOPPED };
struct fact {
    enum fact_state state;
    struct cel_value value;
    const char *problem;
};
struct facts {
    const struct policy *policy;
    const struct policy_input *input;
    struct arena *arena;
    struct fact *facts; /* by slot */
    int64_t cost_left;
};
void facts_init(struct facts *facts, const struct policy *policy, const struct policy_input *input,
                struct arena *arena);
/* The arguments; false when the input's JSON is none. */
bool facts_args(struct facts *facts, struct cel_value *out);
void facts_evaluate(struct facts *facts, const struct cel_program *program,
                    struct cel_result *out_result);

/* history_calls.c: `history` in conditions. */
bool add_history(struct cel_env *env, struct error *error);
struct cel_value history_value(void);
/* Notes the windows and sets of parts a program asks for; INVALID where they are not literal. */
bool note_history(struct reader *reader, const struct cel_program *program, uint32_t *out_offset);

/* values.c: canonical JSON, lent where it can be. False when it is anything else. */
bool value_read(const char *json, struct arena *arena, struct cel_value *out);

/* place.c: line and column in the file of a byte of a scalar's text. */
void place_find(const char *bytes, size_t length, const struct yaml_node *node, size_t offset,
                int *out_line, int *out_column);

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
