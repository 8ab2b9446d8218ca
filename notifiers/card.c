#include "notifiers/card.h"

#include "formats/json.h"
#include "formats/text.h"
#include <string.h>

enum { INDENT = 2, GAP_BYTES = 120, FIRST_FACTS = 4 };

static const char *const moment_names[] = {
    [CARD_ASKED] = "asked",       [CARD_ESCALATED] = "escalated", [CARD_EDITED] = "edited",
    [CARD_QUESTION] = "question", [CARD_ENDED] = "ended",         [CARD_TEST] = "test",
    [CARD_ROUNDUP] = "roundup",
};

/* ---- reading ---- */

static const char *visible(const char *text, size_t length, size_t bytes_max, struct arena *arena)
{
    struct builder shown BUILDER_SCOPE;
    builder_init(&shown, 0);
    size_t kept = length <= bytes_max ? length : text_cut(text, bytes_max);
    text_append_visible(&shown, text, kept);
    if (kept < length) {
        builder_printf(&shown, " … (%zu more bytes)", length - kept);
    }
    return arena_copy(arena, shown.bytes, shown.length);
}

/* A text from outside: visible and bounded. NULL when there is none. */
static const char *outside_text(const struct json *card, const char *name, size_t bytes_max,
                                struct arena *arena)
{
    const struct json *value = json_member(card, name);
    const char *text = json_text(value);
    return text == NULL ? NULL : visible(text, json_text_length(value), bytes_max, arena);
}

static const char *own_text(const struct json *card, const char *name, struct arena *arena)
{
    return arena_text(arena, json_text(json_member(card, name)));
}

static int64_t time_of(const struct json *card, const char *name)
{
    int64_t at = 0;
    const char *text = json_text(json_member(card, name));
    return text != NULL && text_read_time(text, &at) ? at : 0;
}

static size_t read_names(const struct json *list, struct arena *arena, const char **out)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(list) && count < CARD_NAMES_MAX; i++) {
        const struct json *name = json_element(list, i);
        if (json_text(name) != NULL) {
            out[count++] =
                visible(json_text(name), json_text_length(name), CARD_FACT_BYTES_MAX, arena);
        }
    }
    return count;
}

static void read_facts(const struct json *list, struct arena *arena, struct card *out)
{
    for (size_t i = 0; i < json_count(list) && out->fact_count < CARD_FACTS_MAX; i++) {
        const struct json *fact = json_element(list, i);
        const char *label = outside_text(fact, "name", CARD_FACT_BYTES_MAX, arena);
        const char *value = outside_text(fact, "value", CARD_FACT_BYTES_MAX, arena);
        if (label != NULL && value != NULL) {
            out->facts[out->fact_count++] = (struct card_fact){label, value};
        }
    }
}

const char *card_moment_name(enum card_moment moment)
{
    return moment_names[moment];
}

enum card_moment card_read_moment(const char *name)
{
    for (enum card_moment moment = CARD_ASKED; name != NULL && moment <= CARD_ROUNDUP; moment++) {
        if (strcmp(moment_names[moment], name) == 0) {
            return moment;
        }
    }
    return 0;
}

static void read_members(const struct json *card, struct arena *arena, struct card *out)
{
    const struct json *arguments = json_member(card, "arguments");
    *out = (struct card){
        .moment = card_read_moment(json_text(json_member(card, "moment"))),
        .request = own_text(card, "request", arena),
        .link = own_text(card, "link", arena),
        .nonce = own_text(card, "nonce", arena),
        .action = outside_text(card, "action", CARD_FACT_BYTES_MAX, arena),
        .resource = outside_text(card, "resource", CARD_FACT_BYTES_MAX, arena),
        .agent = outside_text(card, "agent", CARD_FACT_BYTES_MAX, arena),
        .subject = outside_text(card, "subject", CARD_FACT_BYTES_MAX, arena),
        .risk = own_text(card, "risk", arena),
        .digest = own_text(card, "digest", arena),
        .message = outside_text(card, "message", CARD_WHY_BYTES_MAX, arena),
        .why = outside_text(card, "why", CARD_WHY_BYTES_MAX, arena),
        .created_at = time_of(card, "created_at"),
        .timeout_at = time_of(card, "timeout_at"),
        .ended_at = time_of(card, "ended_at"),
        .state = own_text(card, "state", arena),
        .reason = own_text(card, "reason", arena),
        .question = outside_text(card, "question", CARD_WHY_BYTES_MAX, arena),
        .asked_by = outside_text(card, "asked_by", CARD_FACT_BYTES_MAX, arena),
        .answer = outside_text(card, "answer", CARD_WHY_BYTES_MAX, arena),
        .decides = json_type_of(json_member(card, "decides")) == JSON_TYPE_TRUE,
        .why_not = own_text(card, "why_not", arena),
    };
    if (json_text(arguments) != NULL) {
        out->arguments_length = json_text_length(arguments);
        out->arguments = arena_copy(arena, json_text(arguments), out->arguments_length);
    }
    out->nonce = out->nonce == NULL ? "" : out->nonce;
    out->asked_count = read_names(json_member(card, "asked"), arena, out->asked);
    out->decided_count = read_names(json_member(card, "decided_by"), arena, out->decided_by);
    read_facts(json_member(card, "show"), arena, out);
}

