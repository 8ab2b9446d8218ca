#include "operations/past_counts.h"
#include "requests/history.h"
#include "tests/support/chance.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Against a model that keeps every request. */
enum { ROWS_MAX = 4000, MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static struct past_row rows[ROWS_MAX];
static char actions[4][16] = {"pay", "mail", "read", "write"};
static char resources[6][16] = {"r/0", "r/1", "r/2", "r/3", "r/4", "r/5"};
static const int64_t start = 1700000000000;
static const unsigned kinds[] = {POLICY_HISTORY_DEFAULT,
                                 POLICY_HISTORY_AGENT | POLICY_HISTORY_RESOURCE,
                                 POLICY_HISTORY_SUBJECT, POLICY_HISTORY_DIGEST};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct past_row make_row(struct chance *chance, int64_t at)
{
    struct past_row row = {.tenant = "default",
                           .agent_name = "bot",
                           .action_name = actions[chance_below(chance, 4)],
                           .resource_key = resources[chance_below(chance, 6)],
                           .subject_key = "user/sam",
                           .created_at = at};
    row.match_key.bytes[0] = (unsigned char)chance_below(chance, 9);
    row.state = (enum request_state)(1 + chance_below(chance, 5));
    if (row.state != REQUEST_PENDING) {
        row.ended_at = at + chance_below(chance, HOUR);
    }
    if (row.state == REQUEST_APPROVED) {
        row.redeemed_at = row.ended_at + chance_below(chance, MINUTE);
        row.grant_state = chance_below(chance, 2) == 0 ? GRANT_SUCCEEDED : GRANT_FAILED;
        row.effect_at = row.redeemed_at + chance_below(chance, MINUTE);
    }
    return row;
}

static bool is_alike(const struct past_row *left, const struct past_row *right, unsigned parts)
{
    return ((parts & POLICY_HISTORY_ACTION) == 0 || left->action_name == right->action_name) &&
           ((parts & POLICY_HISTORY_RESOURCE) == 0 || left->resource_key == right->resource_key) &&
           ((parts & POLICY_HISTORY_DIGEST) == 0 ||
            left->match_key.bytes[0] == right->match_key.bytes[0]);
}

static int64_t moment_of(const struct past_row *row, enum policy_past past)
{
    return past == POLICY_PAST_ANY            ? row->created_at
           : past == POLICY_PAST_REDEEMED     ? row->redeemed_at
           : past == POLICY_PAST_DENIED       ? (row->state == REQUEST_DENIED ? row->ended_at : 0)
           : row->grant_state == GRANT_FAILED ? row->effect_at
                                              : 0;
}

static int64_t exact(size_t count, const struct past_row *row, unsigned parts,
                     enum policy_past past, int64_t from_at, int64_t to_at)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t at = moment_of(&rows[i], past);
        number += at != 0 && is_alike(&rows[i], row, parts) && at >= from_at && at <= to_at;
    }
    return number;
}

START_TEST(past_counts__are_what_was_known_when_each_was_asked)
{
    static const enum policy_past pasts[] = {POLICY_PAST_ANY, POLICY_PAST_DENIED,
                                             POLICY_PAST_REDEEMED, POLICY_PAST_FAILED};
    struct chance chance = {.state = 31 + (uint64_t)_i};
    struct past_counts *counts = past_counts_create(kinds, KINDS);
    struct error error = {0};
    int64_t at = start;
    for (size_t i = 0; i < ROWS_MAX; i++) {
        int64_t count;
        at += chance_below(&chance, MINUTE);
        rows[i] = make_row(&chance, at);
        unsigned parts = kinds[chance_below(&chance, KINDS)];
        enum policy_past past = pasts[chance_below(&chance, 4)];
        int64_t window = chance_below(&chance, 12 * HOUR) + 1000;
        ck_assert(past_counts_read(counts, &rows[i], parts, past, window, &count));
        int64_t slack = window / REQUEST_HISTORY_SHARE + REQUEST_HISTORY_STEP_MS;
        ck_assert_int_ge(count, exact(i, &rows[i], parts, past, at - window, at));
        ck_assert_int_le(count, exact(i, &rows[i], parts, past, at - window - slack,
                                      at + REQUEST_HISTORY_STEP_MS));
        ck_assert(past_counts_add(counts, &rows[i], &error));
    }
    past_counts_destroy(counts);
}
END_TEST

START_TEST(past_counts__know_who_waited)
{
    unsigned parts = POLICY_HISTORY_DEFAULT;
    struct past_counts *counts = past_counts_create(&parts, 1);
    struct error error = {0};
    int64_t count;
    struct past_row row = {.agent_name = "bot",
                           .action_name = "pay",
                           .resource_key = "r",
                           .subject_key = "s",
                           .state = REQUEST_DENIED,
                           .created_at = start,
                           .ended_at = start + HOUR};
    ck_assert(past_counts_add(counts, &row, &error));
    row.created_at = start + MINUTE;
    ck_assert(past_counts_read(counts, &row, parts, POLICY_PAST_PENDING, HOUR, &count));
    ck_assert_int_eq(count, 1);
    row.created_at = start + 2 * HOUR;
    ck_assert(past_counts_read(counts, &row, parts, POLICY_PAST_PENDING, HOUR, &count));
    ck_assert_int_eq(count, 0);
    past_counts_destroy(counts);
}
END_TEST

START_TEST(past_counts__of_other_parts_are_not_known)
{
    unsigned parts = POLICY_HISTORY_DEFAULT;
    struct past_counts *counts = past_counts_create(&parts, 1);
    struct past_row row = {.agent_name = "bot", .action_name = "pay", .created_at = start};
    int64_t count;
    ck_assert(!past_counts_read(counts, &row, POLICY_HISTORY_AGENT, POLICY_PAST_ANY, HOUR, &count));
    past_counts_destroy(counts);
    past_counts_destroy(NULL);
}
END_TEST

START_TEST(past_counts__past_their_bound_nothing_is_known)
{
    unsigned parts = POLICY_HISTORY_RESOURCE;
    struct past_counts *counts = past_counts_create(&parts, 1);
    struct error error = {0};
    struct past_row row = {.created_at = start};
    char resource[32];
    int64_t count;
    bool known = true;
    row.resource_key = resource;
    for (size_t i = 0; known && i < 1000000; i++) {
        snprintf(resource, sizeof resource, "order/%zu", i);
        ck_assert(past_counts_add(counts, &row, &error));
        known = past_counts_read(counts, &row, parts, POLICY_PAST_ANY, HOUR, &count);
    }
    ck_assert(!known);
    past_counts_destroy(counts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/past counts");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, past_counts__are_what_was_known_when_each_was_asked, 0, 5);
    tcase_add_test(tests, past_counts__know_who_waited);
    tcase_add_test(tests, past_counts__of_other_parts_are_not_known);
    tcase_add_test(tests, past_counts__past_their_bound_nothing_is_known);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
