/* What holds for every policy: order changes nothing, the index finds exactly the rules that fit, a
 * decision stands on its own and explains itself. Random inputs come from a fixed seed and are
 * printed when they fail. */

#include "cases_file.h"
#include "crypto/crypto.h"
#include "formats/canonical.h"
#include "tests/support/chance.h"

static struct chance chance = {.state = 1};
struct names {
    const char *names[512];
    size_t count;
};

static void collect(void *context, const char *rule, bool has_matched)
{
    struct names *names = context;
    if (has_matched && names->count < 512) {
        names->names[names->count++] = rule;
    }
}

static struct policy_decision decide(const struct policy *policy, const struct policy_input *input,
                                     struct arena *arena)
{
    struct policy_decision decision;
    policy_decide(policy, input, arena, NULL, NULL, &decision);
    return decision;
}

/* Everything but the explanation, which names places. */
static char *write_decision(const struct policy *policy, const struct policy_input *input)
{
    struct arena *arena = arena_create();
    struct builder out;
    struct names names = {.count = 0};
    struct policy_decision decision;
    builder_init(&out, 0);
    policy_decide(policy, input, arena, collect, &names, &decision);
    builder_printf(&out, "%s %s %s %lld ", policy_verdict_name(decision.verdict),
                   policy_risk_name(decision.risk),
                   decision.message == NULL ? "-" : decision.message,
                   (long long)decision.timeout_ms);
    policy_requirements_append(&out, decision.requirements, decision.requirement_count);
    policy_grant_append(&out, &decision.grant);
    for (size_t i = 0; i < names.count; i++) {
        builder_printf(&out, " %s", names.names[i]);
    }
    arena_destroy(arena);
    return builder_take(&out);
}

static const char *const shuffled_rules[] = {
    "{name: a, match: {action: 'pay.*'}, verdict: allow, risk: high, grant: {ttl: 20s, audience: "
    "[api-x, api-y, api-z]}}",
    "{name: b, match: {action: pay.refund}, verdict: require_approval, message: B, approval: "
    "{quorum: 2, groups: [g1]}, grant: {audience: [api-z, api-y]}}",
    "{name: c, match: {resource: 'r/**'}, verdict: require_approval, message: C, approval: "
    "{deny_quorum: 1, groups: [g2, g3], timeout: 11m}}",
    "{name: d, match: {subject: 'user/*'}, verdict: allow, grant: {bearer: false, claim_within: "
    "3m, audience: [api-y, api-x]}}",
    "{name: e, match: {agent: bad}, verdict: deny, message: E}",
    "{name: f, match: {agent: '*ad'}, verdict: deny, message: F, risk: critical}",
    "{name: g, match: all, verdict: allow}",
};
enum { SHUFFLED = sizeof shuffled_rules / sizeof *shuffled_rules };

static void shuffle(size_t order[SHUFFLED])
{
    for (size_t i = 0; i < SHUFFLED; i++) {
        order[i] = i;
    }
    chance_shuffle(&chance, order, SHUFFLED, sizeof *order);
}

/* The rules in random order over three files, the files in random order. */
static struct policy *compile_shuffled(void)
{
    size_t order[SHUFFLED];
    struct builder texts[3];
    struct policy_file files[3];
    static const char *const names[] = {"a.yaml", "b.yaml", "c.yaml"};
    unsigned with_defaults = chance_below(&chance, 3);
    shuffle(order);
    for (unsigned i = 0; i < 3; i++) {
        builder_init(&texts[i], 0);
        builder_text(&texts[i], "version: 1\n");
        if (i == with_defaults) {
            builder_text(&texts[i],
                         "defaults: {approval: {groups: [g0], timeout: 1h, deny_quorum: 3}}\n");
        }
        builder_text(&texts[i], "rules:\n  - {name: none-");
        builder_char(&texts[i], (char)('a' + i));
        builder_text(&texts[i], ", match: {action: never}, verdict: deny}\n");
    }
    for (size_t i = 0; i < SHUFFLED; i++) {
        builder_printf(&texts[chance_below(&chance, 3)], "  - %s\n", shuffled_rules[order[i]]);
    }
    unsigned first = chance_below(&chance, 3);
    for (unsigned i = 0; i < 3; i++) {
        unsigned at = (first + i) % 3;
        files[i] = (struct policy_file){names[at], texts[at].bytes, texts[at].length};
    }
    struct error error = {0};
    struct policy *policy = policy_compile(files, 3, &error);
    ck_assert_msg(policy != NULL, "%s:%d:%d: %s", error.subject, error.line, error.column,
                  error.message);
    for (unsigned i = 0; i < 3; i++) {
        builder_finish(&texts[i]);
    }
    return policy;
}

