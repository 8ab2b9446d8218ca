#ifndef TESTS_SUPPORT_CHANCE_H
#define TESTS_SUPPORT_CHANCE_H

/* Repeatable randomness for property tests (SplitMix64): a fixed seed, the same cases everywhere.
 */

#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

uint64_t chance_next(struct chance *chance);
unsigned chance_below(struct chance *chance, unsigned bound); /* 0 .. bound-1; bound > 0 */
/* Puts `count` elements of `bytes_each` in random order. */
void chance_shuffle(struct chance *chance, void *elements, size_t count, size_t bytes_each);

#endif
