#include "base/builder.h"
#include "metrics/metrics.h"
#include <check.h>
#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct metrics *metrics;
static struct builder text;

static void start(void)
{
    metrics = metrics_create();
    builder_init(&text, 0);
}

static void stop(void)
{
    metrics_destroy(metrics);
    builder_finish(&text);
}

static void check_line(const char *line)
{
    builder_clear(&text);
    builder_char(&text, '\n');
    metrics_append_text(metrics, &text);
    struct builder wanted BUILDER_SCOPE;
    builder_init(&wanted, 0);
    builder_printf(&wanted, "\n%s\n", line);
    ck_assert_msg(strstr(text.bytes, wanted.bytes) != NULL, "no line `%s` in:\n%s", line,
                  text.bytes);
}

START_TEST(metrics__counters_and_gauges_are_shown)
{
    check_line("countersign_votes_total 0");
    metrics_add(metrics, METRIC_VOTES, 1);
    metrics_add(metrics, METRIC_VOTES, 2);
    metrics_add(metrics, METRIC_REQUESTS_PENDING, 5);
    metrics_add(metrics, METRIC_REQUESTS_PENDING, -2);
    metrics_set(metrics, METRIC_LEDGER_ENTRIES, 123456789012);
    check_line("countersign_votes_total 3");
    check_line("countersign_requests_pending 3");
    check_line("countersign_ledger_entries 123456789012");
    check_line("# TYPE countersign_votes_total counter");
    check_line("# TYPE countersign_requests_pending gauge");
    check_line("# HELP countersign_votes_total Votes recorded.");
}
END_TEST

START_TEST(metrics__histograms_are_cumulative_and_in_seconds)
{
    static const int64_t taken[] = {-5, 250, 251, 2500, 10000000, 10000001};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        metrics_observe_us(metrics, METRIC_STORE_COMMIT_SECONDS, taken[i]);
    }
    check_line("# TYPE countersign_store_commit_seconds histogram");
    check_line("countersign_store_commit_seconds_bucket{le=\"0.00025\"} 2");
    check_line("countersign_store_commit_seconds_bucket{le=\"0.0005\"} 3");
    check_line("countersign_store_commit_seconds_bucket{le=\"0.001\"} 3");
    check_line("countersign_store_commit_seconds_bucket{le=\"0.0025\"} 4");
    check_line("countersign_store_commit_seconds_bucket{le=\"10\"} 5");
    check_line("countersign_store_commit_seconds_bucket{le=\"+Inf\"} 6");
    check_line("countersign_store_commit_seconds_sum 20.003002");
    check_line("countersign_store_commit_seconds_count 6");
}
END_TEST

START_TEST(metrics__null_metrics_do_nothing)
{
    metrics_add(NULL, METRIC_VOTES, 1);
    metrics_set(NULL, METRIC_FROZEN, 1);
    metrics_observe_us(NULL, METRIC_STORE_COMMIT_SECONDS, 1);
    metrics_destroy(NULL);
    check_line("countersign_votes_total 0");
}
END_TEST

/* The grammar of the text format 0.0.4, as far as we use it. */
START_TEST(metrics__each_line_is_of_the_text_format)
{
    metrics_observe_us(metrics, METRIC_POLICY_DECIDE_SECONDS, 12);
    metrics_append_text(metrics, &text);
    int families = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text.bytes, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == '#') {
            ck_assert(strncmp(line, "# HELP countersign_", 19) == 0 ||
                      strncmp(line, "# TYPE countersign_", 19) == 0);
            families += line[2] == 'T';
            continue;
        }
        size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
        ck_assert_msg(strncmp(line, "countersign_", 12) == 0, "%s", line);
        if (line[name] == '{') {
            name += strcspn(line + name, "}") + 1;
        }
        ck_assert_msg(line[name] == ' ' && isdigit((unsigned char)line[name + 1]), "%s", line);
    }
    ck_assert_int_eq(families, METRIC_COUNT);
}
END_TEST

static void *bump(void *context)
{
    (void)context;
    for (int i = 0; i < 100000; i++) {
        metrics_add(metrics, METRIC_HTTP_REQUESTS, 1);
        metrics_observe_us(metrics, METRIC_STORE_COMMIT_SECONDS, 300);
    }
    return NULL;
}

START_TEST(metrics__no_bump_of_many_threads_is_lost)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, bump, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    check_line("countersign_http_requests_total 400000");
    check_line("countersign_store_commit_seconds_count 400000");
    check_line("countersign_store_commit_seconds_sum 120");
}
END_TEST

START_TEST(metrics__a_metric_of_another_type_aborts)
{
    if (_i == 0) {
        metrics_add(metrics, METRIC_STORE_COMMIT_SECONDS, 1);
    } else if (_i == 1) {
        metrics_set(metrics, METRIC_VOTES, 1);
    } else if (_i == 2) {
        metrics_observe_us(metrics, METRIC_VOTES, 1);
    } else {
        metrics_add(metrics, METRIC_VOTES, -1);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("metrics");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, metrics__counters_and_gauges_are_shown);
    tcase_add_test(tests, metrics__histograms_are_cumulative_and_in_seconds);
    tcase_add_test(tests, metrics__null_metrics_do_nothing);
    tcase_add_test(tests, metrics__each_line_is_of_the_text_format);
    tcase_add_test(tests, metrics__no_bump_of_many_threads_is_lost);
    tcase_add_loop_test_raise_signal(tests, metrics__a_metric_of_another_type_aborts, SIGABRT, 0,
                                     4);
    Suite *suite = suite_create("metrics");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
