#include "operations/tenant_operations.h"

#include "operations/people_operations.h"
#include "operations/session_operations.h"
#include "tests/support/rig.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct error error;

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

static bool add(struct operation *operation, const char *name)
{
    struct tenant_row row;
    error = (struct error){0};
    return operation_add_tenant(operation, name, &row, &error);
}

static void expect_refused(bool ok, enum error_kind kind, const char *code)
{
    ck_assert(!ok);
    ck_assert_int_eq(error.kind, kind);
    ck_assert_str_eq(error.code, code);
}

static void add_acme(void)
{
    ck_assert(add(rig_begin_host(&rig), "acme"));
    rig_commit(&rig);
}

static struct credential host_in(const char *tenant)
{
    struct credential credential = {.kind = CREDENTIAL_HOST};
    snprintf(credential.tenant, sizeof credential.tenant, "%s", tenant);
    return credential;
}

START_TEST(tenants__the_host_adds_and_lists_them)
{
    struct tenant_row *rows;
    size_t count = 0;
    add_acme();
    struct operation *operation = rig_begin_host(&rig);
    ck_assert(operation_list_tenants(operation, &rows, &count, &error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].name, "acme");
    ck_assert_str_eq(rows[1].name, "default");
    rig_undo(&rig);
}
END_TEST

START_TEST(tenants__what_is_no_name_or_there_already_is_refused)
{
    add_acme();
    struct operation *operation = rig_begin_host(&rig);
    expect_refused(add(operation, "acme"), ERROR_CONFLICT, "name_taken");
    expect_refused(add(operation, "default"), ERROR_CONFLICT, "name_taken");
    expect_refused(add(operation, "Acme Ltd"), ERROR_INVALID, "bad_name");
    expect_refused(add(operation, ""), ERROR_INVALID, "bad_name");
    rig_undo(&rig);
}
END_TEST

START_TEST(tenants__there_are_so_many_and_no_more)
{
    struct operation *operation = rig_begin_host(&rig);
    for (int i = 1; i < TENANTS_MAX; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "t%d", i);
        ck_assert(add(operation, name));
    }
    expect_refused(add(operation, "more"), ERROR_LIMIT, "too_many");
    rig_undo(&rig);
}
END_TEST

START_TEST(tenants__nobodys_admin_adds_or_lists_them)
{
    struct credential ada = rig_add_person(&rig, "ada", "oncall", true);
    struct tenant_row *rows;
    size_t count;
    struct operation *operation = rig_begin(&rig, &ada);
    expect_refused(add(operation, "acme"), ERROR_FORBIDDEN, "not_allowed");
    error = (struct error){0};
    expect_refused(operation_list_tenants(operation, &rows, &count, &error), ERROR_FORBIDDEN,
                   "not_allowed");
    rig_undo(&rig);
}
END_TEST

START_TEST(tenants__the_host_acts_where_it_says)
{
    struct person_view view;
    add_acme();
    struct credential there = host_in("acme");
    struct operation *operation = rig_begin(&rig, &there);
    ck_assert(operation_add_person(operation, &(struct person_input){.name = "dana"}, &view,
                                   &error));
    ck_assert_str_eq(view.person.tenant, "acme");
    rig_commit(&rig);
    operation = rig_begin_host(&rig);
    ck_assert_msg(operation_add_person(operation, &(struct person_input){.name = "dana"}, &view,
                                       &error),
                  "the same name is another person elsewhere: %s", error.message);
    ck_assert_str_eq(view.person.tenant, "default");
    rig_undo(&rig);
}
END_TEST

static bool can_begin(const struct credential *credential, struct operation *out)
{
    struct arena *arena = arena_create();
    error = (struct error){0};
    bool ok =
        operation_begin(out, rig.operations, rig.store, arena, rig.now, credential, &error);
    arena_destroy(arena);
    return ok;
}

START_TEST(tenants__the_host_acts_in_none_that_is_not_there)
{
    struct operation operation;
    struct credential nowhere = host_in("nowhere");
    expect_refused(can_begin(&nowhere, &operation), ERROR_INVALID, "unknown_tenant");
}
END_TEST

START_TEST(tenants__nobody_else_says_where_they_act)
{
    struct operation operation;
    add_acme();
    struct credential ada = rig_add_person(&rig, "ada", "oncall", true);
    struct credential runner = rig_add_caller(&rig, "runner");
    struct credential *everyone[] = {&ada, &runner};
    for (size_t i = 0; i < 2; i++) {
        snprintf(everyone[i]->tenant, sizeof everyone[i]->tenant, "acme");
        ck_assert(can_begin(everyone[i], &operation));
        ck_assert_str_eq(operation.principal.tenant, "default");
        operation_enter_tenant(&operation, "acme");
        ck_assert_str_eq(operation.principal.tenant, "default");
    }
}
END_TEST

START_TEST(tenants__nobody_yet_signs_in_where_they_say)
{
    struct operation operation;
    struct credential nobody = {.kind = CREDENTIAL_NONE};
    ck_assert(can_begin(&nobody, &operation));
    ck_assert_str_eq(operation.principal.tenant, "default");
    operation_enter_tenant(&operation, "acme");
    ck_assert_str_eq(operation.principal.tenant, "acme");
}
END_TEST

START_TEST(tenants__a_person_knows_whether_theirs_is_the_only_one)
{
    struct operation operation;
    struct credential ada = rig_add_person(&rig, "ada", "oncall", true);
    ck_assert(can_begin(&ada, &operation));
    ck_assert(operation.is_only_tenant);
    add_acme();
    ck_assert(can_begin(&ada, &operation));
    ck_assert(!operation.is_only_tenant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/tenants");
    TCase *cases = tcase_create("tenants");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, tenants__the_host_adds_and_lists_them);
    tcase_add_test(cases, tenants__what_is_no_name_or_there_already_is_refused);
    tcase_add_test(cases, tenants__there_are_so_many_and_no_more);
    tcase_add_test(cases, tenants__nobodys_admin_adds_or_lists_them);
    tcase_add_test(cases, tenants__the_host_acts_where_it_says);
    tcase_add_test(cases, tenants__the_host_acts_in_none_that_is_not_there);
    tcase_add_test(cases, tenants__nobody_else_says_where_they_act);
    tcase_add_test(cases, tenants__nobody_yet_signs_in_where_they_say);
    tcase_add_test(cases, tenants__a_person_knows_whether_theirs_is_the_only_one);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