START_TEST(decide__order_of_rules_and_files_changes_nothing)
{
    static const struct policy_input inputs[] = {
        {.action = "pay.refund", .resource = "r/1/2", .subject = "user/a"},
        {.action = "pay.refund", .resource = "r/1/2", .subject = "user/a", .agent = "bad"},
        {.action = "pay.list", .resource = "s/1", .subject = "user/a"},
        {.action = "other", .resource = "r/1"},
        {0},
    };
    struct policy *reference = compile_shuffled();
    for (int round = 0; round < 200; round++) {
        struct policy *policy = compile_shuffled();
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
            char *expected = write_decision(reference, &inputs[i]);
            char *actual = write_decision(policy, &inputs[i]);
            ck_assert_str_eq(expected, actual);
            free(expected);
            free(actual);
        }
        policy_destroy(policy);
    }
    char *both = write_decision(reference, &inputs[0]);
    ck_assert_msg(strstr(both, "require_approval high B 660000") == both, "%s", both);
    free(both);
    policy_destroy(reference);
}
END_TEST

/* Star by star, the plain meaning: an oracle with nothing in common with the index. */
static bool fits_naively(const char *pattern, const char *text, char separator)
{
    if (*pattern == '\0') {
        return *text == '\0';
    }
    if (*pattern != '*') {
        return *text == *pattern && fits_naively(pattern + 1, text + 1, separator);
    }
    bool crosses = pattern[1] == '*';
    for (const char *rest = text;; rest++) {
        if (fits_naively(pattern + (crosses ? 2 : 1), rest, separator)) {
            return true;
        }
        if (*rest == '\0' || (!crosses && *rest == separator)) {
            return false;
        }
    }
}

static void fill_random(char *out, const char *letters, unsigned length_below)
{
    unsigned length = 1 + chance_below(&chance, length_below);
    unsigned kinds = (unsigned)strlen(letters);
    unsigned stars = 0;
    for (unsigned i = 0; i < length; i++) {
        char letter = letters[chance_below(&chance, kinds)];
        stars = letter == '*' ? stars + 1 : 0;
        out[i] = stars > 2 ? 'a' : letter;
        stars = stars > 2 ? 0 : stars;
    }
    out[length] = '\0';
}

enum { RANDOM_RULES = 60 };
struct random_rule {
    char patterns[2][12]; /* of action and resource; empty: left out */
};

static struct policy *compile_random(struct random_rule rules[RANDOM_RULES])
{
    struct builder text;
    builder_init(&text, 0);
    builder_text(&text, "version: 1\ndefaults: {verdict: deny}\nrules:\n");
    for (int i = 0; i < RANDOM_RULES; i++) {
        rules[i] = (struct random_rule){0};
        if (chance_below(&chance, 4) > 0) {
            fill_random(rules[i].patterns[0], "aab..*", 8);
        }
        if (rules[i].patterns[0][0] == '\0' || chance_below(&chance, 2) > 0) {
            fill_random(rules[i].patterns[1], "aab//*", 8);
        }
        builder_printf(&text, "  - name: rule-%02d\n    verdict: allow\n    match:\n", i);
        if (rules[i].patterns[0][0] != '\0') {
            builder_printf(&text, "      action: \"%s\"\n", rules[i].patterns[0]);
        }
        if (rules[i].patterns[1][0] != '\0') {
            builder_printf(&text, "      resource: [\"%s\", \"none\"]\n", rules[i].patterns[1]);
        }
    }
    struct policy *policy = compile_text(text.bytes);
    builder_finish(&text);
    return policy;
}

static bool expect_match(const struct random_rule *rule, const char *action, const char *resource)
{
    return (rule->patterns[0][0] == '\0' || fits_naively(rule->patterns[0], action, '.')) &&
           (rule->patterns[1][0] == '\0' || fits_naively(rule->patterns[1], resource, '/'));
}

