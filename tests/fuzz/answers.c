/* What the other sides of channels answer, of whatever bytes: judged without a fall, and what is
 * kept of it (an address, a token, a reason) is of the form that it must have. The first byte says
 * the status. */

#include "base/check.h"
#include "formats/json.h"
#include "formats/text.h"
#include "notifiers/notifier.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static const long statuses[] = {200, 202, 201, 400, 401, 403, 404, 410, 429, 500, 503, 550, 421};

static void check_address(const char *address, struct arena *arena)
{
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(address, strlen(address), &error);
    (void)arena;
    CHECK(document != NULL && json_type(json_root(document)) == JSON_TYPE_OBJECT);
}

static void judge(const struct notifier *notifier, const struct notifier_reply *reply,
                  struct arena *arena)
{
    const struct notifier_channel channel = {
        .name = "a",
        .kind = notifier->kind,
        .url = "https://smba.trafficmanager.net/teams/",
        .options = {{"conversation", "19:a@thread.tacv2"}, {"app_id", "x"}, {"tenant_id", "x"}},
        .option_count = 3};
    const struct notifier_notice notice = {.id = "ntc_1", .payload = "{}"};
    struct notifier_judgement judgement = {0};
    notifier->judge(&channel, &notice, reply, arena, &judgement);
    CHECK(judgement.verdict != NOTIFIER_SENT || (reply->status >= 200 && reply->status < 300));
    if (judgement.address != NULL) {
        check_address(judgement.address, arena);
    }
}

static void read_token(const struct notifier *notifier, const struct notifier_reply *reply,
                       struct arena *arena)
{
    const char *token = NULL;
    int64_t lifetime_ms = 0;
    struct error error = {0};
    if (notifier->read_token != NULL &&
        notifier->read_token(reply, arena, &token, &lifetime_ms, &error)) {
        CHECK(token != NULL && strpbrk(token, "\r\n \t") == NULL && lifetime_ms > 0);
    }
}

static void read_answers(const struct notifier *notifier, const struct notifier_reply *reply)
{
    const struct notifier_channel channel = {.name = "a", .kind = notifier->kind};
    if (notifier->read_answer == NULL) {
        return;
    }
    for (enum notifier_asks asks = NOTIFIER_ASKS_NOTHING + 1; asks < NOTIFIER_ASKS_COUNT; asks++) {
        struct notifier_standing standing = {0};
        struct notifier_inquiry inquiry = {asks, "/T1/U1"};
        notifier->read_answer(&channel, &inquiry, reply, &standing);
        CHECK(standing.known != NOTIFIER_UNKNOWN);
        CHECK(memchr(standing.reason, '\0', sizeof standing.reason) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    if (length == 0) {
        return 0;
    }
    char *body = arena_copy(arena, bytes + 1, length - 1);
    struct notifier_reply reply = {.status =
                                       statuses[bytes[0] % (sizeof statuses / sizeof statuses[0])],
                                   .body = body,
                                   .length = length - 1};
    for (size_t i = 0; notifier_kind(i) != NULL; i++) {
        const struct notifier *notifier = notifier_find(notifier_kind(i));
        judge(notifier, &reply, arena);
        read_token(notifier, &reply, arena);
        read_answers(notifier, &reply);
    }
    return 0;
}
