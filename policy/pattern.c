#include "policy/policy_internal.h"

#include "formats/text.h"
#include <string.h>

const char *const field_names[FIELD_COUNT] = {"action", "resource", "subject", "agent", "tenant"};
const char field_separators[FIELD_COUNT] = {'.', '/', '/', '/', '/'};

static const char *find_problem(struct span text)
{
    if (text.length == 0) {
        return "a pattern cannot be empty; write `**` for anything";
    }
    if (text.length > POLICY_PATTERN_BYTES_MAX) {
        return "a pattern is at most 256 bytes long; write a shorter one with `*`";
    }
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte < 0x20 || byte == 0x7f) {
            return "a pattern cannot hold control characters; write `*` in their place";
        }
    }
    if (strstr(text.bytes, "***") != NULL) {
        return "`***` means nothing; write `*` within a segment or `**` across segments";
    }
    return NULL;
}

/* `text` must be followed by a NUL. */
bool pattern_read(struct pattern *out_pattern, struct span text, const char **out_problem)
{
    *out_problem = find_problem(text);
    if (*out_problem != NULL) {
        return false;
    }
    struct pattern pattern = {.kind = PATTERN_EXACT, .text = text};
    const char *first = memchr(text.bytes, '*', text.length);
    if (first != NULL) {
        const char *last = memrchr(text.bytes, '*', text.length);
        const char *end = text.bytes + text.length;
        pattern.prefix = (struct span){text.bytes, (size_t)(first - text.bytes)};
        pattern.suffix = (struct span){last + 1, (size_t)(end - last - 1)};
        pattern.crosses = last == first + 1;
        pattern.kind = last - first <= 1 ? PATTERN_ONE_STAR : PATTERN_GLOB;
    }
    *out_pattern = pattern;
    return true;
}

static bool fits_one_star(const struct pattern *pattern, struct span text, char separator)
{
    size_t fixed = pattern->prefix.length + pattern->suffix.length;
    if (text.length < fixed ||
        memcmp(text.bytes, pattern->prefix.bytes, pattern->prefix.length) != 0 ||
        memcmp(text.bytes + text.length - pattern->suffix.length, pattern->suffix.bytes,
               pattern->suffix.length) != 0) {
        return false;
    }
    return pattern->crosses ||
           memchr(text.bytes + pattern->prefix.length, separator, text.length - fixed) == NULL;
}

bool pattern_matches(const struct pattern *pattern, struct span text, char separator)
{
    switch (pattern->kind) {
    case PATTERN_EXACT:
        return text.length == pattern->text.length &&
               memcmp(text.bytes, pattern->text.bytes, text.length) == 0;
    case PATTERN_ONE_STAR:
        return fits_one_star(pattern, text, separator);
    case PATTERN_GLOB:
        return text_matches_glob(pattern->text.bytes, text.bytes, separator);
    }
    return false;
}
