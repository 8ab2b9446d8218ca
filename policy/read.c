#include "policy/policy_internal.h"

#include "formats/canonical.h"
#include <string.h>

static bool read_verdict(struct reader *reader, const struct yaml_node *node,
                         enum policy_verdict *out_verdict)
{
    const char *name;
    if (!read_text(reader, node, &name)) {
        return false;
    }
    return policy_verdict_read(name, out_verdict) ||
           yaml_fail(reader->file, node, reader->error, "unknown_verdict",
                     "`%.64s` is not a verdict; write allow, deny or require_approval", name);
}

static bool read_risk(struct reader *reader, const struct yaml_node *node,
                      enum policy_risk *out_risk)
{
    const char *name;
    if (!read_text(reader, node, &name)) {
        return false;
    }
    return policy_risk_read(name, out_risk) ||
           yaml_fail(reader->file, node, reader->error, "unknown_risk",
                     "`%.64s` is not a risk; write low, medium, high or critical", name);
}

bool read_defaults(struct reader *reader, const struct yaml_node *node)
{
    static const char *const keys[] = {"verdict", "risk", "approval", NULL};
    struct policy *policy = reader->policy;
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *verdict = yaml_member(node, "verdict");
    const struct yaml_node *risk = yaml_member(node, "risk");
    const struct yaml_node *approval = yaml_member(node, "approval");
    if ((verdict != NULL && !read_verdict(reader, verdict, &policy->default_verdict)) ||
        (risk != NULL && !read_risk(reader, risk, &policy->default_risk))) {
        return false;
    }
    if (approval == NULL) {
        return policy->default_verdict != POLICY_REQUIRE_APPROVAL ||
               yaml_fail(reader->file, node, reader->error, "missing_member",
                         "the default verdict requires approval, by whom? Write "
                         "`approval: {groups: [group], timeout: 30m}`");
    }
    struct policy_requirement *requirement = ARENA_NEW(policy->arena, struct policy_requirement);
    requirement->rule = "default";
    policy->default_requirement = requirement;
    return read_approval(reader, approval, NULL, policy->default_risk == POLICY_RISK_CRITICAL,
                         requirement);
}

static bool is_rule_name(const char *text)
{
    size_t length = strlen(text);
    return length <= POLICY_NAME_BYTES_MAX && length > 0 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static bool read_rule_name(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *name_node = yaml_member(node, "name");
    if (name_node == NULL) {
        return yaml_fail(reader->file, node, reader->error, "missing_member",
                         "every rule needs a name of its own; write `name: what-it-is-for`");
    }
    const char *name;
    if (!read_text(reader, name_node, &name)) {
        return false;
    }
    if (!is_rule_name(name)) {
        return yaml_fail(reader->file, name_node, reader->error, "invalid_name",
                         "`%.80s` cannot be a rule's name; write 1 to 64 of a-z 0-9 -, a letter or "
                         "digit first",
                         name);
    }
    if (strcmp(name, "default") == 0) {
        return yaml_fail(reader->file, name_node, reader->error, "invalid_name",
                         "`default` is the name of what holds when no rule matches; write another "
                         "name");
    }
    rule->name = arena_text(reader->policy->arena, name);
    rule->line = name_node->line;
    rule->column = name_node->column;
    return true;
}

static bool read_pattern(struct reader *reader, const struct yaml_node *node,
                         struct pattern *pattern)
{
    const char *text;
    const char *problem = NULL;
    if (!read_text(reader, node, &text)) {
        return false;
    }
    struct span copy = {arena_copy(reader->policy->arena, text, node->length), node->length};
    return pattern_read(pattern, copy, &problem) ||
           yaml_fail(reader->file, node, reader->error, "invalid_pattern", "%s", problem);
}

static bool read_patterns(struct reader *reader, const struct yaml_node *node,
                          struct rule_field *field)
{
    const char **texts;
    size_t count;
    if (!yaml_read_texts(reader->file, node, true, reader->scratch, &texts, &count,
                         reader->error)) {
        return false;
    }
    if (count == 0 || count > POLICY_PATTERNS_MAX) {
        return yaml_fail(reader->file, node, reader->error, "invalid_list",
                         "write 1 to %d patterns here, or leave the member out to fit anything",
                         POLICY_PATTERNS_MAX);
    }
    field->patterns = arena_array(reader->policy->arena, count, sizeof *field->patterns);
    field->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *element = node->type == YAML_SEQUENCE ? node->items[i] : node;
        if (!read_pattern(reader, element, &field->patterns[i])) {
            return false;
        }
    }
    return true;
}

