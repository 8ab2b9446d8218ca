/* Requirements and grant terms as they are stored with a request, and that they only grow. */

#include "cases_file.h"
#include "crypto/crypto.h"
#include "tests/support/chance.h"

static const char *const finance[] = {"finance"};

static const char stored[] =
    "[{\"assurance\":\"session\",\"deny_quorum\":1,\"groups\":[\"finance\",\"leads\"],\"ladder\":[{"
    "\"after_ms\":0,\"to\":[\"finance\"]},{\"after_ms\":300000,\"to\":[\"heads\",\"leads\"]}],"
    "\"quorum\":2,\"rule\":\"large-refund\",\"self_approval\":false,\"timeout_ms\":900000}]";

static struct policy_requirement *read_text(struct arena *arena, const char *text,
                                            size_t *out_count)
{
    struct error error = {0};
    struct policy_requirement *requirements = NULL;
    ck_assert_msg(
        policy_requirements_read(text, strlen(text), arena, &requirements, out_count, &error),
        "%s: %s", error.subject, error.message);
    return requirements;
}

static const char *write_text(struct arena *arena, const struct policy_requirement *requirements,
                              size_t count)
{
    struct builder out;
    builder_init(&out, 0);
    policy_requirements_append(&out, requirements, count);
    const char *text = arena_text(arena, out.bytes);
    builder_finish(&out);
    return text;
}

