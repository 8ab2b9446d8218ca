#include "store/access_rows.h"

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

static void add_evaluation(const char *id, int64_t expires_at)
{
    struct evaluation_row row = {.tenant = "main",
                                 .caller = "cal_1",
                                 .binding = sample_hash(7),
                                 .members = "[\"env\"]",
                                 .expires_at = expires_at};
    snprintf(row.id, sizeof row.id, "%s", id);
    ck_assert(store_insert_evaluation(fixture.store, &row, &fixture.error));
}

static bool find_evaluation(const char *tenant, const char *id, struct evaluation_row *out)
{
    bool is_found = false;
    ck_assert(store_find_evaluation(fixture.store, tenant, id, fixture.arena, out, &is_found,
                                    &fixture.error));
    return is_found;
}

START_TEST(evaluations__read_back_as_inserted_and_only_in_their_tenant)
{
    struct evaluation_row row;
    add_evaluation("evl_1", 100);
    ck_assert(find_evaluation("main", "evl_1", &row));
    struct sha256 binding = sample_hash(7);
    ck_assert_mem_eq(row.binding.bytes, binding.bytes, SHA256_BYTES);
    ck_assert_str_eq(row.caller, "cal_1");
    ck_assert_str_eq(row.members, "[\"env\"]");
    ck_assert_int_eq(row.expires_at, 100);
    ck_assert_str_eq(row.task, "");
    ck_assert(!find_evaluation("other", "evl_1", &row));
    ck_assert(!find_evaluation("main", "evl_2", &row));
}
END_TEST

