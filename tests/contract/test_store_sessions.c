#include "store/session_rows.h"

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

static struct error *fresh(void)
{
    fixture.error = (struct error){0};
    return &fixture.error;
}

/* ---- passwords ---- */

static void put_password(const char *person, const char *hash, int64_t set_at)
{
    struct password_row row = {.hash = hash, .is_enabled = true, .set_at = set_at};
    snprintf(row.person, sizeof row.person, "%s", person);
    snprintf(row.tenant, sizeof row.tenant, "main");
    ck_assert(store_put_password(fixture.store, &row, fresh()));
}

static bool read_password(const char *person, struct password_row *out)
{
    return store_read_password(fixture.store, person, fixture.arena, out, fresh());
}

START_TEST(passwords__the_newest_stands)
{
    struct password_row found;
    ck_assert(!read_password("per_1", &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    put_password("per_1", "not a real hash", 10);
    put_password("per_1", "not a real hash either", 20);
    ck_assert(read_password("per_1", &found));
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.hash, "not a real hash either");
    ck_assert_int_eq(found.set_at, 20);
    ck_assert(found.is_enabled);
}
END_TEST

START_TEST(passwords__all_are_disabled_and_enabled_together)
{
    struct password_row found;
    int64_t count;
    put_password("per_1", "not a real hash", 10);
    put_password("per_2", "not a real hash", 10);
    ck_assert(store_enable_passwords(fixture.store, false, &count, fresh()));
    ck_assert_int_eq(count, 2);
    put_password("per_2", "chosen afterwards", 20);
    ck_assert(read_password("per_1", &found) && !found.is_enabled);
    ck_assert(read_password("per_2", &found) && found.is_enabled);
    ck_assert(store_enable_passwords(fixture.store, true, &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(read_password("per_1", &found) && found.is_enabled);
}
END_TEST

static void add_person(const char *id, const char *name, bool is_admin, bool is_enabled)
{
    struct person_row person = {.is_admin = is_admin, .is_enabled = is_enabled, .created_at = 1};
    snprintf(person.id, sizeof person.id, "%s", id);
    snprintf(person.tenant, sizeof person.tenant, "main");
    snprintf(person.name, sizeof person.name, "%s", name);
    ck_assert(store_insert_person(fixture.store, &person, fresh()));
}

static int64_t count_admins(const char *tenant)
{
    int64_t count = -1;
    ck_assert(store_count_admins_with_password(fixture.store, tenant, &count, fresh()));
    return count;
}

START_TEST(passwords__admins_who_can_sign_in_are_counted)
{
    int64_t count;
    add_person("per_1", "no-password", true, true);
    add_person("per_2", "no-admin", false, true);
    add_person("per_3", "disabled", true, false);
    put_password("per_2", "not a real hash", 10);
    put_password("per_3", "not a real hash", 10);
    ck_assert_int_eq(count_admins("main"), 0);
    put_password("per_1", "not a real hash", 10);
    ck_assert_int_eq(count_admins("main"), 1);
    ck_assert_int_eq(count_admins("other"), 0);
    ck_assert(store_enable_passwords(fixture.store, false, &count, fresh()));
    ck_assert_int_eq(count_admins("main"), 0);
}
END_TEST

/* ---- sessions ---- */

static struct session_row add_session(const char *id, const char *person, unsigned char fill,
                                      int64_t expires_at)
{
    struct session_row row = {
        .hash = sample_hash(fill), .created_at = 100, .seen_at = 100, .expires_at = expires_at};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    ck_assert(store_insert_session(fixture.store, &row, fresh()));
    return row;
}

static bool find_session(unsigned char fill, struct session_row *out)
{
    struct sha256 hash = sample_hash(fill);
    return store_find_session(fixture.store, &hash, out, fresh());
}

static bool has_session(unsigned char fill)
{
    struct session_row found;
    bool is_there = find_session(fill, &found);
    ck_assert(is_there || fixture.error.kind == ERROR_NOT_FOUND);
    return is_there;
}

START_TEST(sessions__are_found_by_hash_whatever_their_age)
{
    struct session_row found;
    struct session_row session = add_session("ses_1", "per_1", 1, 200);
    ck_assert(find_session(1, &found));
    ck_assert_mem_eq(&found.hash, &session.hash, sizeof found.hash);
    ck_assert_str_eq(found.id, "ses_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_int_eq(found.created_at, 100);
    ck_assert_int_eq(found.seen_at, 100);
    ck_assert_int_eq(found.expires_at, 200);
    ck_assert(!has_session(2));
}
END_TEST

START_TEST(sessions__one_secret_is_one_session)
{
    struct session_row row = add_session("ses_1", "per_1", 1, 200);
    snprintf(row.id, sizeof row.id, "ses_2");
    ck_assert(!store_insert_session(fixture.store, &row, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(sessions__use_only_moves_forward)
{
    struct session_row found;
    add_session("ses_1", "per_1", 1, 900);
    ck_assert(store_touch_session(fixture.store, "ses_1", 300, fresh()));
    ck_assert(store_touch_session(fixture.store, "ses_1", 200, fresh()));
    ck_assert(find_session(1, &found));
    ck_assert_int_eq(found.seen_at, 300);
    ck_assert(store_touch_session(fixture.store, "ses_gone", 300, fresh()));
}
END_TEST

START_TEST(sessions__end_one_by_one_by_person_and_altogether)
{
    int64_t count;
    add_session("ses_1", "per_1", 1, 900);
    add_session("ses_2", "per_1", 2, 900);
    add_session("ses_3", "per_1", 3, 900);
    add_session("ses_4", "per_2", 4, 900);
    ck_assert(store_delete_session(fixture.store, "ses_3", fresh()));
    ck_assert(store_delete_session(fixture.store, "ses_3", fresh()));
    ck_assert(!has_session(3));
    ck_assert(store_delete_sessions(fixture.store, "per_1", "ses_2", &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(!has_session(1) && has_session(2) && has_session(4));
    ck_assert(store_delete_sessions(fixture.store, "per_1", NULL, &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(store_delete_sessions(fixture.store, NULL, NULL, &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(!has_session(4));
}
END_TEST

START_TEST(sessions__the_oldest_of_a_person_give_way)
{
    add_session("ses_1", "per_1", 1, 900);
    add_session("ses_2", "per_2", 2, 900);
    add_session("ses_3", "per_1", 3, 900);
    add_session("ses_4", "per_1", 4, 900);
    ck_assert(store_trim_sessions(fixture.store, "per_1", 2, fresh()));
    ck_assert(!has_session(1));
    ck_assert(has_session(2) && has_session(3) && has_session(4));
}
END_TEST

START_TEST(sessions__that_are_over_are_forgotten_in_bounded_numbers)
{
    add_session("ses_1", "per_1", 1, 300);
    add_session("ses_2", "per_2", 2, 200);
    add_session("ses_3", "per_3", 3, 301);
    ck_assert(store_purge_sessions(fixture.store, 300, 1, fresh()));
    ck_assert_int_eq(has_session(1) + has_session(2), 1);
    ck_assert(store_purge_sessions(fixture.store, 300, 10, fresh()));
    ck_assert_int_eq(has_session(1) + has_session(2), 0);
    ck_assert(has_session(3));
}
END_TEST

/* ---- links ---- */

static void put_link(const char *id, enum link_kind kind, const char *person, unsigned char fill)
{
    struct link_row row = {
        .kind = kind, .hash = sample_hash(fill), .created_at = 100, .expires_at = 200};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    ck_assert(store_put_link(fixture.store, &row, fresh()));
}

static bool find_link(enum link_kind kind, unsigned char fill, struct link_row *out)
{
    struct sha256 hash = sample_hash(fill);
    return store_find_link(fixture.store, kind, &hash, out, fresh());
}

START_TEST(links__are_found_by_kind_and_hash)
{
    struct link_row found;
    put_link("lnk_1", LINK_ENROLMENT, "per_1", 1);
    ck_assert(find_link(LINK_ENROLMENT, 1, &found));
    ck_assert_str_eq(found.id, "lnk_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_int_eq(found.kind, LINK_ENROLMENT);
    ck_assert_int_eq(found.created_at, 100);
    ck_assert_int_eq(found.expires_at, 200);
    ck_assert(!find_link(LINK_SETUP, 1, &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(links__a_new_one_takes_the_place_of_the_former)
{
    struct link_row found;
    put_link("lnk_1", LINK_ENROLMENT, "per_1", 1);
    put_link("lnk_2", LINK_ENROLMENT, "per_2", 2);
    put_link("lnk_3", LINK_SETUP, "", 3);
    put_link("lnk_4", LINK_ENROLMENT, "per_1", 4);
    ck_assert(!find_link(LINK_ENROLMENT, 1, &found));
    ck_assert(find_link(LINK_ENROLMENT, 2, &found));
    ck_assert(find_link(LINK_SETUP, 3, &found));
    ck_assert(find_link(LINK_ENROLMENT, 4, &found));
    ck_assert_str_eq(found.id, "lnk_4");
}
END_TEST

START_TEST(links__are_used_once)
{
    struct link_row found;
    int64_t count;
    put_link("lnk_1", LINK_SETUP, "", 1);
    put_link("lnk_2", LINK_ENROLMENT, "per_2", 2);
    ck_assert(store_delete_link(fixture.store, "lnk_1", fresh()));
    ck_assert(!store_delete_link(fixture.store, "lnk_1", fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(!find_link(LINK_SETUP, 1, &found));
    ck_assert(store_delete_links(fixture.store, &count, fresh()));
    ck_assert_int_eq(count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store/sessions");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, passwords__the_newest_stands);
    tcase_add_test(tests, passwords__all_are_disabled_and_enabled_together);
    tcase_add_test(tests, passwords__admins_who_can_sign_in_are_counted);
    tcase_add_test(tests, sessions__are_found_by_hash_whatever_their_age);
    tcase_add_test(tests, sessions__one_secret_is_one_session);
    tcase_add_test(tests, sessions__use_only_moves_forward);
    tcase_add_test(tests, sessions__end_one_by_one_by_person_and_altogether);
    tcase_add_test(tests, sessions__the_oldest_of_a_person_give_way);
    tcase_add_test(tests, sessions__that_are_over_are_forgotten_in_bounded_numbers);
    tcase_add_test(tests, links__are_found_by_kind_and_hash);
    tcase_add_test(tests, links__a_new_one_takes_the_place_of_the_former);
    tcase_add_test(tests, links__are_used_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
