#include "formats/canonical.h"

#include "base/check.h"
#include <string.h>

void canonical_begin(struct canonical_writer *writer, struct builder *out)
{
    writer->out = out;
    writer->depth = 0;
    writer->needs_comma[0] = false;
    writer->last_name[0][0] = '\0';
}

/* Between two elements of an array; members get theirs in front of the name. */
static void before_value(struct canonical_writer *writer)
{
    bool *needs_comma = &writer->needs_comma[writer->depth];
    if (*needs_comma) {
        builder_char(writer->out, ',');
    }
    *needs_comma = true;
}

static void open_level(struct canonical_writer *writer, char bracket)
{
    before_value(writer);
    builder_char(writer->out, bracket);
    CHECK(writer->depth + 1 < CANONICAL_WRITER_DEPTH_MAX);
    writer->depth++;
    writer->needs_comma[writer->depth] = false;
    writer->last_name[writer->depth][0] = '\0';
}

static void close_level(struct canonical_writer *writer, char bracket)
{
    CHECK(writer->depth > 0);
    writer->depth--;
    builder_char(writer->out, bracket);
}

void canonical_open_object(struct canonical_writer *writer)
{
    open_level(writer, '{');
}

void canonical_close_object(struct canonical_writer *writer)
{
    close_level(writer, '}');
}

void canonical_open_array(struct canonical_writer *writer)
{
    open_level(writer, '[');
}

void canonical_close_array(struct canonical_writer *writer)
{
    close_level(writer, ']');
}

void canonical_name(struct canonical_writer *writer, const char *name)
{
    char *last_name = writer->last_name[writer->depth];
    size_t length = strlen(name);
    CHECK(length > 0 && length < sizeof writer->last_name[0]);
    CHECK(strcmp(last_name, name) < 0);
    memcpy(last_name, name, length + 1);
    before_value(writer);
    canonical_append_string(writer->out, name, length);
    builder_char(writer->out, ':');
    /* The value belongs to the name: no comma between them. */
    writer->needs_comma[writer->depth] = false;
}

void canonical_string(struct canonical_writer *writer, const char *text)
{
    before_value(writer);
    canonical_append_string(writer->out, text, strlen(text));
}

void canonical_integer(struct canonical_writer *writer, int64_t integer)
{
    const int64_t most = (INT64_C(1) << 53) - 1;
    CHECK(integer >= -most && integer <= most);
    before_value(writer);
    canonical_append_number(writer->out, (double)integer);
}

void canonical_bool(struct canonical_writer *writer, bool value)
{
    before_value(writer);
    builder_text(writer->out, value ? "true" : "false");
}

void canonical_null(struct canonical_writer *writer)
{
    before_value(writer);
    builder_text(writer->out, "null");
}

void canonical_raw(struct canonical_writer *writer, const char *canonical_bytes, size_t length)
{
    before_value(writer);
    builder_append(writer->out, canonical_bytes, length);
}

void canonical_member_text(struct canonical_writer *writer, const char *name, const char *text)
{
    if (text != NULL) {
        canonical_name(writer, name);
        canonical_string(writer, text);
    }
}

void canonical_member_integer(struct canonical_writer *writer, const char *name, int64_t integer)
{
    canonical_name(writer, name);
    canonical_integer(writer, integer);
}

void canonical_member_bool(struct canonical_writer *writer, const char *name, bool value)
{
    canonical_name(writer, name);
    canonical_bool(writer, value);
}

void canonical_member_raw(struct canonical_writer *writer, const char *name,
                          const char *canonical_bytes, size_t length)
{
    canonical_name(writer, name);
    canonical_raw(writer, canonical_bytes, length);
}
