#include "policy/policy_internal.h"

#include "identity/principal.h"
#include "policy/limits.h"
#include <string.h>

const struct yaml_node *find_key(const struct yaml_node *mapping, const char *key)
{
    for (size_t i = 0; mapping->type == YAML_MAPPING && i < mapping->count; i++) {
        if (strcmp(mapping->keys[i]->text, key) == 0) {
            return mapping->keys[i];
        }
    }
    return NULL;
}

bool read_text(struct reader *reader, const struct yaml_node *node, const char **out_text)
{
    if (!yaml_read_text(reader->file, node, out_text, reader->error)) {
        return false;
    }
    if (strlen(*out_text) != node->length) {
        return yaml_fail(reader->file, node, reader->error, "invalid_text",
                         "a text cannot hold a NUL character; leave it out");
    }
    return true;
}

/* The element's own node, for its place: a list may be written as one text. */
static const struct yaml_node *element_at(const struct yaml_node *node, size_t index)
{
    return node->type == YAML_SEQUENCE ? node->items[index] : node;
}

bool read_names(struct reader *reader, const struct yaml_node *node, size_t most,
                const char ***out_names, size_t *out_count)
{
    const char **texts;
    size_t count;
    if (!yaml_read_texts(reader->file, node, true, reader->scratch, &texts, &count,
                         reader->error)) {
        return false;
    }
    if (count == 0 || count > most) {
        return yaml_fail(reader->file, node, reader->error, "invalid_list",
                         "write a list of 1 to %zu texts here", most);
    }
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *element = element_at(node, i);
        const char *text;
        if (!read_text(reader, element, &text)) {
            return false;
        }
        if (has_text(texts, i, texts[i])) {
            return yaml_fail(reader->file, element, reader->error, "duplicate_name",
                             "`%s` is listed twice; keep one", texts[i]);
        }
    }
    *out_names = copy_texts(reader->policy->arena, texts, count);
    *out_count = count;
    return true;
}

static bool read_groups(struct reader *reader, const struct yaml_node *node,
                        const char ***out_groups, size_t *out_count)
{
    const char **groups;
    size_t count;
    if (!read_names(reader, node, POLICY_GROUPS_MAX, &groups, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!identity_is_name(groups[i])) {
            return yaml_fail(reader->file, element_at(node, i), reader->error, "invalid_group",
                             "`%.64s` cannot be a group's name; write 1 to 64 of a-z 0-9 . _ -, "
                             "a letter or digit first",
                             groups[i]);
        }
    }
    *out_groups = groups;
    *out_count = count;
    return true;
}

static bool read_rung(struct reader *reader, const struct yaml_node *node, struct policy_rung *rung)
{
    static const char *const keys[] = {"after", "to", NULL};
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *after = yaml_member(node, "after");
    const struct yaml_node *to = yaml_member(node, "to");
    if (after == NULL || to == NULL) {
        return yaml_fail(reader->file, node, reader->error, "missing_member",
                         "a rung needs `after` and `to`; write {after: 5m, to: [leads]}");
    }
    return yaml_read_duration(reader->file, after, 0, TIMEOUT_MS_MAX, &rung->after_ms,
                              reader->error) &&
           read_groups(reader, to, &rung->to, &rung->to_count);
}

static bool check_rung_order(struct reader *reader, const struct yaml_node *node,
                             const struct policy_rung *rungs, size_t at)
{
    const struct yaml_node *after = yaml_member(node, "after");
    if (at == 0 && rungs[0].after_ms != 0) {
        return yaml_fail(reader->file, after, reader->error, "invalid_ladder",
                         "the first rung is asked at once; write `after: 0s`");
    }
    if (at > 0 && rungs[at].after_ms <= rungs[at - 1].after_ms) {
        return yaml_fail(reader->file, after, reader->error, "invalid_ladder",
                         "each rung comes later than the one before it; write a longer `after`");
    }
    return true;
}

static bool read_ladder(struct reader *reader, const struct yaml_node *node,
                        struct policy_requirement *requirement)
{
    if (node->type != YAML_SEQUENCE || node->count == 0 || node->count > POLICY_RUNGS_MAX) {
        return yaml_fail(reader->file, node, reader->error, "invalid_ladder",
                         "a ladder is a list of 1 to %d rungs; write [{after: 0s, to: [group]}]",
                         POLICY_RUNGS_MAX);
    }
    struct policy_rung *rungs = arena_array(reader->policy->arena, node->count, sizeof *rungs);
    for (size_t i = 0; i < node->count; i++) {
        if (!read_rung(reader, node->items[i], &rungs[i]) ||
            !check_rung_order(reader, node->items[i], rungs, i)) {
            return false;
        }
    }
    requirement->ladder = rungs;
    requirement->rung_count = node->count;
    return true;
}

/* Without a ladder, the groups are asked at once. */
static void make_ladder(struct reader *reader, struct policy_requirement *requirement)
{
    requirement->ladder = ARENA_NEW(reader->policy->arena, struct policy_rung);
    requirement->ladder[0] = (struct policy_rung){
        .after_ms = 0, .to = requirement->groups, .to_count = requirement->group_count};
    requirement->rung_count = 1;
}

static bool read_assurance(struct reader *reader, const struct yaml_node *node,
                           enum assurance *out_assurance)
{
    const char *name;
    if (!read_text(reader, node, &name)) {
        return false;
    }
    if (!assurance_read(name, out_assurance)) {
        return yaml_fail(reader->file, node, reader->error, "unknown_assurance",
                         "`%.64s` is not an assurance; write chat, session or passkey", name);
    }
    return true;
}

/* At critical an unsaid assurance is passkey, whatever the defaults say: less must be written where
 * it holds. */
