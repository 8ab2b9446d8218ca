#include "policy/cel/library_internal.h"
#include "policy/cel/strings_internal.h"
#include <string.h>

static struct cel_text text_of(struct cel_value value)
{
    return (struct cel_text){value.as.bytes, value.length};
}

/* Whether the arguments are of these kinds; those left out need not be there. */
static bool are(const struct cel_value *args, size_t count, const uint8_t *kinds)
{
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind != kinds[i]) {
            return false;
        }
    }
    return true;
}

static const uint8_t text_whole[] = {CEL_STRING, CEL_INT, CEL_INT};
static const uint8_t text_text_whole[] = {CEL_STRING, CEL_STRING, CEL_INT};
static const uint8_t texts_whole[] = {CEL_STRING, CEL_STRING, CEL_STRING, CEL_INT};

static struct cel_value out_of_range(struct cel_run *run, int64_t index)
{
    return cel_fail(run, "index out of range: %lld", (long long)index);
}

static struct cel_value char_at(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are(args, count, text_whole)) {
        return cel_no_overload(run, "charAt", args, count);
    }
    struct cel_text text = text_of(args[0]);
    int64_t index = args[1].as.integer;
    if (index < 0 || index > (int64_t)cel_utf8_count(text.bytes, text.length)) {
        return out_of_range(run, index);
    }
    size_t start = cel_utf8_offset(text.bytes, text.length, (size_t)index);
    size_t length = cel_utf8_offset(text.bytes + start, text.length - start, 1);
    return cel_string(text.bytes + start, length);
}

/* Where the search may begin, in bytes; false with an error as its value. */
static bool search_from(struct cel_run *run, const struct cel_value *args, size_t count,
                        size_t otherwise, size_t *out, struct cel_value *out_failure)
{
    *out = otherwise;
    if (count < 3) {
        return true;
    }
    int64_t index = args[2].as.integer;
    if (index < 0 || index > (int64_t)cel_utf8_count(args[0].as.bytes, args[0].length)) {
        *out_failure = out_of_range(run, index);
        return false;
    }
    *out = cel_utf8_offset(args[0].as.bytes, args[0].length, (size_t)index);
    return true;
}

static struct cel_value position(struct cel_text text, size_t found)
{
    return cel_int(found == SIZE_MAX ? -1 : (int64_t)cel_utf8_count(text.bytes, found));
}

static struct cel_value index_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    size_t from;
    struct cel_value failure;
    if (!are(args, count, text_text_whole)) {
        return cel_no_overload(run, "indexOf", args, count);
    }
    if (!search_from(run, args, count, 0, &from, &failure)) {
        return failure;
    }
    struct cel_text text = text_of(args[0]);
    return position(text, cel_text_find(text, text_of(args[1]), from));
}

/* The last needle that begins at `from` or before. Looked for from behind in reversed copies, since
 * looking forward again and again is quadratic for texts like "aaaa". */
static struct cel_value last_index_of(struct cel_run *run, const struct cel_value *args,
                                      size_t count)
{
    size_t from;
    struct cel_value failure;
    if (!are(args, count, text_text_whole)) {
        return cel_no_overload(run, "lastIndexOf", args, count);
    }
    if (!search_from(run, args, count, args[0].length, &from, &failure)) {
        return failure;
    }
    struct cel_text text = text_of(args[0]), needle = text_of(args[1]);
    if (text.length - from > needle.length) {
        text.length = from + needle.length;
    }
    if (needle.length > text.length) {
        return cel_int(-1);
    }
    char *backward = cel_alloc_some(run, text.length + needle.length);
    if (backward == NULL) {
        return cel_null();
    }
    for (size_t i = 0; i < text.length; i++) {
        backward[i] = text.bytes[text.length - 1 - i];
    }
    for (size_t i = 0; i < needle.length; i++) {
        backward[text.length + i] = needle.bytes[needle.length - 1 - i];
    }
    size_t found = cel_text_find((struct cel_text){backward, text.length},
                                 (struct cel_text){backward + text.length, needle.length}, 0);
    return position(text, found == SIZE_MAX ? SIZE_MAX : text.length - needle.length - found);
}

