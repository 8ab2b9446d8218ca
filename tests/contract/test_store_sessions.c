#include "store/session_rows.h"

#include "store/people_rows.h"
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

static void put_password(const char *person, const char *hash, bool is_enabled)
{
    struct password_row password = {
        .tenant = "main", .hash = hash, .is_enabled = is_enabled, .set_at = 100};
    snprintf(password.person, sizeof password.person, "%s", person);
    ck_assert(store_put_password(fixture.store, &password, &fixture.error));
}

START_TEST(passwords__the_newest_replaces_the_former)
{
    struct password_row found;
    put_password("per_1", "first", true);
    put_password("per_1", "second", false);
    ck_assert(store_read_password(fixture.store, "per_1", fixture.arena, &found, &fixture.error));
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.hash, "second");
    ck_assert(!found.is_enabled);
    ck_assert_int_eq(found.set_at, 100);
    ck_assert(!store_read_password(fixture.store, "per_2", fixture.arena, &found, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(passwords__are_disabled_and_enabled_together)
{
    struct password_row found;
    int64_t count = -1;
    put_password("per_1", "hash", true);
    put_password("per_2", "hash", false);
    ck_assert(store_enable_passwords(fixture.store, false, &count, &fixture.error));
    ck_assert_int_eq(count, 1);
    ck_assert(store_enable_passwords(fixture.store, true, &count, &fixture.error));
    ck_assert_int_eq(count, 2);
    ck_assert(store_read_password(fixture.store, "per_1", fixture.arena, &found, &fixture.error));
    ck_assert(found.is_enabled);
}
END_TEST

START_TEST(passwords__admins_who_can_sign_in_are_counted)
{
    static const struct {
        const char *id, *tenant;
        bool is_admin, is_enabled, has_password, may_use_it;
    } cases[] = {
        {"per_1", "main", true, true, true, true},  {"per_2", "main", false, true, true, true},
        {"per_3", "main", true, false, true, true}, {"per_4", "main", true, true, false, false},
        {"per_5", "main", true, true, true, false}, {"per_6", "other", true, true, true, true},
    };
    int64_t count = -1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct person_row person = {.is_admin = cases[i].is_admin,
                                    .is_enabled = cases[i].is_enabled};
        snprintf(person.id, sizeof person.id, "%s", cases[i].id);
        snprintf(person.tenant, sizeof person.tenant, "%s", cases[i].tenant);
        snprintf(person.name, sizeof person.name, "p%zu", i);
        ck_assert(store_insert_person(fixture.store, &person, &fixture.error));
        if (cases[i].has_password) {
            put_password(cases[i].id, "hash", cases[i].may_use_it);
        }
    }
    ck_assert(store_count_admins_with_password(fixture.store, "main", &count, &fixture.error));
    ck_assert_int_eq(count, 1);
}
END_TEST

static void add_session(const char *id, const char *person, unsigned char hash, int64_t expires_at)
{
    struct session_row session = {.tenant = "main",
                                  .hash = sample_hash(hash),
                                  .created_at = 100,
                                  .seen_at = 200,
                                  .expires_at = expires_at};
    snprintf(session.id, sizeof session.id, "%s", id);
    snprintf(session.person, sizeof session.person, "%s", person);
    ck_assert(store_insert_session(fixture.store, &session, &fixture.error));
}

static bool find_session(unsigned char fill, struct session_row *out)
{
    struct sha256 hash = sample_hash(fill);
    fixture.error = (struct error){0};
    return store_find_session(fixture.store, &hash, out, &fixture.error);
}

/* The sessions that are left, one character each: which of hashes 1 to 5. */
static const char *sessions_left(void)
{
    static char left[8];
    struct session_row session;
    size_t length = 0;
    for (unsigned char i = 1; i <= 5; i++) {
        if (find_session(i, &session)) {
            left[length++] = (char)('0' + i);
        }
    }
    left[length] = 0;
    return left;
}

START_TEST(sessions__are_found_by_hash_also_when_over)
{
    struct session_row found;
    struct sha256 hash = sample_hash(1);
    add_session("ses_1", "per_1", 1, 1);
    ck_assert(find_session(1, &found));
    ck_assert_str_eq(found.id, "ses_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_mem_eq(&found.hash, &hash, SHA256_BYTES);
    ck_assert_int_eq(found.created_at, 100);
    ck_assert_int_eq(found.seen_at, 200);
    ck_assert_int_eq(found.expires_at, 1);
    ck_assert(!find_session(2, &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(sessions__being_seen_never_goes_back)
{
    struct session_row found;
    add_session("ses_1", "per_1", 1, 1000);
    ck_assert(store_touch_session(fixture.store, "ses_1", 300, &fixture.error));
    ck_assert(store_touch_session(fixture.store, "ses_1", 250, &fixture.error));
    ck_assert(store_touch_session(fixture.store, "ses_9", 250, &fixture.error));
    ck_assert(find_session(1, &found));
    ck_assert_int_eq(found.seen_at, 300);
}
END_TEST

START_TEST(sessions__end_for_one_person_or_all_but_one)
{
    int64_t count = -1;
    add_session("ses_1", "per_1", 1, 1000);
    add_session("ses_2", "per_1", 2, 1000);
    add_session("ses_3", "per_2", 3, 1000);
    add_session("ses_4", "per_2", 4, 1000);
    ck_assert(store_delete_sessions(fixture.store, "per_1", "ses_2", &count, &fixture.error));
    ck_assert_int_eq(count, 1);
    ck_assert_str_eq(sessions_left(), "234");
    ck_assert(store_delete_session(fixture.store, "ses_3", &fixture.error));
    ck_assert(store_delete_session(fixture.store, "ses_3", &fixture.error));
    ck_assert_str_eq(sessions_left(), "24");
    ck_assert(store_delete_sessions(fixture.store, NULL, NULL, &count, &fixture.error));
    ck_assert_int_eq(count, 2);
    ck_assert_str_eq(sessions_left(), "");
}
END_TEST

START_TEST(sessions__trimming_leaves_a_person_the_newest)
{
    add_session("ses_1", "per_1", 1, 1000);
    add_session("ses_2", "per_2", 2, 1000);
    add_session("ses_3", "per_1", 3, 1000);
    add_session("ses_4", "per_1", 4, 1000);
    ck_assert(store_trim_sessions(fixture.store, "per_1", 2, &fixture.error));
    ck_assert_str_eq(sessions_left(), "234");
}
END_TEST

START_TEST(sessions__those_that_are_over_are_forgotten_within_the_limit)
{
    add_session("ses_1", "per_1", 1, 100);
    add_session("ses_2", "per_1", 2, 200);
    add_session("ses_3", "per_1", 3, 300);
    ck_assert(store_purge_sessions(fixture.store, 200, 1, &fixture.error));
    ck_assert_uint_eq(strlen(sessions_left()), 2);
    ck_assert(store_purge_sessions(fixture.store, 200, 10, &fixture.error));
    ck_assert_str_eq(sessions_left(), "3");
}
END_TEST

static struct link_row put_link(const char *id, enum link_kind kind, const char *person,
                                unsigned char hash)
{
    struct link_row link = {.tenant = "main",
                            .kind = kind,
                            .hash = sample_hash(hash),
                            .created_at = 100,
                            .expires_at = 200};
    snprintf(link.id, sizeof link.id, "%s", id);
    snprintf(link.person, sizeof link.person, "%s", person);
    ck_assert(store_put_link(fixture.store, &link, &fixture.error));
    return link;
}

static bool find_link(enum link_kind kind, unsigned char fill, struct link_row *out)
{
    struct sha256 hash = sample_hash(fill);
    fixture.error = (struct error){0};
    return store_find_link(fixture.store, kind, &hash, out, &fixture.error);
}

START_TEST(links__are_found_by_kind_and_hash)
{
    struct link_row found;
    put_link("lnk_1", LINK_ENROLMENT, "per_1", 1);
    ck_assert(find_link(LINK_ENROLMENT, 1, &found));
    ck_assert_str_eq(found.id, "lnk_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_int_eq(found.created_at, 100);
    ck_assert_int_eq(found.expires_at, 200);
    ck_assert(!find_link(LINK_SETUP, 1, &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(links__a_newer_one_takes_the_place_of_the_former)
{
    struct link_row found;
    put_link("lnk_1", LINK_ENROLMENT, "per_1", 1);
    put_link("lnk_2", LINK_ENROLMENT, "per_1", 2);
    put_link("lnk_3", LINK_ENROLMENT, "per_2", 3);
    ck_assert(!find_link(LINK_ENROLMENT, 1, &found));
    ck_assert(find_link(LINK_ENROLMENT, 2, &found));
    ck_assert_str_eq(found.id, "lnk_2");
    ck_assert(find_link(LINK_ENROLMENT, 3, &found));
}
END_TEST

START_TEST(links__are_used_once)
{
    int64_t count = -1;
    put_link("lnk_1", LINK_SETUP, "", 1);
    ck_assert(store_delete_link(fixture.store, "lnk_1", &fixture.error));
    ck_assert(!store_delete_link(fixture.store, "lnk_1", &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    put_link("lnk_2", LINK_SETUP, "", 2);
    put_link("lnk_3", LINK_ENROLMENT, "per_1", 3);
    ck_assert(store_delete_links(fixture.store, &count, &fixture.error));
    ck_assert_int_eq(count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_sessions");
    TCase *tests = tcase_create("sessions");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, passwords__the_newest_replaces_the_former);
    tcase_add_test(tests, passwords__are_disabled_and_enabled_together);
    tcase_add_test(tests, passwords__admins_who_can_sign_in_are_counted);
    tcase_add_test(tests, sessions__are_found_by_hash_also_when_over);
    tcase_add_test(tests, sessions__being_seen_never_goes_back);
    tcase_add_test(tests, sessions__end_for_one_person_or_all_but_one);
    tcase_add_test(tests, sessions__trimming_leaves_a_person_the_newest);
    tcase_add_test(tests, sessions__those_that_are_over_are_forgotten_within_the_limit);
    tcase_add_test(tests, links__are_found_by_kind_and_hash);
    tcase_add_test(tests, links__a_newer_one_takes_the_place_of_the_former);
    tcase_add_test(tests, links__are_used_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
