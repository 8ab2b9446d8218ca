#include "store/sqlite/driver_internal.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
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

static const struct {
    const char *sql;
    int expected;
} cases[] = {
    {"SELECT count(*) FROM votes", SQLITE_OK},
    {"INSERT INTO votes DEFAULT VALUES", SQLITE_OK},
    {"UPDATE requests SET state = 2", SQLITE_OK},
    {"DELETE FROM denials", SQLITE_OK},
    {"UPDATE votes SET approves = 1", SQLITE_AUTH},
    {"DELETE FROM votes", SQLITE_AUTH},
    {"UPDATE entries SET bytes = ''", SQLITE_AUTH},
    {"DELETE FROM entries", SQLITE_AUTH},
    {"DELETE FROM Entries WHERE position = 1", SQLITE_AUTH},
    {"UPDATE nodes SET level = 1", SQLITE_AUTH},
    {"DELETE FROM checkpoints", SQLITE_AUTH},
    {"DELETE FROM redemptions", SQLITE_AUTH},
    {"ATTACH '/tmp/other.db' AS other", SQLITE_AUTH},
    {"DETACH main", SQLITE_AUTH},
    {"PRAGMA journal_mode = DELETE", SQLITE_AUTH},
    {"PRAGMA synchronous = OFF", SQLITE_AUTH},
    {"SELECT * FROM pragma_journal_mode", SQLITE_AUTH},
    {"DROP TRIGGER votes_keep", SQLITE_AUTH},
    {"DROP TABLE votes", SQLITE_AUTH},
    {"ALTER TABLE votes RENAME TO others", SQLITE_AUTH},
    {"CREATE TABLE more (a)", SQLITE_AUTH},
    {"CREATE TEMP TABLE more (a)", SQLITE_AUTH},
    {"CREATE TRIGGER t AFTER INSERT ON votes BEGIN SELECT 1; END", SQLITE_AUTH},
    {"REINDEX", SQLITE_AUTH},
    {"VACUUM INTO '/tmp/copy.db'", SQLITE_AUTH},
};

/* VACUUM is compiled first and refused when it runs. */
START_TEST(authorizer__an_open_store_does_only_what_rows_need)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(fixture.store->database, cases[_i].sql, -1, &statement, NULL);
    if (code == SQLITE_OK && cases[_i].expected != SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    /* SQLite 3.40 answers SQLITE_ERROR for a PRAGMA read as a table, and says why. */
    const char *said = sqlite3_errmsg(fixture.store->database);
    bool is_refused = (code & 0xff) == SQLITE_AUTH || strcmp(said, "not authorized") == 0;
    ck_assert_msg(cases[_i].expected == SQLITE_AUTH ? is_refused : code == SQLITE_OK, "%s: %d %s",
                  cases[_i].sql, code, said);
    sqlite3_finalize(statement);
}
END_TEST

START_TEST(authorizer__replacing_history_fires_the_trigger)
{
    struct vote_row vote = sample_vote("vot_1", "req_1");
    ck_assert(store_insert_vote(fixture.store, "main", &vote, &fixture.error));
    int code = sqlite3_exec(fixture.store->database,
                            "INSERT OR REPLACE INTO votes SELECT * FROM votes", NULL, NULL, NULL);
    ck_assert_int_eq(code, SQLITE_CONSTRAINT_TRIGGER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_authorizer");
    TCase *tests = tcase_create("authorizer");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, authorizer__an_open_store_does_only_what_rows_need, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, authorizer__replacing_history_fires_the_trigger);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
