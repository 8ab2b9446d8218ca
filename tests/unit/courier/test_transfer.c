#include "courier/transfer.h"

#include "base/clock.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* A resolver that does not answer, for one name: libcurl's look-ups come here. */
enum { SILENT_SECONDS = 3 };

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)service, (void)hints;
    *out = NULL;
    if (strcmp(name, "silent.example") == 0) {
        sleep(SILENT_SECONDS);
    }
    return EAI_NONAME;
}

static int cut;

static void on_cut(void *context, void *owner)
{
    (void)context, (void)owner;
    cut++;
}

static void on_done(void *context, void *owner, const struct transfer_result *result)
{
    (void)context, (void)owner, (void)result;
}

START_TEST(transfers__a_name_that_nobody_answers_for_holds_up_nothing)
{
    struct error error = {0};
    const struct courier_channel channel = {.channel = {.name = "a", .kind = "webhook"}};
    const struct notifier_message message = {.url = "https://silent.example/", .body = ""};
    struct transfers *transfers = transfers_create(on_done, NULL, &error);
    int64_t began = clock_boot_ms();
    ck_assert_ptr_nonnull(transfers);
    ck_assert(transfers_add(transfers, &channel, &message, &cut));
    transfers_run(transfers, 100);
    transfers_destroy(transfers, on_cut);
    ck_assert_int_eq(cut, 1);
    ck_assert_int_lt(clock_boot_ms() - began, SILENT_SECONDS * 1000 / 2);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("transfer");
    tcase_add_test(tests, transfers__a_name_that_nobody_answers_for_holds_up_nothing);
    Suite *suite = suite_create("transfer");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
