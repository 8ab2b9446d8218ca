#include "courier/courier_internal.h"

#include "tests/support/run_suite.h"
#include <check.h>

/* Whoever has an account where a channel is makes the gateway say something by each press. */
enum { PRESSES = 1000, AT_ONCE_MAX = 256 };

static struct words *words;
static int cut;

static void on_done(void *context, void *owner, const struct transfer_result *result)
{
    (void)context;
    words_finish(owner, result);
}

static void on_cut(void *context, void *owner)
{
    (void)context;
    words_forget(owner);
    cut++;
}

START_TEST(words__no_more_are_on_their_way_than_may_wait)
{
    struct error error = {0};
    struct courier_channel channel = {
        .channel = {
            .name = "a", .kind = "slack", .url = "https://192.0.2.1/api/", .secret = "EXAMPLE"}};
    struct courier_options options = {.channels = &channel, .channel_count = 1};
    const struct notifier_word word = {.method = "chat.postEphemeral", .body = "{}"};
    struct transfers *transfers = transfers_create(on_done, NULL, &error);
    struct destinations *destinations = destinations_create(NULL, &options, transfers, NULL);
    int taken = 0;
    words = words_create(&options, transfers);
    for (int i = 0; i < PRESSES; i++) {
        taken += words_take(words, "a", &word);
        words_run(words, destinations); /* none is answered meanwhile */
    }
    ck_assert_int_eq(taken, AT_ONCE_MAX);
    ck_assert_int_eq(transfers_count(transfers), AT_ONCE_MAX);
    transfers_destroy(transfers, on_cut);
    ck_assert_int_eq(cut, AT_ONCE_MAX);
    destinations_destroy(destinations, NULL, NULL);
    words_destroy(words);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, words__no_more_are_on_their_way_than_may_wait);
    Suite *suite = suite_create("words");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
