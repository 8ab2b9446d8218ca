#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Programmer mistakes abort, in release too: CHECK is assert that NDEBUG does not remove. */

_Noreturn void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#endif
