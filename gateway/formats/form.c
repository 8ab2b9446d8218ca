#include "formats/form.h"

#include "base/builder.h"
#include "formats/text.h"
#include <string.h>

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

const char *form_decode(const char *bytes, size_t length, struct arena *arena)
{
    char *text = arena_alloc(arena, length + 1);
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        int character = (unsigned char)bytes[i];
        if (character == '+') {
            character = ' ';
        } else if (character == '%') {
            int high = i + 2 < length ? hex_value(bytes[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(bytes[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return NULL;
            }
            character = high * 16 + low;
            i += 2;
        }
        if (character < 0x20 || character == 0x7f) {
            return NULL;
        }
        text[count++] = (char)character;
    }
    text[count] = '\0';
    return text_is_utf8(text, count) ? text : NULL;
}

static bool refuse(struct error *error, const char *name, const char *what)
{
    return error_set(error, ERROR_INVALID, "invalid_form", name, "%s", what);
}

static bool add_field(const char *bytes, size_t length, struct arena *arena, struct form *form,
                      struct error *error)
{
    const char *equals = memchr(bytes, '=', length);
    size_t name_length = equals == NULL ? length : (size_t)(equals - bytes);
    const char *name = form_decode(bytes, name_length, arena);
    const char *value =
        equals == NULL ? "" : form_decode(equals + 1, length - name_length - 1, arena);
    if (name == NULL || value == NULL || name[0] == '\0') {
        return refuse(error, NULL, "the form has a part that is not percent-encoded text");
    }
    if (form_value(form, name) != NULL) {
        return refuse(error, name, "the form has a parameter twice; each may be given once");
    }
    if (form->count == FORM_FIELDS_MAX) {
        return refuse(error, name, "the form has too many parameters");
    }
    form->fields[form->count].name = name;
    form->fields[form->count++].value = value;
    return true;
}

bool form_read(const char *bytes, size_t length, struct arena *arena, struct form *out,
               struct error *error)
{
    out->count = 0;
    if (length > FORM_BYTES_MAX) {
        return refuse(error, NULL, "the form is too long");
    }
    for (size_t start = 0; start < length;) {
        const char *end = memchr(bytes + start, '&', length - start);
        size_t size = end == NULL ? length - start : (size_t)(end - bytes) - start;
        if (!add_field(bytes + start, size, arena, out, error)) {
            return false;
        }
        start += size + 1;
    }
    return true;
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0) {
            return form->fields[i].value;
        }
    }
    return NULL;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
}

const char *form_encode(const char *text, struct arena *arena)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            builder_char(&out, *text);
        } else {
            builder_printf(&out, "%%%02X", (unsigned)(unsigned char)*text);
        }
    }
    return arena_copy(arena, out.bytes, out.length);
}
