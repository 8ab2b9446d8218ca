/* Globs as a set of states, one bit for each number of pattern tokens matched so far, moved on by
 * each byte of the text. There is nothing to backtrack: time is text length times pattern length
 * over 64, memory the pattern's length, whatever stands in either. */

#include "base/memory.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

struct glob {
    size_t words;
    /* Bit j is about token j, or about the state in which j tokens have matched. */
    uint64_t *literals; /* 256 sets of `words` words: tokens that are this byte */
    uint64_t *stars;    /* tokens that are `*` or `**` */
    uint64_t *globstars;
    uint64_t *states;
    size_t token_count;
};

static void set_bit(uint64_t *bits, size_t index)
{
    bits[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
}

/* A run of stars is one token: `**` when it has two stars or more. */
static void compile(struct glob *glob, const char *pattern)
{
    while (*pattern != '\0') {
        if (*pattern == '*') {
            size_t run = strspn(pattern, "*");
            set_bit(glob->stars, glob->token_count);
            if (run > 1) {
                set_bit(glob->globstars, glob->token_count);
            }
            pattern += run;
        } else {
            set_bit(glob->literals + (unsigned char)*pattern * glob->words, glob->token_count);
            pattern++;
        }
        glob->token_count++;
    }
}

/* No two stars are neighbours, so one step over each closes the set. */
static void skip_stars(struct glob *glob)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < glob->words; i++) {
        uint64_t over = glob->states[i] & glob->stars[i];
        glob->states[i] |= over << 1 | carry;
        carry = over >> (WORD_BITS - 1);
    }
}

static bool step(struct glob *glob, unsigned char byte, bool is_separator)
{
    const uint64_t *literal = glob->literals + byte * glob->words;
    uint64_t carry = 0;
    uint64_t any = 0;
    for (size_t i = 0; i < glob->words; i++) {
        uint64_t moved = glob->states[i] & literal[i];
        uint64_t stayed = glob->states[i] & (is_separator ? glob->globstars[i] : glob->stars[i]);
        glob->states[i] = moved << 1 | carry | stayed;
        carry = moved >> (WORD_BITS - 1);
        any |= glob->states[i];
    }
    skip_stars(glob);
    return any != 0;
}

static bool run(struct glob *glob, const char *text, char separator)
{
    set_bit(glob->states, 0);
    skip_stars(glob);
    for (; *text != '\0'; text++) {
        if (!step(glob, (unsigned char)*text, *text == separator)) {
            return false;
        }
    }
    size_t last = glob->token_count;
    return (glob->states[last / WORD_BITS] >> last % WORD_BITS & 1) != 0;
}

bool text_matches_glob(const char *pattern, const char *text, char separator)
{
    /* Most candidates differ in what stands before the first star. */
    while (*pattern != '*' && *pattern == *text && *pattern != '\0') {
        pattern++;
        text++;
    }
    if (*pattern != '*') {
        return *pattern == *text;
    }
    size_t words = strlen(pattern) / WORD_BITS + 1;
    uint64_t on_stack[256 + 3] = {0};
    uint64_t *sets = words == 1 ? on_stack : memory_zeroed((256 + 3) * words, sizeof(uint64_t));
    struct glob glob = {.words = words,
                        .literals = sets,
                        .stars = sets + 256 * words,
                        .globstars = sets + 257 * words,
                        .states = sets + 258 * words};
    compile(&glob, pattern);
    bool matches = run(&glob, text, separator);
    if (sets != on_stack) {
        free(sets);
    }
    return matches;
}
