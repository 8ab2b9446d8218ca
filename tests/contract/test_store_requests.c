#include "store/request_rows.h"

#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <stdlib.h>
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

static struct request_row insert(const char *id)
{
    struct request_row request = sample_request(id);
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    return request;
}

static struct request_row insert_of(const char *id, const char *tenant, const char *caller,
                                    const char *agent, enum request_state state)
{
    struct request_row request = sample_request(id);
    snprintf(request.tenant, sizeof request.tenant, "%s", tenant);
    snprintf(request.caller, sizeof request.caller, "%s", caller);
    snprintf(request.agent, sizeof request.agent, "%s", agent);
    request.state = state;
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    return request;
}

static struct request_row read_back(const char *id)
{
    struct request_row request;
    ck_assert(
        store_read_request(fixture.store, "main", id, fixture.arena, &request, &fixture.error));
    return request;
}

#define assert_same_text(member)   ck_assert_pstr_eq(found->member, expected->member)
#define assert_same_number(member) ck_assert_int_eq(found->member, expected->member)
#define assert_same_hash(member)   ck_assert_mem_eq(&found->member, &expected->member, SHA256_BYTES)

static void assert_same(const struct request_row *found, const struct request_row *expected)
{
    assert_same_number(row);
    assert_same_text(id);
    assert_same_text(tenant);
    assert_same_text(caller);
    assert_same_text(caller_name);
    assert_same_text(agent);
    assert_same_text(agent_name);
    assert_same_number(state);
    assert_same_number(reason);
    assert_same_number(version);
    assert_same_number(revision);
    assert_same_number(risk);
    assert_same_number(verdict);
    assert_same_text(subject);
    assert_same_text(subject_key);
    assert_same_text(action);
    assert_same_text(action_name);
    assert_same_text(resource);
    assert_same_text(resource_key);
    assert_same_text(context);
    assert_same_text(audience);
    assert_same_text(why);
    assert_same_text(trace);
    assert_same_text(salt);
    assert_same_hash(digest);
    assert_same_hash(match_key);
    assert_same_hash(effect_key);
    assert_same_hash(near_key);
    assert_same_text(requirements);
    assert_same_text(grant_settings);
    assert_same_text(explanation);
    assert_same_text(message);
    assert_same_text(policy);
    assert_same_number(allows_self_approval);
    assert_same_text(parties);
    assert_same_number(near_denials);
    assert_same_text(history_read);
    assert_same_number(created_at);
    assert_same_number(asked_at);
    assert_same_number(settled_at);
    assert_same_number(timeout_at);
    assert_same_number(due_at);
    assert_same_number(ended_at);
    assert_same_text(ended_by);
    assert_same_text(grant);
}

START_TEST(requests__read_back_as_inserted)
{
    struct request_row request = insert("req_1");
    struct request_row found = read_back("req_1");
    ck_assert_int_gt(request.row, 0);
    assert_same(&found, &request);
}
END_TEST

START_TEST(requests__null_texts_stay_null)
{
    struct request_row request = sample_request("req_1");
    request.why = request.trace = request.requirements = request.message = NULL;
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    struct request_row found = read_back("req_1");
    assert_same(&found, &request);
}
END_TEST

START_TEST(requests__update_writes_what_may_change_and_raises_the_version)
{
    struct request_row request = insert("req_1");
    request.state = REQUEST_APPROVED;
    request.reason = REASON_APPROVED_BY_PEOPLE;
    request.revision = 2;
    request.risk = 3;
    request.action = NULL;
    request.salt = NULL;
    request.digest = sample_hash(11);
    request.match_key = sample_hash(12);
    request.effect_key = sample_hash(13);
    request.near_key = sample_hash(14);
    request.requirements = "[]";
    request.grant_settings = "{}";
    request.explanation = "{\"changed\":true}";
    request.message = "changed";
    request.policy = "11";
    request.allows_self_approval = false;
    request.asked_at = 2002;
    request.settled_at = 2003;
    request.timeout_at = 0;
    request.due_at = 0;
    request.ended_at = 7001;
    request.ended_by = "per_9";
    strcpy(request.grant, "grt_1");
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    ck_assert_int_eq(request.version, 2);
    struct request_row found = read_back("req_1");
    assert_same(&found, &request);
}
END_TEST

