#include "store/proposal_rows.h"

#include "store/people_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture fixture;
static struct sha256 hash;

static struct error *fresh(void)
{
    fixture.error = (struct error){0};
    return &fixture.error;
}

static void add_person(const char *id, bool is_admin)
{
    struct person_row person = {.is_admin = is_admin, .is_enabled = true, .created_at = 1};
    snprintf(person.id, sizeof person.id, "%s", id);
    snprintf(person.tenant, sizeof person.tenant, "main");
    snprintf(person.name, sizeof person.name, "%s", id + 4);
    ck_assert(store_insert_person(fixture.store, &person, fresh()));
}

static void set_up(void)
{
    store_fixture_init(&fixture);
    hash = crypto_sha256("POST /v1/people", 15);
    add_person("per_ada", true);
    add_person("per_bob", true);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static struct proposal_row insert(const char *id, const char *proposer)
{
    struct proposal_row row = {.method = "POST",
                               .path = "/v1/people",
                               .what = "POST /v1/people",
                               .body = "{}",
                               .hash = hash,
                               .state = PROPOSAL_OPEN,
                               .created_at = 10,
                               .expires_at = 100};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.proposer, sizeof row.proposer, "%s", proposer);
    ck_assert(store_insert_proposal(fixture.store, &row, fresh()));
    return row;
}

static bool is_found(const char *other_than, int64_t now, struct proposal_row *out)
{
    bool found = false;
    ck_assert(store_find_proposal(fixture.store, "main", &hash, other_than, now, fixture.arena, out,
                                  &found, fresh()));
    return found;
}

START_TEST(proposals__are_found_by_others_until_they_expire)
{
    struct proposal_row found;
    insert("prp_1", "per_ada");
    ck_assert(!is_found("per_ada", 50, &found));
    ck_assert(is_found("per_bob", 99, &found));
    ck_assert_str_eq(found.id, "prp_1");
    ck_assert_str_eq(found.body, "{}");
    ck_assert_ptr_null(found.decided_by);
    ck_assert(is_found(NULL, 99, &found));
    ck_assert(!is_found("per_bob", 100, &found));
    hash = crypto_sha256("POST /v1/agents", 15);
    ck_assert(!is_found("per_bob", 50, &found));
}
END_TEST

START_TEST(proposals__are_decided_once)
{
    struct proposal_row found;
    struct proposal_row row = insert("prp_1", "per_ada");
    row.state = PROPOSAL_CONFIRMED;
    row.decided_by = "per_bob";
    ck_assert(store_decide_proposal(fixture.store, &row, fresh()));
    ck_assert(!is_found("per_bob", 50, &found));
    row.state = PROPOSAL_WITHDRAWN;
    ck_assert(!store_decide_proposal(fixture.store, &row, fresh()));
    ck_assert_str_eq(fixture.error.code, "proposal_decided");
    ck_assert(store_read_proposal(fixture.store, "main", "prp_1", fixture.arena, &found, fresh()));
    ck_assert_int_eq(found.state, PROPOSAL_CONFIRMED);
    ck_assert_str_eq(found.decided_by, "per_bob");
    ck_assert(
        !store_read_proposal(fixture.store, "other", "prp_1", fixture.arena, &found, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(proposals__of_who_may_change_nothing_any_more_are_not_there)
{
    struct proposal_row found;
    struct proposal_row *listed;
    size_t count = 0;
    struct person_row ada;
    insert("prp_1", "per_ada");
    insert("prp_2", "per_bob");
    ck_assert(store_read_person(fixture.store, "main", "per_ada", fixture.arena, &ada, fresh()));
    ada.is_admin = false;
    ck_assert(store_update_person(fixture.store, &ada, fresh()));
    ck_assert(!is_found("per_bob", 50, &found));
    ck_assert(is_found(NULL, 50, &found));
    ck_assert_str_eq(found.id, "prp_2");
    ck_assert(store_list_proposals(fixture.store, "main", 50, 10, fixture.arena, &listed, &count,
                                   fresh()));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(listed[0].id, "prp_2");
}
END_TEST

START_TEST(proposals__are_listed_oldest_first_while_open)
{
    struct proposal_row *listed;
    size_t count = 0;
    struct proposal_row first = insert("prp_1", "per_ada");
    insert("prp_2", "per_bob");
    insert("prp_3", "per_ada");
    first.state = PROPOSAL_WITHDRAWN;
    first.decided_by = "per_ada";
    ck_assert(store_decide_proposal(fixture.store, &first, fresh()));
    ck_assert(store_list_proposals(fixture.store, "main", 50, 10, fixture.arena, &listed, &count,
                                   fresh()));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(listed[0].id, "prp_2");
    ck_assert(store_list_proposals(fixture.store, "main", 50, 1, fixture.arena, &listed, &count,
                                   fresh()));
    ck_assert_uint_eq(count, 1);
    ck_assert(store_list_proposals(fixture.store, "other", 50, 10, fixture.arena, &listed, &count,
                                   fresh()));
    ck_assert_uint_eq(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store/proposals");
    TCase *cases = tcase_create("proposals");
    tcase_set_timeout(cases, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, proposals__are_found_by_others_until_they_expire);
    tcase_add_test(cases, proposals__are_decided_once);
    tcase_add_test(cases, proposals__of_who_may_change_nothing_any_more_are_not_there);
    tcase_add_test(cases, proposals__are_listed_oldest_first_while_open);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
