#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * Errors are values. A function that can fail returns bool, is marked MUST_CHECK and takes
 * `struct error *error` last. The struct lives on the caller's stack; the first error set stands
 * and later ones do not overwrite it. An expected answer ("already decided") is an enum result, not
 * an error.
 */

#include <stdbool.h>

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* What the caller should do, not what went wrong. One table (api/problem.c) maps kind to HTTP
 * status, one (clients/cli/exit_status.c) to exit status. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_INVALID,         /* change the input */
    ERROR_UNAUTHENTICATED, /* say who you are */
    ERROR_FORBIDDEN,       /* ask someone who may */
    ERROR_NOT_FOUND,       /* no such thing, or not yours to know of */
    ERROR_CONFLICT,        /* read again, then decide again */
    ERROR_LIMIT,           /* too much or too often */
    ERROR_RETRY_LATER,     /* nothing happened; try again */
    ERROR_CORRUPT,         /* stored data is not what it must be: stop */
    ERROR_INTERNAL,        /* ours to mend */
};

struct error {
    enum error_kind kind;
    const char *code;  /* stable machine-readable reason, a string literal: "unknown_member" */
    char subject[256]; /* JSON pointer, file name or id the error is about; may be empty */
    int line;          /* 1-based place in a text, 0 when there is none */
    int column;
    char message[512]; /* one sentence for a human that says what to change; never a secret */
};

/* Sets the error unless one is already set. Returns false, so that `return error_set(...)` reads
 * well. `code` must be a string literal; `subject` may be NULL. `error` may be NULL. */
bool error_set(struct error *error, enum error_kind kind, const char *code, const char *subject,
               const char *format, ...) PRINTF_LIKE(5, 6);

/* The same with a place in a text. */
bool error_set_at(struct error *error, enum error_kind kind, const char *code, const char *subject,
                  int line, int column, const char *format, ...) PRINTF_LIKE(7, 8);

/* The kind as one lower-case word, "not_found". */
const char *error_kind_name(enum error_kind kind);

#endif
