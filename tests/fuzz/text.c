/* Text forms: what is read is written the same again; made visible, nothing invisible is left;
 * globs end whatever they are. */

#include "formats/text.h"
#include "base/check.h"
#include "base/memory.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

typedef bool (*reader)(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                       size_t *out_length);
typedef void (*writer)(struct builder *out, const unsigned char *bytes, size_t length);

static void check_encoding(const char *text, size_t length, reader read, writer write)
{
    unsigned char *bytes MEMORY_SCOPE = memory_zeroed(length, 1);
    size_t read_length = 0;
    if (read(text, length, bytes, length, &read_length)) {
        struct builder out BUILDER_SCOPE;
        builder_init(&out, 0);
        write(&out, bytes, read_length);
        CHECK(out.length == length && memcmp(out.bytes, text, length) == 0);
    }
}

static void check_visible(const char *text, size_t length)
{
    struct builder once BUILDER_SCOPE;
    builder_init(&once, 0);
    size_t count = text_append_visible(&once, text, length);
    CHECK(text_is_utf8(once.bytes, once.length));
    CHECK(count > 0 || (once.length == length && memcmp(once.bytes, text, length) == 0));
    struct builder twice BUILDER_SCOPE;
    builder_init(&twice, 0);
    CHECK(text_append_visible(&twice, once.bytes, once.length) == 0);
    CHECK(text_is_utf8(text, length) || count > 0);
}

static void check_time(const char *text)
{
    int64_t ms;
    if (text_read_time(text, &ms)) {
        char written[TIME_TEXT_BYTES];
        int64_t again;
        text_write_time(ms, written);
        CHECK(text_read_time(written, &again) && again == ms);
        CHECK(strncmp(text, written, 19) == 0);
    }
    if (text_read_duration(text, &ms)) {
        struct builder out BUILDER_SCOPE;
        builder_init(&out, 0);
        text_append_duration(&out, ms);
        int64_t again;
        CHECK(text_read_duration(out.bytes, &again) && again == ms);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    char *text MEMORY_SCOPE = memory_zeroed(length + 1, 1);
    memcpy(text, bytes, length);
    check_encoding(text, length, text_read_base64, text_append_base64);
    check_encoding(text, length, text_read_base64url, text_append_base64url);
    check_encoding(text, length, text_read_hex, text_append_hex);
    check_visible(text, length);
    check_time(text);
    CHECK(text_cut(text, length) == strlen(text));
    /* The first line is a pattern, the rest a text. */
    char *newline = strchr(text, '\n');
    if (newline != NULL) {
        *newline = '\0';
        bool has_star = strchr(text, '*') != NULL;
        CHECK(text_matches_glob(text, newline + 1, '.') == (strcmp(text, newline + 1) == 0) ||
              has_star);
        CHECK(!has_star || text_matches_glob("**", newline + 1, '.'));
    }
    return 0;
}
