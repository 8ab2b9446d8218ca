/* Grammar of RFC 8259, what RFC 7493 forbids, and exact numbers, in one pass that keeps nothing but
 * a bit per open container: a few hundred nanoseconds for the bodies of the hot path. Only when it
 * fails is the text up to the fault walked again for the pointer and the place. */

#include "base/memory.h"
#include "formats/formats_internal.h"
#include "formats/json.h"
#include "formats/text.h"
#include <endian.h>
#include <string.h>

struct scan {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    uint64_t is_object; /* bit 0 is the innermost open container */
    int depth;
    bool has_wide_integer;
    const unsigned char *fault_at;
    const char *code;
    const char *message;
};
_Static_assert(JSON_DEPTH_MAX == 64, "one bit for each open container");

enum want { WANT_VALUE, WANT_VALUE_OR_END, WANT_NAME, WANT_NAME_OR_END, WANT_COMMA_OR_END };

static bool fail(struct scan *scan, const unsigned char *at, const char *code, const char *message)
{
    scan->fault_at = at;
    scan->code = code;
    scan->message = message;
    return false;
}

static bool fail_syntax(struct scan *scan, const char *message)
{
    return fail(scan, scan->at, "invalid_json", message);
}

static inline void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

static inline bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* Moves to the next byte of a string that is not plain ASCII text: `"`, `\`, a control or a byte of
 * 0x80 and above. Eight bytes at a time; carries spoil only bytes behind the first hit. */
static inline void skip_plain(struct scan *scan)
{
    const uint64_t ones = 0x0101010101010101;
    const uint64_t highs = 0x8080808080808080;
    const unsigned char *at = scan->at;
    for (; scan->end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t quotes = word ^ (ones * '"');
        uint64_t slashes = word ^ (ones * '\\');
        uint64_t hits = (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) |
                         ((word - ones * 0x20) & ~word) | word) &
                        highs;
        if (hits != 0) {
            scan->at = at + __builtin_ctzll(hits) / 8;
            return;
        }
    }
    while (at < scan->end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    scan->at = at;
}

static bool scan_hex4(struct scan *scan, uint32_t *out_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        unsigned char digit = scan->at < scan->end ? *scan->at : 0;
        if (digit >= '0' && digit <= '9') {
            unit = unit << 4 | (uint32_t)(digit - '0');
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            unit = unit << 4 | (uint32_t)((digit | 0x20) - 'a' + 10);
        } else {
            return fail_syntax(scan, "`\\u` must be followed by four hexadecimal digits");
        }
    }
    *out_unit = unit;
    return true;
}

static const char noncharacter_message[] =
    "the string holds a Unicode noncharacter, which I-JSON forbids: leave it out";

/* Behind `\u`: one escape, or the two of a surrogate pair. */
static bool scan_unicode_escape(struct scan *scan)
{
    const unsigned char *start = scan->at - 2;
    uint32_t point;
    if (!scan_hex4(scan, &point)) {
        return false;
    }
    if (point >= 0xD800 && point <= 0xDFFF) {
        uint32_t low = 0;
        bool has_second = point < 0xDC00 && scan->end - scan->at >= 2 && scan->at[0] == '\\' &&
                          scan->at[1] == 'u';
        if (has_second) {
            scan->at += 2;
            if (!scan_hex4(scan, &low)) {
                return false;
            }
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return fail(scan, start, "invalid_json",
                        "the string holds a lone surrogate, half of a character: send both halves "
                        "or the character itself");
        }
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    if (formats_is_noncharacter(point)) {
        return fail(scan, start, "invalid_json", noncharacter_message);
    }
    return true;
}

static bool scan_escape(struct scan *scan)
{
    scan->at++;
    if (scan->at < scan->end) {
        switch (*scan->at) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            scan->at++;
            return true;
        case 'u':
            scan->at++;
            return scan_unicode_escape(scan);
        default:
            break;
        }
    }
    return fail_syntax(scan, "unknown escape in a string: write a backslash as `\\\\`");
}

static bool scan_wide_characters(struct scan *scan)
{
    while (scan->at < scan->end && *scan->at >= 0x80) {
        uint32_t point;
        size_t length = formats_read_utf8(scan->at, (size_t)(scan->end - scan->at), &point);
        if (length == 0) {
            return fail_syntax(scan, "the text is not UTF-8 here: send UTF-8");
        }
        if (formats_is_noncharacter(point)) {
            return fail_syntax(scan, noncharacter_message);
        }
        scan->at += length;
    }
    return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scan *scan)
{
    scan->at++;
    for (;;) {
        skip_plain(scan);
        if (scan->at >= scan->end) {
            return fail_syntax(scan, "the text ends inside a string: close it with `\"`");
        }
        if (*scan->at == '"') {
            scan->at++;
            return true;
        }
        if (*scan->at == '\\') {
            if (!scan_escape(scan)) {
                return false;
            }
        } else if (*scan->at < 0x20) {
            return fail_syntax(
                scan,
                "a control character inside a string must be escaped, like `\\n` or `\\u0000`");
        } else if (!scan_wide_characters(scan)) {
            return false;
        }
    }
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(scan)) {
        return fail_syntax(scan, "a digit must follow here in a number");
    }
    while (is_digit(scan)) {
        scan->at++;
    }
    return true;
}