/* Changes the case of letters between `first` and 25 further. */
static struct cel_value change_case(struct cel_run *run, const struct cel_value *args, size_t count,
                                    char first, const char *name)
{
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, name, args, count);
    }
    struct cel_value copy = cel_make_string(run, args[0].as.bytes, args[0].length);
    if (copy.kind != CEL_STRING) {
        return copy;
    }
    char *bytes = (char *)(uintptr_t)copy.as.bytes; /* nobody else has seen it */
    for (size_t i = 0; i < copy.length; i++) {
        if (bytes[i] >= first && bytes[i] <= first + 25) {
            bytes[i] ^= 0x20;
        }
    }
    return copy;
}

static struct cel_value lower_ascii(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return change_case(run, args, count, 'A', "lowerAscii");
}

static struct cel_value upper_ascii(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return change_case(run, args, count, 'a', "upperAscii");
}

/* Steps through a text from one separator to the next; an empty one stands between all characters.
 */
struct pieces {
    struct cel_text text, separator;
    size_t at;
};

/* Takes the piece before the next separator; false when none follows. */
static bool next_piece(struct pieces *pieces, struct cel_text *out)
{
    struct cel_text text = pieces->text;
    size_t end;
    if (pieces->separator.length == 0) {
        end = pieces->at + cel_utf8_offset(text.bytes + pieces->at, text.length - pieces->at, 1);
        end = end < text.length ? end : SIZE_MAX;
    } else {
        end = cel_text_find(text, pieces->separator, pieces->at);
    }
    if (end == SIZE_MAX) {
        return false;
    }
    *out = (struct cel_text){text.bytes + pieces->at, end - pieces->at};
    pieces->at = end + pieces->separator.length;
    return true;
}

static int64_t count_pieces(struct cel_text text, struct cel_text separator, int64_t most)
{
    struct pieces pieces = {text, separator, 0};
    struct cel_text piece;
    int64_t count = 1;
    while (count < most && next_piece(&pieces, &piece)) {
        count++;
    }
    return count;
}

static struct cel_value split(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are(args, count, text_text_whole)) {
        return cel_no_overload(run, "split", args, count);
    }
    struct cel_text text = text_of(args[0]), separator = text_of(args[1]);
    int64_t most = count > 2 && args[2].as.integer >= 0 ? args[2].as.integer : INT64_MAX;
    if (most == 0 || (text.length == 0 && separator.length == 0)) {
        return cel_make_list(NULL, 0);
    }
    size_t total = (size_t)count_pieces(text, separator, most);
    struct cel_value *items = cel_alloc(run, total * sizeof *items);
    if (items == NULL) {
        return cel_null();
    }
    struct pieces pieces = {text, separator, 0};
    for (size_t i = 0; i < total; i++) {
        struct cel_text piece = {text.bytes + pieces.at, text.length - pieces.at};
        if (i + 1 < total) {
            (void)next_piece(&pieces, &piece);
        }
        items[i] = cel_string(piece.bytes, piece.length);
    }
    return cel_make_list(items, total);
}

static char *append(char *out, struct cel_text text)
{
    if (text.length > 0) { /* an empty text may have no bytes to point at */
        memcpy(out, text.bytes, text.length);
    }
    return out + text.length;
}

/* How often the old text is replaced: at each separator, and an empty one stands at both ends too.
 */
static size_t count_replacements(struct cel_text text, struct cel_text old, int64_t most)
{
    int64_t inner = count_pieces(text, old, INT64_MAX) - 1;
    int64_t all = old.length > 0 ? inner : (int64_t)cel_utf8_count(text.bytes, text.length) + 1;
    return (size_t)(most >= 0 && most < all ? most : all);
}

