/* RFC 8785 against the vectors of ../shared/conformance/jcs: `jcs FOLDER` prints each case that
 * fails, then `jcs: N/M`; exit 1 unless all passed. */

#include "base/builder.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, LINE_BYTES_MAX = 128 };

static int passed;
static int total;

static void count(bool is_right, const char *name, const char *expected, const char *actual)
{
    total++;
    passed += is_right;
    if (!is_right) {
        printf("FAIL %s\n  expected %s\n  actual   %s\n", name, expected, actual);
    }
}

static bool read_file(const char *folder, const char *name, struct builder *out)
{
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    builder_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.bytes, "rb");
    if (file == NULL) {
        count(false, path.bytes, "a file", "none");
        return false;
    }
    char block[4096];
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;) {
        builder_append(out, block, length);
    }
    fclose(file);
    return !builder_failed(out);
}

/* The bytes of a file that holds them in hex with white space between. */
static bool read_hex_file(const char *folder, const char *name, struct builder *out)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, FILE_BYTES_MAX);
    if (!read_file(folder, name, &text)) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!isspace((unsigned char)text.bytes[i])) {
            text.bytes[kept++] = text.bytes[i];
        }
    }
    size_t length = 0;
    unsigned char *bytes = memory_zeroed(kept, 1);
    bool is_read = text_read_hex(text.bytes, kept, bytes, kept, &length);
    builder_append(out, (const char *)bytes, length);
    free(bytes);
    return is_read;
}

static bool canonicalize(const char *bytes, size_t length, struct builder *out, struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, error);
    if (document != NULL) {
        canonical_append(out, json_root(document));
    }
    return document != NULL;
}

/* Replaces a number that loses digits by what is left of it. */
static void round_number(struct builder *text, const char *sent, const char *kept)
{
    char *at = strstr(text->bytes, sent);
    if (at == NULL) {
        count(false, "values.json", sent, "not there");
        return;
    }
    size_t lost = strlen(sent) - strlen(kept);
    memcpy(at, kept, strlen(kept));
    memset(at + strlen(kept), ' ', lost);
}

/* The vectors hold one number with more digits than a double keeps. Our door refuses it, which is
 * checked; for its canonical form the number is sent as it would be kept. */
static void check_refused_number(const struct builder *text)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    struct error error = {0};
    bool is_refused = !canonicalize(text->bytes, text->length, &out, &error) &&
                      strcmp(error.code, "inexact_number") == 0 &&
                      strcmp(error.subject, "/numbers/0") == 0;
    count(is_refused, "values.json as sent", "inexact_number at /numbers/0",
          error.code == NULL ? "accepted" : error.message);
}

static void check_document(const char *folder, const char *name)
{
    char input_name[LINE_BYTES_MAX];
    char output_name[LINE_BYTES_MAX];
    snprintf(input_name, sizeof input_name, "testdata/input/%s.json", name);
    snprintf(output_name, sizeof output_name, "testdata/outhex/%s.txt", name);
    struct builder input BUILDER_SCOPE;
    builder_init(&input, FILE_BYTES_MAX);
    struct builder expected BUILDER_SCOPE;
    builder_init(&expected, FILE_BYTES_MAX);
    if (!read_file(folder, input_name, &input) || !read_hex_file(folder, output_name, &expected)) {
        return;
    }
    if (strcmp(name, "values") == 0) {
        check_refused_number(&input);
        round_number(&input, "333333333.33333329", "333333333.3333333");
    }
    struct builder actual BUILDER_SCOPE;
    builder_init(&actual, FILE_BYTES_MAX);
    struct error error = {0};
    bool is_right = canonicalize(input.bytes, input.length, &actual, &error) &&
                    actual.length == expected.length &&
                    memcmp(actual.bytes, expected.bytes, expected.length) == 0;
    count(is_right, name, expected.bytes, error.kind == ERROR_NONE ? actual.bytes : error.message);
}

/* One vector a line: `hex-ieee754,expected`. */
static void check_number(char *line)
{
    char *expected = strchr(line, ',');
    if (expected == NULL) {
        count(false, line, "hex,text", "no comma");
        return;
    }
    *expected++ = '\0';
    uint64_t bits = strtoull(line, NULL, 16);
    double number;
    memcpy(&number, &bits, sizeof number);
    struct builder actual BUILDER_SCOPE;
    builder_init(&actual, 0);
    canonical_append_number(&actual, number);
    /* What is written must also be accepted by the door and come out the same. */
    struct builder again BUILDER_SCOPE;
    builder_init(&again, 0);
    struct error error = {0};
    bool is_right = strcmp(actual.bytes, expected) == 0 &&
                    canonicalize(actual.bytes, actual.length, &again, &error) &&
                    strcmp(again.bytes, expected) == 0;
    count(is_right, line, expected, error.kind == ERROR_NONE ? actual.bytes : error.message);
}

static void check_numbers(const char *folder, const char *name)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, FILE_BYTES_MAX);
    if (!read_file(folder, name, &text)) {
        return;
    }
    char *rest = NULL;
    for (char *line = strtok_r(text.bytes, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        check_number(line);
    }
}

/* The binding hashes of the folder's README. */
static const struct binding {
    const char *text;
    const char *hash;
} bindings[] = {
    {"{\"subject\":{\"type\":\"user\",\"id\":\"alice@example.com\"},\"action\":{\"name\":"
     "\"invoke\"},"
     "\"resource\":{\"type\":\"tool\",\"id\":\"crm.search_accounts\"},\"context\":{}}",
     "yNM9XG-K4Bg6xk5KzQd4GU0mYM6gMuDm5AWz0q1YeeM"},
    {"{\"subject\":{\"type\":\"user\",\"id\":\"alice@example.com\"},\"action\":{\"name\":\"tools/"
     "call\","
     "\"properties\":{\"args\":{\"order\":\"A-17\",\"qty\":2.0,\"note\":\"caf\\u00e9 "
     "\\u20ac\\/\\\"q\\\"\"}}},"
     "\"resource\":{\"type\":\"tool\",\"id\":\"payments.refund\",\"properties\":{\"currency\":"
     "\"EUR\","
     "\"amount\":\"125.50\"}},\"context\":{\"env\":\"prod\"}}",
     "j0tMsWNgX3oy4M2HVBySDEpeTJncpgVd2q4uPHWDBP4"},
};

static void check_binding(const struct binding *binding)
{
    struct builder canonical BUILDER_SCOPE;
    builder_init(&canonical, 0);
    struct error error = {0};
    if (!canonicalize(binding->text, strlen(binding->text), &canonical, &error)) {
        count(false, binding->text, binding->hash, error.message);
        return;
    }
    struct sha256 hash = crypto_sha256(canonical.bytes, canonical.length);
    struct builder actual BUILDER_SCOPE;
    builder_init(&actual, 0);
    text_append_base64url(&actual, hash.bytes, sizeof hash.bytes);
    count(strcmp(actual.bytes, binding->hash) == 0, canonical.bytes, binding->hash, actual.bytes);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: jcs FOLDER\n");
        return 2;
    }
    static const char *const documents[] = {"arrays",  "french", "structures",
                                            "unicode", "values", "weird"};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        check_document(arguments[1], documents[i]);
    }
    check_numbers(arguments[1], "es6-numbers-10000.txt");
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        check_binding(&bindings[i]);
    }
    printf("jcs: %d/%d\n", passed, total);
    return passed == total ? EXIT_SUCCESS : EXIT_FAILURE;
}
