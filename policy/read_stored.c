#include "policy/policy_internal.h"

#include "formats/json.h"
#include "policy/limits.h"
#include <string.h>

/* The reading half of policy_requirements_append and policy_grant_append. Whatever differs from
 * what they write is a stored text that is not what it must be: CORRUPT, with the member as
 * subject. */

static bool fail(struct error *error, const char *member)
{
    return error_set(error, ERROR_CORRUPT, "corrupt_requirements", member,
                     "the stored `%s` is not as it was written", member);
}

static bool read_range(const struct json *object, const char *member, int64_t least, int64_t most,
                       int64_t *out_value, struct error *error)
{
    int64_t value;
    if (!json_integer(json_member(object, member), &value) || value < least || value > most) {
        return fail(error, member);
    }
    *out_value = value;
    return true;
}

static bool read_flag(const struct json *object, const char *member, bool *out_value,
                      struct error *error)
{
    enum json_type type = json_type(json_member(object, member));
    if (type != JSON_TYPE_TRUE && type != JSON_TYPE_FALSE) {
        return fail(error, member);
    }
    *out_value = type == JSON_TYPE_TRUE;
    return true;
}

/* A string of 1 to `most` bytes without NUL; NULL otherwise. */
static const char *take_string(const struct json *value, size_t most, struct arena *arena)
{
    const char *text = json_text(value);
    size_t length = json_text_length(value);
    if (text == NULL || length == 0 || length > most || memchr(text, '\0', length) != NULL) {
        return NULL;
    }
    return arena_copy(arena, text, length);
}

static bool read_strings(const struct json *object, const char *member, size_t count_most,
                         size_t bytes_most, struct arena *arena, const char ***out_texts,
                         size_t *out_count, struct error *error)
{
    const struct json *array = json_member(object, member);
    size_t count = json_count(array);
    if (json_type(array) != JSON_TYPE_ARRAY || count == 0 || count > count_most) {
        return fail(error, member);
    }
    const char **texts = arena_array(arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = take_string(json_element(array, i), bytes_most, arena);
        if (texts[i] == NULL) {
            return fail(error, member);
        }
    }
    *out_texts = texts;
    *out_count = count;
    return true;
}

static bool read_rung(const struct json *object, int64_t least_ms, struct arena *arena,
                      struct policy_rung *rung, struct error *error)
{
    static const char *const members[] = {"after_ms", "to", NULL};
    struct error unknown = {0};
    if (!json_only_members(object, "", members, &unknown)) {
        return fail(error, "ladder");
    }
    return read_range(object, "after_ms", least_ms, TIMEOUT_MS_MAX, &rung->after_ms, error) &&
           read_strings(object, "to", POLICY_GROUPS_MAX, POLICY_NAME_BYTES_MAX, arena, &rung->to,
                        &rung->to_count, error);
}

static bool read_ladder(const struct json *object, struct arena *arena,
                        struct policy_requirement *requirement, struct error *error)
{
    const struct json *ladder = json_member(object, "ladder");
    size_t count = json_count(ladder);
    if (json_type(ladder) != JSON_TYPE_ARRAY || count == 0 || count > POLICY_RUNGS_MAX) {
        return fail(error, "ladder");
    }
    requirement->ladder = arena_array(arena, count, sizeof *requirement->ladder);
    requirement->rung_count = count;
    int64_t least_ms = 0;
    for (size_t i = 0; i < count; i++) {
        struct policy_rung *rung = &requirement->ladder[i];
        if (!read_rung(json_element(ladder, i), least_ms, arena, rung, error)) {
            return false;
        }
        least_ms = rung->after_ms + 1;
    }
    return requirement->ladder[0].after_ms == 0 || fail(error, "ladder");
}

