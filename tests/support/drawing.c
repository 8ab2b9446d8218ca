#include "tests/support/drawing.h"

#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWING_BYTES_MAX = 64 * 1024 };

static size_t longest(const struct drawing_arrow *arrows, size_t count, bool of_events)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(of_events ? arrows[i].event : arrows[i].next);
        most = length > most ? length : most;
    }
    return most;
}

static void repeat(struct builder *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        builder_text(out, text);
    }
}

static bool is_last_of_state(const struct drawing_arrow *arrows, size_t count, size_t index)
{
    return index + 1 == count || strcmp(arrows[index].state, arrows[index + 1].state) != 0;
}

void drawing_append(struct builder *out, const struct drawing_arrow *arrows, size_t count)
{
    size_t event_width = longest(arrows, count, true);
    size_t next_width = longest(arrows, count, false);
    for (size_t i = 0; i < count; i++) {
        const struct drawing_arrow *arrow = &arrows[i];
        if (i == 0 || strcmp(arrows[i - 1].state, arrow->state) != 0) {
            builder_printf(out, "\n%s\n", arrow->state);
        }
        bool is_last = is_last_of_state(arrows, count, i);
        builder_printf(out, "  %s── %s ", is_last ? "└" : "├", arrow->event);
        repeat(out, "─", event_width - strlen(arrow->event) + 2);
        builder_printf(out, "> %s", arrow->next);
        if (arrow->note[0] != '\0') {
            repeat(out, " ", next_width - strlen(arrow->next));
            builder_printf(out, "  %s", arrow->note);
        }
        builder_text(out, "\n");
    }
}

static char *read_page(const char *path)
{
    char *page = memory_zeroed(DRAWING_BYTES_MAX, 1);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        size_t length = fread(page, 1, DRAWING_BYTES_MAX - 1, file);
        page[length] = '\0';
        fclose(file);
    }
    return page;
}

bool drawing_is_current(const char *path, const char *text)
{
    char *page MEMORY_SCOPE = read_page(path);
    if (strcmp(page, text) == 0) {
        return true;
    }
    const char *shown = page;
    const char *drawn = text;
    printf("%s is not what the table says (-page, +table):\n", path);
    while (*shown != '\0' || *drawn != '\0') {
        size_t shown_length = strcspn(shown, "\n");
        size_t drawn_length = strcspn(drawn, "\n");
        if (shown_length != drawn_length || memcmp(shown, drawn, shown_length) != 0) {
            printf("-%.*s\n+%.*s\n", (int)shown_length, shown, (int)drawn_length, drawn);
        }
        shown += shown_length + (shown[shown_length] == '\n' ? 1 : 0);
        drawn += drawn_length + (drawn[drawn_length] == '\n' ? 1 : 0);
    }
    fflush(stdout); /* a failed check leaves the forked process without flushing */
    return false;
}
