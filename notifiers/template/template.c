#include "notifiers/template/template.h"

#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES_MAX = 4000, NAME_BYTES_MAX = 80, GROWTH_MAX = 6 };

struct filling {
    const struct card *card;
    const struct template_option *options;
    size_t option_count;
    struct arena *arena;
    struct error *error;
};

/* One placeholder, taken apart. */
struct place {
    const char *name;
    bool is_code;
    size_t bytes_max;
};

/* ---- words of a card ---- */

static const char *severity(const struct card *card)
{
    static const char *const words[][2] = {
        {"critical", "critical"}, {"high", "error"}, {"medium", "warning"}, {"low", "info"}};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(words[i][0], card->risk) == 0) {
            return words[i][1];
        }
    }
    return "critical";
}

static const char *priority(const struct card *card)
{
    static const char *const words[][2] = {{"low", "2"}, {"medium", "3"}, {"high", "4"}};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(words[i][0], card->risk) == 0) {
            return words[i][1];
        }
    }
    return "5";
}

static const char *all_facts(const struct card *card, struct arena *arena)
{
    struct card_fact facts[CARD_FACTS_MAX + 12];
    struct builder lines BUILDER_SCOPE;
    size_t count = card_facts(card, arena, facts);
    builder_init(&lines, 0);
    for (size_t i = 0; i < count; i++) {
        builder_printf(&lines, "%s%s: %s", i == 0 ? "" : "\n", facts[i].label, facts[i].value);
    }
    return arena_copy(arena, lines.bytes, lines.length);
}

/* A ``` block has no escapes: a backtick would end it. And what stands in <> some services exchange
 * before they look for blocks: <!channel>, <users/all>, <url|text>. */
static bool is_exchanged(const struct place *place, char sign)
{
    return place->is_code && (sign == '`' || sign == '<');
}

static void append_signs(struct builder *out, const char *value, const struct place *place)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (is_exchanged(place, *at)) {
            builder_printf(out, "\\u{%x}", (unsigned)*at);
        } else {
            builder_char(out, *at);
        }
    }
}

/* Head and tail show also where signs grow when they are exchanged, at most to six bytes each. */
static const char *arguments(const struct filling *filling, const struct place *place)
{
    bool is_whole;
    size_t room = place->bytes_max;
    for (;;) {
        struct builder grown BUILDER_SCOPE;
        builder_init(&grown, 0);
        const char *text = card_arguments(filling->card, room, filling->arena, &is_whole);
        append_signs(&grown, text, place);
        if (grown.length <= place->bytes_max || room <= place->bytes_max / GROWTH_MAX) {
            return text;
        }
        room /= 2;
    }
}

/* NULL: no such name. */
static const char *word(const struct filling *filling, const struct place *place)
{
    const struct card *card = filling->card;
    const struct {
        const char *name, *value;
    } words[] = {
        {"heading", card_heading(card)},
        {"action", card->action},
        {"resource", card->resource},
        {"agent", card->agent},
        {"subject", card->subject},
        {"risk", card->risk},
        {"request", card->request},
        {"digest", card->digest},
        {"link", card->link},
        {"message", card->message},
        {"why", card->why},
        {"state", card->state},
        {"severity", severity(card)},
        {"priority", priority(card)},
        {"event", card->ended_at == 0 ? "trigger" : "resolve"},
        {"outcome", card_outcome(card, filling->arena)},
        {"revision", arena_printf(filling->arena, "%lld", (long long)card->revision)},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].name, place->name) == 0) {
            return words[i].value == NULL ? "" : words[i].value;
        }
    }
    if (strcmp(place->name, "facts") == 0) {
        return all_facts(card, filling->arena);
    }
    return strcmp(place->name, "arguments") == 0 ? arguments(filling, place) : NULL;
}

static const char *option(const struct filling *filling, const char *name)
{
    for (size_t i = 0; i < filling->option_count; i++) {
        if (strcmp(filling->options[i].name, name) == 0) {
            return filling->options[i].value;
        }
    }
    return NULL;
}

/* ---- placeholders ---- */

static bool bad_template(const struct filling *filling, const char *problem, const char *text,
                         size_t length)
{
    struct builder shown BUILDER_SCOPE;
    builder_init(&shown, 0);
    text_append_visible(&shown, text,
                        text_cut(arena_copy(filling->arena, text, length), NAME_BYTES_MAX));
    return error_set(filling->error, ERROR_INVALID, "bad_template", NULL,
                     "`%s` %s: write ${name}, ${name:code}, ${name:200} or ${option.name}; names "
                     "are heading, action, "
                     "resource, agent, subject, risk, request, digest, revision, link, message, "
                     "why, outcome, facts, "
                     "arguments, state, severity, priority, event",
                     shown.bytes, problem);
}

/* `name:code:200` */
static bool read_place(const struct filling *filling, const char *text, size_t length,
                       struct place *out)
{
    char *name = arena_copy(filling->arena, text, length);
    *out = (struct place){.name = name, .bytes_max = VALUE_BYTES_MAX};
    char *filter = strchr(name, ':');
    while (filter != NULL) {
        *filter++ = '\0';
        char *next = strchr(filter, ':');
        size_t size = next == NULL ? strlen(filter) : (size_t)(next - filter);
        if (size == 4 && strncmp(filter, "code", 4) == 0) {
            out->is_code = true;
        } else if (size > 0 && size < 6 && strspn(filter, "0123456789") == size) {
            out->bytes_max = (size_t)strtoul(filter, NULL, 10);
        } else {
            return bad_template(filling, "has a filter that is none", text, length);
        }
        filter = next;
    }
    return true;
}

