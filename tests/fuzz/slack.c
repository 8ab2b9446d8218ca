/* Slack's callbacks: whatever is read, a decision names a whole card and an account of an allowed
 * team. The first byte says whether the rest is a form or a payload. */

#include "base/check.h"
#include "notifiers/slack/slack_callback.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void read_payload(const char *payload, size_t length, struct arena *arena)
{
    static const char *const teams[] = {"T1"};
    struct slack_app app = {.app = "A1", .teams = teams, .team_count = 1};
    struct callback callback = {0};
    struct error error = {0};
    if (!slack_read_payload(payload, length, &app, arena, &callback, &error)) {
        CHECK(callback.what == CALLBACK_NONE && error.code != NULL);
        return;
    }
    CHECK(callback.what != CALLBACK_NONE && strstr(callback.account, "/T1/") != NULL);
    if (callback.what == CALLBACK_APPROVE || callback.what == CALLBACK_DENY ||
        callback.what == CALLBACK_ASK_REASON) {
        CHECK(strlen(callback.request) == 30 && strlen(callback.nonce) == 27);
    }
    CHECK(callback.what != CALLBACK_LINK || callback.code != NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena = arena_create();
    struct error error = {0};
    const char *text = (const char *)bytes;
    if (length > 0 && text[0] == 'p') {
        const char *payload = slack_read_form(text, length, arena, &error);
        if (payload != NULL) {
            read_payload(payload, strlen(payload), arena);
        }
    } else {
        read_payload(text, length, arena);
    }
    arena_destroy(arena);
    return 0;
}