static struct cel_value replace(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are(args, count, texts_whole)) {
        return cel_no_overload(run, "replace", args, count);
    }
    struct cel_text text = text_of(args[0]), old = text_of(args[1]), new = text_of(args[2]);
    size_t times = count_replacements(text, old, count > 3 ? args[3].as.integer : -1);
    size_t grown;
    if (__builtin_mul_overflow(times, new.length, &grown) ||
        __builtin_add_overflow(grown, text.length - times * old.length, &grown)) {
        grown = SIZE_MAX / 2; /* more than there ever is: the run is stopped */
    }
    char *bytes = cel_alloc_some(run, grown);
    if (bytes == NULL) {
        return cel_null();
    }
    struct pieces pieces = {text, old, 0};
    char *out = bytes;
    if (old.length == 0 && times > 0) {
        out = append(out, new);
        times--;
    }
    for (size_t i = 0; i < times; i++) {
        struct cel_text piece = {text.bytes + pieces.at, text.length - pieces.at};
        if (!next_piece(&pieces, &piece)) { /* the end, for an empty old text */
            pieces.at = text.length;
        }
        out = append(append(out, piece), new);
    }
    (void)append(out, (struct cel_text){text.bytes + pieces.at, text.length - pieces.at});
    return cel_string(bytes, grown);
}

static struct cel_value substring(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are(args, count, text_whole)) {
        return cel_no_overload(run, "substring", args, count);
    }
    struct cel_text text = text_of(args[0]);
    int64_t characters = (int64_t)cel_utf8_count(text.bytes, text.length);
    int64_t start = args[1].as.integer, end = count > 2 ? args[2].as.integer : characters;
    if (start < 0 || start > characters) {
        return out_of_range(run, start);
    }
    if (end < 0 || end > characters) {
        return out_of_range(run, end);
    }
    if (start > end) {
        return cel_fail(run, "invalid substring range. start: %lld, end: %lld", (long long)start,
                        (long long)end);
    }
    size_t from = cel_utf8_offset(text.bytes, text.length, (size_t)start);
    size_t length = cel_utf8_offset(text.bytes + from, text.length - from, (size_t)(end - start));
    return cel_string(text.bytes + from, length);
}

static struct cel_value trim(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "trim", args, count);
    }
    struct cel_text trimmed = cel_text_trim(text_of(args[0]));
    return cel_string(trimmed.bytes, trimmed.length);
}

static struct cel_value reverse(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "reverse", args, count);
    }
    char *bytes = cel_alloc_some(run, args[0].length);
    if (bytes == NULL) {
        return cel_null();
    }
    cel_text_reverse(bytes, text_of(args[0]));
    return cel_string(bytes, args[0].length);
}

/* Bytes of the joined text, or false when an item is not text. */
static bool measure_join(const struct cel_value *list, size_t between, size_t *out)
{
    *out = list->length > 0 ? (list->length - 1) * between : 0;
    for (size_t i = 0; i < list->length; i++) {
        if (list->as.items[i].kind != CEL_STRING) {
            return false;
        }
        *out += list->as.items[i].length;
    }
    return true;
}

static struct cel_value join(struct cel_run *run, const struct cel_value *args, size_t count)
{
    size_t length;
    if (args[0].kind != CEL_LIST || (count > 1 && !cel_is_string(args[1]))) {
        return cel_no_overload(run, "join", args, count);
    }
    struct cel_text between = count > 1 ? text_of(args[1]) : (struct cel_text){"", 0};
    if (!measure_join(&args[0], between.length, &length)) {
        return cel_fail(run, "`join` needs a list of strings");
    }
    char *bytes = cel_alloc_some(run, length), *out = bytes;
    if (bytes == NULL) {
        return cel_null();
    }
    for (size_t i = 0; i < args[0].length; i++) {
        out = i > 0 ? append(out, between) : out;
        out = append(out, text_of(args[0].as.items[i]));
    }
    return cel_string(bytes, length);
}

/* What was built, in the run's memory; past the limit the run is stopped, as any run that asks for
 * that much. */
static struct cel_value finish(struct cel_run *run, struct builder *out)
{
    bool is_too_long = builder_failed(out);
    struct cel_value result =
        is_too_long ? cel_null() : cel_make_string(run, out->bytes, out->length);
    if (is_too_long) {
        (void)cel_alloc(run, SIZE_MAX / 2);
    }
    builder_finish(out);
    return result;
}

