#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include <stdio.h>
#include <string.h>

/* What happens to a request before its end: edits by approvers, questions and answers. Untrusted
 * text, so all of it is printed with misleading characters visible. */

static void print_text(FILE *out, const char *text, size_t length)
{
    struct builder visible BUILDER_SCOPE;
    builder_init(&visible, 0);
    text_append_visible(&visible, text, length);
    fwrite(visible.bytes, 1, visible.length, out);
}

static void print_compact(FILE *out, const struct json *value)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append(&text, value);
    print_text(out, text.bytes, text.length);
}

static void print_change(FILE *out, const struct json *change)
{
    const char *path = cli_text(change, "path");
    const struct json *from = json_member(change, "from");
    const struct json *to = json_member(change, "to");
    fputs("  ", out);
    print_text(out, path[0] == '\0' ? "(all arguments)" : path,
               strlen(path[0] == '\0' ? "(all arguments)" : path));
    fputs(": ", out);
    if (from == NULL) {
        fputs("(not there)", out);
    } else {
        print_compact(out, from);
    }
    fputs(" -> ", out);
    if (to == NULL) {
        fputs("(gone)", out);
    } else {
        print_compact(out, to);
    }
    fputc('\n', out);
}

static void print_edit(FILE *out, const struct json *edit)
{
    const struct json *changes = json_member(edit, "changes");
    const char *reason = cli_text(edit, "reason");
    fprintf(out, "edited by %s, revision %.0f%s", cli_text(edit, "person"),
            json_number(json_member(edit, "revision")), reason[0] == '\0' ? "" : ": ");
    print_text(out, reason, strlen(reason));
    fputc('\n', out);
    if (json_type(changes) != JSON_TYPE_ARRAY) {
        fputs("  (erased after its retention time)\n", out);
    }
    for (size_t i = 0; i < json_count(changes); i++) {
        print_change(out, json_element(changes, i));
    }
}

size_t cli_print_edits(FILE *out, const struct json *request, size_t told)
{
    const struct json *edits = json_member(request, "edits");
    for (size_t i = told; i < json_count(edits); i++) {
        print_edit(out, json_element(edits, i));
    }
    return json_count(edits);
}

void cli_print_question(FILE *out, const struct json *question)
{
    const char *text = cli_text(question, "text");
    fprintf(out, "question from %s: ", cli_text(question, "name"));
    print_text(out, text, strlen(text));
    fputc('\n', out);
}
