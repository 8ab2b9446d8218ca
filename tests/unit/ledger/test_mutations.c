/* An export is changed at random in every way a file can be, and each change must be found with the
 * public key alone; what a signature cannot show, a kept checkpoint must. And how fast. */

#include "tests/support/chance.h"
#include "tests/unit/ledger/sample.h"
#include <time.h>

enum { MUTATIONS = 12000, FORGERIES = 500, LINES_MAX = 512, SPEED_CYCLES = 6000 };

static struct sample sample;
/* Where each line begins, and the end. */
static size_t starts[LINES_MAX + 1];
static size_t line_count;
static struct builder changed;

static void make_export(void)
{
    char request[32];
    sample_init(&sample);
    sample_header(&sample);
    for (int i = 0; i < 12; i++) {
        snprintf(request, sizeof request, "req_%d", i);
        if (i % 2 == 0) {
            sample_people_cycle(&sample, request);
        } else {
            sample_allow_cycle(&sample, request);
        }
        if (i % 3 == 2) {
            sample_checkpoint(&sample);
        }
        if (i == 5) {
            sample_end(&sample);
            sample_header(&sample);
        }
    }
    sample_end(&sample);
    line_count = 0;
    for (size_t i = 0; i < sample.lines.length; i++) {
        if (i == 0 || sample.lines.bytes[i - 1] == '\n') {
            ck_assert(line_count < LINES_MAX);
            starts[line_count++] = i;
        }
    }
    starts[line_count] = sample.lines.length;
    builder_init(&changed, 0);
}

static void drop_export(void)
{
    builder_finish(&changed);
    sample_finish(&sample);
}

static void put_line(size_t line)
{
    builder_append(&changed, sample.lines.bytes + starts[line], starts[line + 1] - starts[line]);
}

static void change_bytes(struct chance *chance, unsigned kind)
{
    size_t at = chance_below(chance, (unsigned)sample.lines.length);
    const char *bytes = sample.lines.bytes;
    size_t length = sample.lines.length;
    char byte = (char)chance_below(chance, 256);
    switch (kind) {
    case 0: /* a bit */
        builder_append(&changed, bytes, length);
        changed.bytes[at] ^= (char)(1 << chance_below(chance, 8));
        return;
    case 1: /* a byte replaced */
        builder_append(&changed, bytes, length);
        changed.bytes[at] = byte;
        return;
    case 2: /* a byte taken out */
        builder_append(&changed, bytes, at);
        builder_append(&changed, bytes + at + 1, length - at - 1);
        return;
    case 3: /* a byte put in */
        builder_append(&changed, bytes, at);
        builder_char(&changed, byte);
        builder_append(&changed, bytes + at, length - at);
        return;
    default: /* cut anywhere */
        builder_append(&changed, bytes, at);
        return;
    }
}

static void change_lines(struct chance *chance, unsigned kind)
{
    size_t one = chance_below(chance, (unsigned)line_count);
    size_t other = chance_below(chance, (unsigned)line_count);
    for (size_t i = 0; i < line_count; i++) {
        switch (kind) {
        case 0: /* one deleted */
            if (i != one) {
                put_line(i);
            }
            break;
        case 1: /* one doubled */
            put_line(i);
            if (i == one) {
                put_line(i);
            }
            break;
        case 2: /* two swapped */
            put_line(i == one ? other : i == other ? one : i);
            break;
        default: /* one copied elsewhere */
            put_line(i);
            if (i == other) {
                put_line(one);
            }
            break;
        }
    }
}

/* Lines are what is read: a file that lost nothing but its last newline says the same. */
static bool says_the_same(void)
{
    size_t whole = sample.lines.length;
    size_t length = changed.length;
    return (length == whole || length == whole - 1) &&
           memcmp(changed.bytes, sample.lines.bytes, length) == 0;
}

static bool is_found(void)
{
    return !sample_verify_bytes(&sample, changed.bytes, changed.length);
}

START_TEST(mutations__every_one_of_twelve_thousand_is_found)
{
    struct chance chance = {.state = 20260101};
    unsigned kinds[9] = {0};
    unsigned missed = 0;
    make_export();
    sample_expect_good(&sample);
    ck_assert_uint_eq(sample.report.covered, sample.report.size);
    for (unsigned done = 0; done < MUTATIONS;) {
        unsigned kind = chance_below(&chance, 9);
        builder_clear(&changed);
        if (kind < 5) {
            change_bytes(&chance, kind);
        } else {
            change_lines(&chance, kind - 5);
        }
        if (says_the_same()) {
            continue;
        }
        done++;
        kinds[kind]++;
        if (!is_found()) {
            missed++;
            printf("missed a mutation of kind %u\n", kind);
        }
    }
    ck_assert_uint_eq(missed, 0);
    for (unsigned kind = 0; kind < 9; kind++) {
        ck_assert_uint_gt(kinds[kind], MUTATIONS / 20);
    }
    drop_export();
}
END_TEST