START_TEST(requirements__read_back_what_was_written)
{
    struct arena *arena = arena_create();
    size_t count;
    struct policy_requirement *requirements = read_text(arena, stored, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(requirements[0].quorum, 2);
    ck_assert_int_eq(requirements[0].assurance, ASSURANCE_SESSION);
    ck_assert_str_eq(requirements[0].ladder[1].to[0], "heads");
    ck_assert_int_eq(requirements[0].ladder[1].after_ms, 300000);
    ck_assert_str_eq(write_text(arena, requirements, count), stored);
    ck_assert_str_eq(write_text(arena, NULL, 0), "[]");
    requirements = read_text(arena, "[]", &count);
    ck_assert_uint_eq(count, 0);
    arena_destroy(arena);
}
END_TEST

static const struct {
    const char *from;
    const char *to;
} damages[] = {
    {"\"quorum\":2", "\"quorum\":0"},
    {"\"quorum\":2", "\"quorum\":21"},
    {"\"quorum\":2", "\"quorum\":1.5"},
    {"\"quorum\":2,", ""},
    {"\"deny_quorum\":1", "\"deny_quorum\":\"1\""},
    {"\"session\"", "\"none\""},
    {"\"session\"", "null"},
    {"\"large-refund\"", "\"\""},
    {"\"large-refund\"", "7"},
    {"\"large-refund\"", "\"a\\u0000b\""},
    {"\"self_approval\":false", "\"self_approval\":0"},
    {"\"self_approval\":false,", ""},
    {"\"timeout_ms\":900000", "\"timeout_ms\":9000"},
    {"\"timeout_ms\":900000", "\"timeout_ms\":9000000000"},
    {"[\"finance\",\"leads\"]", "[]"},
    {"[\"finance\",\"leads\"]", "\"finance\""},
    {"[\"heads\",\"leads\"]", "[7]"},
    {"\"after_ms\":0", "\"after_ms\":1"},
    {"\"after_ms\":300000", "\"after_ms\":0"},
    {"\"after_ms\":300000", "\"afters_ms\":300000"},
    {"\"after_ms\":300000", "\"extra\":1,\"after_ms\":300000"},
    {"\"timeout_ms\"", "\"extra\":1,\"timeout_ms\""},
    {"[{\"assurance\"", "{\"assurance\""},
    {"}]},{", "}]},["},
    {"[{\"assurance\"", "[7,{\"assurance\""},
};

START_TEST(requirements__anything_else_is_corrupt)
{
    struct arena *arena = arena_create();
    const char *place = strstr(stored, damages[_i].from);
    const char *text = place == NULL
                           ? "[7]"
                           : arena_printf(arena, "%.*s%s%s", (int)(place - stored), stored,
                                          damages[_i].to, place + strlen(damages[_i].from));
    struct error error = {0};
    struct policy_requirement *requirements = NULL;
    size_t count = 77;
    ck_assert_msg(
        !policy_requirements_read(text, strlen(text), arena, &requirements, &count, &error),
        "accepted: %s", text);
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    ck_assert_ptr_null(requirements);
    ck_assert_uint_eq(count, 77);
    arena_destroy(arena);
}
END_TEST

START_TEST(grant__reads_back_what_was_written)
{
    static const char *const texts[] = {
        "{\"audiences\":[\"payments-api\",\"x\"],\"bearer\":false,\"claim_within_ms\":600000,\"ttl_"
        "ms\":60000}",
        "{\"bearer\":true,\"claim_within_ms\":900000,\"ttl_ms\":60000}",
        "{\"bearer\":false,\"claim_within_ms\":0,\"ttl_ms\":0}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena *arena = arena_create();
        struct error error = {0};
        struct policy_grant grant;
        struct builder out;
        builder_init(&out, 0);
        ck_assert(policy_grant_read(texts[i], strlen(texts[i]), arena, &grant, &error));
        policy_grant_append(&out, &grant);
        ck_assert_str_eq(out.bytes, texts[i]);
        ck_assert_int_eq(grant.audiences != NULL, i == 0);
        builder_finish(&out);
        arena_destroy(arena);
    }
}
END_TEST

START_TEST(grant__anything_else_is_corrupt)
{
    static const char *const texts[] = {
        "",
        "7",
        "[]",
        "{}",
        "{\"audiences\":[],\"bearer\":true,\"claim_within_ms\":900000,\"ttl_ms\":60000}",
        "{\"audiences\":null,\"bearer\":true,\"claim_within_ms\":900000,\"ttl_ms\":60000}",
        "{\"bearer\":1,\"claim_within_ms\":900000,\"ttl_ms\":60000}",
        "{\"bearer\":true,\"claim_within_ms\":900000,\"ttl_ms\":900001}",
        "{\"bearer\":true,\"claim_within_ms\":604800001,\"ttl_ms\":60000}",
        "{\"bearer\":true,\"claim_within_ms\":900000,\"ttl_ms\":60000,\"x\":1}",
        "{\"bearer\":true,\"ttl_ms\":60000}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena *arena = arena_create();
        struct error error = {0};
        struct policy_grant grant;
        ck_assert_msg(!policy_grant_read(texts[i], strlen(texts[i]), arena, &grant, &error),
                      "accepted: %s", texts[i]);
        ck_assert_int_eq(error.kind, ERROR_CORRUPT);
        arena_destroy(arena);
    }
}
END_TEST

static struct policy_requirement *merge(struct arena *arena, const struct policy_requirement *old,
                                        size_t old_count, const struct policy_requirement *new,
                                        size_t new_count, size_t *out_count)
{
    struct error error = {0};
    struct policy_requirement *merged = NULL;
    ck_assert_msg(policy_requirements_merge(arena, old, old_count, new, new_count, &merged,
                                            out_count, &error),
                  "%s", error.message);
    return merged;
}

/* One requirement asked at once, as small as can be. */
static struct policy_requirement make(const char *rule, const char *const *groups,
                                      size_t group_count)
{
    static struct policy_rung rungs[64];
    static size_t used;
    struct policy_rung *rung = &rungs[used++ % 64];
    *rung = (struct policy_rung){.to = (const char **)groups, .to_count = group_count};
    return (struct policy_requirement){.rule = rule,
                                       .quorum = 1,
                                       .deny_quorum = 2,
                                       .assurance = ASSURANCE_CHAT,
                                       .allows_self_approval = true,
                                       .timeout_ms = 900000,
                                       .groups = (const char **)groups,
                                       .group_count = group_count,
                                       .ladder = rung,
                                       .rung_count = 1};
}

START_TEST(merge__takes_the_stricter_of_each_member)
{
    struct arena *arena = arena_create();
    size_t count;
    struct policy_requirement left = make("r", finance, 1);
    struct policy_requirement right = make("r", finance, 1);
    left.quorum = 3;
    left.timeout_ms = 60000;
    right.deny_quorum = 1;
    right.assurance = ASSURANCE_SESSION;
    right.allows_self_approval = false;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct policy_requirement *merged =
            merge(arena, swapped ? &right : &left, 1, swapped ? &left : &right, 1, &count);
        ck_assert_uint_eq(count, 1);
        ck_assert_int_eq(merged[0].quorum, 3);
        ck_assert_int_eq(merged[0].deny_quorum, 1);
        ck_assert_int_eq(merged[0].assurance, ASSURANCE_SESSION);
        ck_assert(!merged[0].allows_self_approval);
        ck_assert_int_eq(merged[0].timeout_ms, 60000);
        ck_assert_uint_eq(merged[0].group_count, 1);
        ck_assert_str_eq(merged[0].groups[0], "finance");
    }
    arena_destroy(arena);
}
END_TEST

