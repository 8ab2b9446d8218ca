/* OAuth's forms: what is read has no name twice, is text, and is found again under its name. */

#include "formats/form.h"
#include "base/check.h"
#include "formats/text.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena = arena_create();
    struct error error = {0};
    struct form form;
    if (form_read((const char *)bytes, length, arena, &form, &error)) {
        CHECK(form.count <= FORM_FIELDS_MAX);
        for (size_t i = 0; i < form.count; i++) {
            const char *name = form.fields[i].name;
            CHECK(name[0] != '\0' && text_is_utf8(name, strlen(name)));
            CHECK(form_value(&form, name) == form.fields[i].value);
        }
    } else {
        CHECK(error.kind == ERROR_INVALID);
    }
    arena_destroy(arena);
    return 0;
}