START_TEST(evaluations__are_used_once)
{
    struct evaluation_row row;
    add_evaluation("evl_1", 100);
    ck_assert(!store_use_evaluation(fixture.store, "other", "evl_1", "arq_1", &fixture.error));
    fixture.error = (struct error){0};
    ck_assert(store_use_evaluation(fixture.store, "main", "evl_1", "arq_1", &fixture.error));
    ck_assert(!store_use_evaluation(fixture.store, "main", "evl_1", "arq_2", &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "denial_used");
    ck_assert(find_evaluation("main", "evl_1", &row));
    ck_assert_str_eq(row.task, "arq_1");
}
END_TEST

START_TEST(evaluations__that_ended_are_forgotten_oldest_first_in_bounds)
{
    struct evaluation_row row;
    int64_t purged = 0;
    add_evaluation("evl_2", 200);
    add_evaluation("evl_1", 100);
    add_evaluation("evl_3", 300);
    ck_assert(store_purge_evaluations(fixture.store, 300, 1, &purged, &fixture.error));
    ck_assert_int_eq(purged, 1);
    ck_assert(!find_evaluation("main", "evl_1", &row));
    ck_assert(store_purge_evaluations(fixture.store, 300, 10, &purged, &fixture.error));
    ck_assert_int_eq(purged, 1);
    ck_assert(find_evaluation("main", "evl_3", &row));
}
END_TEST

static void add_told_task(const char *id, bool is_bulk, const char *first, const char *second,
                          const char *callback)
{
    struct task_row row = {.tenant = "main",
                           .caller = "cal_1",
                           .is_bulk = is_bulk,
                           .created_at = 5,
                           .callback = callback,
                           .callback_channel = "tasks",
                           .callback_events = " approved "};
    const char *requests[] = {first, second};
    snprintf(row.id, sizeof row.id, "%s", id);
    ck_assert(
        store_insert_task(fixture.store, &row, requests, second == NULL ? 1 : 2, &fixture.error));
}

static void add_task(const char *id, bool is_bulk, const char *first, const char *second)
{
    add_told_task(id, is_bulk, first, second, "");
}

START_TEST(tasks__with_a_callback_are_found_by_any_of_their_requests)
{
    struct task_row *rows;
    size_t count;
    add_told_task("arq_1", true, "req_1", "req_2", "https://a.example/1");
    add_task("arq_2", false, "req_2", NULL);
    add_told_task("arq_3", false, "req_2", NULL, "https://a.example/3");
    ck_assert(store_list_told_tasks(fixture.store, "main", "req_2", fixture.arena, &rows, &count,
                                    &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].id, "arq_1");
    ck_assert_str_eq(rows[0].callback, "https://a.example/1");
    ck_assert_str_eq(rows[0].callback_channel, "tasks");
    ck_assert_str_eq(rows[0].callback_events, " approved ");
    ck_assert_ptr_null(rows[0].callback_state);
    ck_assert_str_eq(rows[1].id, "arq_3");
    ck_assert(store_list_told_tasks(fixture.store, "other", "req_2", fixture.arena, &rows, &count,
                                    &fixture.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(tasks__read_back_with_their_requests_in_order)
{
    struct task_row row;
    bool is_found = false;
    const char **requests;
    size_t count;
    add_task("arq_1", true, "req_2", "req_1");
    ck_assert(store_find_task(fixture.store, "main", "arq_1", fixture.arena, &row, &is_found,
                              &fixture.error));
    ck_assert(is_found && row.is_bulk && row.created_at == 5);
    ck_assert(store_list_task_requests(fixture.store, "main", "arq_1", fixture.arena, &requests,
                                       &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(requests[0], "req_2");
    ck_assert_str_eq(requests[1], "req_1");
    ck_assert(store_find_task(fixture.store, "other", "arq_1", fixture.arena, &row, &is_found,
                              &fixture.error));
    ck_assert(!is_found);
    ck_assert(store_list_task_requests(fixture.store, "other", "arq_1", fixture.arena, &requests,
                                       &count, &fixture.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(tasks__are_found_by_their_one_request_and_caller)
{
    char task[ID_BYTES];
    add_task("arq_1", true, "req_1", "req_2");
    add_task("arq_2", false, "req_1", NULL);
    add_task("arq_3", false, "req_1", NULL);
    ck_assert(store_find_task_of(fixture.store, "main", "cal_1", "req_1", task, &fixture.error));
    ck_assert_str_eq(task, "arq_2");
    ck_assert(store_find_task_of(fixture.store, "main", "cal_2", "req_1", task, &fixture.error));
    ck_assert_str_eq(task, "");
    ck_assert(store_find_task_of(fixture.store, "main", "cal_1", "req_2", task, &fixture.error));
    ck_assert_str_eq(task, "");
}
END_TEST

/* A key of a task is kept as long as one of its requests may still end. */
START_TEST(idempotency__a_key_of_a_task_lives_with_its_requests)
{
    struct request_row request = sample_request("req_1");
    struct idempotency_row key = {.request = "arq_1", .body = sample_hash(1)};
    int64_t purged = 0;
    bool is_found = false;
    request.ended_at = 0;
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    add_task("arq_1", false, "req_1", NULL);
    ck_assert(store_insert_idempotency(fixture.store, "main", "cal_1", "access:k", &key, 1,
                                       &fixture.error));
    ck_assert(store_purge_expired(fixture.store, INT64_C(1) << 50, 100, &purged, &fixture.error));
    ck_assert(store_find_idempotency(fixture.store, "main", "cal_1", "access:k", &key, &is_found,
                                     &fixture.error));
    ck_assert(is_found);
    ck_assert_int_eq(store_fixture_sql(&fixture, "UPDATE requests SET state = 2, ended_at = 1"), 0);
    ck_assert(store_purge_expired(fixture.store, INT64_C(1) << 50, 100, &purged, &fixture.error));
    ck_assert(store_purge_expired(fixture.store, INT64_C(1) << 50, 100, &purged, &fixture.error));
    ck_assert(store_find_idempotency(fixture.store, "main", "cal_1", "access:k", &key, &is_found,
                                     &fixture.error));
    ck_assert(!is_found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: access");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, evaluations__read_back_as_inserted_and_only_in_their_tenant);
    tcase_add_test(tests, evaluations__are_used_once);
    tcase_add_test(tests, evaluations__that_ended_are_forgotten_oldest_first_in_bounds);
    tcase_add_test(tests, tasks__read_back_with_their_requests_in_order);
    tcase_add_test(tests, tasks__with_a_callback_are_found_by_any_of_their_requests);
    tcase_add_test(tests, tasks__are_found_by_their_one_request_and_caller);
    tcase_add_test(tests, idempotency__a_key_of_a_task_lives_with_its_requests);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
