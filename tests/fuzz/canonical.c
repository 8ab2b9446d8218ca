/* Canonical text is read back, and its canonical text is itself. */

#include "formats/canonical.h"
#include "base/check.h"
#include "formats/text.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static bool canonicalize(const char *bytes, size_t length, struct builder *out)
{
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, NULL);
    if (document != NULL) {
        canonical_append(out, json_root(document));
    }
    return document != NULL;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct builder once BUILDER_SCOPE;
    builder_init(&once, 0);
    if (!canonicalize((const char *)bytes, length, &once)) {
        return 0;
    }
    struct builder twice BUILDER_SCOPE;
    builder_init(&twice, 0);
    CHECK(text_is_utf8(once.bytes, once.length));
    CHECK(canonicalize(once.bytes, once.length, &twice));
    CHECK(once.length == twice.length && memcmp(once.bytes, twice.bytes, once.length) == 0);
    return 0;
}
