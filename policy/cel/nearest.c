#include "policy/cel/types.h"

/* "Did you mean": the edit distance to known words. */

enum { WORD_BYTES_MAX = 48 };

static size_t edit_distance(const char *left, size_t left_length, const char *right,
                            size_t right_length)
{
    size_t row[WORD_BYTES_MAX + 1];
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

void cel_nearest_offer(struct cel_nearest *nearest, const char *known, size_t length)
{
    if (nearest->length == 0 || nearest->length > WORD_BYTES_MAX || length > WORD_BYTES_MAX ||
        known[0] == '@') {
        return;
    }
    size_t distance = edit_distance(nearest->word, nearest->length, known, length);
    if (distance * 3 <= length + 2 &&
        (nearest->best == NULL || distance < nearest->best_distance)) {
        nearest->best = known;
        nearest->best_distance = distance;
    }
}
