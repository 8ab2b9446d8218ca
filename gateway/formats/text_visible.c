#include "formats/text.h"

#include "formats/formats_internal.h"
#include <string.h>

/* What a reader cannot see or what changes how the rest is read. Sources: Unicode 15 derived
 * properties Default_Ignorable_Code_Point and Bidi_Control, general categories Cc, Cf, Zl, Zp and
 * Co, the noncharacters (asked apart), and the blank U+2800. Ascending. */
static const struct text_range misleading[] = {
    {0x0000, 0x001F},   /* C0 controls */
    {0x007F, 0x009F},   /* DEL, C1 controls */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x034F, 0x034F},   /* combining grapheme joiner */
    {0x0600, 0x0605},   /* Arabic number signs, joined to what follows */
    {0x061C, 0x061C},   /* Arabic letter mark (bidi) */
    {0x06DD, 0x06DD},   /* Arabic end of ayah */
    {0x070F, 0x070F},   /* Syriac abbreviation mark */
    {0x0890, 0x0891},   /* Arabic pound and piastre marks */
    {0x08E2, 0x08E2},   /* Arabic disputed end of ayah */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian variation selectors, vowel separator */
    {0x200B, 0x200F},   /* zero-width, bidi marks */
    {0x2028, 0x202E},   /* line and paragraph separator, bidi embedding and override */
    {0x2060, 0x206F},   /* word joiner, invisible operators, bidi isolates */
    {0x2800, 0x2800},   /* Braille blank */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xE000, 0xF8FF},   /* private use */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFEFF, 0xFEFF},   /* zero-width no-break space */
    {0xFFA0, 0xFFA0},   /* half-width Hangul filler */
    {0xFFF0, 0xFFFB},   /* unassigned ignorables, interlinear annotation */
    {0x110BD, 0x110BD}, /* Kaithi number sign */
    {0x110CD, 0x110CD}, /* Kaithi number sign above */
    {0x13430, 0x1343F}, /* Egyptian hieroglyph format controls */
    {0x1BCA0, 0x1BCA3}, /* shorthand format controls */
    {0x1D173, 0x1D17A}, /* musical format controls */
    {0xE0000, 0xE0FFF}, /* tags, variation selectors, ignorables */
    {0xF0000, 0x10FFFF} /* private use planes */
};

/* Spaces that are wider, narrower or less breakable than they look: category Zs without U+0020. */
static const struct text_range odd_spaces[] = {{0x00A0, 0x00A0}, {0x1680, 0x1680},
                                               {0x2000, 0x200A}, {0x202F, 0x202F},
                                               {0x205F, 0x205F}, {0x3000, 0x3000}};

/* On one base. Vietnamese stacks two, pointed Hebrew three; more hide what stands around them. */
enum { MARKS_MAX = 3 };

static bool is_misleading(uint32_t point)
{
    if (point >= 0x20 && point < 0x7F) {
        return false;
    }
    return formats_is_noncharacter(point) ||
           formats_is_in(point, misleading, sizeof misleading / sizeof misleading[0]) ||
           formats_is_in(point, odd_spaces, sizeof odd_spaces / sizeof odd_spaces[0]);
}

static void append_escaped(struct builder *out, uint32_t point)
{
    if (point == '\n') {
        builder_text(out, "\\n");
    } else if (point == '\t') {
        builder_text(out, "\\t");
    } else {
        builder_printf(out, "\\u{%x}", point);
    }
}

/* What stands before the next character. */
struct stack {
    bool has_base; /* something a mark may sit on */
    int marks;     /* on it already */
};

/* Whether the character is a mark that sits on nothing, or one too many. */
static bool is_loose(struct stack *stack, uint32_t point)
{
    if (!formats_is_mark(point)) {
        *stack = (struct stack){.has_base = point != ' '};
        return false;
    }
    return !stack->has_base || ++stack->marks > MARKS_MAX;
}

size_t text_append_visible(struct builder *out, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + length;
    size_t escaped = 0;
    struct stack stack = {0};
    while (at < end) {
        uint32_t point;
        size_t taken = formats_read_utf8(at, (size_t)(end - at), &point);
        if (taken == 0) {
            builder_printf(out, "\\x{%x}", *at);
            taken = 1;
            escaped++;
            stack = (struct stack){0};
        } else if (is_misleading(point)) {
            append_escaped(out, point);
            escaped++;
            stack = (struct stack){0};
        } else if (is_loose(&stack, point)) {
            append_escaped(out, point);
            escaped++;
        } else {
            builder_append(out, (const char *)at, taken);
        }
        at += taken;
    }
    return escaped;
}
