#include "base/clock.h"
#include "ledger/checkpoint.h"
#include "operations/operations_internal.h"
#include "tests/support/rig.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void set_up(void)
{
    rig_make(&rig);
    rig_open(&rig);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

static bool note(struct operation *operation, size_t count, struct error *error)
{
    struct refusal_note one = {
        .source = "203.0.113.7", .kind = "bad_key", .count = 3, .since_at = 1000};
    for (size_t i = 0; i < count; i++) {
        if (!operation_note_refusals(operation, &one, 1, error)) {
            return false;
        }
    }
    return true;
}

static void add_entries(size_t count)
{
    struct error error = {0};
    ck_assert(note(rig_begin_system(&rig), count, &error));
    rig_commit(&rig);
}

static struct checkpoint_row latest(bool *out_found)
{
    static struct checkpoint_row row;
    struct error error = {0};
    struct arena *arena = arena_create();
    ck_assert(
        store_latest_checkpoint(rig.store, rig.operations->epoch, arena, &row, out_found, &error));
    row.note = NULL;
    arena_destroy(arena);
    return row;
}

/* As if the newest checkpoint had been signed so much longer ago. */
static void age_checkpoint(int64_t ms)
{
    rig.operations->watch.covered_tick -= ms;
}

/* Jobs through the writer itself. */

enum { JOBS_MAX = 600 };
struct job {
    struct store_job job;
    bool fails;
    bool is_done;
    bool ok;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_woken = PTHREAD_COND_INITIALIZER;
static bool has_results;

static void wake(void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    has_results = true;
    pthread_cond_signal(&is_woken);
    pthread_mutex_unlock(&lock);
}

static bool run_job(struct store_job *store_job, struct store *store, int64_t now,
                    struct error *error)
{
    struct job *job = (struct job *)store_job;
    struct arena *arena = arena_create();
    struct operation operation;
    operation_begin_system(&operation, rig.operations, store, arena, now);
    bool ok = note(&operation, 2, error);
    if (job->fails) {
        rig.operations->place.fence_number += 5;
        ok = error_set(error, ERROR_CONFLICT, "refused", NULL, "as the test wants it");
    }
    arena_destroy(arena);
    return ok;
}

static void job_done(struct store_job *store_job, bool ok, const struct error *error)
{
    struct job *job = (struct job *)store_job;
    (void)error;
    job->is_done = true;
    job->ok = ok;
}

static void run_jobs(struct job *jobs, size_t count)
{
    struct error error = {0};
    struct store_writer_options options = {.store = rig.store, .wake = wake};
    operations_fill_hooks(rig.operations, &options);
    struct store_writer *writer = store_writer_start(&options, &error);
    ck_assert_ptr_nonnull(writer);
    for (size_t i = 0; i < count; i++) {
        jobs[i].job = (struct store_job){.run = run_job, .done = job_done};
        ck_assert(store_writer_submit(writer, &jobs[i].job, &error));
    }
    while (!jobs[count - 1].is_done) {
        pthread_mutex_lock(&lock);
        while (!has_results) {
            pthread_cond_wait(&is_woken, &lock);
        }
        has_results = false;
        pthread_mutex_unlock(&lock);
        store_writer_deliver(writer);
    }
    store_writer_stop(writer);
    store_writer_deliver(writer);
    store_writer_destroy(writer);
}

START_TEST(sequence__a_job_that_fails_leaves_no_gap)
{
    static struct job jobs[JOBS_MAX];
    for (size_t i = 0; i < JOBS_MAX; i++) {
        jobs[i].fails = i % 3 == 1;
    }
    run_jobs(jobs, JOBS_MAX);
    for (size_t i = 0; i < JOBS_MAX; i++) {
        ck_assert_int_eq(jobs[i].ok, !jobs[i].fails);
    }
    ck_assert_uint_eq(rig.operations->tree.size, 1 + JOBS_MAX / 3 * 2 * 2);
    ck_assert_int_eq(rig.operations->place.fence_number, 0);
    rig_close(&rig);
    rig_open(&rig); /* recomputes the head from what is stored */
    ck_assert(!rig.was_rolled_back);
}
END_TEST

START_TEST(sequence__a_batch_rolled_back_after_finish_leaves_nothing)
{
    struct error error = {0};
    add_entries(3);
    struct tree tree = rig.operations->tree;
    struct ledger_place place = rig.operations->place;
    uint64_t covered = rig.operations->watch.covered_size;
    age_checkpoint(5000);
    ck_assert(note(rig_begin_system(&rig), 300, &error));
    ck_assert(rig.hooks.finish(rig.hooks.context, rig.store, rig.now, &error));
    ck_assert_uint_eq(rig.operations->tree.size, tree.size + 300);
    rig_undo(&rig); /* as when the disk is full at COMMIT */
    ck_assert_mem_eq(&rig.operations->tree, &tree, sizeof tree);
    ck_assert_uint_eq(rig.operations->place.next_seq, place.next_seq);
    ck_assert_uint_eq(rig.operations->place.leaf_count, 0);
    ck_assert_uint_eq(rig.operations->watch.covered_size, covered);
    add_entries(300);
    rig_close(&rig);
    rig_open(&rig);
}
END_TEST

START_TEST(sequence__entries_are_covered_at_most_once_a_second)
{
    bool found;
    age_checkpoint(5000);
    add_entries(1);
    ck_assert_int_eq(latest(&found).size, 2);
    add_entries(1); /* at once after: waits */
    ck_assert_int_eq(latest(&found).size, 2);
    int64_t due_at = operations_next_due_at(rig.operations);
    ck_assert_int_gt(due_at, 0);
    ck_assert_int_le(due_at, clock_wall_ms() + 1000);
    /* The earlier of the two is told; a minute apart, so that how fast the machine is does not matter. */
    atomic_store(&rig.operations->next_due_at, due_at + 60000);
    ck_assert_int_le(operations_next_due_at(rig.operations), clock_wall_ms() + 1000);
    atomic_store(&rig.operations->next_due_at, due_at - 60000);
    ck_assert_int_lt(operations_next_due_at(rig.operations), due_at - 30000);
    age_checkpoint(1000);
    add_entries(1);
    ck_assert_int_eq(latest(&found).size, 4);
}
END_TEST

START_TEST(sequence__the_last_entries_are_covered_though_nothing_more_comes)
{
    bool found;
    age_checkpoint(5000);
    add_entries(1);
    add_entries(1);
    age_checkpoint(1000);
    rig_begin_system(&rig); /* what due work does */
    rig_commit(&rig);
    ck_assert_int_eq(latest(&found).size, 3);
    ck_assert_int_eq(atomic_load(&rig.operations->checkpoint_due_at), 0);
}
END_TEST

START_TEST(sequence__an_idle_batch_writes_nothing)
{
    bool found;
    add_entries(1);
    age_checkpoint(5000);
    rig_begin_system(&rig);
    rig_commit(&rig);
    int64_t size = latest(&found).size;
    age_checkpoint(5000);
    rig_begin_system(&rig);
    rig_commit(&rig);
    ck_assert_int_eq(latest(&found).size, size);
}
END_TEST

START_TEST(sequence__the_checkpoint_signs_the_tree)
{
    struct error error = {0};
    struct arena *arena = arena_create();
    struct checkpoint_row row;
    struct checkpoint checkpoint;
    struct note_key key;
    bool found;
    age_checkpoint(5000);
    add_entries(600);
    ck_assert(store_latest_checkpoint(rig.store, 1, arena, &row, &found, &error));
    ck_assert(note_key_of_signer(&key, RIG_ORIGIN, rig.ledger_signer, &error));
    ck_assert(checkpoint_open(&checkpoint, NULL, row.note, strlen(row.note), &key, 1, RIG_ORIGIN,
                              &error));
    struct sha256 root = tree_root(&rig.operations->tree);
    ck_assert_uint_eq(checkpoint.size, 601);
    ck_assert_mem_eq(checkpoint.root.bytes, root.bytes, SHA256_BYTES);
    arena_destroy(arena);
}
END_TEST

START_TEST(sequence__the_mark_says_what_was_committed)
{
    add_entries(5);
    struct tree tree = rig.operations->tree;
    struct error error = {0};
    struct store_mark mark;
    bool found;
    rig_drop(&rig);
    struct store_mark_file *file = store_mark_open(rig.mark_path, &mark, &found, &error);
    ck_assert(found);
    struct sha256 root = tree_root(&tree);
    ck_assert_int_eq(mark.epoch, 1);
    ck_assert_int_eq(mark.entries, (int64_t)tree.size);
    ck_assert_mem_eq(mark.root.bytes, root.bytes, SHA256_BYTES);
    store_mark_close(file);
}
END_TEST

struct search {
    const char *type;
    int64_t seq;
};

static bool look(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    if (strcmp(entry->type, search->type) == 0) {
        search->seq = entry->seq;
    }
    return true;
}

static int64_t last_seq_of_type(const char *type)
{
    struct error error = {0};
    struct search search = {.type = type, .seq = -1};
    ck_assert(store_each_entry(rig.store, 1, 0, 1000, look, &search, &error));
    return search.seq;
}

START_TEST(clock__a_step_of_more_than_a_minute_is_an_entry)
{
    add_entries(1);
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), -1);
    rig.operations->watch.wall_at -= 59000; /* as if the clock had been 59 s behind */
    add_entries(1);
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), -1);
    rig.operations->watch.wall_at -= 3600 * 1000;
    add_entries(1);
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), 4);
    add_entries(1); /* and only once */
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), 4);
}
END_TEST

