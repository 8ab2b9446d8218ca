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

static void deny(const char *request, unsigned char match, unsigned char near, int64_t at)
{
    struct sha256 match_key = sample_hash(match);
    struct sha256 near_key = sample_hash(near);
    ck_assert(store_insert_denial(fixture.store, "main", &match_key, &near_key, request, at,
                                  &fixture.error));
}

static void assert_denial(const char *tenant, unsigned char match, int64_t since,
                          const char *expected)
{
    struct sha256 key = sample_hash(match);
    char request[ID_BYTES];
    ck_assert(store_find_denial(fixture.store, tenant, &key, since, request, &fixture.error));
    ck_assert_str_eq(request, expected);
}

static void assert_near(const char *tenant, unsigned char near, int64_t since, int64_t expected)
{
    struct sha256 key = sample_hash(near);
    int64_t count = -1;
    ck_assert(store_count_near_denials(fixture.store, tenant, &key, since, &count, &fixture.error));
    ck_assert_int_eq(count, expected);
}

START_TEST(denials__the_newest_since_then_is_found)
{
    deny("req_1", 1, 9, 100);
    deny("req_2", 1, 9, 200);
    deny("req_3", 2, 9, 300);
    assert_denial("main", 1, 0, "req_2");
    assert_denial("main", 1, 200, "req_2");
    assert_denial("main", 1, 201, "");
    assert_denial("main", 3, 0, "");
    assert_denial("other", 1, 0, "");
}
END_TEST

START_TEST(denials__near_repeats_are_counted_since_then)
{
    deny("req_1", 1, 9, 100);
    deny("req_2", 2, 9, 200);
    deny("req_3", 3, 8, 200);
    assert_near("main", 9, 0, 2);
    assert_near("main", 9, 101, 1);
    assert_near("main", 7, 0, 0);
    assert_near("other", 9, 0, 0);
}
END_TEST

static bool add_key(const char *tenant, const char *caller, const char *key, const char *request,
                    int64_t at)
{
    struct idempotency_row row = {.body = sample_hash(5)};
    snprintf(row.request, sizeof row.request, "%s", request);
    return store_insert_idempotency(fixture.store, tenant, caller, key, &row, at, &fixture.error);
}

static bool has_key(const char *tenant, const char *caller, const char *key)
{
    struct idempotency_row row;
    bool is_found = false;
    ck_assert(store_find_idempotency(fixture.store, tenant, caller, key, &row, &is_found,
                                     &fixture.error));
    return is_found;
}

START_TEST(idempotency__keys_read_back_as_inserted)
{
    struct idempotency_row row;
    struct sha256 body = sample_hash(5);
    bool is_found = false;
    ck_assert(add_key("main", "cal_1", "k-1", "req_1", 100));
    ck_assert(store_find_idempotency(fixture.store, "main", "cal_1", "k-1", &row, &is_found,
                                     &fixture.error));
    ck_assert(is_found);
    ck_assert_str_eq(row.request, "req_1");
    ck_assert_mem_eq(&row.body, &body, SHA256_BYTES);
}
END_TEST

START_TEST(idempotency__keys_are_scoped_to_tenant_and_caller)
{
    ck_assert(add_key("main", "cal_1", "k-1", "req_1", 100));
    ck_assert(!has_key("main", "cal_2", "k-1"));
    ck_assert(!has_key("other", "cal_1", "k-1"));
    ck_assert(!has_key("main", "cal_1", "K-1"));
    ck_assert(add_key("main", "cal_2", "k-1", "req_2", 100));
    ck_assert(add_key("other", "cal_1", "k-1", "req_3", 100));
}
END_TEST

START_TEST(idempotency__a_key_is_taken_once)
{
    ck_assert(add_key("main", "cal_1", "k-1", "req_1", 100));
    ck_assert(!add_key("main", "cal_1", "k-1", "req_2", 100));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "key_taken");
}
END_TEST

static int64_t purge(int64_t now, size_t limit)
{
    int64_t purged = -1;
    ck_assert(store_purge_expired(fixture.store, now, limit, &purged, &fixture.error));
    return purged;
}

static void add_request(const char *id, enum request_state state, int64_t ended_at)
{
    struct request_row request = sample_request(id);
    request.state = state;
    request.ended_at = ended_at;
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
}

START_TEST(purge__keys_stay_until_a_day_after_the_end)
{
    add_request("req_1", REQUEST_DENIED, 1000);
    ck_assert(add_key("main", "cal_1", "k-1", "req_1", 500));
    ck_assert_int_eq(purge(1000 + STORE_IDEMPOTENCY_KEEP_MS, 100), 0);
    ck_assert(has_key("main", "cal_1", "k-1"));
    ck_assert_int_eq(purge(1001 + STORE_IDEMPOTENCY_KEEP_MS, 100), 0); /* the turn's end */
    ck_assert_int_eq(purge(1001 + STORE_IDEMPOTENCY_KEEP_MS, 100), 1);
    ck_assert(!has_key("main", "cal_1", "k-1"));
}
END_TEST

START_TEST(purge__keys_of_pending_requests_stay)
{
    add_request("req_1", REQUEST_PENDING, 0);
    ck_assert(add_key("main", "cal_1", "k-1", "req_1", 500));
    ck_assert_int_eq(purge(INT64_C(1) << 40, 100), 0);
    ck_assert(has_key("main", "cal_1", "k-1"));
}
END_TEST

START_TEST(purge__is_bounded_and_comes_round)
{
    int64_t late = 10 * (int64_t)STORE_DENIAL_KEEP_MS;
    int64_t purged = 0;
    for (int i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "k-%d", i);
        ck_assert(add_key("main", "cal_1", key, i % 2 == 0 ? "req_kept" : "req_gone", 500));
    }
    add_request("req_kept", REQUEST_PENDING, 0);
    for (int i = 0; i < 8; i++) {
        int64_t went = purge(late, 3);
        ck_assert_int_le(went, 3);
        purged += went;
    }
    ck_assert_int_eq(purged, 5);
    ck_assert(has_key("main", "cal_1", "k-0"));
    ck_assert(!has_key("main", "cal_1", "k-9"));
}
END_TEST

START_TEST(purge__denials_go_when_no_window_looks_back_on_them)
{
    deny("req_1", 1, 9, 1000);
    deny("req_2", 1, 9, 2000);
    ck_assert_int_eq(purge(1500 + (int64_t)STORE_DENIAL_KEEP_MS, 100), 1);
    assert_near("main", 9, 0, 1);
    ck_assert_int_eq(purge(2001 + (int64_t)STORE_DENIAL_KEEP_MS, 100), 1);
    assert_near("main", 9, 0, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_repeats");
    TCase *tests = tcase_create("repeats");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, denials__the_newest_since_then_is_found);
    tcase_add_test(tests, denials__near_repeats_are_counted_since_then);
    tcase_add_test(tests, idempotency__keys_read_back_as_inserted);
    tcase_add_test(tests, idempotency__keys_are_scoped_to_tenant_and_caller);
    tcase_add_test(tests, idempotency__a_key_is_taken_once);
    tcase_add_test(tests, purge__keys_stay_until_a_day_after_the_end);
    tcase_add_test(tests, purge__keys_of_pending_requests_stay);
    tcase_add_test(tests, purge__is_bounded_and_comes_round);
    tcase_add_test(tests, purge__denials_go_when_no_window_looks_back_on_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