static bool settle_assurance(struct reader *reader, const struct yaml_node *said, bool is_critical,
                             enum assurance *assurance)
{
    if (said != NULL) {
        return read_assurance(reader, said, assurance);
    }
    if (is_critical) {
        *assurance = ASSURANCE_PASSKEY;
    }
    if (*assurance == ASSURANCE_NONE) {
        *assurance = ASSURANCE_SESSION;
    }
    return true;
}

static bool read_quorum(struct reader *reader, const struct yaml_node *node, int *out_quorum)
{
    int64_t quorum = 1;
    if (node != NULL &&
        !yaml_read_integer(reader->file, node, 1, POLICY_QUORUM_MAX, &quorum, reader->error)) {
        return false;
    }
    if (node != NULL || *out_quorum == 0) {
        *out_quorum = (int)quorum;
    }
    return true;
}

/* Groups and ladder go together: a rule that names its own groups does not inherit a ladder that
 * would let others vote. */
static bool read_people(struct reader *reader, const struct yaml_node *node,
                        struct policy_requirement *requirement)
{
    const struct yaml_node *groups = yaml_member(node, "groups");
    const struct yaml_node *ladder = yaml_member(node, "ladder");
    if (groups != NULL) {
        requirement->ladder = NULL;
        if (!read_groups(reader, groups, &requirement->groups, &requirement->group_count)) {
            return false;
        }
    }
    if (requirement->group_count == 0) {
        return yaml_fail(reader->file, node, reader->error, "missing_member",
                         "an approval needs people; write `groups: [group]`");
    }
    if (ladder != NULL) {
        return read_ladder(reader, ladder, requirement);
    }
    if (requirement->ladder == NULL) {
        make_ladder(reader, requirement);
    }
    return true;
}

static bool read_timeout(struct reader *reader, const struct yaml_node *node,
                         struct policy_requirement *requirement)
{
    const struct yaml_node *timeout = yaml_member(node, "timeout");
    if (timeout != NULL &&
        !yaml_read_duration(reader->file, timeout, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX,
                            &requirement->timeout_ms, reader->error)) {
        return false;
    }
    if (requirement->timeout_ms == 0) {
        return yaml_fail(reader->file, node, reader->error, "missing_member",
                         "defaults.approval needs an end; write `timeout: 30m`");
    }
    int64_t last_ms = requirement->ladder[requirement->rung_count - 1].after_ms;
    if (last_ms >= requirement->timeout_ms) {
        const struct yaml_node *ladder = yaml_member(node, "ladder");
        return yaml_fail(reader->file, ladder != NULL ? ladder : node, reader->error,
                         "invalid_ladder",
                         "the last rung would be asked after the timeout; write a shorter `after` "
                         "or a longer `timeout`");
    }
    return true;
}

bool read_approval(struct reader *reader, const struct yaml_node *node,
                   const struct policy_requirement *inherited, bool is_critical,
                   struct policy_requirement *requirement)
{
    static const char *const keys[] = {"quorum",  "deny_quorum", "groups",        "assurance",
                                       "timeout", "ladder",      "self_approval", NULL};
    const char *name = requirement->rule;
    if (inherited != NULL) {
        *requirement = *inherited;
        requirement->rule = name;
    }
    if (!yaml_only_keys(reader->file, node, keys, reader->error) ||
        !read_quorum(reader, yaml_member(node, "quorum"), &requirement->quorum) ||
        !read_quorum(reader, yaml_member(node, "deny_quorum"), &requirement->deny_quorum) ||
        !settle_assurance(reader, yaml_member(node, "assurance"), is_critical,
                          &requirement->assurance) ||
        !read_people(reader, node, requirement) || !read_timeout(reader, node, requirement)) {
        return false;
    }
    const struct yaml_node *self = yaml_member(node, "self_approval");
    return self == NULL ||
           yaml_read_bool(reader->file, self, &requirement->allows_self_approval, reader->error);
}

static bool read_audiences(struct reader *reader, const struct yaml_node *node,
                           struct policy_grant *grant)
{
    const char **audiences;
    size_t count;
    if (!read_names(reader, node, POLICY_AUDIENCES_MAX, &audiences, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(audiences[i]);
        if (length == 0 || length > POLICY_AUDIENCE_BYTES_MAX) {
            return yaml_fail(reader->file, element_at(node, i), reader->error, "invalid_audience",
                             "an audience's name has 1 to %d bytes", POLICY_AUDIENCE_BYTES_MAX);
        }
    }
    grant->audiences = audiences;
    grant->audience_count = count;
    return true;
}

bool read_grant(struct reader *reader, const struct yaml_node *node, struct policy_grant *grant)
{
    static const char *const keys[] = {"ttl", "claim_within", "audience", "bearer", NULL};
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *ttl = yaml_member(node, "ttl");
    const struct yaml_node *claim_within = yaml_member(node, "claim_within");
    const struct yaml_node *audience = yaml_member(node, "audience");
    const struct yaml_node *bearer = yaml_member(node, "bearer");
    const char *file = reader->file;
    return (ttl == NULL ||
            yaml_read_duration(file, ttl, TTL_MS_MIN, TTL_MS_MAX, &grant->ttl_ms, reader->error)) &&
           (claim_within == NULL ||
            yaml_read_duration(file, claim_within, CLAIM_WITHIN_MS_MIN, CLAIM_WITHIN_MS_MAX,
                               &grant->claim_within_ms, reader->error)) &&
           (audience == NULL || read_audiences(reader, audience, grant)) &&
           (bearer == NULL || yaml_read_bool(file, bearer, &grant->allows_bearer, reader->error));
}
