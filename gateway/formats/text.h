#ifndef FORMATS_TEXT_H
#define FORMATS_TEXT_H

/* Small text forms: base64 and base64url (RFC 4648, url form without padding), hex, times (RFC 3339
 * UTC with milliseconds), durations as rules and options write them (`90s`, `15m`, `2h`, `1d`),
 * UTF-8 checks. */

#include "base/builder.h"
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { TIME_TEXT_BYTES = 25 }; /* 2026-11-24T06:24:23.123Z and NUL */

void text_append_base64url(struct builder *out, const unsigned char *bytes, size_t length);
void text_append_base64(struct builder *out, const unsigned char *bytes, size_t length);
void text_append_hex(struct builder *out, const unsigned char *bytes, size_t length);
/* Strict decoders: no white space, canonical trailing bits, exact padding rule. False with nothing
 * written to out_length when the text is not of the form or longer than `bytes_max`. */
bool text_read_base64url(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                         size_t *out_length) MUST_CHECK;
bool text_read_base64(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                      size_t *out_length) MUST_CHECK;
bool text_read_hex(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                   size_t *out_length) MUST_CHECK;

void text_write_time(int64_t wall_ms, char out[TIME_TEXT_BYTES]);
bool text_read_time(const char *text, int64_t *out_wall_ms) MUST_CHECK;
/* `15m` -> 900000. One number and one unit of ms, s, m, h, d; false otherwise or past 400 days. */
bool text_read_duration(const char *text, int64_t *out_ms) MUST_CHECK;
/* 900000 -> "15m", the largest unit that is exact. */
void text_append_duration(struct builder *out, int64_t ms);

bool text_is_utf8(const char *bytes, size_t length);
/* The length of the longest beginning of UTF-8 `text` of at most `bytes_max` bytes that cuts no
 * character in two. */
size_t text_cut(const char *text, size_t bytes_max);
/* Appends the text with characters that could mislead a reader (controls, bidi, zero-width, other
 * default-ignorables, odd spaces, marks that sit on nothing or pile up) written as visible
 * `\u{202e}`; nothing is stripped. Returns how many were. */
size_t text_append_visible(struct builder *out, const char *bytes, size_t length);
/* Words in which letters of Latin stand beside letters that look like them (Greek, Cyrillic,
 * Armenian, Cherokee), each once, with the odd ones named: `pаypal (а U+0430)`. `words` is the
 * caller's, initialised; it may be called for several texts. */
enum { TEXT_MIXED_WORDS_MAX = 5 };
struct text_mixed {
    struct builder words;
    size_t count;
    bool has_more;
};
void text_find_mixed(struct text_mixed *mixed, const char *text, size_t length);
/* Bytes equal to glob `pattern`: `*` any run within a segment, `**` across segments, everything
 * else literal. Segments end at `separator`. Linear time and memory whatever the pattern: see
 * text.c. */
bool text_matches_glob(const char *pattern, const char *text, char separator);
/* The nearest of the NULL-terminated `known` words within a third of its length, else NULL: for
 * "did you mean". */
const char *text_nearest_word(const char *word, const char *const *known);

#endif
