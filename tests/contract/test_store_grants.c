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

static struct grant_row insert(const char *id, const char *tenant, enum grant_state state,
                               int64_t due_at)
{
    char request[ID_BYTES];
    snprintf(request, sizeof request, "req_of_%s", id);
    struct grant_row grant = sample_grant(id, request);
    snprintf(grant.tenant, sizeof grant.tenant, "%s", tenant);
    grant.state = state;
    grant.due_at = due_at;
    ck_assert(store_insert_grant(fixture.store, &grant, &fixture.error));
    return grant;
}

static struct grant_row read_back(const char *id)
{
    struct grant_row grant;
    ck_assert(store_read_grant(fixture.store, "main", id, fixture.arena, &grant, &fixture.error));
    return grant;
}

static void assert_same(const struct grant_row *found, const struct grant_row *expected)
{
    ck_assert_str_eq(found->id, expected->id);
    ck_assert_str_eq(found->tenant, expected->tenant);
    ck_assert_str_eq(found->request, expected->request);
    ck_assert_str_eq(found->caller, expected->caller);
    ck_assert_str_eq(found->agent, expected->agent);
    ck_assert_int_eq(found->state, expected->state);
    ck_assert_int_eq(found->version, expected->version);
    ck_assert_int_eq(found->epoch, expected->epoch);
    ck_assert_mem_eq(&found->digest, &expected->digest, SHA256_BYTES);
    ck_assert_mem_eq(&found->effect_key, &expected->effect_key, SHA256_BYTES);
    ck_assert_str_eq(found->audience, expected->audience);
    ck_assert_int_eq(found->is_bearer, expected->is_bearer);
    ck_assert_int_eq(found->ttl_ms, expected->ttl_ms);
    ck_assert_int_eq(found->issued_at, expected->issued_at);
    ck_assert_int_eq(found->claim_until, expected->claim_until);
    ck_assert_int_eq(found->mint_count, expected->mint_count);
    ck_assert_str_eq(found->token, expected->token);
    ck_assert_int_eq(found->token_issued_at, expected->token_issued_at);
    ck_assert_int_eq(found->token_expires_at, expected->token_expires_at);
    ck_assert_int_eq(found->redeemed_at, expected->redeemed_at);
    ck_assert_str_eq(found->redeemer, expected->redeemer);
    ck_assert_int_eq(found->fence, expected->fence);
    ck_assert_int_eq(found->effect_due_at, expected->effect_due_at);
    ck_assert_int_eq(found->effect_at, expected->effect_at);
    ck_assert_pstr_eq(found->effect_summary, expected->effect_summary);
    ck_assert_pstr_eq(found->effect_digest, expected->effect_digest);
    ck_assert_str_eq(found->resolved_by, expected->resolved_by);
    ck_assert_int_eq(found->ended_at, expected->ended_at);
    ck_assert_pstr_eq(found->ended_reason, expected->ended_reason);
    ck_assert_int_eq(found->due_at, expected->due_at);
}

START_TEST(grants__read_back_as_inserted)
{
    struct grant_row grant = sample_grant("grt_1", "req_1");
    ck_assert(store_insert_grant(fixture.store, &grant, &fixture.error));
    struct grant_row found = read_back("grt_1");
    assert_same(&found, &grant);
}
END_TEST

START_TEST(grants__update_writes_what_may_change_and_raises_the_version)
{
    struct grant_row grant = insert("grt_1", "main", GRANT_ISSUED, 100);
    grant.state = GRANT_SUCCEEDED;
    grant.mint_count = 7;
    strcpy(grant.token, "jti_7");
    grant.token_issued_at = 3001;
    grant.token_expires_at = 3002;
    grant.redeemed_at = 3003;
    strcpy(grant.redeemer, "cal_7");
    grant.fence = 3004;
    grant.effect_due_at = 3005;
    grant.effect_at = 3006;
    grant.effect_summary = "done";
    grant.effect_digest = "ff";
    strcpy(grant.resolved_by, "per_7");
    grant.ended_at = 3007;
    grant.ended_reason = "frozen";
    grant.due_at = 0;
    ck_assert(store_update_grant(fixture.store, &grant, &fixture.error));
    ck_assert_int_eq(grant.version, 2);
    struct grant_row found = read_back("grt_1");
    assert_same(&found, &grant);
}
END_TEST