static void check_random_input(const struct policy *policy,
                               const struct random_rule rules[RANDOM_RULES], size_t *matches)
{
    char action[16];
    char resource[16];
    struct names names = {.count = 0};
    fill_random(action, "aab..", 7);
    fill_random(resource, "aab//", 7);
    struct policy_input input = {.action = action, .resource = resource};
    struct arena *arena = arena_create();
    struct policy_decision decision;
    policy_decide(policy, &input, arena, collect, &names, &decision);
    size_t next = 0;
    for (int i = 0; i < RANDOM_RULES; i++) {
        char name[16];
        const char *field;
        snprintf(name, sizeof name, "rule-%02d", i);
        bool expected = expect_match(&rules[i], action, resource);
        bool actual = next < names.count && strcmp(names.names[next], name) == 0;
        next += actual ? 1 : 0;
        ck_assert_msg(expected == actual, "%s \"%s\" \"%s\" on %s %s: expected %d, got %d", name,
                      rules[i].patterns[0], rules[i].patterns[1], action, resource, expected,
                      actual);
        ck_assert(policy_first_mismatch(policy, name, &input, &field));
        ck_assert_int_eq(field == NULL, expected);
    }
    ck_assert_uint_eq(next, names.count);
    *matches += names.count;
    arena_destroy(arena);
}

START_TEST(index__finds_exactly_the_rules_that_fit)
{
    size_t matches = 0;
    for (int round = 0; round < 100; round++) {
        struct random_rule rules[RANDOM_RULES];
        struct policy *policy = compile_random(rules);
        for (int i = 0; i < 200; i++) {
            check_random_input(policy, rules, &matches);
        }
        policy_destroy(policy);
    }
    ck_assert_uint_gt(matches, 20000);
}
END_TEST

/* Crowded places: every action for every tenant and every resource, where each name is shared by
 * hundreds of rules and each triple by one. */
START_TEST(index__tells_rules_of_a_grid_apart)
{
    enum { SIDE = 9 };
    struct builder text;
    builder_init(&text, 0);
    builder_text(&text, "version: 1\ndefaults: {verdict: deny}\nrules:\n");
    for (int i = 0; i < SIDE * SIDE * SIDE; i++) {
        builder_printf(&text,
                       "  - {name: r-%d-%d-%d, verdict: allow, match: {action: 'a.%d.*', tenant: "
                       "t%d, resource: '**/r%d'}}\n",
                       i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE, i % SIDE, i / SIDE % SIDE,
                       i / SIDE / SIDE);
    }
    struct policy *policy = compile_text(text.bytes);
    struct arena *arena = arena_create();
    for (int i = 0; i < SIDE * SIDE * SIDE; i++) {
        struct names names = {.count = 0};
        struct policy_decision decision;
        struct policy_input input = {
            .action = arena_printf(arena, "a.%d.x", i % SIDE),
            .tenant = arena_printf(arena, "t%d", i / SIDE % SIDE),
            .resource = arena_printf(arena, "deep/down/r%d", i / SIDE / SIDE),
        };
        policy_decide(policy, &input, arena, collect, &names, &decision);
        ck_assert_uint_eq(names.count, 1);
        ck_assert_str_eq(names.names[0], arena_printf(arena, "r-%d-%d-%d", i % SIDE,
                                                      i / SIDE % SIDE, i / SIDE / SIDE));
    }
    builder_finish(&text);
    arena_destroy(arena);
    policy_destroy(policy);
}
END_TEST

START_TEST(decide__explanation_is_canonical_json_and_says_why)
{
    struct policy *policy =
        compile_text("version: 1\n"
                     "defaults: {approval: {groups: [g], timeout: 1h}}\n"
                     "rules:\n"
                     "  - {name: some, match: {action: a}, verdict: allow, risk: low}\n"
                     "  - {name: other, match: {action: b}, verdict: allow}\n"
                     "  - {name: ask, match: {resource: 'r/*'}, verdict: require_approval, "
                     "message: \"say \\\"why\\\"\"}\n");
    struct arena *arena = arena_create();
    struct policy_decision decision =
        decide(policy, &(struct policy_input){.action = "a", .resource = "r/1"}, arena);
    ck_assert_str_eq(
        decision.explanation,
        arena_printf(
            arena,
            "{\"message\":\"say \\\"why\\\"\",\"policy\":\"%s\",\"reason\":\"rules_matched\","
            "\"risk\":\"medium\",\"rules\":["
            "{\"at\":\"policy.yaml:6\",\"matched\":true,\"name\":\"ask\",\"outcome\":\"require_"
            "approval\"},"
            "{\"at\":\"policy.yaml:4\",\"matched\":true,\"name\":\"some\",\"outcome\":\"allow\"}],"
            "\"skipped\":1,\"verdict\":\"require_approval\"}",
            policy_version(policy)));
    struct error error = {0};
    struct json_document *document =
        json_parse(decision.explanation, decision.explanation_length, &error);
    ck_assert_ptr_nonnull(document);
    struct builder again;
    builder_init(&again, 0);
    canonical_append(&again, json_root(document));
    ck_assert_str_eq(again.bytes, decision.explanation);
    builder_finish(&again);
    json_destroy(document);
    decision = decide(policy, &(struct policy_input){.action = "x", .resource = "x"}, arena);
    ck_assert_str_eq(decision.explanation,
                     arena_printf(arena,
                                  "{\"policy\":\"%s\",\"reason\":\"no_rule_matched\",\"risk\":"
                                  "\"medium\",\"rules\":[],\"skipped\":3,\"verdict\":\"deny\"}",
                                  policy_version(policy)));
    arena_destroy(arena);
    policy_destroy(policy);
}
END_TEST

