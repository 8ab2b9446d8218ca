#include "formats/text.h"

#include "formats/formats_internal.h"
#include <string.h>

enum { ODD_MAX = 8, WORD_BYTES_MAX = 60 };

/* Letters of Latin beyond ASCII, by block: a sign that is none of them (×, ÷) only joins words. */
static const struct text_range latin[] = {
    {0x00AA, 0x00AA}, {0x00BA, 0x00BA}, {0x00C0, 0x02AF}, {0x1D00, 0x1D25}, {0x1D6B, 0x1D77},
    {0x1D79, 0x1DBF}, {0x1E00, 0x1EFF}, {0x2C60, 0x2C7F}, {0xA722, 0xA7FF}, {0xAB30, 0xAB6F},
    {0xFB00, 0xFB06}, {0xFF21, 0xFF3A}, {0xFF41, 0xFF5A}};

/* Scripts with letters that look like those of Latin: Greek, Cyrillic, Armenian, Cherokee. */
static const struct text_range look_alikes[] = {
    {0x0370, 0x0373}, {0x0376, 0x037D}, {0x037F, 0x0482}, {0x048A, 0x052F},
    {0x0531, 0x0587}, {0x13A0, 0x13FD}, {0x1C80, 0x1C8F}, {0x1F00, 0x1FFE},
    {0xA640, 0xA66E}, {0xA680, 0xA69D}, {0xAB70, 0xABBF}};

static bool is_odd(uint32_t point)
{
    return formats_is_in(point, look_alikes, sizeof look_alikes / sizeof look_alikes[0]);
}

static bool is_latin(uint32_t point)
{
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') ||
           (point > 0x7F && formats_is_in(point, latin, sizeof latin / sizeof latin[0]));
}

/* A letter of a look-alike script as it stands in the text. */
struct odd {
    const char *bytes;
    size_t length;
    uint32_t point;
};

/* One word: letters of both, digits and underscores. Marks sit on letters and part no words. */
struct word {
    struct builder text;
    bool has_latin;
    struct odd odd[ODD_MAX];
    size_t odd_count;
};

static void note_odd(struct word *word, const struct odd *letter)
{
    for (size_t i = 0; i < word->odd_count; i++) {
        if (word->odd[i].point == letter->point) {
            return;
        }
    }
    if (word->odd_count < ODD_MAX) {
        word->odd[word->odd_count++] = *letter;
    }
}

/* `pаypal (а U+0430)` */
static void say(struct builder *out, const struct word *word)
{
    size_t kept = text_cut(word->text.bytes, WORD_BYTES_MAX);
    builder_append(out, word->text.bytes, kept);
    builder_text(out, kept < word->text.length ? "… (" : " (");
    for (size_t i = 0; i < word->odd_count; i++) {
        builder_printf(out, "%s%.*s U+%04X", i == 0 ? "" : ", ", (int)word->odd[i].length,
                       word->odd[i].bytes, word->odd[i].point);
    }
    builder_char(out, ')');
}

static void end_word(struct text_mixed *mixed, struct word *word)
{
    struct builder said BUILDER_SCOPE;
    builder_init(&said, 0);
    if (word->has_latin && word->odd_count > 0) {
        say(&said, word);
        bool is_new = strstr(mixed->words.bytes, said.bytes) == NULL;
        if (is_new && mixed->count < TEXT_MIXED_WORDS_MAX) {
            builder_printf(&mixed->words, "%s%s", mixed->count == 0 ? "" : ", ", said.bytes);
            mixed->count++;
        } else if (is_new) {
            mixed->has_more = true;
        }
    }
    builder_clear(&word->text);
    word->has_latin = false;
    word->odd_count = 0;
}

static void take(struct word *word, const struct odd *letter)
{
    builder_append(&word->text, letter->bytes, letter->length);
    word->has_latin = word->has_latin || is_latin(letter->point);
    if (is_odd(letter->point)) {
        note_odd(word, letter);
    }
}

static bool is_of_word(uint32_t point)
{
    return is_latin(point) || (point >= '0' && point <= '9') || point == '_' || is_odd(point);
}

void text_find_mixed(struct text_mixed *mixed, const char *text, size_t length)
{
    struct word word = {0};
    builder_init(&word.text, 0);
    for (size_t at = 0; at < length;) {
        struct odd letter = {.bytes = text + at};
        letter.length =
            formats_read_utf8((const unsigned char *)text + at, length - at, &letter.point);
        if (letter.length > 0 && is_of_word(letter.point)) {
            take(&word, &letter);
        } else if (letter.length == 0 || !formats_is_mark(letter.point)) {
            end_word(mixed, &word);
        }
        at += letter.length == 0 ? 1 : letter.length;
    }
    end_word(mixed, &word);
    builder_finish(&word.text);
}