START_TEST(clock__a_step_is_not_forgotten_when_its_batch_is_rolled_back)
{
    struct error error = {0};
    add_entries(1);
    rig.operations->watch.wall_at -= 3600 * 1000;
    ck_assert(note(rig_begin_system(&rig), 1, &error));
    ck_assert(rig.hooks.finish(rig.hooks.context, rig.store, rig.now, &error));
    rig_undo(&rig);
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), -1);
    add_entries(1);
    ck_assert_int_eq(last_seq_of_type("clock.stepped"), 3);
}
END_TEST

static int64_t read_now(void)
{
    return rig.hooks.read_now(rig.hooks.context, rig.store);
}

START_TEST(clock__time_never_goes_back)
{
    int64_t ahead = clock_wall_ms() + 3600 * 1000;
    rig.operations->wall_high_water = ahead; /* seen before the clock was set back */
    ck_assert_int_ge(read_now(), ahead);
    add_entries(1);
    ck_assert_int_ge(rig.operations->place.last_at, ahead);
    rig_drop(&rig);
    rig_open(&rig);
    ck_assert_int_ge(read_now(), ahead);
    ck_assert_int_lt(read_now(), ahead + 120 * 1000);
}
END_TEST

START_TEST(clock__time_goes_on_with_the_boot_clock_while_the_wall_clock_is_behind)
{
    int64_t ahead = clock_wall_ms() + 3600 * 1000;
    rig.operations->wall_high_water = ahead;
    rig.operations->high_water_tick -= 90 * 1000; /* as if they had passed since */
    ck_assert_int_ge(read_now(), ahead + 90 * 1000);
    add_entries(1);
    rig_drop(&rig);
    rig_open(&rig);
    ck_assert_int_ge(read_now(), ahead + 90 * 1000);
    ck_assert(!rig.operations->has_lost_time);
}
END_TEST