static struct cel_value quote(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "strings.quote", args, count);
    }
    struct builder out;
    builder_init(&out, CEL_ARENA_BYTES_MAX);
    cel_text_quote(&out, text_of(args[0]));
    return finish(run, &out);
}

static struct cel_value format(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0]) || args[1].kind != CEL_LIST) {
        return cel_no_overload(run, "format", args, count);
    }
    struct builder out;
    char problem[CEL_FORMAT_PROBLEM_BYTES];
    builder_init(&out, CEL_ARENA_BYTES_MAX);
    if (!cel_text_format(&out, text_of(args[0]), args[1].as.items, args[1].length, problem) &&
        !builder_failed(&out)) {
        /* What was written is thrown away and takes no memory, so it is paid for like this. */
        cel_charge(run, (int64_t)(out.length / 100));
        builder_finish(&out);
        return cel_fail(run, "error during formatting: %s", problem);
    }
    return finish(run, &out);
}

static int64_t char_at_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)result;
    return are(args, count, text_whole) ? 2 + cel_cost_tenth(cel_cost_size(args[0])) : 1;
}

static int64_t search_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)result;
    return are(args, count, text_text_whole)
               ? 1 + cel_cost_tenth(
                         cel_cost_product(cel_cost_size(args[0]), cel_cost_size(args[1])))
               : 1;
}

static int64_t transform_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    return are(args, count, text_whole)
               ? cel_cost_call_and_scan(args, count, result) + cel_cost_size(result)
               : 1;
}

static int64_t at_least_one(int64_t size)
{
    return size > 0 ? size : 1;
}

static int64_t replace_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    if (!are(args, count, texts_whole)) {
        return 1;
    }
    int64_t search = cel_cost_product(at_least_one(cel_cost_size(args[0])),
                                      at_least_one(cel_cost_size(args[1])));
    return 1 + cel_cost_tenth(search) + cel_cost_size(result);
}

static int64_t split_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    enum { LIST_COST = 10 };
    return are(args, count, text_text_whole)
               ? 1 + cel_cost_tenth(cel_cost_size(args[0]) + 1) + cel_cost_size(result) + LIST_COST
               : 1;
}

static int64_t join_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    if (args[0].kind != CEL_LIST || (count > 1 && !cel_is_string(args[1]))) {
        return 1;
    }
    return 1 + cel_cost_tenth(cel_cost_size(args[0]) + 1) + cel_cost_size(result);
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define ROW(name, least, most, function, cost, ...)                                                \
    {                                                                                              \
        name, CEL_MEMBER, least, most, function, SIGNATURES(__VA_ARGS__), cost, NULL, NULL         \
    }

const struct cel_function_row cel_library_strings[] = {
    ROW("charAt", 2, 2, char_at, char_at_cost, "string.(int) -> string"),
    ROW("indexOf", 2, 3, index_of, search_cost, "string.(string) -> int",
        "string.(string, int) -> int"),
    ROW("lastIndexOf", 2, 3, last_index_of, search_cost, "string.(string) -> int",
        "string.(string, int) -> int"),
    ROW("lowerAscii", 1, 1, lower_ascii, transform_cost, "string.() -> string"),
    ROW("upperAscii", 1, 1, upper_ascii, transform_cost, "string.() -> string"),
    ROW("replace", 3, 4, replace, replace_cost, "string.(string, string) -> string",
        "string.(string, string, int) -> string"),
    ROW("split", 2, 3, split, split_cost, "string.(string) -> list(string)",
        "string.(string, int) -> list(string)"),
    ROW("substring", 2, 3, substring, transform_cost, "string.(int) -> string",
        "string.(int, int) -> string"),
    ROW("trim", 1, 1, trim, transform_cost, "string.() -> string"),
    ROW("reverse", 1, 1, reverse, transform_cost, "string.() -> string"),
    ROW("join", 1, 2, join, join_cost, "list(string).() -> string",
        "list(string).(string) -> string"),
    ROW("format", 2, 2, format, cel_cost_scan, "string.(list(dyn)) -> string"),
    {"strings.quote", CEL_GLOBAL, 1, 1, quote, SIGNATURES("(string) -> string"), cel_cost_scan,
     NULL, NULL},
    {0},
};