START_TEST(requests__update_of_an_older_version_is_a_conflict)
{
    struct request_row request = insert("req_1");
    struct request_row older = request;
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    older.state = REQUEST_DENIED;
    ck_assert(!store_update_request(fixture.store, &older, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "changed");
    ck_assert_int_eq(older.version, 1);
    ck_assert_int_eq(read_back("req_1").state, REQUEST_PENDING);
}
END_TEST

START_TEST(requests__an_id_is_taken_once)
{
    insert("req_1");
    struct request_row again = sample_request("req_1");
    ck_assert(!store_insert_request(fixture.store, &again, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "exists");
}
END_TEST

START_TEST(requests__a_state_that_does_not_exist_is_refused_by_the_schema)
{
    struct request_row request = sample_request("req_1");
    request.state = REQUEST_ABSENT;
    ck_assert(!store_insert_request(fixture.store, &request, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_INTERNAL);
}
END_TEST

START_TEST(requests__another_tenant_neither_reads_nor_updates)
{
    struct request_row request = insert("req_1");
    struct request_row found;
    ck_assert(!store_read_request(fixture.store, "other", "req_1", fixture.arena, &found,
                                  &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    strcpy(request.tenant, "other");
    fixture.error = (struct error){0};
    ck_assert(!store_update_request(fixture.store, &request, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(requests__an_absent_id_is_not_found)
{
    struct request_row found;
    ck_assert(
        !store_read_request(fixture.store, "main", "req_9", fixture.arena, &found, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert_str_eq(fixture.error.subject, "req_9");
}
END_TEST

static void assert_pending(const char *tenant, const char *caller, unsigned char match,
                           const char *expected)
{
    struct sha256 key = sample_hash(match);
    char id[ID_BYTES];
    ck_assert(store_find_pending(fixture.store, tenant, caller, &key, id, &fixture.error));
    ck_assert_str_eq(id, expected);
}

START_TEST(find_pending__finds_only_the_same_tenant_caller_and_key)
{
    insert("req_1");
    assert_pending("main", "cal_1", 2, "req_1");
    assert_pending("other", "cal_1", 2, "");
    assert_pending("main", "cal_2", 2, "");
    assert_pending("main", "cal_1", 9, "");
}
END_TEST

START_TEST(find_pending__an_ended_request_is_not_found)
{
    struct request_row request = insert("req_1");
    request.state = REQUEST_EXPIRED;
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    assert_pending("main", "cal_1", 2, "");
}
END_TEST

START_TEST(list_due__earliest_first_up_to_now_within_the_limit)
{
    static const struct {
        const char *id;
        int64_t due_at;
    } cases[] = {{"req_1", 300}, {"req_2", 100}, {"req_3", 0}, {"req_4", 200}, {"req_5", 400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request_row request = sample_request(cases[i].id);
        request.due_at = cases[i].due_at;
        ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    }
    struct request_reference *due;
    size_t count;
    ck_assert(store_list_due_requests(fixture.store, 300, 10, fixture.arena, &due, &count,
                                      &fixture.error));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(due[0].id, "req_2");
    ck_assert_str_eq(due[1].id, "req_4");
    ck_assert_str_eq(due[2].id, "req_1");
    ck_assert_str_eq(due[2].tenant, "main");
    ck_assert(store_list_due_requests(fixture.store, 300, 2, fixture.arena, &due, &count,
                                      &fixture.error));
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(list_due__an_ended_request_is_not_due)
{
    struct request_row request = insert("req_1");
    request.state = REQUEST_CANCELLED; /* and its due_at stays */
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    struct request_reference *due;
    size_t count;
    ck_assert(store_list_due_requests(fixture.store, 1000000, 10, fixture.arena, &due, &count,
                                      &fixture.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

static void assert_next_due(int64_t expected)
{
    int64_t due_at = -1;
    ck_assert(store_next_due_at(fixture.store, &due_at, &fixture.error));
    ck_assert_int_eq(due_at, expected);
}

START_TEST(next_due__is_the_earliest_of_requests_and_grants)
{
    assert_next_due(0);
    struct request_row request = sample_request("req_1");
    request.due_at = 500;
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    assert_next_due(500);
    struct grant_row grant = sample_grant("grt_1", "req_1");
    grant.due_at = 400;
    ck_assert(store_insert_grant(fixture.store, &grant, &fixture.error));
    assert_next_due(400);
    grant.due_at = 600;
    ck_assert(store_update_grant(fixture.store, &grant, &fixture.error));
    assert_next_due(500);
    request.due_at = 0;
    ck_assert(store_update_request(fixture.store, &request, &fixture.error));
    assert_next_due(600);
}
END_TEST

START_TEST(list_pending__goes_on_after_a_row_and_knows_tenants)
{
    struct request_row first = insert_of("req_1", "main", "cal_1", "agt_1", REQUEST_PENDING);
    insert_of("req_2", "other", "cal_1", "agt_1", REQUEST_PENDING);
    insert_of("req_3", "main", "cal_1", "agt_1", REQUEST_DENIED);
    insert_of("req_4", "main", "cal_1", "agt_1", REQUEST_PENDING);
    struct request_row *rows;
    size_t count;
    ck_assert(store_list_pending(fixture.store, NULL, 0, 10, fixture.arena, &rows, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(rows[1].id, "req_2");
    ck_assert(store_list_pending(fixture.store, "main", first.row, 10, fixture.arena, &rows, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(rows[0].id, "req_4");
    ck_assert_str_eq(rows[0].subject_key, "user/dana@example.com");
    ck_assert(store_list_pending(fixture.store, NULL, 0, 2, fixture.arena, &rows, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(wake_stopped__makes_only_pending_requests_without_a_deadline_due)
{
    struct request_row stopped = sample_request("req_1");
    stopped.due_at = 0;
    struct request_row ended = sample_request("req_2");
    ended.due_at = 0;
    ended.state = REQUEST_DENIED;
    ck_assert(store_insert_request(fixture.store, &stopped, &fixture.error));
    ck_assert(store_insert_request(fixture.store, &ended, &fixture.error));
    insert("req_3");
    ck_assert(store_wake_stopped_requests(fixture.store, 777, &fixture.error));
    ck_assert_int_eq(read_back("req_1").due_at, 777);
    ck_assert_int_eq(read_back("req_2").due_at, 0);
    ck_assert_int_eq(read_back("req_3").due_at, 5001);
}
END_TEST

static void assert_pending_count(const char *tenant, const char *caller, int64_t expected)
{
    int64_t count = -1;
    ck_assert(store_count_pending(fixture.store, tenant, caller, &count, &fixture.error));
    ck_assert_int_eq(count, expected);
}

START_TEST(count_pending__by_tenant_and_by_caller)
{
    insert_of("req_1", "main", "cal_1", "agt_1", REQUEST_PENDING);
    insert_of("req_2", "main", "cal_2", "agt_1", REQUEST_PENDING);
    insert_of("req_3", "main", "cal_2", "agt_1", REQUEST_DENIED);
    insert_of("req_4", "other", "cal_2", "agt_1", REQUEST_PENDING);
    assert_pending_count("main", NULL, 2);
    assert_pending_count("main", "cal_2", 1);
    assert_pending_count("other", NULL, 1);
    assert_pending_count("nobody", NULL, 0);
}
END_TEST

/* The ids of a page, joined with a space. */
static const char *page(struct request_filter filter)
{
    static char text[1024];
    struct request_row *rows;
    size_t count;
    ck_assert(
        store_list_requests(fixture.store, &filter, fixture.arena, &rows, &count, &fixture.error));
    text[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", i == 0 ? "" : " ", rows[i].id);
    }
    return text;
}

static void insert_mixture(void)
{
    insert_of("req_1", "main", "cal_1", "agt_1", REQUEST_PENDING);
    insert_of("req_2", "main", "cal_2", "agt_1", REQUEST_APPROVED);
    insert_of("req_3", "main", "cal_1", "agt_2", REQUEST_DENIED);
    insert_of("req_4", "other", "cal_1", "agt_1", REQUEST_PENDING);
    insert_of("req_5", "main", "cal_1", "agt_1", REQUEST_APPROVED);
    insert_of("req_6", "main", "cal_2", "agt_2", REQUEST_PENDING);
}

START_TEST(list__newest_first_and_only_the_tenant)
{
    insert_mixture();
    ck_assert_str_eq(page((struct request_filter){.tenant = "main", .state = -1, .limit = 10}),
                     "req_6 req_5 req_3 req_2 req_1");
    ck_assert_str_eq(page((struct request_filter){.tenant = "other", .state = -1, .limit = 10}),
                     "req_4");
}
END_TEST

START_TEST(list__every_filter_narrows)
{
    insert_mixture();
    struct request_filter filter = {.tenant = "main", .state = REQUEST_PENDING, .limit = 10};
    ck_assert_str_eq(page(filter), "req_6 req_1");
    filter.caller = "cal_1";
    ck_assert_str_eq(page(filter), "req_1");
    filter.agent = "agt_2";
    ck_assert_str_eq(page(filter), "");
    filter.state = REQUEST_APPROVED;
    filter.agent = NULL;
    ck_assert_str_eq(page(filter), "req_5");
    filter.caller = NULL;
    ck_assert_str_eq(page(filter), "req_5 req_2");
    filter.agent = "agt_1";
    ck_assert_str_eq(page(filter), "req_5 req_2");
    filter.state = -1;
    ck_assert_str_eq(page(filter), "req_5 req_2 req_1");
    filter.caller = "cal_2";
    ck_assert_str_eq(page(filter), "req_2");
}
END_TEST

START_TEST(list__pages_are_stable_while_requests_arrive)
{
    insert_mixture();
    struct request_filter filter = {.tenant = "main", .state = -1, .limit = 2};
    ck_assert_str_eq(page(filter), "req_6 req_5");
    insert_of("req_7", "main", "cal_1", "agt_1", REQUEST_PENDING);
    filter.before_id = "req_5";
    ck_assert_str_eq(page(filter), "req_3 req_2");
    filter.before_id = "req_2";
    ck_assert_str_eq(page(filter), "req_1");
    filter.before_id = "";
    ck_assert_str_eq(page(filter), "req_7 req_6");
}
END_TEST

START_TEST(list__a_page_has_its_largest_size)
{
    for (int i = 0; i < STORE_PAGE_MAX + 5; i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "req_%06d", i);
        insert(id);
    }
    struct request_filter filter = {.tenant = "main", .state = -1, .limit = 100000};
    struct request_row *rows;
    size_t count;
    ck_assert(
        store_list_requests(fixture.store, &filter, fixture.arena, &rows, &count, &fixture.error));
    ck_assert_uint_eq(count, STORE_PAGE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_requests");
    TCase *tests = tcase_create("requests");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, requests__read_back_as_inserted);
    tcase_add_test(tests, requests__null_texts_stay_null);
    tcase_add_test(tests, requests__update_writes_what_may_change_and_raises_the_version);
    tcase_add_test(tests, requests__update_of_an_older_version_is_a_conflict);
    tcase_add_test(tests, requests__an_id_is_taken_once);
    tcase_add_test(tests, requests__a_state_that_does_not_exist_is_refused_by_the_schema);
    tcase_add_test(tests, requests__another_tenant_neither_reads_nor_updates);
    tcase_add_test(tests, requests__an_absent_id_is_not_found);
    tcase_add_test(tests, find_pending__finds_only_the_same_tenant_caller_and_key);
    tcase_add_test(tests, find_pending__an_ended_request_is_not_found);
    tcase_add_test(tests, list_due__earliest_first_up_to_now_within_the_limit);
    tcase_add_test(tests, list_due__an_ended_request_is_not_due);
    tcase_add_test(tests, next_due__is_the_earliest_of_requests_and_grants);
    tcase_add_test(tests, list_pending__goes_on_after_a_row_and_knows_tenants);
    tcase_add_test(tests, wake_stopped__makes_only_pending_requests_without_a_deadline_due);
    tcase_add_test(tests, count_pending__by_tenant_and_by_caller);
    tcase_add_test(tests, list__newest_first_and_only_the_tenant);
    tcase_add_test(tests, list__every_filter_narrows);
    tcase_add_test(tests, list__pages_are_stable_while_requests_arrive);
    tcase_add_test(tests, list__a_page_has_its_largest_size);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
