#include "store/tenant_rows.h"

#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture fixture;

static struct error *fresh(void)
{
    fixture.error = (struct error){0};
    return &fixture.error;
}

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static bool insert(const char *name, int64_t created_at)
{
    struct tenant_row row = {.created_at = created_at};
    snprintf(row.name, sizeof row.name, "%s", name);
    return store_insert_tenant(fixture.store, &row, fresh());
}

static bool is_found(const char *name)
{
    bool found = false;
    ck_assert(store_find_tenant(fixture.store, name, &found, fresh()));
    return found;
}

START_TEST(tenants__a_new_store_has_the_default_one)
{
    int64_t count = 0;
    ck_assert(store_count_tenants(fixture.store, &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(is_found("default"));
    ck_assert(!is_found("acme"));
}
END_TEST

START_TEST(tenants__are_found_counted_and_listed_by_name)
{
    struct tenant_row *rows;
    size_t row_count = 0;
    int64_t count = 0;
    ck_assert(insert("zoo", 7) && insert("acme", 9));
    ck_assert(is_found("acme") && is_found("zoo") && !is_found("ACME") && !is_found(""));
    ck_assert(store_count_tenants(fixture.store, &count, fresh()));
    ck_assert(store_list_tenants(fixture.store, fixture.arena, &rows, &row_count, fresh()));
    ck_assert_int_eq(count, 3);
    ck_assert_uint_eq(row_count, 3);
    ck_assert_str_eq(rows[0].name, "acme");
    ck_assert_int_eq(rows[0].created_at, 9);
    ck_assert_str_eq(rows[1].name, "default");
    ck_assert_int_eq(rows[1].created_at, 0);
    ck_assert_str_eq(rows[2].name, "zoo");
}
END_TEST

START_TEST(tenants__a_name_is_taken_once)
{
    ck_assert(insert("acme", 1));
    ck_assert(!insert("acme", 2));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "name_taken");
    ck_assert(!insert("default", 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("contract: tenants");
    TCase *cases = tcase_create("tenants");
    tcase_set_timeout(cases, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, tenants__a_new_store_has_the_default_one);
    tcase_add_test(cases, tenants__are_found_counted_and_listed_by_name);
    tcase_add_test(cases, tenants__a_name_is_taken_once);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