/* A rule for everything must say so: an empty match is more often a slip than a wish. */
static bool read_match(struct reader *reader, const struct yaml_node *rule_node, struct rule *rule)
{
    static const char *const keys[] = {"action", "resource", "subject", "agent", "tenant", NULL};
    const struct yaml_node *node = yaml_member(rule_node, "match");
    if (node == NULL) {
        return yaml_fail(reader->file, rule_node, reader->error, "missing_member",
                         "every rule needs `match`; write `match: all` for a rule about "
                         "everything");
    }
    if (node->type == YAML_SCALAR && node->is_plain && strcmp(node->text, "all") == 0) {
        return true;
    }
    if (node->type != YAML_MAPPING || node->count == 0) {
        return yaml_fail(reader->file, node, reader->error, "invalid_match",
                         "`match` says what the rule is about; write `match: {action: "
                         "payments.refund}`, or `match: all` for everything");
    }
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        const struct yaml_node *patterns = yaml_member(node, field_names[field]);
        if (patterns != NULL && !read_patterns(reader, patterns, &rule->fields[field])) {
            return false;
        }
    }
    return true;
}

static bool read_message(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const char *message;
    if (!read_text(reader, node, &message)) {
        return false;
    }
    if (node->length == 0 || node->length > POLICY_MESSAGE_BYTES_MAX) {
        return yaml_fail(reader->file, node, reader->error, "invalid_message",
                         "a message has 1 to %d bytes", POLICY_MESSAGE_BYTES_MAX);
    }
    rule->message = arena_text(reader->policy->arena, message);
    return true;
}

static bool read_outcome(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *verdict = yaml_member(node, "verdict");
    const struct yaml_node *risk = yaml_member(node, "risk");
    const struct yaml_node *message = yaml_member(node, "message");
    if (verdict == NULL) {
        return yaml_fail(reader->file, node, reader->error, "missing_member",
                         "every rule needs a verdict; write `verdict: require_approval`, allow or "
                         "deny");
    }
    rule->risk = reader->policy->default_risk;
    return read_verdict(reader, verdict, &rule->verdict) &&
           (risk == NULL || read_risk(reader, risk, &rule->risk)) &&
           (message == NULL || read_message(reader, message, rule));
}

static bool read_requirement(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    static const struct yaml_node nothing = {.type = YAML_MAPPING};
    const struct policy_requirement *inherited = reader->policy->default_requirement;
    const struct yaml_node *approval = yaml_member(node, "approval");
    if (inherited == NULL) {
        return yaml_fail(reader->file, yaml_member(node, "verdict"), reader->error,
                         "missing_member",
                         "a policy that can require approval needs `defaults: {approval: {groups: "
                         "[group], timeout: 30m}}`, which also serves effects nobody reported");
    }
    struct yaml_node place = nothing;
    place.line = node->line;
    place.column = node->column;
    rule->requirement.rule = rule->name;
    rule->takes_timeout = approval == NULL || yaml_member(approval, "timeout") == NULL;
    return read_approval(reader, approval != NULL ? approval : &place, inherited,
                         rule->risk == POLICY_RISK_CRITICAL, &rule->requirement);
}

static bool read_terms(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *grant = yaml_member(node, "grant");
    if (rule->verdict != POLICY_REQUIRE_APPROVAL && yaml_member(node, "approval") != NULL) {
        return yaml_fail(reader->file, find_key(node, "approval"), reader->error, "useless_member",
                         "only a rule with `verdict: require_approval` has an approval; remove "
                         "it or change the verdict");
    }
    if (rule->verdict == POLICY_DENY && grant != NULL) {
        return yaml_fail(reader->file, find_key(node, "grant"), reader->error, "useless_member",
                         "a rule that denies gives no grant; remove it or change the verdict");
    }
    rule->grant = grant_defaults;
    return (rule->verdict != POLICY_REQUIRE_APPROVAL || read_requirement(reader, node, rule)) &&
           (grant == NULL || read_grant(reader, grant, &rule->grant));
}

static struct span keep_span(struct reader *reader, const struct builder *text)
{
    return (struct span){arena_copy(reader->policy->arena, text->bytes, text->length),
                         text->length};
}

/* What every explanation says of the rule is written once. */
static void write_explained(struct reader *reader, struct rule *rule)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    const char *place = arena_printf(reader->scratch, "%s:%d", rule->file, rule->line);
    builder_text(&text, "{\"at\":");
    canonical_append_string(&text, place, strlen(place));
    rule->explained_head = keep_span(reader, &text);
    builder_clear(&text);
    builder_text(&text, ",\"name\":");
    canonical_append_string(&text, rule->name, strlen(rule->name));
    builder_printf(&text, ",\"outcome\":\"%s\"", policy_verdict_name(rule->verdict));
    rule->explained_tail = keep_span(reader, &text);
}

bool read_rule(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    static const char *const keys[] = {"name",    "match",    "when",  "verdict", "risk",
                                       "message", "approval", "grant", NULL};
    *rule = (struct rule){.file = reader->file};
    if (!yaml_only_keys(reader->file, node, keys, reader->error) ||
        !read_rule_name(reader, node, rule) || !read_match(reader, node, rule) ||
        !read_outcome(reader, node, rule) || !read_terms(reader, node, rule)) {
        return false;
    }
    const struct yaml_node *when = yaml_member(node, "when");
    if (when != NULL && !compile_when(reader, when, rule)) {
        return false;
    }
    write_explained(reader, rule);
    return true;
}
