#include "loop/http_internal.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* application/x-www-form-urlencoded (WHATWG URL section 5), strictly: a broken escape is an error,
 * not text. */

static bool decode(const char *text, size_t length, struct builder *out)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '+') {
            builder_char(out, ' ');
        } else if (text[i] != '%') {
            builder_char(out, text[i]);
        } else {
            int high = i + 2 < length ? http_hex_value(text[i + 1]) : -1;
            int low = i + 2 < length ? http_hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0 || high * 16 + low == 0) {
                return false;
            }
            builder_char(out, (char)(high * 16 + low));
            i += 2;
        }
    }
    return !builder_failed(out);
}

static bool invalid(struct error *error)
{
    return error_set(error, ERROR_INVALID, "invalid_parameter", NULL,
                     "a query parameter has a broken percent escape, a NUL or too many bytes");
}

/* Splits off the next `name=value`; false at the end. Empty pieces are skipped. */
static bool next_pair(const char **rest, const char **out_name, size_t *out_name_length,
                      const char **out_value, size_t *out_value_length)
{
    const char *pair = *rest + strspn(*rest, "&");
    if (*pair == '\0') {
        return false;
    }
    size_t length = strcspn(pair, "&");
    const char *equals = memchr(pair, '=', length);
    *out_name = pair;
    *out_name_length = equals == NULL ? length : (size_t)(equals - pair);
    *out_value = equals == NULL ? pair + length : equals + 1;
    *out_value_length = (size_t)(pair + length - *out_value);
    *rest = pair + length;
    return true;
}

bool http_query_each(const struct http_exchange *exchange,
                     bool (*visit)(void *context, const char *name, const char *value),
                     void *context, struct error *error)
{
    const char *rest = http_query(exchange);
    const char *name = NULL;
    const char *value = NULL;
    size_t name_length = 0;
    size_t value_length = 0;
    struct builder decoded_name BUILDER_SCOPE;
    struct builder decoded_value BUILDER_SCOPE;
    builder_init(&decoded_name, 0);
    builder_init(&decoded_value, 0);
    while (next_pair(&rest, &name, &name_length, &value, &value_length)) {
        builder_clear(&decoded_name);
        builder_clear(&decoded_value);
        if (!decode(name, name_length, &decoded_name) ||
            !decode(value, value_length, &decoded_value)) {
            return invalid(error);
        }
        if (!visit(context, decoded_name.bytes, decoded_value.bytes)) {
            break;
        }
    }
    return true;
}

struct wanted {
    const char *name;
    struct builder *out;
    int count;
};

static bool take_wanted(void *context, const char *name, const char *value)
{
    struct wanted *wanted = context;
    if (strcmp(name, wanted->name) == 0 && wanted->count++ == 0) {
        builder_text(wanted->out, value);
    }
    return true;
}

bool http_query_value(const struct http_exchange *exchange, const char *name, struct builder *out,
                      bool *out_is_present, struct error *error)
{
    struct wanted wanted = {.name = name, .out = out};
    if (!http_query_each(exchange, take_wanted, &wanted, error)) {
        return false;
    }
    if (builder_failed(out)) {
        return invalid(error);
    }
    if (wanted.count > 1) {
        return error_set(error, ERROR_INVALID, "duplicate_parameter", name,
                         "send the query parameter `%s` only once", name);
    }
    *out_is_present = wanted.count == 1;
    return true;
}