START_TEST(decide__decision_outlives_its_policy)
{
    char *text = memory_text("version: 1\n"
                             "defaults: {approval: {groups: [g], timeout: 1h}}\n"
                             "rules:\n"
                             "  - {name: ask, match: all, verdict: require_approval, message: Why, "
                             "grant: {audience: [api]}}\n");
    struct policy *policy = compile_text(text);
    memset(text, 'x', strlen(text));
    free(text);
    struct arena *arena = arena_create();
    struct policy_decision decision = decide(policy, &(struct policy_input){.action = "a"}, arena);
    policy_destroy(policy);
    ck_assert_str_eq(decision.message, "Why");
    ck_assert_str_eq(decision.requirements[0].rule, "ask");
    ck_assert_str_eq(decision.requirements[0].groups[0], "g");
    ck_assert_str_eq(decision.requirements[0].ladder[0].to[0], "g");
    ck_assert_str_eq(decision.grant.audiences[0], "api");
    arena_destroy(arena);
}
END_TEST

START_TEST(decide__a_text_longer_than_rules_can_judge_is_denied)
{
    struct policy *policy = compile_text("version: 1\ndefaults: {verdict: allow}\n");
    struct arena *arena = arena_create();
    char *text = arena_alloc(arena, POLICY_TEXT_BYTES_MAX + 2);
    memset(text, 'a', POLICY_TEXT_BYTES_MAX);
    struct policy_input input = {.action = "a", .resource = text};
    ck_assert_int_eq(decide(policy, &input, arena).verdict, POLICY_ALLOW);
    text[POLICY_TEXT_BYTES_MAX] = 'a';
    struct policy_decision decision = decide(policy, &input, arena);
    ck_assert_int_eq(decision.verdict, POLICY_DENY);
    ck_assert_ptr_nonnull(strstr(decision.explanation, "text_too_long"));
    ck_assert_int_eq(decision.grant.ttl_ms, 0);
    arena_destroy(arena);
    policy_destroy(policy);
}
END_TEST

static struct policy *compile_many(int count, const char *rule_format)
{
    struct builder text;
    builder_init(&text, 0);
    builder_text(&text, "version: 1\ndefaults: {approval: {groups: [g], timeout: 1h}}\nrules:\n");
    for (int i = 0; i < count; i++) {
        builder_printf(&text, "  - name: rule-%04d\n    %s\n", i, rule_format);
    }
    struct policy *policy = compile_text(text.bytes);
    builder_finish(&text);
    return policy;
}

START_TEST(decide__more_requirements_than_people_could_answer_is_a_deny)
{
    struct arena *arena = arena_create();
    struct policy_input input = {.action = "a"};
    struct policy *most =
        compile_many(POLICY_REQUIREMENTS_MAX, "match: all\n    verdict: require_approval");
    struct policy_decision decision = decide(most, &input, arena);
    ck_assert_int_eq(decision.verdict, POLICY_REQUIRE_APPROVAL);
    ck_assert_uint_eq(decision.requirement_count, POLICY_REQUIREMENTS_MAX);
    struct policy *more =
        compile_many(POLICY_REQUIREMENTS_MAX + 1, "match: all\n    verdict: require_approval");
    decision = decide(more, &input, arena);
    ck_assert_int_eq(decision.verdict, POLICY_DENY);
    ck_assert_uint_eq(decision.requirement_count, 0);
    ck_assert_int_eq(decision.grant.ttl_ms, 0);
    ck_assert_ptr_nonnull(strstr(decision.explanation, "\"reason\":\"too_many_requirements\""));
    policy_destroy(most);
    policy_destroy(more);
    arena_destroy(arena);
}
END_TEST