bool card_read(const char *json, size_t length, struct arena *arena, struct card *out,
               struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(json, length, error);
    if (document == NULL) {
        return false;
    }
    read_members(json_root(document), arena, out);
    bool is_whole = out->moment != 0 && out->link != NULL && out->request != NULL &&
                    out->action != NULL && out->resource != NULL && out->agent != NULL &&
                    out->subject != NULL && out->risk != NULL && out->digest != NULL &&
                    out->state != NULL &&
                    json_read_integer(json_member(json_root(document), "revision"), &out->revision);
    return is_whole || error_set(error, ERROR_CORRUPT, "bad_card", NULL,
                                 "what is to be shown on a channel lacks one of its members");
}

/* ---- saying ---- */

static const char *ended_heading(const struct card *card)
{
    static const struct {
        const char *state, *heading;
    } headings[] = {{"approved", "Approved"},
                    {"denied", "Denied"},
                    {"expired", "Expired: nobody decided in time"},
                    {"cancelled", "Cancelled: nothing to decide any more"},
                    {"closed", "Nothing of this waits any more"}};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        if (strcmp(headings[i].state, card->state) == 0) {
            return headings[i].heading;
        }
    }
    return "Still waiting for a decision";
}

const char *card_heading(const struct card *card)
{
    switch (card->moment) {
    case CARD_ASKED:
        return "Approval needed";
    case CARD_ESCALATED:
        return "Approval needed: you are asked as well now";
    case CARD_EDITED:
        return "Changed by an approver: votes start again";
    case CARD_QUESTION:
        return "A question was asked or answered";
    case CARD_TEST:
        return "This is a test: nothing is asked of you";
    case CARD_ROUNDUP:
        return card->ended_at == 0 ? "Approvals needed" : ended_heading(card);
    case CARD_ENDED:
        break;
    }
    return ended_heading(card);
}

static const char *time_text(int64_t at, struct arena *arena)
{
    char text[TIME_TEXT_BYTES];
    text_write_time(at, text);
    return arena_printf(arena, "%.19s UTC", text);
}

static const char *joined(const char *const *names, size_t count, struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t i = 0; i < count; i++) {
        builder_printf(&text, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    return arena_copy(arena, text.bytes, text.length);
}

static size_t add_fact(struct card_fact *facts, size_t count, const char *label, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        facts[count++] = (struct card_fact){label, value};
    }
    return count;
}

/* Escapes of canonical JSON are no letters of what they stand beside. */
static void find_mixed_arguments(struct text_mixed *mixed, const struct card *card)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t at = 0; at < card->arguments_length; at++) {
        bool is_escape = card->arguments[at] == '\\' && at + 1 < card->arguments_length;
        builder_char(&text, is_escape ? ' ' : card->arguments[at]);
        at += is_escape ? (card->arguments[at + 1] == 'u' ? 5 : 1) : 0;
    }
    text_find_mixed(mixed, text.bytes, text.length);
}

/* NULL when no word mixes alphabets. */
static const char *mixed_words(const struct card *card, struct arena *arena)
{
    const char *const names[] = {card->action, card->resource, card->subject, card->agent};
    struct text_mixed mixed = {0};
    builder_init(&mixed.words, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        text_find_mixed(&mixed, names[i], strlen(names[i]));
    }
    find_mixed_arguments(&mixed, card);
    const char *words = mixed.count == 0 ? NULL
                                         : arena_printf(arena, "%s%s", mixed.words.bytes,
                                                        mixed.has_more ? " …" : "");
    builder_finish(&mixed.words);
    return words;
}

bool card_has_arguments(const struct card *card)
{
    return card->moment != CARD_ROUNDUP;
}

static size_t roundup_facts(const struct card *card, struct arena *arena, struct card_fact *out)
{
    size_t count = 0;
    for (size_t i = 0; i < card->fact_count; i++) {
        count = add_fact(out, count, card->facts[i].label, card->facts[i].value);
    }
    return card->timeout_at == 0 ? count
                                 : add_fact(out, count, "The first expires, not approved",
                                            time_text(card->timeout_at, arena));
}

