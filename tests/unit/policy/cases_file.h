#ifndef TESTS_POLICY_CASES_FILE_H
#define TESTS_POLICY_CASES_FILE_H

/* Reading whole files, for the tests of this room. */

#include "base/memory.h"
#include "policy/policy.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 256 * 1024 };

/* The file's text with a NUL after it; free with free(). */
static inline char *read_whole_file(const char *path, size_t *out_length)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    char *bytes = memory_zeroed(1, FILE_BYTES_MAX + 1);
    *out_length = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return bytes;
}

/* Compiles one text as the file "policy.yaml"; fails the test when it is refused. */
static inline struct policy *compile_text(const char *text)
{
    struct error error = {0};
    struct policy_file file = {"policy.yaml", text, strlen(text)};
    struct policy *policy = policy_compile(&file, 1, &error);
    ck_assert_msg(policy != NULL, "%s:%d:%d: %s", error.subject, error.line, error.column,
                  error.message);
    return policy;
}

#endif
