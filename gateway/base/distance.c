#include "base/distance.h"

#include "base/check.h"

size_t distance_of_words(const char *left, size_t left_length, const char *right,
                         size_t right_length)
{
    size_t row[DISTANCE_WORD_BYTES_MAX + 1];
    CHECK(left_length <= DISTANCE_WORD_BYTES_MAX && right_length <= DISTANCE_WORD_BYTES_MAX);
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
