/* Whatever comes in, it is read or refused with a place; what the scan lets through, the parser
 * reads, duplicate names and NULs in names apart. */

#include "formats/json.h"
#include "base/check.h"
#include "formats/formats_internal.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static bool visit_member(void *context, const char *name, const struct json *value)
{
    const struct json *object = context;
    CHECK(json_member(object, name) == value);
    return true;
}

/* Bounded by JSON_DEPTH_MAX. */
static void walk(const struct json *value)
{
    switch (json_type(value)) {
    case JSON_TYPE_ARRAY:
        for (size_t i = 0; i < json_count(value); i++) {
            walk(json_element(value, i));
        }
        break;
    case JSON_TYPE_OBJECT: {
        union {
            const struct json *lent;
            void *context;
        } object = {.lent = value};
        CHECK(json_each_member(value, visit_member, object.context));
        break;
    }
    case JSON_TYPE_STRING:
        CHECK(json_text(value)[json_text_length(value)] == '\0');
        break;
    case JSON_TYPE_NUMBER: {
        int64_t integer = 0;
        CHECK(!json_integer(value, &integer) || (double)integer == json_number(value));
        break;
    }
    case JSON_TYPE_ABSENT:
    case JSON_TYPE_NULL:
    case JSON_TYPE_FALSE:
    case JSON_TYPE_TRUE:
        break;
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    struct error error = {0};
    struct json_document *document = json_parse(text, length, &error);
    if (document != NULL) {
        CHECK(error.kind == ERROR_NONE);
        walk(json_root(document));
        json_destroy(document);
        return 0;
    }
    CHECK(error.kind == ERROR_INVALID && error.line >= 1 && error.column >= 1);
    CHECK(error.subject[0] == '\0' || error.subject[0] == '/');
    bool has_wide_integer;
    if (formats_scan_json(text, length, &has_wide_integer, NULL)) {
        CHECK(strcmp(error.code, "duplicate_name") == 0 || strstr(error.message, "u0000") != NULL);
    }
    return 0;
}