static void append_value(struct builder *out, const char *value, const struct place *place)
{
    size_t start = out->length;
    append_signs(out, value, place);
    if (out->length - start > place->bytes_max) {
        size_t kept = text_cut(out->bytes + start, place->bytes_max);
        out->length = start + kept;
        out->bytes[out->length] = '\0';
        builder_text(out, " …");
    }
}

/* Appends what the placeholder that begins at `text` ("${…}") stands for; returns its length, 0 for
 * an error. */
static size_t fill_place(const struct filling *filling, struct builder *out, const char *text,
                         size_t length)
{
    const char *end = memchr(text, '}', length < NAME_BYTES_MAX ? length : NAME_BYTES_MAX);
    struct place place;
    if (end == NULL) {
        bad_template(filling, "has no end", text, length);
        return 0;
    }
    size_t inner = (size_t)(end - text) - 2;
    if (!read_place(filling, text + 2, inner, &place)) {
        return 0;
    }
    const char *value = strncmp(place.name, "option.", 7) == 0 ? option(filling, place.name + 7)
                                                               : word(filling, &place);
    if (value == NULL) {
        bad_template(filling, "is not known", text, inner + 3);
        return 0;
    }
    append_value(out, value, &place);
    return inner + 3;
}

static bool fill_string(const struct filling *filling, struct builder *out, const char *text,
                        size_t length)
{
    for (size_t at = 0; at < length;) {
        if (length - at >= 2 && text[at] == '$' && text[at + 1] == '{') {
            size_t taken = fill_place(filling, out, text + at, length - at);
            if (taken == 0) {
                return false;
            }
            at += taken;
        } else {
            builder_char(out, text[at++]);
        }
    }
    return true;
}

/* ---- the document ---- */

static bool fill(const struct filling *filling, struct builder *out, const struct json *value);

static bool fill_text(const struct filling *filling, struct builder *out, const struct json *value)
{
    struct builder filled BUILDER_SCOPE;
    const char *text = json_text(value);
    size_t length = json_text_length(value);
    bool is_number = length > 3 && text[0] == '#' && text[1] == '$';
    builder_init(&filled, 0);
    if (!fill_string(filling, &filled, text + (is_number ? 1 : 0), length - (is_number ? 1 : 0))) {
        return false;
    }
    if (!is_number) {
        canonical_append_string(out, filled.bytes, filled.length);
    } else if (filled.length == 0 || filled.length > 15 ||
               filled.bytes[strspn(filled.bytes, "0123456789")] != '\0') {
        return bad_template(filling, "is no number", text, length);
    } else {
        builder_text(out, filled.bytes);
    }
    return true;
}

struct members {
    const struct filling *filling;
    struct builder *out;
    bool needs_comma;
};

static bool fill_member(void *context, const char *name, const struct json *value)
{
    struct members *members = context;
    if (members->needs_comma) {
        builder_char(members->out, ',');
    }
    members->needs_comma = true;
    canonical_append_string(members->out, name, strlen(name));
    builder_char(members->out, ':');
    return fill(members->filling, members->out, value);
}

static bool fill(const struct filling *filling, struct builder *out, const struct json *value)
{
    struct members members = {.filling = filling, .out = out};
    switch (json_type_of(value)) {
    case JSON_TYPE_STRING:
        return fill_text(filling, out, value);
    case JSON_TYPE_OBJECT:
        builder_char(out, '{');
        if (!json_each_member(value, fill_member, &members)) {
            return false;
        }
        builder_char(out, '}');
        return true;
    case JSON_TYPE_ARRAY:
        builder_char(out, '[');
        for (size_t i = 0; i < json_count(value); i++) {
            if (i > 0) {
                builder_char(out, ',');
            }
            if (!fill(filling, out, json_element(value, i))) {
                return false;
            }
        }
        builder_char(out, ']');
        return true;
    case JSON_TYPE_ABSENT:
    case JSON_TYPE_NULL:
    case JSON_TYPE_FALSE:
    case JSON_TYPE_TRUE:
    case JSON_TYPE_NUMBER:
        break;
    }
    canonical_append(out, value);
    return true;
}

bool template_append(struct builder *out, const char *template, size_t length,
                     const struct card *card, const struct template_option *options,
                     size_t option_count, struct arena *arena, struct error *error)
{
    if (length > TEMPLATE_BYTES_MAX) {
        return error_set(error, ERROR_INVALID, "bad_template", NULL,
                         "a template has at most %d bytes", TEMPLATE_BYTES_MAX);
    }
    struct json_document *document JSON_SCOPE = json_parse(template, length, error);
    struct filling filling = {card, options, option_count, arena, error};
    return document != NULL && fill(&filling, out, json_root(document));
}

struct embedded_file {
    const char *name, *text;
};
extern const struct embedded_file notifiers_templates[]; /* made from templates/ by script/embed */

const char *template_shipped(const char *name)
{
    size_t length = strlen(name);
    for (const struct embedded_file *file = notifiers_templates; file->name != NULL; file++) {
        if (strncmp(file->name, name, length) == 0 && strcmp(file->name + length, ".json") == 0) {
            return file->text;
        }
    }
    return NULL;
}
