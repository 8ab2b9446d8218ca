#include <jansson.h>

#include "formats/json.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/formats_internal.h"
#include "formats/text.h"
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* A document and its root are one object: `struct json` and `struct json_document` are a json_t. */
static const json_t *node(const struct json *value)
{
    return (const json_t *)value;
}

static const struct json *lend(const json_t *value)
{
    return (const struct json *)value;
}

/* Random per process, so that nobody can choose names that fall into one bucket. */
static void seed_hash(void)
{
    uint32_t seed = 0;
    CHECK(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    json_object_seed(seed | 1); /* 0 would leave the choice to jansson */
}

static bool refuse_parsed(const char *bytes, size_t length, const json_error_t *fault,
                          struct error *error)
{
    size_t offset = fault->position < 0 ? 0 : (size_t)fault->position;
    offset = offset > length ? length : offset;
    switch (json_error_code(fault)) {
    case json_error_out_of_memory:
        memory_exhausted(length);
    case json_error_duplicate_key:
        return formats_fail_json(bytes, offset, true, "duplicate_name",
                                 "the object has two members of this name: leave one out", error);
    case json_error_null_byte_in_key:
        return formats_fail_json(bytes, offset, true, "invalid_json",
                                 "the name of a member must not hold `\\u0000`", error);
    case json_error_unknown:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_utf8:
    case json_error_premature_end_of_input:
    case json_error_end_of_input_expected:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_character:
    case json_error_null_value:
    case json_error_numeric_overflow:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return formats_fail_json(bytes, offset, false, "invalid_json", fault->text, error);
}

struct json_document *json_parse(const char *bytes, size_t length, struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, seed_hash);
    if (length > JSON_BYTES_MAX) {
        error_set(error, ERROR_INVALID, "too_long", NULL, "the JSON text is longer than %d bytes",
                  JSON_BYTES_MAX);
        return NULL;
    }
    bool has_wide_integer = false;
    if (!formats_scan_json(bytes, length, &has_wide_integer, error)) {
        return NULL;
    }
    size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
    /* jansson refuses integers past 64 bits; the scan has let through only exact doubles. */
    flags |= has_wide_integer ? JSON_DECODE_INT_AS_REAL : 0;
    json_error_t fault;
    json_t *root = json_loadb(bytes, length, flags, &fault);
    if (root == NULL) {
        (void)refuse_parsed(bytes, length, &fault, error);
    }
    return (struct json_document *)root;
}

void json_destroy(struct json_document *document)
{
    json_decref((json_t *)document);
}

void json_destroy_pointer(struct json_document **document)
{
    json_destroy(*document);
    *document = NULL;
}

const struct json *json_root(const struct json_document *document)
{
    return (const struct json *)document;
}

enum json_type json_type_of(const struct json *value)
{
    if (value == NULL) {
        return JSON_TYPE_ABSENT;
    }
    switch (json_typeof(node(value))) {
    case JSON_OBJECT:
        return JSON_TYPE_OBJECT;
    case JSON_ARRAY:
        return JSON_TYPE_ARRAY;
    case JSON_STRING:
        return JSON_TYPE_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return JSON_TYPE_NUMBER;
    case JSON_TRUE:
        return JSON_TYPE_TRUE;
    case JSON_FALSE:
        return JSON_TYPE_FALSE;
    case JSON_NULL:
        return JSON_TYPE_NULL;
    }
    return JSON_TYPE_ABSENT;
}

const struct json *json_member(const struct json *object, const char *name)
{
    return lend(json_object_get(node(object), name));
}

size_t json_count(const struct json *container)
{
    const json_t *value = node(container);
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

const struct json *json_element(const struct json *array, size_t index)
{
    return lend(json_array_get(node(array), index));
}

const char *json_text(const struct json *string)
{
    return json_string_value(node(string));
}

size_t json_text_length(const struct json *string)
{
    return json_string_length(node(string));
}

double json_number(const struct json *number)
{
    return json_number_value(node(number));
}

bool json_read_integer(const struct json *number, int64_t *out_integer)
{
    const double most = 9007199254740991.0; /* 2^53 - 1 */
    double value = json_number_value(node(number));
    if (!json_is_number(node(number)) || value != trunc(value) || fabs(value) > most) {
        return false;
    }
    *out_integer = (int64_t)value;
    return true;
}

/* jansson iterates without writing, but its signatures are not const. */
static json_t *writable(const struct json *value)
{
    union {
        const struct json *lent;
        json_t *own;
    } both = {.lent = value};
    return both.own;
}

bool json_each_member(const struct json *object, json_visitor visit, void *context)
{
    json_t *members = writable(object);
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        if (!visit(context, json_object_iter_key(at), lend(json_object_iter_value(at)))) {
            return false;
        }
    }
    return true;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_member(const char *pointer, const char *name, const char *const *names,
                          struct error *error)
{
    struct builder subject BUILDER_SCOPE;
    builder_init(&subject, 0);
    builder_text(&subject, pointer);
    json_pointer_append(&subject, name);
    struct builder hint BUILDER_SCOPE;
    builder_init(&hint, 0);
    builder_text(&hint, "unknown member `");
    text_append_visible(&hint, name, text_cut(name, 40));
    builder_text(&hint, "`: ");
    const char *nearest = text_nearest_word(name, names);
    if (nearest != NULL) {
        builder_printf(&hint, "did you mean `%s`?", nearest);
    } else if (names[0] != NULL) {
        builder_text(&hint, "known are ");
        formats_list_words(&hint, names);
    } else {
        builder_text(&hint, "leave it out");
    }
    subject.bytes[text_cut(subject.bytes, sizeof error->subject - 1)] = '\0';
    return error_set(error, ERROR_INVALID, "unknown_member", subject.bytes, "%s", hint.bytes);
}

bool json_only_members(const struct json *object, const char *pointer, const char *const *names,
                       struct error *error)
{
    json_t *members = writable(object);
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        if (!is_one_of(json_object_iter_key(at), names)) {
            return refuse_member(pointer, json_object_iter_key(at), names, error);
        }
    }
    return true;
}

void json_pointer_append(struct builder *pointer, const char *name)
{
    builder_char(pointer, '/');
    for (; *name != '\0'; name++) {
        if (*name == '~') {
            builder_text(pointer, "~0");
        } else if (*name == '/') {
            builder_text(pointer, "~1");
        } else {
            builder_char(pointer, *name);
        }
    }
}
