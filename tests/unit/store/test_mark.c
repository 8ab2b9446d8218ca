#include "store/store.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_SPACING = 4096, FILE_BYTES = 2 * SLOT_SPACING, MARK_BYTES = 112 };

static char folder[128];
static char path[192];
static struct error error;

static void set_up(void)
{
    error = (struct error){0};
    snprintf(folder, sizeof folder, "%s/countersign-mark-XXXXXX", store_fixture_place());
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/mark", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct store_mark sample(int64_t number)
{
    struct store_mark mark = {.epoch = 1,
                              .entries = number * 10,
                              .fence_number = number,
                              .wall_at = 1700000000000 + number};
    memset(mark.root.bytes, (int)number, SHA256_BYTES);
    return mark;
}

/* Opens, and asserts what is found: the sample of this number, or nothing when it is 0. */
static struct store_mark_file *open_expecting(int64_t number)
{
    struct store_mark mark;
    bool is_found = true;
    struct store_mark_file *file = store_mark_open(path, &mark, &is_found, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    ck_assert_int_eq(is_found, number != 0);
    if (number != 0) {
        struct store_mark expected = sample(number);
        ck_assert_int_eq(mark.epoch, expected.epoch);
        ck_assert_int_eq(mark.entries, expected.entries);
        ck_assert_mem_eq(&mark.root, &expected.root, SHA256_BYTES);
        ck_assert_int_eq(mark.fence_number, expected.fence_number);
        ck_assert_int_eq(mark.wall_at, expected.wall_at);
    }
    return file;
}

static void write_samples(int64_t from, int64_t to)
{
    struct store_mark_file *file = open_expecting(from - 1);
    for (int64_t i = from; i <= to; i++) {
        struct store_mark mark = sample(i);
        ck_assert(store_mark_write(file, &mark, &error));
    }
    store_mark_close(file);
}

static void damage(off_t place)
{
    unsigned char byte;
    int file = open(path, O_RDWR);
    ck_assert_int_eq(pread(file, &byte, 1, place), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(file, &byte, 1, place), 1);
    ck_assert_int_eq(close(file), 0);
}

START_TEST(mark__a_new_file_holds_nothing_and_is_private)
{
    struct stat status;
    store_mark_close(open_expecting(0));
    store_mark_close(open_expecting(0));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, FILE_BYTES);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(mark__an_empty_file_holds_nothing)
{
    ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    store_mark_close(open_expecting(0));
}
END_TEST

START_TEST(mark__the_last_written_is_read_back)
{
    for (int64_t i = 1; i <= 5; i++) {
        write_samples(i, i);
    }
    store_mark_close(open_expecting(5));
}
END_TEST

/* The newest slot torn at any byte: the former mark is read. */
START_TEST(mark__damage_to_the_newest_slot_leaves_the_former_mark)
{
    /* The first write takes two turns, so the third mark has sequence 4: slot 0. */
    write_samples(1, 3);
    damage(_i);
    store_mark_close(open_expecting(2));
}
END_TEST

START_TEST(mark__damage_to_the_former_slot_is_harmless)
{
    write_samples(1, 3);
    damage(SLOT_SPACING + _i);
    store_mark_close(open_expecting(3));
}
END_TEST

START_TEST(mark__damage_after_the_first_write_cannot_look_like_nothing)
{
    write_samples(1, 1);
    damage(_i * SLOT_SPACING + 20);
    store_mark_close(open_expecting(1));
}
END_TEST

START_TEST(mark__damage_to_both_slots_is_corrupt)
{
    struct store_mark mark;
    bool is_found;
    write_samples(1, 3);
    damage(20);
    damage(SLOT_SPACING + 20);
    ck_assert_ptr_null(store_mark_open(path, &mark, &is_found, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

START_TEST(mark__a_zeroed_or_cut_file_is_corrupt)
{
    struct store_mark mark;
    bool is_found;
    write_samples(1, 3);
    ck_assert_int_eq(truncate(path, _i == 0 ? 50 : 0), 0);
    if (_i == 1) {
        ck_assert_int_eq(truncate(path, FILE_BYTES), 0);
    }
    ck_assert_ptr_null(store_mark_open(path, &mark, &is_found, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

START_TEST(mark__writing_goes_on_after_damage)
{
    write_samples(1, 3);
    damage(20);
    struct store_mark_file *file = open_expecting(2);
    struct store_mark mark = sample(4);
    ck_assert(store_mark_write(file, &mark, &error));
    store_mark_close(file);
    store_mark_close(open_expecting(4));
}
END_TEST

START_TEST(mark__a_folder_that_is_missing_is_an_error)
{
    struct store_mark mark;
    bool is_found;
    ck_assert_ptr_null(store_mark_open("/nonexistent/mark", &mark, &is_found, &error));
    ck_assert_int_eq(error.kind, ERROR_INTERNAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_mark");
    TCase *tests = tcase_create("mark");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, mark__a_new_file_holds_nothing_and_is_private);
    tcase_add_test(tests, mark__an_empty_file_holds_nothing);
    tcase_add_test(tests, mark__the_last_written_is_read_back);
    tcase_add_loop_test(tests, mark__damage_to_the_newest_slot_leaves_the_former_mark, 0,
                        MARK_BYTES);
    tcase_add_loop_test(tests, mark__damage_to_the_former_slot_is_harmless, 0, MARK_BYTES);
    tcase_add_loop_test(tests, mark__damage_after_the_first_write_cannot_look_like_nothing, 0, 2);
    tcase_add_test(tests, mark__damage_to_both_slots_is_corrupt);
    tcase_add_loop_test(tests, mark__a_zeroed_or_cut_file_is_corrupt, 0, 2);
    tcase_add_test(tests, mark__writing_goes_on_after_damage);
    tcase_add_test(tests, mark__a_folder_that_is_missing_is_an_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
