#include "policy/policy_internal.h"

#include "formats/canonical.h"
#include <string.h>

const struct policy_grant grant_defaults = {
    .ttl_ms = 60 * 1000,
    .claim_within_ms = 15 * 60 * 1000,
    .allows_bearer = true,
};

bool has_text(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

const char **copy_texts(struct arena *arena, const char *const *texts, size_t count)
{
    const char **copy = arena_array(arena, count, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = arena_text(arena, texts[i]);
    }
    return copy;
}

void copy_requirement(struct arena *arena, const struct policy_requirement *from,
                      struct policy_requirement *to)
{
    *to = *from;
    to->rule = arena_text(arena, from->rule);
    to->groups = copy_texts(arena, from->groups, from->group_count);
    to->ladder = arena_array(arena, from->rung_count, sizeof *to->ladder);
    for (size_t i = 0; i < from->rung_count; i++) {
        to->ladder[i] = from->ladder[i];
        to->ladder[i].to = copy_texts(arena, from->ladder[i].to, from->ladder[i].to_count);
    }
}

void level_requirements(struct policy_requirement *requirements, size_t count)
{
    if (count == 0) {
        return;
    }
    int deny_quorum = requirements[0].deny_quorum;
    bool allows_self_approval = true;
    for (size_t i = 0; i < count; i++) {
        if (requirements[i].deny_quorum < deny_quorum) {
            deny_quorum = requirements[i].deny_quorum;
        }
        allows_self_approval = allows_self_approval && requirements[i].allows_self_approval;
    }
    for (size_t i = 0; i < count; i++) {
        requirements[i].deny_quorum = deny_quorum;
        requirements[i].allows_self_approval = allows_self_approval;
    }
}

static void write_texts(struct canonical_writer *writer, const char *name, const char *const *texts,
                        size_t count)
{
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        canonical_string(writer, texts[i]);
    }
    canonical_close_array(writer);
}

static void write_requirement(struct canonical_writer *writer,
                              const struct policy_requirement *requirement)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "assurance", assurance_name(requirement->assurance));
    canonical_member_integer(writer, "deny_quorum", requirement->deny_quorum);
    write_texts(writer, "groups", requirement->groups, requirement->group_count);
    canonical_name(writer, "ladder");
    canonical_open_array(writer);
    for (size_t i = 0; i < requirement->rung_count; i++) {
        canonical_open_object(writer);
        canonical_member_integer(writer, "after_ms", requirement->ladder[i].after_ms);
        write_texts(writer, "to", requirement->ladder[i].to, requirement->ladder[i].to_count);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
    canonical_member_integer(writer, "quorum", requirement->quorum);
    canonical_member_text(writer, "rule", requirement->rule);
    canonical_member_bool(writer, "self_approval", requirement->allows_self_approval);
    canonical_member_integer(writer, "timeout_ms", requirement->timeout_ms);
    canonical_close_object(writer);
}

void policy_requirements_append(struct builder *out, const struct policy_requirement *requirements,
                                size_t count)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_array(&writer);
    for (size_t i = 0; i < count; i++) {
        write_requirement(&writer, &requirements[i]);
    }
    canonical_close_array(&writer);
}

void policy_grant_append(struct builder *out, const struct policy_grant *grant)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    if (grant->audiences != NULL) {
        write_texts(&writer, "audiences", grant->audiences, grant->audience_count);
    }
    canonical_member_bool(&writer, "bearer", grant->allows_bearer);
    canonical_member_integer(&writer, "claim_within_ms", grant->claim_within_ms);
    canonical_member_integer(&writer, "ttl_ms", grant->ttl_ms);
    canonical_close_object(&writer);
}
