#include "courier/transfer.h"

#include "tests/support/run_suite.h"
#include <check.h>
#include <netdb.h>
#include <semaphore.h>
#include <string.h>

/* A resolver that does not answer, for one name, until it is told to: libcurl's look-ups come here.
 */
static sem_t answer;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)service, (void)hints;
    *out = NULL;
    if (strcmp(name, "silent.example") == 0) {
        sem_wait(&answer);
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
    ck_assert_int_eq(sem_init(&answer, 0, 0), 0);
    ck_assert_ptr_nonnull(transfers);
    ck_assert(transfers_add(transfers, &channel, &message, &cut));
    transfers_run(transfers, 100);
    transfers_destroy(transfers, on_cut);
    ck_assert_int_eq(cut, 1);
    /* Who waits for the look-up does not come as far as this. */
    sem_post(&answer);
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