START_TEST(merge__keeps_old_requirements_and_adds_new_ones)
{
    static const char *const others[] = {"dba"};
    struct arena *arena = arena_create();
    size_t count;
    struct policy_requirement old[] = {make("a", finance, 1), make("b", finance, 1)};
    struct policy_requirement new[] = {make("b", finance, 1), make("c", others, 1)};
    new[1].deny_quorum = 1;
    new[1].allows_self_approval = false;
    struct policy_requirement *merged = merge(arena, old, 2, new, 2, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(merged[0].rule, "a");
    ck_assert_str_eq(merged[1].rule, "b");
    ck_assert_str_eq(merged[2].rule, "c");
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(merged[i].deny_quorum, 1);
        ck_assert(!merged[i].allows_self_approval);
    }
    merged = merge(arena, old, 2, NULL, 0, &count);
    ck_assert_uint_eq(count, 2);
    merged = merge(arena, NULL, 0, new, 2, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(merged[1].rule, "c");
    arena_destroy(arena);
}
END_TEST

START_TEST(merge__people_who_share_nothing_are_both_asked)
{
    static const char *const others[] = {"dba"};
    struct arena *arena = arena_create();
    size_t count;
    struct policy_requirement old = make("r", finance, 1);
    struct policy_requirement new = make("r", others, 1);
    struct policy_requirement *merged = merge(arena, &old, 1, &new, 1, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(merged[0].groups[0], "finance");
    ck_assert_str_eq(merged[1].groups[0], "dba");
    /* Publishing the same again adds nothing. */
    merged = merge(arena, merged, 2, &new, 1, &count);
    ck_assert_uint_eq(count, 2);
    arena_destroy(arena);
}
END_TEST

START_TEST(merge__the_same_again_changes_nothing)
{
    struct arena *arena = arena_create();
    size_t count;
    struct policy_requirement *requirements = read_text(arena, stored, &count);
    struct policy_requirement *merged =
        merge(arena, requirements, count, requirements, count, &count);
    ck_assert_str_eq(write_text(arena, merged, count), stored);
    arena_destroy(arena);
}
END_TEST

START_TEST(merge__past_the_bound_is_a_limit)
{
    struct arena *arena = arena_create();
    struct policy_requirement old[POLICY_REQUIREMENTS_MAX];
    for (int i = 0; i < POLICY_REQUIREMENTS_MAX; i++) {
        old[i] = make(arena_printf(arena, "rule-%d", i), finance, 1);
    }
    struct policy_requirement new = make("one-more", finance, 1);
    struct policy_requirement *merged = NULL;
    size_t count = 0;
    struct error error = {0};
    ck_assert(!policy_requirements_merge(arena, old, POLICY_REQUIREMENTS_MAX, &new, 1, &merged,
                                         &count, &error));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    ck_assert_ptr_null(merged);
    arena_destroy(arena);
}
END_TEST

static struct chance chance = {.state = 1};
static const char *const letters[] = {"a", "b", "c", "d", "e"};

static size_t pick_letters(const char **out)
{
    size_t count = 0;
    while (count == 0) {
        for (size_t i = 0; i < 5; i++) {
            if (chance_below(&chance, 2) == 0) {
                out[count++] = letters[i];
            }
        }
    }
    return count;
}

static struct policy_requirement make_random(struct arena *arena)
{
    const char **groups = arena_array(arena, 5, sizeof *groups);
    struct policy_requirement requirement = make("r", groups, pick_letters(groups));
    requirement.rung_count = 1 + chance_below(&chance, 3);
    requirement.ladder = arena_array(arena, requirement.rung_count, sizeof(struct policy_rung));
    for (size_t i = 0; i < requirement.rung_count; i++) {
        const char **to = arena_array(arena, 5, sizeof *to);
        requirement.ladder[i] =
            (struct policy_rung){.after_ms = (int64_t)i * (1 + chance_below(&chance, 3)) * 1000,
                                 .to = to,
                                 .to_count = pick_letters(to)};
        if (i > 0 && requirement.ladder[i].after_ms <= requirement.ladder[i - 1].after_ms) {
            requirement.ladder[i].after_ms = requirement.ladder[i - 1].after_ms + 1000;
        }
    }
    return requirement;
}

static bool lists(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool may_vote(const struct policy_requirement *requirement, const char *group, int64_t at)
{
    bool may = lists(requirement->groups, requirement->group_count, group);
    for (size_t i = 0; i < requirement->rung_count; i++) {
        const struct policy_rung *rung = &requirement->ladder[i];
        may = may || (rung->after_ms <= at && lists(rung->to, rung->to_count, group));
    }
    return may;
}

START_TEST(merge__nobody_may_vote_earlier_than_under_both)
{
    int merged_rounds = 0;
    for (int round = 0; round < 5000; round++) {
        struct arena *arena = arena_create();
        size_t count;
        struct policy_requirement old = make_random(arena);
        struct policy_requirement new = make_random(arena);
        struct policy_requirement *merged = merge(arena, &old, 1, &new, 1, &count);
        for (size_t i = 0; i < 5 && count == 1; i++) {
            for (int64_t at = 0; at <= 10000; at += 500) {
                bool expected = may_vote(&old, letters[i], at) && may_vote(&new, letters[i], at);
                ck_assert_msg(may_vote(&merged[0], letters[i], at) == expected,
                              "%s at %lld: %s + %s = %s", letters[i], (long long)at,
                              write_text(arena, &old, 1), write_text(arena, &new, 1),
                              write_text(arena, merged, 1));
            }
        }
        merged_rounds += count == 1 ? 1 : 0;
        /* What is merged can be stored and read. */
        read_text(arena, write_text(arena, merged, count), &count);
        arena_destroy(arena);
    }
    ck_assert_int_gt(merged_rounds, 3000);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy requirements");
    TCase *tests = tcase_create("requirements");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, requirements__read_back_what_was_written);
    tcase_add_loop_test(tests, requirements__anything_else_is_corrupt, 0,
                        (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tests, grant__reads_back_what_was_written);
    tcase_add_test(tests, grant__anything_else_is_corrupt);
    tcase_add_test(tests, merge__takes_the_stricter_of_each_member);
    tcase_add_test(tests, merge__keeps_old_requirements_and_adds_new_ones);
    tcase_add_test(tests, merge__people_who_share_nothing_are_both_asked);
    tcase_add_test(tests, merge__the_same_again_changes_nothing);
    tcase_add_test(tests, merge__past_the_bound_is_a_limit);
    tcase_add_test(tests, merge__nobody_may_vote_earlier_than_under_both);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
