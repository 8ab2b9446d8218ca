#include "store/owner_rows.h"

#include "store/ledger_rows.h"
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

/* ---- browsers ---- */

static struct sha256 cookie(int number)
{
    return crypto_sha256(&number, sizeof number);
}

static void see(const char *person, int number, int64_t at)
{
    struct browser_row row = {.hash = cookie(number), .seen_at = at};
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    ck_assert(store_put_browser(fixture.store, &row, fresh()));
}

static bool knows(const char *person, int number, int64_t since)
{
    bool is_known = false;
    struct sha256 hash = cookie(number);
    ck_assert(store_knows_browser(fixture.store, person, &hash, since, &is_known, fresh()));
    return is_known;
}

START_TEST(browsers__are_known_to_whoever_signed_in_with_them)
{
    ck_assert(!knows(NULL, 1, 0));
    see("per_1", 1, 10);
    ck_assert(knows("per_1", 1, 0));
    ck_assert(!knows("per_2", 1, 0));
    ck_assert(knows(NULL, 1, 0));
    ck_assert(!knows("per_1", 2, 0));
    see("per_2", 1, 10);
    ck_assert(knows("per_2", 1, 0));
}
END_TEST

START_TEST(browsers__are_forgotten_when_they_were_not_seen_for_long)
{
    see("per_1", 1, 10);
    ck_assert(knows("per_1", 1, 9));
    ck_assert(!knows("per_1", 1, 10));
    see("per_1", 1, 20);
    ck_assert(knows("per_1", 1, 10));
}
END_TEST

START_TEST(browsers__those_seen_last_stay)
{
    see("per_1", 1, 30);
    see("per_1", 2, 10);
    see("per_1", 3, 20);
    see("per_2", 4, 1);
    ck_assert(store_trim_browsers(fixture.store, "per_1", 2, fresh()));
    ck_assert(knows("per_1", 1, 0) && !knows("per_1", 2, 0) && knows("per_1", 3, 0));
    ck_assert(knows("per_2", 4, 0));
}
END_TEST

/* ---- former addresses ---- */

static void leave(const char *person, const char *kind, const char *address, int64_t at)
{
    struct former_address_row row = {.kind = kind, .address = address, .replaced_at = at};
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    ck_assert(store_insert_former_address(fixture.store, &row, fresh()));
}

START_TEST(former_addresses__the_earliest_come_first_and_are_not_pushed_out)
{
    struct former_address_row *rows;
    size_t count;
    leave("per_1", "mail", "old@example.com", 5);
    leave("per_1", "mail", "a@example.com", 10);
    leave("per_2", "mail", "b@example.com", 10);
    leave("per_1", "slack", "U1", 10);
    leave("per_1", "mail", "c@example.com", 11);
    leave("per_1", "mail", "d@example.com", 12);
    ck_assert(store_list_former_addresses(fixture.store, "per_1", "mail", 5, 2, fixture.arena,
                                          &rows, &count, fresh()));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].address, "a@example.com");
    ck_assert_int_eq(rows[0].replaced_at, 10);
    ck_assert_str_eq(rows[1].address, "c@example.com");
    ck_assert(store_list_former_addresses(fixture.store, "per_1", "mail", 12, 2, fixture.arena,
                                          &rows, &count, fresh()));
    ck_assert_uint_eq(count, 0);
}
END_TEST

/* ---- how many were told ---- */

static void tell(const char *id, const char *recipient, const char *event, const char *request,
                 int64_t at)
{
    struct notice_row row = {.channel = "mail",
                             .event = event,
                             .request = request,
                             .recipient = recipient,
                             .line = "",
                             .payload = "{}",
                             .created_at = at,
                             .due_at = at,
                             .state = "waiting"};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    ck_assert(store_insert_notice(fixture.store, &row, fresh()));
}

START_TEST(notices__of_one_sort_to_one_address_are_counted)
{
    int64_t count = -1;
    tell("ntc_1", "a@example.com", "account.token_made", NULL, 10);
    tell("ntc_2", "a@example.com", "account.token_made", NULL, 11);
    tell("ntc_3", "b@example.com", "account.token_made", NULL, 11);
    tell("ntc_4", "a@example.com", "account.codes_on", NULL, 11);
    tell("ntc_5", "a@example.com", "account.token_made", "req_1", 11);
    ck_assert(store_count_notices_to(fixture.store, "main", "a@example.com", "account.token_made",
                                     9, &count, fresh()));
    ck_assert_int_eq(count, 2);
    ck_assert(store_count_notices_to(fixture.store, "main", "a@example.com", "account.token_made",
                                     10, &count, fresh()));
    ck_assert_int_eq(count, 1);
    ck_assert(store_count_notices_to(fixture.store, "other", "a@example.com", "account.token_made",
                                     9, &count, fresh()));
    ck_assert_int_eq(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store/owners");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, browsers__are_known_to_whoever_signed_in_with_them);
    tcase_add_test(tests, browsers__are_forgotten_when_they_were_not_seen_for_long);
    tcase_add_test(tests, browsers__those_seen_last_stay);
    tcase_add_test(tests, former_addresses__the_earliest_come_first_and_are_not_pushed_out);
    tcase_add_test(tests, notices__of_one_sort_to_one_address_are_counted);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