size_t card_facts(const struct card *card, struct arena *arena, struct card_fact *out)
{
    size_t count = 0;
    if (card->moment == CARD_ROUNDUP) {
        return roundup_facts(card, arena, out);
    }
    count = add_fact(out, count, "Agent", card->agent);
    count = add_fact(out, count, "For", card->subject);
    count = add_fact(out, count, "On", card->resource);
    count = add_fact(out, count, "Risk", card->risk);
    count = add_fact(out, count, "Mixed alphabets", mixed_words(card, arena));
    for (size_t i = 0; i < card->fact_count; i++) {
        count = add_fact(out, count, card->facts[i].label, card->facts[i].value);
    }
    if (card->question != NULL) {
        count = add_fact(out, count, "Question",
                         arena_printf(arena, "%s: %s", card->asked_by == NULL ? "" : card->asked_by,
                                      card->question));
        count = add_fact(out, count, "The agent answers (not checked)", card->answer);
    }
    if (card->revision > 1) {
        count = add_fact(out, count, "Revision",
                         arena_printf(arena, "%lld", (long long)card->revision));
    }
    count = add_fact(out, count, "Asked", joined(card->asked, card->asked_count, arena));
    if (card->created_at != 0) {
        count = add_fact(out, count, "Since", time_text(card->created_at, arena));
    }
    if (card->timeout_at != 0) {
        count = add_fact(out, count, "Expires, not approved", time_text(card->timeout_at, arena));
    }
    return add_fact(out, count, "Digest", arena_printf(arena, "%.12s…", card->digest));
}

/* ---- the arguments ---- */

static void new_line(struct builder *out, size_t depth)
{
    builder_char(out, '\n');
    for (size_t i = 0; i < depth * INDENT; i++) {
        builder_char(out, ' ');
    }
}

/* The end of the string literal that begins at `at`, behind its quote. */
static size_t literal_end(const char *json, size_t length, size_t at)
{
    size_t end = at + 1;
    while (end < length && json[end] != '"') {
        end += json[end] == '\\' ? 2 : 1;
    }
    return end < length ? end + 1 : length;
}

/* Canonical JSON holds no white space, so that what is added here cannot be taken for what was
 * sent. */
static void append_lines(struct builder *out, const char *json, size_t length)
{
    size_t depth = 0;
    for (size_t at = 0; at < length;) {
        char character = json[at];
        bool is_empty = at + 1 < length && (json[at + 1] == '}' || json[at + 1] == ']');
        if (character == '"') {
            size_t end = literal_end(json, length, at);
            text_append_visible(out, json + at, end - at);
            at = end;
            continue;
        }
        bool closes = character == '}' || character == ']';
        if (closes && at > 0 && json[at - 1] != '{' && json[at - 1] != '[') {
            new_line(out, depth > 0 ? depth - 1 : 0);
        }
        depth -= closes && depth > 0 ? 1 : 0;
        builder_char(out, character);
        if (character == '{' || character == '[') {
            depth++;
            if (!is_empty) {
                new_line(out, depth);
            }
        } else if (character == ',') {
            new_line(out, depth);
        } else if (character == ':') {
            builder_char(out, ' ');
        }
        at++;
    }
}

/* Where a tail of at most `bytes_max` bytes begins without cutting a character in two. */
static size_t tail_start(const char *text, size_t length, size_t bytes_max)
{
    size_t start = length - bytes_max;
    while (start < length && ((unsigned char)text[start] & 0xC0) == 0x80) {
        start++;
    }
    return start;
}

const char *card_arguments(const struct card *card, size_t bytes_max, struct arena *arena,
                           bool *out_is_whole)
{
    struct builder lines BUILDER_SCOPE;
    builder_init(&lines, 0);
    if (!card_has_arguments(card)) {
        *out_is_whole = true;
        return "";
    }
    *out_is_whole = card->arguments != NULL;
    if (card->arguments == NULL) {
        return "(erased)";
    }
    append_lines(&lines, card->arguments, card->arguments_length);
    if (lines.length <= bytes_max) {
        return arena_copy(arena, lines.bytes, lines.length);
    }
    *out_is_whole = false;
    size_t room = bytes_max > GAP_BYTES ? (bytes_max - GAP_BYTES) / 2 : 0;
    size_t head = text_cut(lines.bytes, room);
    size_t tail = tail_start(lines.bytes, lines.length, room);
    return arena_printf(arena, "%.*s\n\n… %zu of %zu bytes are not shown here …\n\n%s", (int)head,
                        lines.bytes, tail - head, lines.length, lines.bytes + tail);
}

const char *card_outcome(const struct card *card, struct arena *arena)
{
    if (card->ended_at == 0) {
        return NULL;
    }
    const char *by = joined(card->decided_by, card->decided_count, arena);
    return arena_printf(arena, "%s%s%s at %s", ended_heading(card), by[0] == '\0' ? "" : " by ", by,
                        time_text(card->ended_at, arena));
}

const char *card_why_not(const struct card *card, bool is_whole)
{
    if (!is_whole) {
        return "Not all of it can be shown here. Open the request to read the rest and decide.";
    }
    if (card->decides && card->nonce[0] != '\0') {
        return NULL;
    }
    return card->why_not != NULL ? card->why_not : "Open the request to decide.";
}
