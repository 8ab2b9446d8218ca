#include "base/distance.h"
#include "policy/cel/types.h"

/* "Did you mean": the edit distance to known words. */

void cel_nearest_offer(struct cel_nearest *nearest, const char *known, size_t length)
{
    if (nearest->length == 0 || nearest->length > DISTANCE_WORD_BYTES_MAX ||
        length > DISTANCE_WORD_BYTES_MAX || known[0] == '@') {
        return;
    }
    size_t distance = distance_of_words(nearest->word, nearest->length, known, length);
    if (distance * 3 <= length + 2 &&
        (nearest->best == NULL || distance < nearest->best_distance)) {
        nearest->best = known;
        nearest->best_distance = distance;
    }
}
