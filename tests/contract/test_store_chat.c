#include "store/chat_rows.h"

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

static struct chat_link_row make(const char *id, const char *person, const char *account)
{
    struct chat_link_row row = {.service = "slack",
                                .account = account,
                                .hash = identity_hash_account("slack", account),
                                .created_at = 10};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    snprintf(row.person, sizeof row.person, "%s", person);
    return row;
}

static void insert(const char *id, const char *person, const char *account)
{
    struct chat_link_row row = make(id, person, account);
    ck_assert(store_insert_chat_link(fixture.store, &row, fresh()));
}

static bool is_found(const char *account, struct chat_link_row *out)
{
    struct sha256 hash = identity_hash_account("slack", account);
    bool found = false;
    ck_assert(store_find_chat_link(fixture.store, &hash, fixture.arena, out, &found, fresh()));
    return found;
}

START_TEST(chat__an_account_is_found_by_what_it_is_and_is_one_persons)
{
    struct chat_link_row found;
    insert("chl_1", "per_1", "/T1/U1");
    struct chat_link_row again = make("chl_2", "per_2", "/T1/U1");
    ck_assert(!store_insert_chat_link(fixture.store, &again, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "account_linked");
    ck_assert(is_found("/T1/U1", &found));
    ck_assert_str_eq(found.person, "per_1");
    ck_assert_str_eq(found.account, "/T1/U1");
    ck_assert(!is_found("/T1/U", &found));
    ck_assert(!is_found("E1/T1/U1", &found));
}
END_TEST

START_TEST(chat__a_removed_link_is_gone_and_the_account_can_be_anothers)
{
    struct chat_link_row found;
    insert("chl_1", "per_1", "/T1/U1");
    ck_assert(
        !store_read_chat_link(fixture.store, "other", "chl_1", fixture.arena, &found, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(store_delete_chat_link(fixture.store, "chl_1", fresh()));
    ck_assert(!store_delete_chat_link(fixture.store, "chl_1", fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    insert("chl_2", "per_2", "/T1/U1");
    ck_assert(is_found("/T1/U1", &found));
    ck_assert_str_eq(found.person, "per_2");
}
END_TEST

START_TEST(chat__a_persons_links_are_listed_in_order_and_all_can_go_at_once)
{
    struct chat_link_row *rows;
    size_t count;
    int64_t deleted;
    insert("chl_2", "per_1", "/T1/U2");
    insert("chl_1", "per_1", "/T1/U1");
    insert("chl_3", "per_2", "/T1/U3");
    ck_assert(store_list_chat_links(fixture.store, "per_1", fixture.arena, &rows, &count, fresh()));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].id, "chl_2");
    ck_assert(store_delete_chat_links(fixture.store, &deleted, fresh()));
    ck_assert_int_eq(deleted, 3);
    ck_assert(store_list_chat_links(fixture.store, "per_1", fixture.arena, &rows, &count, fresh()));
    ck_assert_uint_eq(count, 0);
}
END_TEST

static void put_code(const char *person, const char *text)
{
    struct chat_code_row row = {.hash = crypto_sha256(text, strlen(text)), .expires_at = 20};
    snprintf(row.person, sizeof row.person, "%s", person);
    snprintf(row.tenant, sizeof row.tenant, "main");
    ck_assert(store_put_chat_code(fixture.store, &row, fresh()));
}

static bool take_code(const char *text, struct chat_code_row *out)
{
    struct sha256 hash = crypto_sha256(text, strlen(text));
    bool found = false;
    ck_assert(store_take_chat_code(fixture.store, &hash, out, &found, fresh()));
    return found;
}

START_TEST(chat__a_code_is_taken_once_and_a_new_one_takes_the_formers_place)
{
    struct chat_code_row code;
    put_code("per_1", "first");
    put_code("per_1", "second");
    put_code("per_2", "other");
    ck_assert(!take_code("first", &code));
    ck_assert(take_code("second", &code));
    ck_assert_str_eq(code.person, "per_1");
    ck_assert_int_eq(code.expires_at, 20);
    ck_assert(!take_code("second", &code));
    ck_assert(take_code("other", &code));
}
END_TEST

static bool where(const char *app, const char *conversation, struct chat_conversation_row *out)
{
    bool found = false;
    ck_assert(store_find_chat_conversation(fixture.store, "teams", app, conversation, fixture.arena,
                                           out, &found, fresh()));
    return found;
}

START_TEST(chat__where_a_conversation_is_reached_is_what_was_said_last)
{
    struct chat_conversation_row found;
    struct chat_conversation_row row = {.service = "teams",
                                        .app = "a1",
                                        .conversation = "19:1@thread.tacv2",
                                        .service_url = "https://one.example/",
                                        .said_at = 10};
    ck_assert(store_put_chat_conversation(fixture.store, &row, fresh()));
    row.service_url = "https://two.example/";
    row.said_at = 20;
    ck_assert(store_put_chat_conversation(fixture.store, &row, fresh()));
    ck_assert(where("a1", row.conversation, &found));
    ck_assert_str_eq(found.service_url, "https://two.example/");
    ck_assert_int_eq(found.said_at, 20);
    ck_assert(!where("a2", row.conversation, &found));
    ck_assert(!where("a1", "19:2@thread.tacv2", &found));
    for (int i = 0; i < 2; i++) { /* also when it is gone already */
        ck_assert(store_delete_chat_conversation(fixture.store, "teams", "a1", row.conversation,
                                                 fresh()));
        ck_assert(!where("a1", row.conversation, &found));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("chat");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, chat__where_a_conversation_is_reached_is_what_was_said_last);
    tcase_add_test(tests, chat__an_account_is_found_by_what_it_is_and_is_one_persons);
    tcase_add_test(tests, chat__a_removed_link_is_gone_and_the_account_can_be_anothers);
    tcase_add_test(tests, chat__a_persons_links_are_listed_in_order_and_all_can_go_at_once);
    tcase_add_test(tests, chat__a_code_is_taken_once_and_a_new_one_takes_the_formers_place);
    Suite *suite = suite_create("store_chat");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
