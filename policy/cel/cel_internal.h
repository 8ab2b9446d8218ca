#ifndef CEL_CEL_INTERNAL_H
#define CEL_CEL_INTERNAL_H

/* Shared by the files of this room only: how libraries of functions meet the evaluator. */

#include "policy/cel/cel.h"

/* Bytes that belong to another, without a NUL at their end. */
struct cel_text {
    const char *bytes;
    size_t length;
};

/* One function of a library. The evaluator picks it by name, style and number of arguments; the
 * function itself looks at the kinds it is given and answers cel_no_overload for the rest.
 * Signatures serve the checker. */
enum cel_style { CEL_GLOBAL, CEL_MEMBER };
struct cel_function_row {
    const char *name; /* "startsWith", "math.greatest" */
    enum cel_style style;
    int8_t args_least, args_most; /* the receiver counts */
    cel_function call;
    /* "string.(string) -> bool", "(list(A), A) -> bool"; ends with NULL. Besides the types of
     * cel_type_read: "timestamp", "duration", "bytes", "net.IP", "net.CIDR", "type(A)", one capital
     * for a type that is found. A last parameter with dots stands once or more: "(int...) -> int".
     */
    const char *const *signatures;
    /* NULL: one unit. Else the whole cost of a call that came back with `result` (cel-go's
     * formulas). */
    int64_t (*cost)(const struct cel_value *args, size_t count, struct cel_value result);
    /* NULL, or called once at compile time when the arguments from the second on are literal: what
     * it returns is given back through cel_prepared. False with an error message is an error at
     * compile time. */
    bool (*prepare)(const struct cel_value *args, size_t count, struct arena *arena,
                    void **out_prepared, struct error *error);
    void (*release)(void *prepared);
};

/* Each library's table ends with a row without a name. */
extern const struct cel_function_row
    cel_library_core[]; /* size, conversions, type, dyn, string tests */
extern const struct cel_function_row cel_library_regex[]; /* matches */
extern const struct cel_function_row cel_library_time[]; /* timestamps, durations and their parts */
extern const struct cel_function_row cel_library_strings[]; /* charAt … quote, format */
extern const struct cel_function_row cel_library_math[];
extern const struct cel_function_row cel_library_network[];
/* The evaluator asks the receiver of `or` and `orValue` first and leaves the argument alone when
 * there is a value. */
extern const struct cel_function_row cel_library_optionals[];
extern const struct cel_function_row cel_library_encoders[];

/* What prepare made for this call, or NULL. */
void *cel_prepared(const struct cel_run *run);
/* "no such overload" with the kinds that were given. */
struct cel_value cel_no_overload(struct cel_run *run, const char *name,
                                 const struct cel_value *args, size_t count);
/* Whether the run was stopped: then whatever a function returns is ignored. Long loops ask. */
bool cel_is_stopped(const struct cel_run *run);
/* Counts work that no cost pays for, such as comparing elements; false once stopped. */
bool cel_work(struct cel_run *run, size_t steps);
/* Compiles as cel_compile does, perhaps without checking types or expanding macros: what the
 * conformance suite asks for. */
struct cel_program *cel_compile_with(const struct cel_env *env, const char *source, size_t length,
                                     const char *wants, bool is_checked, bool has_macros,
                                     uint32_t *out_offset, struct error *error) MUST_CHECK;
/* Copies into the run's memory; CEL_ERROR once stopped. */
struct cel_value cel_make_string(struct cel_run *run, const char *bytes, size_t length);
struct cel_value cel_make_bytes(struct cel_run *run, const char *bytes, size_t length);
struct cel_value cel_make_list(const struct cel_value *items,
                               size_t count); /* items in the run's memory */
struct cel_value cel_make_optional(struct cel_run *run,
                                   const struct cel_value *value); /* NULL: none */
/* INT64_MIN + … checked: CEL_ERROR "… overflow" otherwise. */
struct cel_value cel_make_timestamp(struct cel_run *run, int64_t seconds, int64_t nanos);
struct cel_value cel_make_duration(struct cel_run *run, int64_t seconds, int64_t nanos);

const char *cel_kind_name(uint8_t kind); /* "int", "google.protobuf.Timestamp", … */
/* Comparison across int, uint and double as on one line: -1, 0, 1; 2 when unordered (NaN). */
int cel_compare_numbers(struct cel_value left, struct cel_value right);

/* utf8.c: code points of valid UTF-8. */
size_t cel_utf8_count(const char *bytes, size_t length);
/* Bytes of the first `count` code points; `length` when there are fewer. */
size_t cel_utf8_offset(const char *bytes, size_t length, size_t count);
bool cel_utf8_is_valid(const char *bytes, size_t length);
uint32_t cel_utf8_next(const char **cursor, const char *end);
size_t cel_utf8_write(char out[4], uint32_t code_point);

/* time_internal.h reads and prints timestamps and durations, network_internal.h addresses,
 * strings_internal.h formats; regex.h is the shim over RE2; zone.h reads IANA zones. */

#endif
