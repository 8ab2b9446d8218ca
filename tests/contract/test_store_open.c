#include "base/check.h"
#include "store/sqlite/driver_internal.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

/* Opening is refused with this kind and code. */
static void assert_refused(enum error_kind kind, const char *code)
{
    struct store_options options = store_fixture_options(&fixture);
    struct error error = {0};
    ck_assert_ptr_null(store_open(&options, &error));
    ck_assert_int_eq(error.kind, kind);
    ck_assert_str_eq(error.code, code);
    ck_assert_uint_gt(strlen(error.message), 20);
}

START_TEST(open__a_second_gateway_on_the_store_is_refused)
{
    assert_refused(ERROR_CONFLICT, "store_in_use");
}
END_TEST

START_TEST(open__what_was_committed_is_there_after_closing)
{
    int64_t number = 0;
    ck_assert(store_set_number(fixture.store, "fence_number", 42, &fixture.error));
    store_fixture_reopen(&fixture);
    ck_assert(store_get_number(fixture.store, "fence_number", &number, &fixture.error));
    ck_assert_int_eq(number, 42);
}
END_TEST

START_TEST(open__files_are_private)
{
    static const char *const endings[] = {"", "-wal", ".lock"};
    ck_assert(store_set_number(fixture.store, "fence_number", 42, &fixture.error));
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char path[256];
        struct stat status;
        snprintf(path, sizeof path, "%s%s", fixture.path, endings[i]);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq(status.st_mode & 0777, 0600);
    }
}
END_TEST

START_TEST(open__a_newer_schema_is_refused)
{
    store_fixture_close(&fixture);
    ck_assert_int_eq(store_fixture_sql(&fixture, "PRAGMA user_version = 1000"), SQLITE_OK);
    assert_refused(ERROR_INVALID, "schema_too_new");
    ck_assert_int_eq(store_fixture_number(&fixture, "PRAGMA user_version"), 1000);
}
END_TEST

START_TEST(open__another_programs_database_is_refused)
{
    store_fixture_close(&fixture);
    ck_assert_int_eq(unlink(fixture.path), 0);
    ck_assert_int_eq(store_fixture_sql(&fixture, "CREATE TABLE notes (text)"), SQLITE_OK);
    assert_refused(ERROR_INVALID, "not_a_store");
    ck_assert_int_eq(store_fixture_number(&fixture, "SELECT count(*) FROM sqlite_schema"), 1);
    ck_assert_int_eq(store_fixture_number(&fixture, "SELECT journal_mode = 'delete' "
                                                    "FROM pragma_journal_mode"),
                     1);
}
END_TEST

static void overwrite(off_t place, size_t length)
{
    char bytes[4096];
    memset(bytes, 0x5a, sizeof bytes);
    int file = open(fixture.path, O_WRONLY);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, bytes, length, place), (ssize_t)length);
    ck_assert_int_eq(close(file), 0);
}

START_TEST(open__a_file_that_is_no_database_is_refused)
{
    store_fixture_close(&fixture);
    overwrite(0, 100);
    assert_refused(ERROR_CORRUPT, "store_corrupt");
}
END_TEST

START_TEST(open__a_damaged_page_is_noticed)
{
    store_fixture_close(&fixture);
    int64_t page =
        store_fixture_number(&fixture, "SELECT rootpage FROM sqlite_schema WHERE name = 'votes'");
    overwrite((off_t)(page - 1) * 4096, 200);
    assert_refused(ERROR_CORRUPT, "store_corrupt");
}
END_TEST