START_TEST(clock__time_passes_between_two_processes_of_a_boot)
{
    char boot[CLOCK_BOOT_ID_BYTES];
    char sql[256];
    int64_t ahead = clock_wall_ms() + 3600 * 1000;
    rig.operations->wall_high_water = ahead;
    add_entries(1);
    rig_drop(&rig);
    clock_read_boot_id(boot);
    snprintf(sql, sizeof sql,
             "UPDATE named_values SET text = '%s %lld' WHERE name = 'boot_high_water'", boot,
             (long long)clock_boot_ms() - 600 * 1000);
    rig_tamper(&rig, sql);
    rig_open(&rig);
    ck_assert_int_ge(read_now(), ahead + 600 * 1000);
    ck_assert(!rig.operations->has_lost_time);
}
END_TEST

START_TEST(clock__after_a_boot_with_a_clock_that_is_behind_time_is_lost)
{
    rig.operations->wall_high_water = clock_wall_ms() + 3600 * 1000;
    add_entries(1);
    rig_drop(&rig);
    rig_tamper(&rig, "UPDATE named_values SET text = 'another-boot 1' "
                     "WHERE name = 'boot_high_water'");
    rig_open(&rig);
    ck_assert(rig.operations->has_lost_time);
}
END_TEST

START_TEST(clock__after_a_boot_with_a_clock_that_is_right_nothing_is_lost)
{
    add_entries(1);
    rig_drop(&rig);
    rig_tamper(&rig, "UPDATE named_values SET text = 'another-boot 1' "
                     "WHERE name = 'boot_high_water'");
    rig_open(&rig);
    ck_assert(!rig.operations->has_lost_time);
}
END_TEST

START_TEST(clock__deadlines_come_while_the_wall_clock_is_behind)
{
    rig.operations->wall_high_water = clock_wall_ms() + 3600 * 1000;
    int64_t now = read_now();
    atomic_store(&rig.operations->checkpoint_due_at, 0);
    atomic_store(&rig.operations->next_due_at, now + 5000);
    ck_assert_int_le(operations_next_due_at(rig.operations), clock_wall_ms() + 5000);
    atomic_store(&rig.operations->next_due_at, 0);
    ck_assert_int_eq(operations_next_due_at(rig.operations), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/ledger_sequence");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sequence__a_job_that_fails_leaves_no_gap);
    tcase_add_test(tests, sequence__a_batch_rolled_back_after_finish_leaves_nothing);
    tcase_add_test(tests, sequence__entries_are_covered_at_most_once_a_second);
    tcase_add_test(tests, sequence__the_last_entries_are_covered_though_nothing_more_comes);
    tcase_add_test(tests, sequence__an_idle_batch_writes_nothing);
    tcase_add_test(tests, sequence__the_checkpoint_signs_the_tree);
    tcase_add_test(tests, sequence__the_mark_says_what_was_committed);
    tcase_add_test(tests, clock__a_step_of_more_than_a_minute_is_an_entry);
    tcase_add_test(tests, clock__a_step_is_not_forgotten_when_its_batch_is_rolled_back);
    tcase_add_test(tests, clock__time_never_goes_back);
    tcase_add_test(tests, clock__time_goes_on_with_the_boot_clock_while_the_wall_clock_is_behind);
    tcase_add_test(tests, clock__time_passes_between_two_processes_of_a_boot);
    tcase_add_test(tests, clock__after_a_boot_with_a_clock_that_is_behind_time_is_lost);
    tcase_add_test(tests, clock__after_a_boot_with_a_clock_that_is_right_nothing_is_lost);
    tcase_add_test(tests, clock__deadlines_come_while_the_wall_clock_is_behind);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
