#include "store/sqlite/driver_internal.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What is asked of the outbox at every turn costs the same however much waits in it. */

enum { FEW = 100, MANY = 100 * 1000, CHANNELS = 8, READS = 200, LEASED = 32 };

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

/* The plan of a prepared statement, a step a line. */
static const char *plan_of(enum statement_name name)
{
    struct builder plan BUILDER_SCOPE;
    sqlite3_stmt *explain = NULL;
    const char *sql = sqlite3_sql(statement_of(fixture.store, name)->handle);
    builder_init(&plan, 0);
    ck_assert_int_eq(sqlite3_prepare_v2(fixture.store->database,
                                        arena_printf(fixture.arena, "EXPLAIN QUERY PLAN %s", sql),
                                        -1, &explain, NULL),
                     SQLITE_OK);
    while (sqlite3_step(explain) == SQLITE_ROW) {
        builder_printf(&plan, "%s\n", (const char *)sqlite3_column_text(explain, 3));
    }
    (void)sqlite3_finalize(explain);
    return arena_copy(fixture.arena, plan.bytes, plan.length);
}

START_TEST(outbox_plan__what_is_next_is_searched_in_an_index_and_never_scanned)
{
    static const enum statement_name names[] = {STATEMENT_NOTICE_NEXT, STATEMENT_NOTICE_LIST_DUE,
                                                STATEMENT_NOTICE_REORDER, STATEMENT_ROUNDUP_PLACE,
                                                STATEMENT_NOTICE_GATHERABLE};
    static const char *const tables[] = {"notices", "cards", "roundups", "requests"};
    const char *plan = plan_of(names[_i]);
    ck_assert_ptr_nonnull(strstr(plan, "SEARCH notices USING"));
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const char *scan = arena_printf(fixture.arena, "SCAN %s", tables[i]);
        ck_assert_msg(strstr(plan, scan) == NULL, "scanned:\n%s", plan);
    }
}
END_TEST

static void fill(int from, int to)
{
    char id[ID_BYTES], channel[NAME_BYTES], line[40];
    for (int i = from; i < to; i++) {
        snprintf(id, sizeof id, "ntc_%d", i);
        snprintf(channel, sizeof channel, "channel-%d", i % CHANNELS);
        snprintf(line, sizeof line, "req_%d", i / 2); /* every second one behind another */
        struct notice_row notice = sample_notice(id);
        notice.channel = channel;
        notice.line = line;
        notice.due_at = 1000 + i;
        ck_assert(store_insert_notice(fixture.store, &notice, &fixture.error));
    }
}

/* Instructions of SQLite's machine: the same on every computer. */
static int steps_of_next(void)
{
    int64_t next = 0;
    sqlite3_stmt *handle = statement_of(fixture.store, STATEMENT_NOTICE_NEXT)->handle;
    (void)sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1);
    ck_assert(store_next_notice_at(fixture.store, " channel-0 channel-3 ", &next, &fixture.error));
    ck_assert_int_eq(next, 1002); /* that of channel-1 is behind another */
    return sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1);
}

static int64_t microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double time_of_next(void)
{
    int64_t begun = microseconds();
    for (int i = 0; i < READS; i++) {
        (void)steps_of_next();
    }
    return (double)(microseconds() - begun) / READS;
}

static int steps_of_lease(void)
{
    struct notice_row *notices;
    size_t count;
    sqlite3_stmt *handle = statement_of(fixture.store, STATEMENT_NOTICE_LIST_DUE)->handle;
    (void)sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1);
    ck_assert(store_lease_notices(fixture.store, 10 * MANY, 0, LEASED, NULL, fixture.arena,
                                  &notices, &count, &fixture.error));
    ck_assert_uint_eq(count, LEASED);
    return sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1);
}

START_TEST(outbox_plan__a_hundred_thousand_waiting_notices_cost_what_a_hundred_cost)
{
    fill(0, FEW);
    int few = steps_of_next();
    double few_us = time_of_next();
    ck_assert(store_begin(fixture.store, &fixture.error));
    fill(FEW, MANY);
    ck_assert(store_commit(fixture.store, &fixture.error));
    int many = steps_of_next();
    double many_us = time_of_next();
    int leased = steps_of_lease();
    printf("next of %d waiting: %d steps, %.1f us; of %d: %d steps, %.1f us; %d leased: %d steps\n",
           FEW, few, few_us, MANY, many, many_us, LEASED, leased);
    ck_assert_int_le(many, 2 * few);
    ck_assert_int_le(leased, LEASED * CHANNELS * 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outbox_plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, outbox_plan__what_is_next_is_searched_in_an_index_and_never_scanned,
                        0, 5);
    tcase_add_test(tests, outbox_plan__a_hundred_thousand_waiting_notices_cost_what_a_hundred_cost);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
