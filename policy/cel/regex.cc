#include "policy/cel/regex.h"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <re2/re2.h>
#include <re2/stringpiece.h>

/* StringPiece is RE2's own class in Debian 12 and another name of Abseil's in Debian 13. */
struct cel_regex {
    RE2 compiled;

    cel_regex(re2::StringPiece pattern, const RE2::Options &options) : compiled(pattern, options)
    {
    }
};

struct cel_regex *cel_regex_create(const char *pattern, size_t length, size_t memory_bytes,
                                   char problem[CEL_REGEX_PROBLEM_BYTES])
{
    try {
        RE2::Options options;
        options.set_encoding(RE2::Options::EncodingUTF8);
        options.set_log_errors(false);
        options.set_max_mem(static_cast<int64_t>(memory_bytes));
        options.set_never_capture(true);
        cel_regex *regex = new cel_regex(re2::StringPiece(pattern, length), options);
        if (regex->compiled.ok()) {
            return regex;
        }
        std::snprintf(problem, CEL_REGEX_PROBLEM_BYTES, "%s", regex->compiled.error().c_str());
        delete regex;
    } catch (...) {
        std::snprintf(problem, CEL_REGEX_PROBLEM_BYTES, "out of memory");
    }
    return nullptr;
}

void cel_regex_destroy(struct cel_regex *regex)
{
    delete regex;
}

bool cel_regex_matches(const struct cel_regex *regex, const char *text, size_t length)
{
    try {
        return regex->compiled.Match(re2::StringPiece(text, length), 0, length, RE2::UNANCHORED,
                                     nullptr, 0);
    } catch (...) {
        /* Only memory can run out here; as everywhere, that ends the process by design. */
        std::fputs("out of memory\n", stderr);
        std::abort();
    }
}

int cel_regex_program_size(const struct cel_regex *regex)
{
    return regex->compiled.ProgramSize();
}
