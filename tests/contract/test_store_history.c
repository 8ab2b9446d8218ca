#include "store/history_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static struct history_row put(unsigned char fill, int64_t at, const char *counts, size_t length)
{
    struct history_row row = {
        .series = sample_hash(fill), .at = at, .counts = counts, .length = length};
    ck_assert(store_put_history(fixture.store, &row, &fixture.error));
    ck_assert_int_gt(row.row, 0);
    return row;
}

static bool find(unsigned char fill, struct history_row *out)
{
    struct sha256 series = sample_hash(fill);
    bool is_found = false;
    ck_assert(
        store_read_history(fixture.store, &series, fixture.arena, out, &is_found, &fixture.error));
    return is_found;
}

START_TEST(history__reads_back_bytes_of_any_kind_and_is_replaced)
{
    static const char first[] = {1, 0, (char)0xff, 0, 7};
    struct history_row row;
    ck_assert(!find(1, &row));
    ck_assert_int_eq(row.row, 0);
    struct history_row put_row = put(1, 100, first, sizeof first);
    put(2, 100, "b", 1);
    ck_assert(find(1, &row));
    ck_assert_int_eq(row.row, put_row.row);
    ck_assert_int_eq(row.at, 100);
    ck_assert_uint_eq(row.length, sizeof first);
    ck_assert_mem_eq(row.counts, first, sizeof first);
    put_row.at = 200;
    put_row.counts = "x";
    put_row.length = 1;
    ck_assert(store_put_history(fixture.store, &put_row, &fixture.error));
    ck_assert(find(1, &row));
    ck_assert_int_eq(row.at, 200);
    ck_assert_uint_eq(row.length, 1);
    ck_assert(find(2, &row));
    ck_assert_mem_eq(row.counts, "b", 1);
}
END_TEST

START_TEST(history__a_series_is_stored_once)
{
    struct history_row again = {.series = sample_hash(1), .at = 1, .counts = "a", .length = 1};
    put(1, 1, "a", 1);
    ck_assert(!store_put_history(fixture.store, &again, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(history__what_no_window_reaches_is_purged_in_turn)
{
    struct history_row row;
    int64_t purged;
    int64_t total = 0;
    for (unsigned char i = 1; i <= 10; i++) {
        put(i, i % 2 == 0 ? 100 : 900, "a", 1);
    }
    for (size_t i = 0; i < 6; i++) { /* more calls than a round takes, two rows each */
        ck_assert(store_purge_history(fixture.store, 500, 2, &purged, &fixture.error));
        ck_assert_int_le(purged, 2);
        total += purged;
    }
    ck_assert_int_eq(total, 5);
    ck_assert(!find(2, &row));
    ck_assert(find(1, &row));
}
END_TEST

START_TEST(kinds__are_put_replaced_and_dropped)
{
    struct history_kind_row kind = {.parts = 3, .since_at = 10, .cursor = -1};
    struct history_kind_row *rows;
    size_t count;
    ck_assert(store_put_history_kind(fixture.store, &kind, &fixture.error));
    kind.cursor = 7;
    ck_assert(store_put_history_kind(fixture.store, &kind, &fixture.error));
    kind.parts = 1;
    ck_assert(store_put_history_kind(fixture.store, &kind, &fixture.error));
    ck_assert(
        store_list_history_kinds(fixture.store, fixture.arena, &rows, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(rows[0].parts, 1);
    ck_assert_int_eq(rows[1].parts, 3);
    ck_assert_int_eq(rows[1].since_at, 10);
    ck_assert_int_eq(rows[1].cursor, 7);
    ck_assert(store_drop_history_kind(fixture.store, 3, &fixture.error));
    ck_assert(
        store_list_history_kinds(fixture.store, fixture.arena, &rows, &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
}
END_TEST

static void add_request(const char *id, const char *tenant)
{
    struct request_row request = sample_request(id);
    snprintf(request.tenant, sizeof request.tenant, "%s", tenant);
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
}

START_TEST(past__lists_requests_both_ways_with_what_came_of_their_grants)
{
    struct past_row *rows;
    struct request_row *requests;
    size_t count;
    int64_t newest = -1;
    ck_assert(store_newest_request(fixture.store, &newest, &fixture.error));
    ck_assert_int_eq(newest, 0);
    add_request("req_1", "main");
    add_request("req_2", "other");
    add_request("req_3", "main");
    struct request_row request;
    ck_assert(store_read_request(fixture.store, "main", "req_3", fixture.arena, &request,
                                 &fixture.error));
    struct grant_row grant = sample_grant("grt_3", "req_3");
    ck_assert(store_insert_grant(fixture.store, &grant, &fixture.error));
    memcpy(request.grant, grant.id, sizeof request.grant);
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    ck_assert(store_newest_request(fixture.store, &newest, &fixture.error));
    ck_assert(store_list_past(fixture.store, newest + 1, 2, fixture.arena, &rows, &count,
                              &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].id, "req_3");
    ck_assert_int_eq(rows[0].grant_state, (int)grant.state);
    ck_assert_int_eq(rows[0].redeemed_at, grant.redeemed_at);
    ck_assert_str_eq(rows[1].id, "req_2");
    ck_assert_str_eq(rows[1].tenant, "other");
    ck_assert_int_eq(rows[1].grant_state, 0);
    ck_assert(store_list_past_after(fixture.store, "main", "req_0", 10, fixture.arena, &rows,
                                    &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].id, "req_1");
    ck_assert(store_list_requests_after(fixture.store, "main", "req_1", 10, fixture.arena,
                                        &requests, &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(requests[0].id, "req_3");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_history");
    TCase *tests = tcase_create("history");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, history__reads_back_bytes_of_any_kind_and_is_replaced);
    tcase_add_test(tests, history__a_series_is_stored_once);
    tcase_add_test(tests, history__what_no_window_reaches_is_purged_in_turn);
    tcase_add_test(tests, kinds__are_put_replaced_and_dropped);
    tcase_add_test(tests, past__lists_requests_both_ways_with_what_came_of_their_grants);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
