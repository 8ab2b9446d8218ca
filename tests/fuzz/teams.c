/* Activities of the Bot Framework: whatever is read, a decision names a whole card and an account
 * of the one tenant, and nothing leads an answer to a host that the bot's token may not go to. What
 * begins with an `m` is what the connector says of a member. */

#include "base/check.h"
#include "notifiers/teams/teams_callback.h"
#include "notifiers/teams/teams_member.h"
#include <string.h>

#define APP    "11111111-2222-4333-8444-555555555555"
#define TENANT "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define OBJECT "99999999-8888-4777-8666-555555555555"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void check_press(const struct callback *callback)
{
    CHECK(strncmp(callback->account, TENANT "/", 37) == 0 && strlen(callback->account) == 73);
    if (callback->what == CALLBACK_APPROVE || callback->what == CALLBACK_DENY) {
        CHECK(strlen(callback->request) == 30 && strlen(callback->nonce) == 27);
    } else {
        CHECK(callback->what == CALLBACK_LINK && callback->code != NULL);
    }
    CHECK(callback->reason == NULL ||
          (callback->reason[0] != '\0' && strlen(callback->reason) <= CALLBACK_REASON_BYTES_MAX &&
           callback_is_plain(callback->reason)));
}

static void read_member(const char *body, size_t length)
{
    static const struct notifier_channel channel = {.name = "a", .kind = "teams-bot"};
    struct notifier_inquiry inquiry = {NOTIFIER_ASKS_PERSON, TENANT "/" OBJECT " 29:u 19:a s"};
    struct notifier_reply reply = {.status = 200, .body = body, .length = length};
    struct notifier_standing standing = {0};
    teams_read_answer(&channel, &inquiry, &reply, &standing);
    CHECK(standing.known != NOTIFIER_UNKNOWN);
    CHECK(standing.known == NOTIFIER_GOOD || standing.reason[0] != '\0');
    CHECK(standing.known != NOTIFIER_GOOD || length > strlen(TENANT OBJECT));
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    if (length > 0 && bytes[0] == 'm') {
        read_member((const char *)bytes + 1, length - 1);
        return 0;
    }
    struct arena *arena = arena_create();
    struct error error = {0};
    struct teams_activity activity = {0};
    struct teams_bot bot = {.app_id = APP, .tenant_id = TENANT, .service_url = TEAMS_SERVICE_URL};
    if (!teams_read_activity((const char *)bytes, length, &bot, arena, &activity, &error)) {
        CHECK(activity.kind == TEAMS_NONE && error.code != NULL);
    } else {
        CHECK(activity.kind != TEAMS_NONE && activity.conversation != NULL);
        CHECK(teams_may_serve(activity.service_url, bot.service_url));
        if (activity.kind == TEAMS_PRESS) {
            CHECK(activity.id != NULL);
            check_press(&activity.callback);
        } else {
            CHECK(activity.callback.what == CALLBACK_NONE);
        }
    }
    arena_destroy(arena);
    return 0;
}
