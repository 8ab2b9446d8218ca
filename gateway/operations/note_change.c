#include "formats/text.h"
#include "ledger/entry_data.h"
#include "operations/people_internal.h"
#include <string.h>

bool check_name(const char *name, const char *what, struct error *error)
{
    return identity_is_name(name) ||
           error_set(error, ERROR_INVALID, "bad_name", name,
                     "`%.64s` cannot name %s: use 1 to 64 of a-z, 0-9, dot, underscore and hyphen, "
                     "beginning with a letter or digit",
                     name, what);
}

static bool has_controls(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

bool check_text(const char *text, size_t bytes_max, const char *what, const char *code,
                struct error *error)
{
    if (text == NULL) {
        return true;
    }
    size_t length = strlen(text);
    return (length > 0 && length <= bytes_max && text_is_utf8(text, length) &&
            !has_controls(text)) ||
           error_set(error, ERROR_INVALID, code, NULL,
                     "%s must be 1 to %zu bytes of UTF-8 text without control characters", what,
                     bytes_max);
}

bool check_count(size_t count, size_t most, const char *what, struct error *error)
{
    return count <= most ||
           error_set(error, ERROR_LIMIT, "too_many", NULL,
                     "%zu %s are more than the %zu there may be", count, what, most);
}

size_t page_size(size_t limit)
{
    return limit == 0 || limit > PEOPLE_PAGE_MAX ? PEOPLE_PAGE_MAX : limit;
}

bool note_change(struct operation *operation, const struct change *change, struct error *error)
{
    size_t most = sizeof change->changed / sizeof change->changed[0];
    const char *items[sizeof change->changed / sizeof change->changed[0]];
    struct ledger_texts changed = {.items = items};
    for (size_t i = 0; i < most; i++) {
        if (change->changed[i] != NULL) {
            items[changed.count++] = change->changed[i];
        }
    }
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_changed(&data, change->id, change->owner, changed);
    struct record record = {.type = change->type, .data = &data};
    return record_entry(operation, &record, error);
}