START_TEST(decide__a_long_explanation_counts_what_it_does_not_list)
{
    struct arena *arena = arena_create();
    struct policy *policy =
        compile_many(POLICY_EXPLAINED_MAX + 7, "match: all\n    verdict: allow");
    struct policy_decision decision = decide(policy, &(struct policy_input){.action = "a"}, arena);
    ck_assert_int_eq(decision.verdict, POLICY_ALLOW);
    ck_assert_ptr_nonnull(
        strstr(decision.explanation, "\"skipped\":0,\"unlisted\":7,\"verdict\":\"allow\"}"));
    ck_assert_ptr_nonnull(strstr(decision.explanation, "rule-0199"));
    ck_assert_ptr_null(strstr(decision.explanation, "rule-0200"));
    policy_destroy(policy);
    arena_destroy(arena);
}
END_TEST

START_TEST(policy__first_mismatch_names_the_field)
{
    struct policy *policy =
        compile_text("version: 1\ndefaults: {}\nrules:\n"
                     "  - {name: r, match: {action: a, tenant: t}, verdict: allow}\n");
    const char *field = "";
    struct policy_input input = {.action = "a", .tenant = "u"};
    ck_assert(policy_first_mismatch(policy, "r", &input, &field));
    ck_assert_str_eq(field, "tenant");
    input.action = "b";
    ck_assert(policy_first_mismatch(policy, "r", &input, &field));
    ck_assert_str_eq(field, "action");
    ck_assert(!policy_first_mismatch(policy, "absent", &input, &field));
    policy_destroy(policy);
}
END_TEST

START_TEST(policy__default_requirement_serves_unknown_effects_or_is_absent)
{
    struct policy *with =
        compile_text("version: 1\ndefaults: {verdict: allow, risk: high, approval: "
                     "{groups: [g], timeout: 1h, quorum: 2}}\n");
    const struct policy_requirement *requirement = policy_default_requirement(with);
    ck_assert_str_eq(requirement->rule, "default");
    ck_assert_int_eq(requirement->quorum, 2);
    ck_assert_int_eq(requirement->assurance, ASSURANCE_SESSION);
    ck_assert_int_eq(policy_default_risk(with), POLICY_RISK_HIGH);
    struct policy *without = compile_text("version: 1\ndefaults: {verdict: allow}\n");
    ck_assert_ptr_null(policy_default_requirement(without));
    policy_destroy(with);
    policy_destroy(without);
}
END_TEST

START_TEST(names__verdicts_risks_and_assurances_read_back)
{
    enum policy_verdict verdict;
    enum policy_risk risk;
    enum assurance assurance;
    for (enum policy_verdict each = POLICY_DENY; each <= POLICY_ALLOW; each++) {
        ck_assert(policy_verdict_read(policy_verdict_name(each), &verdict) && verdict == each);
    }
    for (enum policy_risk each = POLICY_RISK_LOW; each <= POLICY_RISK_CRITICAL; each++) {
        ck_assert(policy_risk_read(policy_risk_name(each), &risk) && risk == each);
    }
    for (enum assurance each = ASSURANCE_CHAT; each <= ASSURANCE_PASSKEY; each++) {
        ck_assert(assurance_read(assurance_name(each), &assurance) && assurance == each);
    }
    ck_assert(!policy_verdict_read("Allow", &verdict) && !policy_verdict_read(NULL, &verdict));
    ck_assert(!policy_risk_read("", &risk) && !policy_risk_read(NULL, &risk));
    ck_assert(!assurance_read("none", &assurance) && !assurance_read(NULL, &assurance));
    ck_assert_int_eq((struct policy_decision){0}.verdict, POLICY_DENY);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy decide");
    TCase *tests = tcase_create("decide");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, decide__order_of_rules_and_files_changes_nothing);
    tcase_add_test(tests, index__finds_exactly_the_rules_that_fit);
    tcase_add_test(tests, index__tells_rules_of_a_grid_apart);
    tcase_add_test(tests, decide__explanation_is_canonical_json_and_says_why);
    tcase_add_test(tests, decide__decision_outlives_its_policy);
    tcase_add_test(tests, decide__a_text_longer_than_rules_can_judge_is_denied);
    tcase_add_test(tests, decide__more_requirements_than_people_could_answer_is_a_deny);
    tcase_add_test(tests, decide__a_long_explanation_counts_what_it_does_not_list);
    tcase_add_test(tests, policy__first_mismatch_names_the_field);
    tcase_add_test(tests, policy__default_requirement_serves_unknown_effects_or_is_absent);
    tcase_add_test(tests, names__verdicts_risks_and_assurances_read_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