/* Who rewrites an entry, and leaf and range with it, still lacks the signature. */
START_TEST(mutations__an_entry_rewritten_with_its_leaf_hash_is_found)
{
    struct chance chance = {.state = 7};
    make_export();
    for (unsigned done = 0; done < FORGERIES;) {
        size_t victim = chance_below(&chance, (unsigned)line_count);
        const char *line = sample.lines.bytes + starts[victim];
        size_t length = starts[victim + 1] - starts[victim];
        size_t entry_length = length - strlen("{\"entry\":,\"leaf\":\"\"}\n") - 64;
        if (strncmp(line, "{\"entry\":", 9) != 0) {
            continue;
        }
        struct builder entry BUILDER_SCOPE;
        builder_init(&entry, 0);
        builder_append(&entry, line + 9, entry_length);
        char *letter = entry.bytes + chance_below(&chance, (unsigned)entry_length);
        if (*letter < 'a' || *letter > 'y') {
            continue;
        }
        ++*letter;
        builder_clear(&changed);
        for (size_t i = 0; i < line_count; i++) {
            struct sha256 leaf = tree_leaf_hash(entry.bytes, entry.length);
            if (i == victim) {
                ledger_export_entry(&changed, entry.bytes, entry.length, &leaf);
            } else {
                put_line(i);
            }
        }
        ck_assert_msg(is_found(), "%s", entry.bytes);
        done++;
    }
    drop_export();
}
END_TEST

/* Cut at each checkpoint, with an end line that fits: the signature holds, so only who kept a
 * checkpoint can tell. */
START_TEST(mutations__truncation_is_found_against_a_kept_checkpoint)
{
    char request[32];
    sample_init(&sample);
    sample_header(&sample);
    builder_init(&changed, 0);
    struct cut {
        size_t length;
        uint64_t size, checkpoints;
    } cuts[20];
    for (size_t i = 0; i < 20; i++) {
        snprintf(request, sizeof request, "req_%zu", i);
        sample_allow_cycle(&sample, request);
        sample_checkpoint(&sample);
        cuts[i] = (struct cut){sample.lines.length, sample.tree.size, sample.checkpoints};
    }
    sample_end(&sample);
    sample_keep(&sample);
    sample_expect_good(&sample);
    for (size_t i = 0; i < 19; i++) {
        builder_clear(&changed);
        builder_append(&changed, sample.lines.bytes, cuts[i].length);
        ledger_export_end(&changed, cuts[i].size, cuts[i].checkpoints);
        sample.has_kept = false;
        ck_assert(!is_found());
        sample.has_kept = true;
        ck_assert(is_found());
        ck_assert_str_eq(sample.report.finding, "truncated");
    }
    drop_export();
}
END_TEST

static double seconds_since(clock_t start)
{
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

START_TEST(speed__of_appending_and_verifying)
{
    char request[32];
    sample_init(&sample);
    sample_header(&sample);
    clock_t start = clock();
    for (int i = 0; i < SPEED_CYCLES; i++) {
        snprintf(request, sizeof request, "req_%026d", i);
        sample_people_cycle(&sample, request);
        request[4] = 'a';
        sample_allow_cycle(&sample, request);
        if (i % 500 == 499) {
            sample_checkpoint(&sample);
        }
    }
    double appending = seconds_since(start);
    sample_end(&sample);
    start = clock();
    sample_expect_good(&sample);
    double verifying = seconds_since(start);
    start = clock();
    struct tree tree;
    tree_init(&tree);
    for (uint64_t i = 0; i < sample.report.entry_count; i++) {
        struct sha256 leaf = tree_leaf_hash(sample.lines.bytes + i * 64, 450);
        tree_append(&tree, &leaf, NULL, NULL);
    }
    double hashing = seconds_since(start);
    double count = (double)sample.report.entry_count;
    printf("ledger: %.0f entries of %.0f bytes; append %.0f/s, verify %.0f/s, of that hashing "
           "%.0f/s\n",
           count, (double)sample.lines.length / count, count / appending, count / verifying,
           count / hashing);
    ck_assert_double_gt(count / verifying, 5000); /* only a change of order fails, sanitizers too */
    sample_finish(&sample);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger mutations");
    TCase *tests = tcase_create("mutations");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, mutations__every_one_of_twelve_thousand_is_found);
    tcase_add_test(tests, mutations__an_entry_rewritten_with_its_leaf_hash_is_found);
    tcase_add_test(tests, mutations__truncation_is_found_against_a_kept_checkpoint);
    tcase_add_test(tests, speed__of_appending_and_verifying);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
