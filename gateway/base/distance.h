#ifndef BASE_DISTANCE_H
#define BASE_DISTANCE_H

/* For "did you mean": how far apart two words are. */

#include <stddef.h>

enum { DISTANCE_WORD_BYTES_MAX = 48 };

/* Levenshtein distance in bytes. Both words have at most DISTANCE_WORD_BYTES_MAX (CHECKed). */
size_t distance_of_words(const char *left, size_t left_length, const char *right,
                         size_t right_length);

#endif
