/* The nth write or sync fails, for every n, and the process is killed at any moment. Then: what was
 * acknowledged is there, and what was refused as "nothing happened" is not. */

#include "store/engine_internal.h"
#include "tests/support/faulty_vfs.h"
#include "tests/support/run_suite.h"
#include "tests/support/writer_fixture.h"
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS = 4,
    NTH_MAX = 500, /* far more writes than the jobs make */
    KILL_ROUNDS = 20,
    KILL_ACKNOWLEDGED_MAX = 400,
    STATUS_CLEAN = 0,  /* the fault never struck */
    STATUS_STRUCK = 3, /* it struck, and the writer went on */
};

static struct writer_fixture writer;

static void set_up(void)
{
    writer_fixture_init(&writer);
    store_fixture_close(&writer.base);
}

static void tear_down(void)
{
    writer_fixture_finish(&writer);
}

/* One line to the parent: what was answered for a job. */
static void tell(int report, bool ok, const char *id)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %s\n", ok ? "yes" : "no", id);
    if (write(report, line, (size_t)length) != length) {
        _exit(1);
    }
}

/* A payload over several pages, so that a commit takes several writes. */
static void run_faulty_jobs(const void *argument, int report)
{
    const struct faulty_plan *plan = argument;
    static char why[9000];
    memset(why, 'w', sizeof why - 1);
    faulty_vfs_install();
    store_fixture_open(&writer.base);
    writer_fixture_start(&writer);
    faulty_vfs_arm(*plan);
    for (int i = 0; i < JOBS; i++) {
        struct test_job job;
        char id[ID_BYTES];
        snprintf(id, sizeof id, "req_%d", i);
        test_job_init(&job, &writer, id);
        job.why = why;
        job.job.is_essential = true;
        bool ok = writer_fixture_run(&writer, &job);
        tell(report, ok, id);
    }
    writer_fixture_stop(&writer);
    store_checkpoint(writer.base.store);
    store_fixture_close(&writer.base);
    _exit(faulty_vfs_has_struck() ? STATUS_STRUCK : STATUS_CLEAN);
}

/* Forks; the child runs `act` and reports on a pipe. */
static pid_t start_child(void (*act)(const void *argument, int report), const void *argument,
                         FILE **out_reports)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        (void)!freopen("/dev/null", "w", stderr);
        act(argument, ends[1]);
        _exit(1);
    }
    close(ends[1]);
    *out_reports = fdopen(ends[0], "r");
    ck_assert_ptr_nonnull(*out_reports);
    return child;
}

struct tally {
    int acknowledged;
    int refused;
};

/* Reads what the child was answered and compares it with what the store holds now. */
static struct tally compare(FILE *reports)
{
    struct tally tally = {0};
    char answer[8];
    char id[ID_BYTES];
    while (fscanf(reports, "%7s %31s", answer, id) == 2) {
        bool is_there = writer_fixture_holds(&writer, id);
        if (strcmp(answer, "yes") == 0) {
            ck_assert_msg(is_there, "%s was acknowledged and is gone", id);
            tally.acknowledged++;
        } else {
            ck_assert_msg(!is_there, "%s was refused and is there", id);
            tally.refused++;
        }
    }
    return tally;
}

static void assert_sound(void)
{
    ck_assert_int_eq(store_fixture_number(&writer.base,
                                          "SELECT count(*) FROM pragma_integrity_check "
                                          "WHERE integrity_check = 'ok'"),
                     1);
}

struct outcomes {
    int rounds;
    int stops;    /* the process ended: what happened was unknown */
    int refusals; /* jobs that were told that nothing happened */
};

/* One fault; false when it lies beyond everything that is written. */
static bool strike(struct faulty_plan plan, struct outcomes *outcomes)
{
    FILE *reports;
    int status = 0;
    char said[4096];
    set_up();
    pid_t child = start_child(run_faulty_jobs, &plan, &reports);
    size_t length = fread(said, 1, sizeof said - 1, reports);
    said[length] = 0;
    fclose(reports);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "signal %d", WTERMSIG(status));
    int exit_status = WEXITSTATUS(status);
    ck_assert_msg(exit_status == STATUS_CLEAN || exit_status == STATUS_STRUCK ||
                      exit_status == STORE_EXIT_AMBIGUOUS,
                  "status %d", exit_status);
    store_fixture_open(&writer.base);
    reports = fmemopen(said, length == 0 ? 1 : length, "r");
    struct tally tally = compare(reports);
    fclose(reports);
    assert_sound();
    ck_assert_int_eq(tally.acknowledged + tally.refused == JOBS,
                     exit_status != STORE_EXIT_AMBIGUOUS);
    outcomes->rounds++;
    outcomes->stops += exit_status == STORE_EXIT_AMBIGUOUS;
    outcomes->refusals += tally.refused;
    tear_down();
    return exit_status != STATUS_CLEAN;
}