static bool read_requirement(const struct json *object, struct arena *arena,
                             struct policy_requirement *requirement, struct error *error)
{
    static const char *const members[] = {"assurance",     "deny_quorum", "groups",
                                          "ladder",        "quorum",      "rule",
                                          "self_approval", "timeout_ms",  NULL};
    struct error unknown = {0};
    int64_t quorum = 0;
    int64_t deny_quorum = 0;
    requirement->rule = take_string(json_member(object, "rule"), POLICY_NAME_BYTES_MAX, arena);
    if (requirement->rule == NULL || !json_only_members(object, "", members, &unknown)) {
        return fail(error, "rule");
    }
    if (!assurance_read(json_text(json_member(object, "assurance")), &requirement->assurance)) {
        return fail(error, "assurance");
    }
    if (!read_range(object, "quorum", 1, POLICY_QUORUM_MAX, &quorum, error) ||
        !read_range(object, "deny_quorum", 1, POLICY_QUORUM_MAX, &deny_quorum, error) ||
        !read_range(object, "timeout_ms", TIMEOUT_MS_MIN, TIMEOUT_MS_MAX, &requirement->timeout_ms,
                    error) ||
        !read_flag(object, "self_approval", &requirement->allows_self_approval, error) ||
        !read_strings(object, "groups", POLICY_GROUPS_MAX, POLICY_NAME_BYTES_MAX, arena,
                      &requirement->groups, &requirement->group_count, error)) {
        return false;
    }
    requirement->quorum = (int)quorum;
    requirement->deny_quorum = (int)deny_quorum;
    return read_ladder(object, arena, requirement, error);
}

static bool read_document(const struct json *root, struct arena *arena,
                          struct policy_requirement **out_requirements, size_t *out_count,
                          struct error *error)
{
    size_t count = json_count(root);
    if (json_type(root) != JSON_TYPE_ARRAY || count > POLICY_REQUIREMENTS_MAX) {
        return fail(error, "requirements");
    }
    struct policy_requirement *requirements = arena_array(arena, count, sizeof *requirements);
    for (size_t i = 0; i < count; i++) {
        if (!read_requirement(json_element(root, i), arena, &requirements[i], error)) {
            return false;
        }
    }
    *out_requirements = requirements;
    *out_count = count;
    return true;
}

bool policy_requirements_read(const char *text, size_t length, struct arena *arena,
                              struct policy_requirement **out_requirements, size_t *out_count,
                              struct error *error)
{
    struct error syntax = {0};
    struct json_document *document = json_parse(text, length, &syntax);
    if (document == NULL) {
        return fail(error, "requirements");
    }
    bool is_read = read_document(json_root(document), arena, out_requirements, out_count, error);
    json_destroy(document);
    return is_read;
}

static bool read_grant_object(const struct json *object, struct arena *arena,
                              struct policy_grant *out_grant, struct error *error)
{
    static const char *const members[] = {"audiences", "bearer", "claim_within_ms", "ttl_ms", NULL};
    struct error unknown = {0};
    struct policy_grant grant = {0};
    if (!json_only_members(object, "", members, &unknown)) {
        return fail(error, "grant");
    }
    if (json_member(object, "audiences") != NULL &&
        !read_strings(object, "audiences", POLICY_AUDIENCES_MAX, POLICY_AUDIENCE_BYTES_MAX, arena,
                      &grant.audiences, &grant.audience_count, error)) {
        return false;
    }
    /* Zero is what a deny stores: no grant at all. */
    if (!read_range(object, "ttl_ms", 0, TTL_MS_MAX, &grant.ttl_ms, error) ||
        !read_range(object, "claim_within_ms", 0, CLAIM_WITHIN_MS_MAX, &grant.claim_within_ms,
                    error) ||
        !read_flag(object, "bearer", &grant.allows_bearer, error)) {
        return false;
    }
    *out_grant = grant;
    return true;
}

bool policy_grant_read(const char *text, size_t length, struct arena *arena,
                       struct policy_grant *out_grant, struct error *error)
{
    struct error syntax = {0};
    struct json_document *document = json_parse(text, length, &syntax);
    if (document == NULL) {
        return fail(error, "grant");
    }
    bool is_read = read_grant_object(json_root(document), arena, out_grant, error);
    json_destroy(document);
    return is_read;
}
