/* A policy file, then after a NUL an action, a resource and a subject to decide about; the whole
 * input is also read as stored requirements and grant terms. What is accepted must be consistent:
 * a decision is complete for its verdict, and stored text reads back as itself. */

#include "policy/policy.h"
#include "base/check.h"
#include "crypto/crypto.h"
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    crypto_start();
    return 0;
}

/* The next NUL-ended piece of `text`, which ends with a NUL. */
static const char *next_piece(const char **text, const char *end)
{
    const char *piece = *text;
    *text = *text < end ? *text + strlen(*text) + 1 : end;
    *text = *text < end ? *text : end;
    return piece;
}

static void check_decision(const struct policy_decision *decision)
{
    CHECK(decision->explanation_length == strlen(decision->explanation));
    CHECK((decision->verdict == POLICY_DENY) == (decision->grant.ttl_ms == 0));
    CHECK((decision->verdict == POLICY_REQUIRE_APPROVAL) == (decision->requirement_count > 0));
    CHECK((decision->requirement_count > 0) == (decision->timeout_ms > 0));
    CHECK(decision->grant.audiences == NULL || decision->grant.audience_count > 0);
}

static void check_stored(const struct policy_requirement *requirements, size_t count)
{
    struct builder once BUILDER_SCOPE;
    struct builder again BUILDER_SCOPE;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct error error = {0};
    struct policy_requirement *read = NULL;
    size_t read_count = 0;
    builder_init(&once, 0);
    builder_init(&again, 0);
    policy_requirements_append(&once, requirements, count);
    CHECK(policy_requirements_read(once.bytes, once.length, arena, &read, &read_count, &error));
    policy_requirements_append(&again, read, read_count);
    CHECK(strcmp(once.bytes, again.bytes) == 0);
    struct policy_requirement *merged;
    CHECK(policy_requirements_merge(arena, read, read_count, requirements, count, &merged,
                                    &read_count, &error));
    CHECK(read_count == count);
}

static void decide(const struct policy *policy, const char *rest, const char *end)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_decision decision;
    struct policy_input input = {0};
    input.action = next_piece(&rest, end);
    input.resource = next_piece(&rest, end);
    input.subject = next_piece(&rest, end);
    policy_decide(policy, &input, arena, NULL, NULL, &decision);
    check_decision(&decision);
    check_stored(decision.requirements, decision.requirement_count);
}

static void read_stored(const char *text, size_t length)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct error error = {0};
    struct policy_requirement *requirements;
    struct policy_grant grant;
    size_t count;
    if (policy_requirements_read(text, length, arena, &requirements, &count, &error)) {
        check_stored(requirements, count);
    }
    (void)!policy_grant_read(text, length, arena, &grant, &error);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const char *text = arena_copy(arena, (const char *)bytes, length);
    const char *rest = text + strlen(text);
    struct error error = {0};
    struct policy_file file = {"policy.yaml", text, (size_t)(rest - text)};
    struct policy *policy = policy_compile(&file, 1, &error);
    CHECK((policy == NULL) == (error.kind == ERROR_INVALID));
    if (policy != NULL) {
        const char *end = text + length;
        decide(policy, rest < end ? rest + 1 : end, end);
    }
    policy_destroy(policy);
    read_stored(text, length);
    return 0;
}