static const struct {
    enum faulty_operation operation;
    int code;
    bool forever;
    bool is_done;
    bool must_stop;   /* such faults must end the process at some n */
    bool must_refuse; /* and such must be answered with "nothing happened" at some n */
} campaigns[] = {
    {FAULTY_WRITE, SQLITE_IOERR_WRITE, false, false, true, false},
    {FAULTY_WRITE, SQLITE_IOERR_WRITE, true, false, true, false},
    /* The bytes went out although the write says it failed. */
    {FAULTY_WRITE, SQLITE_IOERR_WRITE, false, true, true, false},
    {FAULTY_WRITE, SQLITE_FULL, false, false, false, true},
    {FAULTY_WRITE, SQLITE_FULL, true, false, false, true},
    {FAULTY_SYNC, SQLITE_IOERR_FSYNC, false, false, true, false},
    {FAULTY_SYNC, SQLITE_IOERR_FSYNC, true, false, true, false},
};

START_TEST(faults__after_the_nth_failure_answers_and_rows_agree_for_every_n)
{
    struct outcomes outcomes = {0};
    struct faulty_plan plan = {.operation = campaigns[_i].operation,
                               .code = campaigns[_i].code,
                               .forever = campaigns[_i].forever,
                               .is_done = campaigns[_i].is_done};
    for (plan.nth = 1; strike(plan, &outcomes); plan.nth++) {
        ck_assert_int_lt(plan.nth, NTH_MAX);
    }
    ck_assert_int_gt(outcomes.rounds, JOBS);
    ck_assert_int_eq(outcomes.stops > 0, campaigns[_i].must_stop);
    ck_assert_int_eq(outcomes.refusals > 0, campaigns[_i].must_refuse);
}
END_TEST

/* Jobs without end, several at a time; every acknowledgement is told at once. */
static void run_until_killed(const void *argument, int report)
{
    enum { AT_ONCE = 16 };
    static struct test_job jobs[AT_ONCE];
    (void)argument;
    store_fixture_open(&writer.base);
    writer_fixture_start(&writer);
    for (int round = 0;; round++) {
        for (int i = 0; i < AT_ONCE; i++) {
            char id[ID_BYTES];
            snprintf(id, sizeof id, "req_%06d_%02d", round, i);
            test_job_init(&jobs[i], &writer, id);
            jobs[i].fails = i % 5 == 0;
            test_job_submit(&jobs[i]);
        }
        writer_fixture_wait(&writer, (size_t)(round + 1) * AT_ONCE);
        for (int i = 0; i < AT_ONCE; i++) {
            tell(report, jobs[i].ok, jobs[i].id);
        }
    }
}

START_TEST(kill__what_was_acknowledged_is_there_after_every_kill)
{
    FILE *reports;
    int status = 0;
    char told[64];
    int lines = 1 + _i * KILL_ACKNOWLEDGED_MAX / KILL_ROUNDS;
    pid_t child = start_child(run_until_killed, NULL, &reports);
    FILE *kept = tmpfile();
    for (int i = 0; i < lines; i++) {
        ck_assert_ptr_nonnull(fgets(told, sizeof told, reports));
        fputs(told, kept);
    }
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    while (fgets(told, sizeof told, reports) != NULL) {
        fputs(told, kept);
    }
    fclose(reports);
    rewind(kept);
    store_fixture_open(&writer.base);
    struct tally tally = compare(kept);
    ck_assert_int_ge(tally.acknowledged + tally.refused, lines);
    assert_sound();
    fclose(kept);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_faults");
    TCase *faults = tcase_create("nth_failure");
    tcase_set_timeout(faults, 5 * SLOW_DISK_SECONDS);
    tcase_add_loop_test(faults, faults__after_the_nth_failure_answers_and_rows_agree_for_every_n, 0,
                        (int)(sizeof campaigns / sizeof *campaigns));
    suite_add_tcase(suite, faults);
    TCase *kills = tcase_create("kill");
    tcase_set_timeout(kills, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(kills, set_up, tear_down);
    tcase_add_loop_test(kills, kill__what_was_acknowledged_is_there_after_every_kill, 0,
                        KILL_ROUNDS);
    suite_add_tcase(suite, kills);
    return run_suite(suite);
}
