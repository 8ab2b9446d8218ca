#include "notifiers/teams/teams_place.h"
#include "operations/authorize.h"
#include "operations/chat_operations.h"
#include "operations/notice_internal.h"
#include <string.h>

/* Only conversations that a channel names are kept: whoever may install the bot elsewhere fills no
 * table with it. */

/* The channel whose bot has its cards there; NULL: none. */
static const struct operations_channel *find_named(const struct operations *operations,
                                                   const char *app, const char *conversation)
{
    for (size_t i = 0; i < operations->options.channel_count; i++) {
        const struct operations_channel *channel = &operations->options.channels[i];
        if (channel->bot != NULL && strcmp(channel->bot->app_id, app) == 0 &&
            strcmp(channel->bot->conversation, conversation) == 0) {
            return channel;
        }
    }
    return NULL;
}

/* In a channel each thread is a conversation of its own: its first message is named behind. */
static const char *without_thread(struct operation *operation, const char *conversation)
{
    return arena_copy(operation->arena, conversation, strcspn(conversation, ";"));
}

bool operation_remember_conversation(struct operation *operation,
                                     const struct chat_conversation *conversation,
                                     bool *out_is_named, struct error *error)
{
    struct chat_conversation_row row = {.service = conversation->service,
                                        .app = conversation->app,
                                        .conversation =
                                            without_thread(operation, conversation->conversation),
                                        .service_url = conversation->service_url,
                                        .said_at = operation->now};
    if (!authorize(operation, OPERATION_NOTE_CONVERSATION, NULL, NULL, error)) {
        return false;
    }
    const struct operations_channel *channel =
        find_named(operation->operations, row.app, row.conversation);
    *out_is_named = channel != NULL;
    if (channel == NULL) {
        return true;
    }
    if (!teams_may_serve(row.service_url, channel->bot->service_url)) {
        return error_set(error, ERROR_FORBIDDEN, "service_not_allowed", NULL,
                         "`serviceUrl` is no host of Microsoft's bot connectors and not the "
                         "channel's `service_url`");
    }
    return store_put_chat_conversation(operation->store, &row, error);
}

bool operation_forget_conversation(struct operation *operation,
                                   const struct chat_conversation *conversation,
                                   struct error *error)
{
    return authorize(operation, OPERATION_NOTE_CONVERSATION, NULL, NULL, error) &&
           store_delete_chat_conversation(
               operation->store, conversation->service, conversation->app,
               without_thread(operation, conversation->conversation), error);
}

bool find_conversation(struct operation *operation, const struct operations_channel *channel,
                       const char **out_service_url, struct error *error)
{
    struct chat_conversation_row row;
    bool is_found = false;
    if (channel->bot == NULL) {
        return true;
    }
    if (!store_find_chat_conversation(operation->store, "teams", channel->bot->app_id,
                                      channel->bot->conversation, operation->arena, &row, &is_found,
                                      error)) {
        return false;
    }
    /* One that the configuration allows no more is as if it had not been said. */
    if (is_found && teams_may_serve(row.service_url, channel->bot->service_url)) {
        *out_service_url = row.service_url;
    }
    return true;
}
