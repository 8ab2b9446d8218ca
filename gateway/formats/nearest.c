#include "formats/formats_internal.h"
#include "formats/text.h"

#include <string.h>

enum { WORD_BYTES_MAX = 48 };

/* Levenshtein distance with one row; both words are shorter than WORD_BYTES_MAX. */
static size_t edit_distance(const char *left, size_t left_length, const char *right,
                            size_t right_length)
{
    size_t row[WORD_BYTES_MAX];
    for (size_t j = 0; j <= right_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= left_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            size_t changed = diagonal + (left[i - 1] != right[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = changed < least ? changed : least;
        }
    }
    return row[right_length];
}

const char *text_nearest_word(const char *word, const char *const *known)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    size_t nearest_distance = 0;
    for (; length < WORD_BYTES_MAX && *known != NULL; known++) {
        size_t known_length = strlen(*known);
        if (known_length >= WORD_BYTES_MAX) {
            continue;
        }
        size_t distance = edit_distance(word, length, *known, known_length);
        if (distance * 3 <= known_length + 2 && (nearest == NULL || distance < nearest_distance)) {
            nearest = *known;
            nearest_distance = distance;
        }
    }
    return nearest;
}

void formats_list_words(struct builder *out, const char *const *known)
{
    for (size_t i = 0; known[i] != NULL; i++) {
        builder_text(out, i == 0 ? "" : known[i + 1] == NULL ? " and " : ", ");
        builder_printf(out, "`%s`", known[i]);
    }
}