static bool scan_number(struct scan *scan)
{
    const unsigned char *start = scan->at;
    scan->at += *scan->at == '-';
    const unsigned char *first_digit = scan->at;
    if (!scan_digits(scan)) {
        return false;
    }
    if (*first_digit == '0' && scan->at - first_digit > 1) {
        scan->at = first_digit;
        return fail_syntax(scan, "a number must not begin with a zero");
    }
    bool is_integer = true;
    if (scan->at < scan->end && *scan->at == '.') {
        is_integer = false;
        scan->at++;
        if (!scan_digits(scan)) {
            return false;
        }
    }
    /* Up to 15 digits without an exponent: never inexact (DBL_DIG), and most numbers are. */
    bool needs_check = scan->at - first_digit > 15;
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        is_integer = false;
        needs_check = true;
        scan->at++;
        scan->at += scan->at < scan->end && (*scan->at == '+' || *scan->at == '-');
        if (!scan_digits(scan)) {
            return false;
        }
    }
    if (needs_check && !formats_is_exact_number((const char *)start, (size_t)(scan->at - start))) {
        return fail(scan, start, "inexact_number",
                    "the number has more digits than a 64-bit float keeps, so what is approved "
                    "would not be what was sent: send it as a string");
    }
    scan->has_wide_integer |= is_integer && scan->at - first_digit > 18;
    return true;
}

static bool scan_word(struct scan *scan, const char *word, size_t length)
{
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) {
        return fail_syntax(scan, "a value must stand here: an object, array, string, number, "
                                 "`true`, `false` or `null`");
    }
    scan->at += length;
    return true;
}

static bool open_container(struct scan *scan, bool is_object)
{
    if (scan->depth == JSON_DEPTH_MAX) {
        return fail(scan, scan->at, "too_deep", "more than 64 levels: send something flatter");
    }
    scan->depth++;
    scan->is_object = scan->is_object << 1 | is_object;
    scan->at++;
    return true;
}

static void close_container(struct scan *scan)
{
    scan->depth--;
    scan->is_object >>= 1;
    scan->at++;
}

/* At a value. Opening a container counts as a step, its members follow in later ones. */
static bool scan_value(struct scan *scan, enum want *want)
{
    *want = WANT_COMMA_OR_END;
    switch (*scan->at) {
    case '"':
        return scan_string(scan);
    case '{':
        *want = WANT_NAME_OR_END;
        return open_container(scan, true);
    case '[':
        *want = WANT_VALUE_OR_END;
        return open_container(scan, false);
    case 't':
        return scan_word(scan, "true", 4);
    case 'f':
        return scan_word(scan, "false", 5);
    case 'n':
        return scan_word(scan, "null", 4);
    default:
        if (*scan->at == '-' || is_digit(scan)) {
            return scan_number(scan);
        }
        return scan_word(scan, "", SIZE_MAX);
    }
}

static bool scan_name(struct scan *scan, enum want *want)
{
    if (*scan->at != '"') {
        return fail_syntax(scan, "the name of a member must stand here, in double quotes");
    }
    if (!scan_string(scan)) {
        return false;
    }
    skip_space(scan);
    if (scan->at >= scan->end || *scan->at != ':') {
        return fail_syntax(scan, "`:` must follow the name of a member");
    }
    scan->at++;
    *want = WANT_VALUE;
    return true;
}

static bool scan_behind_value(struct scan *scan, enum want *want)
{
    bool is_object = (scan->is_object & 1) != 0;
    if (*scan->at == ',') {
        scan->at++;
        *want = is_object ? WANT_NAME : WANT_VALUE;
        return true;
    }
    if (*scan->at == (is_object ? '}' : ']')) {
        close_container(scan);
        return true;
    }
    return fail_syntax(scan, is_object ? "`,` or `}` must follow the value of a member"
                                       : "`,` or `]` must follow an element");
}

static bool scan_step(struct scan *scan, enum want *want)
{
    switch (*want) {
    case WANT_NAME_OR_END:
    case WANT_VALUE_OR_END:
        if (*scan->at == (*want == WANT_NAME_OR_END ? '}' : ']')) {
            close_container(scan);
            *want = WANT_COMMA_OR_END;
            return true;
        }
        return *want == WANT_NAME_OR_END ? scan_name(scan, want) : scan_value(scan, want);
    case WANT_NAME:
        return scan_name(scan, want);
    case WANT_VALUE:
        return scan_value(scan, want);
    case WANT_COMMA_OR_END:
        return scan_behind_value(scan, want);
    }
    return false;
}

static bool scan_text(struct scan *scan)
{
    if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0) {
        return fail_syntax(scan, "the text begins with a byte order mark: leave it out");
    }
    enum want want = WANT_VALUE;
    for (;;) {
        skip_space(scan);
        bool is_whole = scan->depth == 0 && want == WANT_COMMA_OR_END;
        if (scan->at == scan->end) {
            return is_whole ||
                   fail_syntax(scan, scan->start == scan->end
                                         ? "the text is empty: send a JSON value"
                                         : "the text ends too early: close what is open");
        }
        if (is_whole) {
            return fail_syntax(scan, "nothing may follow the value");
        }
        if (!scan_step(scan, &want)) {
            return false;
        }
    }
}

bool formats_scan_json(const char *bytes, size_t length, bool *out_has_wide_integer,
                       struct error *error)
{
    const unsigned char *start = (const unsigned char *)bytes;
    struct scan scan = {.start = start, .at = start, .end = start + length};
    if (!scan_text(&scan)) {
        return formats_fail_json(bytes, (size_t)(scan.fault_at - start), false, scan.code,
                                 scan.message, error);
    }
    *out_has_wide_integer = scan.has_wide_integer;
    return true;
}
