#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "courier/courier_internal.h"
#include "operations/operations.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

/* Nothing listens there: every inquiry fails at once. */
static struct courier_channel channels[] = {
    {.channel = {.name = "a",
                 .kind = "slack",
                 .url = "https://127.0.0.1:1/",
                 .secret = "xoxb-EXAMPLE",
                 .options = {{"channel", "C1"}},
                 .option_count = 1}},
    {.channel = {.name = "b", .kind = "webhook", .url = "https://127.0.0.1:1/"}},
};

static int told;

static void on_standing(void *context)
{
    (void)context;
    told++;
}

static void on_done(void *context, void *owner, const struct transfer_result *result)
{
    (void)context;
    standings_finish(owner, result);
}

static const struct courier_options options = {
    .channels = channels, .channel_count = 2, .on_standing = on_standing};
static const struct standings_age ever = {0};
static struct transfers *transfers;
static struct standings *standings;
static struct arena *arena;

static void set_up(void)
{
    struct error error = {0};
    log_set_level(LOG_LEVEL_ERROR); /* each that fails is logged */
    arena = arena_create();
    transfers = transfers_create(on_done, NULL, &error);
    ck_assert_ptr_nonnull(transfers);
    standings = standings_create(&options, transfers);
    told = 0;
}

static void tear_down(void)
{
    transfers_destroy(transfers, NULL);
    standings_destroy(standings);
    arena_destroy(arena);
}

static struct notifier_standing look(enum notifier_asks asks, const char *about,
                                     const struct standings_age *age)
{
    struct notifier_inquiry inquiry = {asks, about};
    struct notifier_standing out;
    standings_look(standings, 0, &inquiry, age, &out);
    return out;
}

static void run_until(int count)
{
    for (int i = 0; i < 1000 && told < count; i++) {
        standings_run(standings, NULL);
        transfers_run(transfers, 20);
    }
    ck_assert_int_eq(told, count);
}

START_TEST(standings__one_inquiry_is_under_way_once_and_its_answer_stays_for_who_may_have_it)
{
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/U1", &ever).known, NOTIFIER_UNKNOWN);
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/U1", &ever).known, NOTIFIER_UNKNOWN);
    run_until(1);
    struct notifier_standing found = look(NOTIFIER_ASKS_PERSON, "/T1/U1", &ever);
    ck_assert_int_eq(found.known, NOTIFIER_UNANSWERED);
    ck_assert_str_ne(found.reason, "");
    struct standings_age later = {.unanswered_since = clock_boot_ms() + 1000};
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/U1", &later).known, NOTIFIER_UNKNOWN);
    run_until(2);
}
END_TEST

START_TEST(standings__what_cannot_be_asked_is_bad_without_a_call)
{
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/no id", &ever).known, NOTIFIER_UNKNOWN);
    standings_run(standings, NULL);
    ck_assert_int_eq(transfers_count(transfers), 0);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/no id", &ever).known, NOTIFIER_BAD);
}
END_TEST

START_TEST(standings__are_bounded_and_so_is_what_is_asked_at_once)
{
    enum { KEPT = 512, AT_ONCE = 32 };
    for (int i = 0; i < KEPT; i++) {
        struct notifier_standing one =
            look(NOTIFIER_ASKS_PERSON, arena_printf(arena, "/T1/U%d", i), &ever);
        ck_assert_int_eq(one.known, NOTIFIER_UNKNOWN);
    }
    struct notifier_standing over = look(NOTIFIER_ASKS_PERSON, "/T1/UOVER", &ever);
    ck_assert_int_eq(over.known, NOTIFIER_UNANSWERED);
    ck_assert_ptr_nonnull(strstr(over.reason, "too much"));
    standings_run(standings, NULL);
    ck_assert_int_eq(transfers_count(transfers), AT_ONCE);
    run_until(KEPT);
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, "/T1/UOVER", &ever).known, NOTIFIER_UNKNOWN);
    char longer[2000];
    memset(longer, 'U', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert_int_eq(look(NOTIFIER_ASKS_PERSON, longer, &ever).known, NOTIFIER_UNANSWERED);
}
END_TEST

START_TEST(standings__a_notice_leaves_when_all_it_needs_is_good_or_it_needs_nothing)
{
    struct notifier_standing found;
    struct notifier_notice notice = {.payload = "{}"};
    ck_assert_int_eq(standings_ask_first(standings, 1, &notice, 1, &found), NOTIFIER_GOOD);
    ck_assert_int_eq(standings_ask_first(standings, 0, &notice, 1, &found), NOTIFIER_UNKNOWN);
    run_until(1);
    ck_assert_int_eq(standings_ask_first(standings, 0, &notice, 1, &found), NOTIFIER_UNANSWERED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("standings");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(
        tests, standings__one_inquiry_is_under_way_once_and_its_answer_stays_for_who_may_have_it);
    tcase_add_test(tests, standings__what_cannot_be_asked_is_bad_without_a_call);
    tcase_add_test(tests, standings__are_bounded_and_so_is_what_is_asked_at_once);
    tcase_add_test(tests, standings__a_notice_leaves_when_all_it_needs_is_good_or_it_needs_nothing);
    Suite *suite = suite_create("standings");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