START_TEST(open__a_folder_that_is_missing_is_named)
{
    struct store_options options = {.path = "/nonexistent/store.db"};
    struct error error = {0};
    ck_assert_ptr_null(store_open(&options, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent/store.db"));
}
END_TEST

static int count_migrations(void)
{
    int count = 0;
    while (store_sqlite_migrations[count].name != NULL) {
        count++;
    }
    return count;
}

/* A store as an older binary left it: only the first `version` migrations. */
static void make_older(int version)
{
    store_fixture_close(&fixture);
    ck_assert_int_eq(unlink(fixture.path), 0);
    for (int i = 0; i < version; i++) {
        ck_assert_int_eq(store_fixture_sql(&fixture, store_sqlite_migrations[i].text), SQLITE_OK);
    }
}

START_TEST(migrations__every_older_schema_is_brought_up)
{
    int newest = count_migrations();
    for (int version = 0; version < newest; version++) {
        make_older(version == 0 ? 1 : version);
        store_fixture_open(&fixture);
        ck_assert_int_eq(store_schema_version(fixture.store), newest);
        ck_assert_int_eq(store_fixture_number(&fixture, "PRAGMA user_version"), newest);
        struct request_row request = sample_request("req_1");
        ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    }
}
END_TEST

START_TEST(migrations__a_step_that_fails_changes_nothing)
{
    make_older(2);
    ck_assert_int_eq(store_fixture_sql(&fixture, "CREATE TABLE votes (a)"), SQLITE_OK);
    struct store_options options = store_fixture_options(&fixture);
    ck_assert_ptr_null(store_open(&options, &fixture.error));
    ck_assert_int_eq(store_fixture_number(&fixture, "PRAGMA user_version"), 2);
    ck_assert_int_eq(store_fixture_number(
                         &fixture, "SELECT count(*) FROM sqlite_schema WHERE name = 'requests'"),
                     0);
}
END_TEST

START_TEST(migrations__every_column_has_a_comment)
{
    for (int i = 0; store_sqlite_migrations[i].name != NULL; i++) {
        char *text = arena_text(fixture.arena, store_sqlite_migrations[i].text);
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            bool is_column = strncmp(line, "    ", 4) == 0 && strncmp(line + 4, "UNIQUE", 6) != 0 &&
                             strncmp(line + 4, "PRIMARY KEY", 11) != 0;
            bool is_told = !is_column || strstr(line, "--") != NULL;
            ck_assert_msg(is_told, "%s: no comment: %s", store_sqlite_migrations[i].name, line);
        }
    }
}
END_TEST

START_TEST(values__numbers_and_texts_are_set_and_read)
{
    int64_t number = -1;
    char *text = (char *)"";
    ck_assert(store_get_number(fixture.store, "absent", &number, &fixture.error));
    ck_assert_int_eq(number, 0);
    ck_assert(store_get_text(fixture.store, "absent", fixture.arena, &text, &fixture.error));
    ck_assert_ptr_null(text);
    ck_assert(store_set_number(fixture.store, "n", INT64_MAX, &fixture.error));
    ck_assert(store_set_number(fixture.store, "n", INT64_MIN, &fixture.error));
    ck_assert(store_get_number(fixture.store, "n", &number, &fixture.error));
    ck_assert(number == INT64_MIN);
    ck_assert(store_set_text(fixture.store, "t", "one", &fixture.error));
    ck_assert(store_set_text(fixture.store, "t", "two", &fixture.error));
    ck_assert(store_get_text(fixture.store, "t", fixture.arena, &text, &fixture.error));
    ck_assert_str_eq(text, "two");
}
END_TEST

START_TEST(reader__sees_what_is_committed_and_cannot_write)
{
    struct store_options options = store_fixture_options(&fixture);
    struct request_row request = sample_request("req_1");
    struct request_row found;
    struct store *reader = store_open_reader(&options, &fixture.error);
    ck_assert_ptr_nonnull(reader);
    ck_assert(store_begin(fixture.store, &fixture.error));
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    ck_assert(!store_read_request(reader, "main", "req_1", fixture.arena, &found, &fixture.error));
    fixture.error = (struct error){0};
    ck_assert(store_commit(fixture.store, &fixture.error));
    ck_assert(store_read_request(reader, "main", "req_1", fixture.arena, &found, &fixture.error));
    ck_assert(!store_set_number(reader, "n", 1, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(fixture.error.code, "store_read_only");
    store_close(reader);
}
END_TEST

START_TEST(transactions__rolling_back_leaves_nothing)
{
    int64_t number = -1;
    ck_assert(store_begin(fixture.store, &fixture.error));
    ck_assert(store_set_number(fixture.store, "n", 1, &fixture.error));
    store_roll_back(fixture.store);
    ck_assert(store_get_number(fixture.store, "n", &number, &fixture.error));
    ck_assert_int_eq(number, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_open");
    TCase *tests = tcase_create("open");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, open__a_second_gateway_on_the_store_is_refused);
    tcase_add_test(tests, open__what_was_committed_is_there_after_closing);
    tcase_add_test(tests, open__files_are_private);
    tcase_add_test(tests, open__a_newer_schema_is_refused);
    tcase_add_test(tests, open__another_programs_database_is_refused);
    tcase_add_test(tests, open__a_file_that_is_no_database_is_refused);
    tcase_add_test(tests, open__a_damaged_page_is_noticed);
    tcase_add_test(tests, open__a_folder_that_is_missing_is_named);
    tcase_add_test(tests, migrations__every_older_schema_is_brought_up);
    tcase_add_test(tests, migrations__a_step_that_fails_changes_nothing);
    tcase_add_test(tests, migrations__every_column_has_a_comment);
    tcase_add_test(tests, values__numbers_and_texts_are_set_and_read);
    tcase_add_test(tests, reader__sees_what_is_committed_and_cannot_write);
    tcase_add_test(tests, transactions__rolling_back_leaves_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
