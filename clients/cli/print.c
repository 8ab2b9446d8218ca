#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include <stdio.h>
#include <string.h>

const char *cli_text(const struct json *object, const char *name)
{
    const char *text = json_text(json_member(object, name));
    return text == NULL ? "" : text;
}

void cli_print_visible(const char *text)
{
    struct builder visible BUILDER_SCOPE;
    builder_init(&visible, 0);
    text_append_visible(&visible, text, strlen(text));
    fwrite(visible.bytes, 1, visible.length, stdout);
}

/* A string literal of canonical JSON with misleading characters visible; quotes and escapes stay as
 * they are. */
static void print_literal(const struct json *string)
{
    struct builder literal BUILDER_SCOPE;
    struct builder visible BUILDER_SCOPE;
    builder_init(&literal, 0);
    builder_init(&visible, 0);
    canonical_append_string(&literal, json_text(string), json_text_length(string));
    text_append_visible(&visible, literal.bytes, literal.length);
    fwrite(visible.bytes, 1, visible.length, stdout);
}

struct member_printer {
    int indent;
    bool is_first;
};

static bool print_member(void *context, const char *name, const struct json *value)
{
    struct member_printer *printer = context;
    struct builder literal BUILDER_SCOPE;
    struct builder visible BUILDER_SCOPE;
    builder_init(&literal, 0);
    builder_init(&visible, 0);
    canonical_append_string(&literal, name, strlen(name));
    text_append_visible(&visible, literal.bytes, literal.length);
    printf("%s\n%*s%s: ", printer->is_first ? "" : ",", printer->indent, "", visible.bytes);
    printer->is_first = false;
    cli_print_value(value, printer->indent);
    return true;
}

static void print_elements(const struct json *array, int indent)
{
    size_t count = json_count(array);
    for (size_t i = 0; i < count; i++) {
        printf("%s\n%*s", i == 0 ? "" : ",", indent, "");
        cli_print_value(json_element(array, i), indent);
    }
}

void cli_print_value(const struct json *value, int indent)
{
    enum json_type type = json_type(value);
    if (type == JSON_TYPE_STRING) {
        print_literal(value);
        return;
    }
    if ((type != JSON_TYPE_OBJECT && type != JSON_TYPE_ARRAY) || json_count(value) == 0) {
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 0);
        canonical_append(&text, value);
        fwrite(text.bytes, 1, text.length, stdout);
        return;
    }
    bool is_object = type == JSON_TYPE_OBJECT;
    putchar(is_object ? '{' : '[');
    if (is_object) {
        json_each_member(value, print_member,
                         &(struct member_printer){.indent = indent + 2, .is_first = true});
    } else {
        print_elements(value, indent + 2);
    }
    printf("\n%*s%c", indent, "", is_object ? '}' : ']');
}

/* JSON for programs: the gateway's own bytes, not ours. */
void cli_print_json(const struct cli_answer *answer)
{
    fwrite(answer->body.bytes, 1, answer->body.length, stdout);
    putchar('\n');
}

/* What is wrong may name what was sent, or come from the other side: also what would drive a
 * terminal. */
static void complain(const struct builder *said)
{
    struct builder visible BUILDER_SCOPE;
    builder_init(&visible, 0);
    text_append_visible(&visible, said->bytes, said->length);
    fprintf(stderr, "countersign: %s\n", visible.bytes);
}

int cli_print_error(const struct error *error)
{
    struct builder said BUILDER_SCOPE;
    builder_init(&said, 0);
    if (error->line > 0) {
        builder_printf(&said, "%s:%d:%d: ", error->subject, error->line, error->column);
    }
    builder_text(&said, error->message);
    complain(&said);
    return CLI_ERROR;
}

int cli_print_problem(const struct cli_answer *answer)
{
    const struct json *root = answer->document == NULL ? NULL : json_root(answer->document);
    struct builder said BUILDER_SCOPE;
    builder_init(&said, 0);
    if (root == NULL || json_type(root) != JSON_TYPE_OBJECT) {
        builder_printf(&said, "the gateway answered %ld and no reason", answer->status);
        complain(&said);
        return CLI_ERROR;
    }
    const char *pointer = cli_text(json_element(json_member(root, "errors"), 0), "pointer");
    builder_printf(&said, "%s%s%s%s (%ld %s)", cli_text(root, "detail"),
                   pointer[0] == '\0' ? "" : " [at ", pointer, pointer[0] == '\0' ? "" : "]",
                   answer->status, cli_text(root, "code"));
    complain(&said);
    return CLI_ERROR;
}
