#include "notifiers/callback.h"

#include "notifiers/card.h"
#include <string.h>

enum { REQUEST_LENGTH = 30 }; /* req_ and 26 */

static bool is_word(const char *text, size_t length, const char *also)
{
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        bool is_other = byte >= 'A' && byte <= 'Z' && also[0] != '\0';
        if (!is_plain && !is_other && strchr(also, byte) == NULL) {
            return false;
        }
    }
    return true;
}

bool callback_read_value(const char *value, struct arena *arena, struct callback *out,
                         struct error *error)
{
    const char *request = value == NULL ? "" : value + 3;
    if (value == NULL || strlen(value) != 3 + REQUEST_LENGTH + 1 + CARD_NONCE_BYTES ||
        strncmp(value, "v1.req_", 7) != 0 || request[REQUEST_LENGTH] != '.' ||
        !is_word(request + 4, REQUEST_LENGTH - 4, "") ||
        !is_word(request + REQUEST_LENGTH + 1, CARD_NONCE_BYTES, "-_")) {
        return error_set(error, ERROR_FORBIDDEN, "bad_value", NULL,
                         "this button is none of this gateway's");
    }
    out->value = arena_text(arena, value);
    out->request = arena_copy(arena, request, REQUEST_LENGTH);
    out->nonce = arena_text(arena, request + REQUEST_LENGTH + 1);
    return true;
}

bool callback_is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

bool callback_is_of_team(const char *account, const char *const *teams, size_t count)
{
    const char *slash = strchr(account, '/');
    const char *team = slash == NULL ? account : slash + 1;
    size_t length = strcspn(team, "/");
    for (size_t i = 0; i < count; i++) {
        if (strlen(teams[i]) == length && strncmp(teams[i], team, length) == 0) {
            return true;
        }
    }
    return false;
}
