#include "base/distance.h"
#include "formats/formats_internal.h"
#include "formats/text.h"

#include <string.h>

const char *text_nearest_word(const char *word, const char *const *known)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    size_t nearest_distance = 0;
    for (; length <= DISTANCE_WORD_BYTES_MAX && *known != NULL; known++) {
        size_t known_length = strlen(*known);
        if (known_length > DISTANCE_WORD_BYTES_MAX) {
            continue;
        }
        size_t distance = distance_of_words(word, length, *known, known_length);
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
