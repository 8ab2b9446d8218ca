/* A full disk, on a small tmpfs of the test's own. */

#include "base/builder.h"
#include "tests/support/run_suite.h"
#include "tests/support/writer_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DISK_BYTES = 40 << 20, BALLAST_BYTES = 4 << 20, WHY_BYTES = 100000 };

static struct writer_fixture writer;
static char place[] = "/tmp/countersign-disk-XXXXXX";
static char filler[64];
static char why[WHY_BYTES + 1];
static bool is_mounted;

/* Mounted in a namespace of the test's process, so it goes away with it. */
static bool mount_disk(void)
{
    char options[64];
    snprintf(options, sizeof options, "size=%d", DISK_BYTES);
    if (unshare(CLONE_NEWNS) != 0) {
        return false;
    }
    /* Where the root is no mount of its own (a chroot) the disk may be seen outside until
     * tear_down.
     */
    (void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mount("tmpfs", place, "tmpfs", 0, options) == 0;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(place));
    is_mounted = mount_disk();
    if (!is_mounted) {
        printf("skip: a small disk cannot be mounted here: %s\n", strerror(errno));
        return;
    }
    snprintf(filler, sizeof filler, "%s/filler", place);
    memset(why, 'w', WHY_BYTES);
    writer.base.ballast_bytes = BALLAST_BYTES;
    writer_fixture_init_at(&writer, place);
    writer_fixture_start(&writer);
}

static void tear_down(void)
{
    if (is_mounted) {
        writer_fixture_finish(&writer);
        (void)unlink(filler);
        (void)umount(place);
    }
    (void)rmdir(place);
}

static void fill_disk(void)
{
    static char block[65536];
    int file = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ck_assert_int_ge(file, 0);
    while (write(file, block, sizeof block) > 0) {
    }
    ck_assert_int_eq(errno, ENOSPC);
    close(file);
}

static bool run_one(const char *id, bool is_essential, struct error *out_error)
{
    struct test_job job;
    test_job_init(&job, &writer, id);
    job.job.is_essential = is_essential;
    job.why = why;
    bool ok = writer_fixture_run(&writer, &job);
    *out_error = job.error;
    return ok;
}

/* Ordinary jobs until one finds no room; how many were acknowledged. */
static int exhaust(struct error *out_error)
{
    for (int i = 0; i < 1000; i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "req_%06d", i);
        if (!run_one(id, false, out_error)) {
            return i;
        }
    }
    ck_abort_msg("the disk never filled up");
    return -1;
}

static bool has_ballast(void)
{
    struct stat status;
    return stat(writer.base.ballast, &status) == 0 && status.st_size == BALLAST_BYTES;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Within the 5 s that are promised. The last of the jobs tried may be let in; how many were. */
static int wait_for_room(void)
{
    int64_t end = monotonic_ms() + 5000;
    struct error error;
    int acknowledged = 0;
    for (int i = 0; store_writer_is_full(writer.writer); i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "req_wait%06d", i);
        ck_assert_int_lt(monotonic_ms(), end);
        acknowledged += run_one(id, false, &error);
    }
    return acknowledged;
}

static bool metric_says(const char *line)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    metrics_append_text(writer.metrics, &text);
    return strstr(text.bytes, line) != NULL;
}

START_TEST(full__ordinary_jobs_are_refused_and_essential_ones_still_fit)
{
    struct error error;
    if (!is_mounted) {
        return;
    }
    ck_assert(has_ballast());
    fill_disk();
    int acknowledged = exhaust(&error);
    ck_assert_int_eq(error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(error.code, "store_full");
    ck_assert(store_writer_is_full(writer.writer));
    ck_assert(metric_says("store_full 1\n"));
    ck_assert(!has_ballast());
    ck_assert(!run_one("req_ordinary", false, &error));
    ck_assert_str_eq(error.code, "store_full");
    ck_assert(run_one("req_essential", true, &error));
    ck_assert(writer_fixture_holds(&writer, "req_essential"));
    ck_assert(!writer_fixture_holds(&writer, "req_ordinary"));
    ck_assert_int_eq(store_fixture_number(&writer.base, "SELECT count(*) FROM requests"),
                     acknowledged + 1);
}
END_TEST

START_TEST(full__when_room_returns_so_do_the_ballast_and_ordinary_jobs)
{
    struct error error;
    if (!is_mounted) {
        return;
    }
    fill_disk();
    int acknowledged = exhaust(&error);
    ck_assert_int_eq(unlink(filler), 0);
    acknowledged += wait_for_room();
    ck_assert(has_ballast());
    ck_assert(metric_says("store_full 0\n"));
    ck_assert(run_one("req_ordinary", false, &error));
    writer_fixture_stop(&writer);
    store_fixture_reopen(&writer.base);
    ck_assert_int_eq(store_fixture_number(&writer.base, "SELECT count(*) FROM requests"),
                     acknowledged + 1);
    ck_assert_int_eq(store_fixture_number(&writer.base,
                                          "SELECT count(*) = 1 FROM pragma_integrity_check "
                                          "WHERE integrity_check = 'ok'"),
                     1);
}
END_TEST

START_TEST(full__essential_jobs_that_find_no_room_are_refused_and_nothing_breaks)
{
    struct error error;
    int acknowledged = 0;
    if (!is_mounted) {
        return;
    }
    fill_disk();
    acknowledged = exhaust(&error);
    for (int i = 0;; i++) {
        char id[ID_BYTES];
        ck_assert_int_lt(i, 1000);
        snprintf(id, sizeof id, "req_more%06d", i);
        if (!run_one(id, true, &error)) {
            break;
        }
        acknowledged++;
    }
    ck_assert_int_eq(error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(error.code, "store_full");
    ck_assert_int_eq(store_fixture_number(&writer.base, "SELECT count(*) FROM requests"),
                     acknowledged);
    ck_assert_int_eq(unlink(filler), 0);
    (void)wait_for_room();
    ck_assert(run_one("req_ordinary", false, &error));
}
END_TEST

START_TEST(full__a_store_that_starts_without_room_for_its_ballast_takes_only_essential_jobs)
{
    struct error error;
    if (!is_mounted) {
        return;
    }
    writer_fixture_stop(&writer);
    store_fixture_close(&writer.base);
    ck_assert_int_eq(unlink(writer.base.ballast), 0);
    int file = open(filler, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(posix_fallocate(file, 0, DISK_BYTES - BALLAST_BYTES), 0);
    close(file);
    store_fixture_open(&writer.base);
    writer_fixture_start(&writer);
    ck_assert(store_writer_is_full(writer.writer));
    ck_assert(!run_one("req_1", false, &error));
    ck_assert(run_one("req_2", true, &error));
    ck_assert_int_eq(unlink(filler), 0);
    (void)wait_for_room();
    ck_assert(run_one("req_3", false, &error));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_full");
    TCase *tests = tcase_create("full");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, full__ordinary_jobs_are_refused_and_essential_ones_still_fit);
    tcase_add_test(tests, full__when_room_returns_so_do_the_ballast_and_ordinary_jobs);
    tcase_add_test(tests, full__essential_jobs_that_find_no_room_are_refused_and_nothing_breaks);
    tcase_add_test(
        tests, full__a_store_that_starts_without_room_for_its_ballast_takes_only_essential_jobs);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
