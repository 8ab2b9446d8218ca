/* A policy file with conditions, then after a NUL an action, a resource, a subject and arguments as
 * JSON to decide about; the whole input is also read as stored requirements and grant terms. What
 * is accepted must be consistent: a decision is complete for its verdict, its explanation is
 * canonical JSON, deciding twice gives the same bytes, and stored text reads back as itself. */

#include "policy/policy.h"
#include "base/check.h"
#include "crypto/crypto.h"
#include "formats/canonical.h"
#include "policy/lint.h"
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

/* The explanation is canonical: it parses, and writes back as itself. */
static void check_explanation(const struct policy_decision *decision)
{
    struct builder again BUILDER_SCOPE;
    struct error error = {0};
    struct json_document *document JSON_SCOPE =
        json_parse(decision->explanation, decision->explanation_length, &error);
    CHECK(document != NULL);
    builder_init(&again, 0);
    canonical_append(&again, json_root(document));
    CHECK(strcmp(again.bytes, decision->explanation) == 0);
}

static bool count_history(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                          int64_t *out_count)
{
    (void)context;
    *out_count = (int64_t)parts + (int64_t)past + window_ms % 7;
    return past != POLICY_PAST_FAILED;
}

/* The arguments as a request would have them; what is no JSON is given as it is, which must do no
 * harm. */
static void take_args(struct arena *arena, const char *text, struct policy_input *input)
{
    struct builder action BUILDER_SCOPE;
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &error);
    builder_init(&action, 0);
    builder_text(&action, "{\"name\":\"a\",\"properties\":{\"args\":");
    if (document == NULL) {
        builder_text(&action, text);
        input->context_json = text;
    } else {
        canonical_append(&action, json_root(document));
    }
    builder_text(&action, "}}");
    input->action_json = arena_copy(arena, action.bytes, action.length);
}

static void look_for_slips(const struct policy *policy, struct arena *arena)
{
    struct policy_finding *findings;
    size_t count;
    policy_lint(policy, &(struct policy_lint_options){0}, arena, &findings, &count);
    for (size_t i = 0; i < count; i++) {
        CHECK(findings[i].line > 0 && findings[i].message[0] != '\0');
    }
}

static void decide(const struct policy *policy, const char *rest, const char *end)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_decision decision;
    struct policy_decision again;
    const struct policy_history history = {.count = count_history};
    struct policy_input input = {.now = 1764086400000, .history = &history};
    input.action = next_piece(&rest, end);
    input.resource = next_piece(&rest, end);
    input.subject = next_piece(&rest, end);
    take_args(arena, next_piece(&rest, end), &input);
    policy_decide(policy, &input, arena, NULL, NULL, &decision);
    policy_decide(policy, &input, arena, NULL, NULL, &again);
    CHECK(strcmp(decision.explanation, again.explanation) == 0);
    check_decision(&decision);
    check_explanation(&decision);
    check_stored(decision.requirements, decision.requirement_count);
    look_for_slips(policy, arena);
}

static void check_refusal(const struct policy_file *file, const struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    CHECK(error->kind == ERROR_INVALID && error->message[0] != '\0');
    policy_append_error(&text, file, 1, error);
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
    if (policy == NULL) {
        check_refusal(&file, &error);
    } else {
        const char *end = text + length;
        decide(policy, rest < end ? rest + 1 : end, end);
    }
    policy_destroy(policy);
    read_stored(text, length);
    return 0;
}