START_TEST(grants__of_two_updates_on_one_version_the_second_is_a_conflict)
{
    struct grant_row first = insert("grt_1", "main", GRANT_ISSUED, 100);
    struct grant_row second = first;
    first.state = GRANT_REDEEMED;
    second.state = GRANT_REVOKED;
    ck_assert(store_update_grant(fixture.store, &first, &fixture.error));
    ck_assert(!store_update_grant(fixture.store, &second, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_int_eq(read_back("grt_1").state, GRANT_REDEEMED);
}
END_TEST

START_TEST(grants__a_request_issues_one)
{
    struct grant_row first = sample_grant("grt_1", "req_1");
    struct grant_row second = sample_grant("grt_2", "req_1");
    ck_assert(store_insert_grant(fixture.store, &first, &fixture.error));
    ck_assert(!store_insert_grant(fixture.store, &second, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(grants__another_tenant_neither_reads_nor_updates)
{
    struct grant_row grant = insert("grt_1", "main", GRANT_ISSUED, 100);
    struct grant_row found;
    ck_assert(
        !store_read_grant(fixture.store, "other", "grt_1", fixture.arena, &found, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    fixture.error = (struct error){0};
    strcpy(grant.tenant, "other");
    ck_assert(!store_update_grant(fixture.store, &grant, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(redemption__a_grant_is_redeemed_once)
{
    ck_assert(store_insert_redemption(fixture.store, "grt_1", 1, 100, &fixture.error));
    ck_assert(!store_insert_redemption(fixture.store, "grt_1", 2, 100, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "already_redeemed");
}
END_TEST

START_TEST(redemption__a_fence_is_handed_out_once)
{
    ck_assert(store_insert_redemption(fixture.store, "grt_1", 1, 100, &fixture.error));
    ck_assert(!store_insert_redemption(fixture.store, "grt_2", 1, 100, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(list_due__earliest_first_up_to_now_within_the_limit)
{
    struct grant_row *due;
    size_t count;
    insert("grt_1", "main", GRANT_ISSUED, 300);
    insert("grt_2", "other", GRANT_REDEEMED, 100);
    insert("grt_3", "main", GRANT_LAPSED, 0);
    insert("grt_4", "main", GRANT_ISSUED, 400);
    ck_assert(
        store_list_due_grants(fixture.store, 300, 10, fixture.arena, &due, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(due[0].id, "grt_2");
    ck_assert_str_eq(due[0].tenant, "other");
    ck_assert_str_eq(due[1].id, "grt_1");
    ck_assert(
        store_list_due_grants(fixture.store, 300, 1, fixture.arena, &due, &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(list_issued__goes_on_after_an_id_and_knows_tenants)
{
    struct grant_row *issued;
    size_t count;
    insert("grt_1", "main", GRANT_ISSUED, 100);
    insert("grt_2", "other", GRANT_ISSUED, 100);
    insert("grt_3", "main", GRANT_REDEEMED, 100);
    insert("grt_4", "main", GRANT_ISSUED, 100);
    ck_assert(store_list_issued_grants(fixture.store, NULL, "", 10, fixture.arena, &issued, &count,
                                       &fixture.error));
    ck_assert_uint_eq(count, 3);
    ck_assert(store_list_issued_grants(fixture.store, "main", "grt_1", 10, fixture.arena, &issued,
                                       &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(issued[0].id, "grt_4");
    ck_assert(store_list_issued_grants(fixture.store, NULL, NULL, 2, fixture.arena, &issued, &count,
                                       &fixture.error));
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(approvers__issued_grants_that_rest_on_a_person_are_found)
{
    struct grant_row *resting;
    size_t count;
    bool rests = false;
    insert("grt_1", "main", GRANT_ISSUED, 100);
    insert("grt_2", "main", GRANT_ISSUED, 100);
    struct grant_row redeemed = insert("grt_3", "main", GRANT_REDEEMED, 100);
    const char *const approved[] = {"grt_1", "grt_3"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(store_insert_grant_approver(fixture.store, approved[i], "per_1", &fixture.error));
    }
    ck_assert(store_insert_grant_approver(fixture.store, "grt_2", "per_2", &fixture.error));
    ck_assert(store_list_issued_grants_resting_on(fixture.store, "per_1", fixture.arena, &resting,
                                                  &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(resting[0].id, "grt_1");
    ck_assert(store_grant_rests_on(fixture.store, redeemed.id, "per_1", &rests, &fixture.error));
    ck_assert(rests);
    ck_assert(store_grant_rests_on(fixture.store, redeemed.id, "per_2", &rests, &fixture.error));
    ck_assert(!rests);
}
END_TEST

static void assert_open(const char *tenant, unsigned char key, const char *expected)
{
    struct sha256 effect_key = sample_hash(key);
    char grant[ID_BYTES];
    ck_assert(store_find_open_effect(fixture.store, tenant, &effect_key, grant, &fixture.error));
    ck_assert_str_eq(grant, expected);
}

START_TEST(effects__are_open_until_closed_within_their_tenant)
{
    struct sha256 key = sample_hash(3);
    ck_assert(store_open_effect(fixture.store, "main", &key, "grt_1", &fixture.error));
    assert_open("main", 3, "grt_1");
    assert_open("other", 3, "");
    assert_open("main", 4, "");
    ck_assert(store_close_effect(fixture.store, "other", "grt_1", &fixture.error));
    assert_open("main", 3, "grt_1");
    ck_assert(store_close_effect(fixture.store, "main", "grt_1", &fixture.error));
    assert_open("main", 3, "");
}
END_TEST

START_TEST(effects__of_two_grants_on_one_action_both_must_close)
{
    struct sha256 key = sample_hash(3);
    ck_assert(store_open_effect(fixture.store, "main", &key, "grt_1", &fixture.error));
    ck_assert(store_open_effect(fixture.store, "main", &key, "grt_2", &fixture.error));
    ck_assert(store_close_effect(fixture.store, "main", "grt_1", &fixture.error));
    assert_open("main", 3, "grt_2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_grants");
    TCase *tests = tcase_create("grants");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, grants__read_back_as_inserted);
    tcase_add_test(tests, grants__update_writes_what_may_change_and_raises_the_version);
    tcase_add_test(tests, grants__of_two_updates_on_one_version_the_second_is_a_conflict);
    tcase_add_test(tests, grants__a_request_issues_one);
    tcase_add_test(tests, grants__another_tenant_neither_reads_nor_updates);
    tcase_add_test(tests, redemption__a_grant_is_redeemed_once);
    tcase_add_test(tests, redemption__a_fence_is_handed_out_once);
    tcase_add_test(tests, list_due__earliest_first_up_to_now_within_the_limit);
    tcase_add_test(tests, list_issued__goes_on_after_an_id_and_knows_tenants);
    tcase_add_test(tests, approvers__issued_grants_that_rest_on_a_person_are_found);
    tcase_add_test(tests, effects__are_open_until_closed_within_their_tenant);
    tcase_add_test(tests, effects__of_two_grants_on_one_action_both_must_close);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
