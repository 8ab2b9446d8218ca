#ifndef TESTS_SUPPORT_RUN_SUITE_H
#define TESTS_SUPPORT_RUN_SUITE_H

/* Runs one suite and says whether it failed, as an exit status. Test cases that write to a disk are
 * given SLOW_DISK_SECONDS: others may be using it. */

#include <check.h>

enum { SLOW_DISK_SECONDS = 120 };

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
