#include "store/passkey_rows.h"

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

static struct error *fresh(void)
{
    fixture.error = (struct error){0};
    return &fixture.error;
}

static struct passkey_row make(const char *id, const char *person, const char *credential)
{
    struct passkey_row row = {.label = "blue key",
                              .credential = credential,
                              .key = "a2V5",
                              .rp_id = "gate.example",
                              .sign_count = 4,
                              .is_enabled = true,
                              .created_at = 10,
                              .trusted_at = 20};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    return row;
}

static struct passkey_row insert(const char *id, const char *person, const char *credential)
{
    struct passkey_row row = make(id, person, credential);
    ck_assert(store_insert_passkey(fixture.store, &row, fresh()));
    return row;
}

static size_t count_listed(const char *person)
{
    struct passkey_row *rows;
    size_t count;
    ck_assert(store_list_passkeys(fixture.store, person, fixture.arena, &rows, &count, fresh()));
    return count;
}

START_TEST(passkeys__are_found_by_their_credential)
{
    struct passkey_row found;
    insert("pky_1", "per_1", "Y3JlZA");
    ck_assert(store_find_passkey(fixture.store, "Y3JlZA", fixture.arena, &found, fresh()));
    ck_assert_str_eq(found.id, "pky_1");
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_str_eq(found.key, "a2V5");
    ck_assert_str_eq(found.rp_id, "gate.example");
    ck_assert_int_eq(found.sign_count, 4);
    ck_assert_int_eq(found.trusted_at, 20);
    ck_assert(!store_find_passkey(fixture.store, "b3RoZXI", fixture.arena, &found, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(passkeys__a_credential_is_registered_once_even_after_it_was_removed)
{
    struct passkey_row row = insert("pky_1", "per_1", "Y3JlZA");
    struct passkey_row other = make("pky_2", "per_2", "Y3JlZA");
    ck_assert(!store_insert_passkey(fixture.store, &other, fresh()));
    ck_assert_str_eq(fixture.error.code, "passkey_known");
    row.removed_at = 30;
    ck_assert(store_update_passkey(fixture.store, &row, fresh()));
    ck_assert(!store_insert_passkey(fixture.store, &other, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(passkeys__a_removed_one_is_not_listed_but_was_there)
{
    int64_t ever = 0;
    struct passkey_row found;
    struct passkey_row row = insert("pky_1", "per_1", "b25l");
    insert("pky_2", "per_1", "dHdv");
    insert("pky_3", "per_2", "dGhyZWU");
    ck_assert_uint_eq(count_listed("per_1"), 2);
    row.removed_at = 30;
    ck_assert(store_update_passkey(fixture.store, &row, fresh()));
    ck_assert_uint_eq(count_listed("per_1"), 1);
    ck_assert(store_count_passkeys_ever(fixture.store, "per_1", &ever, fresh()));
    ck_assert_int_eq(ever, 2);
    ck_assert(store_find_passkey(fixture.store, "b25l", fixture.arena, &found, fresh()));
    ck_assert_int_eq(found.removed_at, 30);
}
END_TEST

START_TEST(passkeys__a_change_is_kept_and_needs_the_row_and_its_tenant)
{
    struct passkey_row found;
    struct passkey_row row = insert("pky_1", "per_1", "b25l");
    row.label = "green key";
    row.sign_count = 9;
    row.used_at = 40;
    row.trusted_at = 50;
    ck_assert(store_update_passkey(fixture.store, &row, fresh()));
    ck_assert(store_read_passkey(fixture.store, "main", "pky_1", fixture.arena, &found, fresh()));
    ck_assert_str_eq(found.label, "green key");
    ck_assert_int_eq(found.sign_count, 9);
    ck_assert_int_eq(found.used_at, 40);
    ck_assert_int_eq(found.trusted_at, 50);
    ck_assert(!store_read_passkey(fixture.store, "other", "pky_1", fixture.arena, &found, fresh()));
    snprintf(row.tenant, sizeof row.tenant, "other");
    ck_assert(!store_update_passkey(fixture.store, &row, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(passkeys__all_are_disabled_and_enabled_together)
{
    int64_t count = 0;
    struct passkey_row found;
    insert("pky_1", "per_1", "b25l");
    insert("pky_2", "per_2", "dHdv");
    ck_assert(store_enable_passkeys(fixture.store, false, &count, fresh()));
    ck_assert_int_eq(count, 2);
    ck_assert(store_read_passkey(fixture.store, "main", "pky_1", fixture.arena, &found, fresh()));
    ck_assert(!found.is_enabled);
    ck_assert(store_enable_passkeys(fixture.store, true, &count, fresh()));
    ck_assert_int_eq(count, 2);
}
END_TEST

static void add_admin(const char *id, const char *name, bool is_admin, bool is_enabled)
{
    struct person_row person = {.is_admin = is_admin, .is_enabled = is_enabled, .created_at = 1};
    snprintf(person.id, sizeof person.id, "%s", id);
    snprintf(person.tenant, sizeof person.tenant, "main");
    snprintf(person.name, sizeof person.name, "%s", name);
    ck_assert(store_insert_person(fixture.store, &person, fresh()));
}

START_TEST(passkeys__count_admins_once_who_may_act_and_have_or_had_one)
{
    int64_t count = 0;
    add_admin("per_1", "ada", true, true);
    add_admin("per_2", "bob", true, false);
    add_admin("per_3", "cleo", false, true);
    add_admin("per_4", "dora", true, true);
    add_admin("per_5", "emil", true, true);
    insert("pky_1", "per_1", "MQ");
    insert("pky_2", "per_1", "Mg");
    insert("pky_3", "per_2", "Mw");
    insert("pky_4", "per_3", "NA");
    struct passkey_row removed = insert("pky_5", "per_4", "NQ");
    removed.removed_at = 9;
    ck_assert(store_update_passkey(fixture.store, &removed, fresh()));
    ck_assert(store_count_admins_with_passkey(fixture.store, "main", &count, fresh()));
    ck_assert_int_eq(count, 2);
    ck_assert(store_count_admins_with_passkey(fixture.store, "other", &count, fresh()));
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(challenges__are_used_once_until_they_are_forgotten)
{
    struct sha256 hash = crypto_sha256("challenge", 9);
    struct sha256 other = crypto_sha256("another", 7);
    ck_assert(store_use_challenge(fixture.store, &hash, 100, 50, 10, fresh()));
    ck_assert(!store_use_challenge(fixture.store, &hash, 100, 60, 10, fresh()));
    ck_assert_str_eq(fixture.error.code, "challenge_used");
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert(store_use_challenge(fixture.store, &other, 200, 100, 10, fresh()));
    ck_assert(store_use_challenge(fixture.store, &hash, 300, 120, 10, fresh()));
    ck_assert(!store_use_challenge(fixture.store, &other, 200, 130, 10, fresh()));
}
END_TEST

START_TEST(totp__the_newest_secret_stands_until_it_is_deleted)
{
    struct totp_row found;
    struct totp_row row = {.secret = "GEZDGNBV", .created_at = 5};
    snprintf(row.person, sizeof row.person, "per_1");
    snprintf(row.tenant, sizeof row.tenant, "main");
    ck_assert(!store_read_totp(fixture.store, "per_1", fixture.arena, &found, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(store_put_totp(fixture.store, &row, fresh()));
    row.is_enabled = true;
    row.last_step = 77;
    ck_assert(store_put_totp(fixture.store, &row, fresh()));
    ck_assert(store_read_totp(fixture.store, "per_1", fixture.arena, &found, fresh()));
    ck_assert_str_eq(found.secret, "GEZDGNBV");
    ck_assert(found.is_enabled);
    ck_assert_int_eq(found.last_step, 77);
    ck_assert(store_delete_totp(fixture.store, "per_1", fresh()));
    ck_assert(!store_read_totp(fixture.store, "per_1", fixture.arena, &found, fresh()));
}
END_TEST

START_TEST(totp__a_recovery_code_is_used_once_by_its_person)
{
    int64_t count = 0;
    struct sha256 hash = crypto_sha256("code", 4);
    struct sha256 other = crypto_sha256("more", 4);
    ck_assert(store_insert_recovery_code(fixture.store, "per_1", &hash, fresh()));
    ck_assert(store_insert_recovery_code(fixture.store, "per_1", &other, fresh()));
    ck_assert(!store_use_recovery_code(fixture.store, "per_2", &hash, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(store_use_recovery_code(fixture.store, "per_1", &hash, fresh()));
    ck_assert(!store_use_recovery_code(fixture.store, "per_1", &hash, fresh()));
    ck_assert(store_count_recovery_codes(fixture.store, "per_1", &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(store_delete_totp(fixture.store, "per_1", fresh()));
    ck_assert(store_count_recovery_codes(fixture.store, "per_1", &count, fresh()));
    ck_assert_int_eq(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store/passkeys");
    TCase *cases = tcase_create("passkeys");
    tcase_set_timeout(cases, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, passkeys__are_found_by_their_credential);
    tcase_add_test(cases, passkeys__a_credential_is_registered_once_even_after_it_was_removed);
    tcase_add_test(cases, passkeys__a_removed_one_is_not_listed_but_was_there);
    tcase_add_test(cases, passkeys__a_change_is_kept_and_needs_the_row_and_its_tenant);
    tcase_add_test(cases, passkeys__all_are_disabled_and_enabled_together);
    tcase_add_test(cases, passkeys__count_admins_once_who_may_act_and_have_or_had_one);
    tcase_add_test(cases, challenges__are_used_once_until_they_are_forgotten);
    tcase_add_test(cases, totp__the_newest_secret_stands_until_it_is_deleted);
    tcase_add_test(cases, totp__a_recovery_code_is_used_once_by_its_person);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
