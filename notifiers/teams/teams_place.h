#ifndef NOTIFIERS_TEAMS_PLACE_H
#define NOTIFIERS_TEAMS_PLACE_H

/*
 * The single-tenant bot, and where its messages may go. The bot's token is good for everything the
 * bot may do, so it leaves only for hosts that are Microsoft's connectors or the one that the
 * operator named; what an activity says its `serviceUrl` is decides nothing.
 */

#include <stdbool.h>

/* What an operator says of one bot; all but the defaults is required. */
struct teams_bot {
    const char *app_id;       /* of the Entra application: `aud` of what comes in */
    const char *tenant_id;    /* the one Entra tenant whose people may decide */
    const char *conversation; /* where cards stand: "19:…@thread.tacv2" */
    const char *service_url;  /* where messages go while no activity said; TEAMS_SERVICE_URL */
    const char *openid_url;   /* metadata of who signs what comes in; TEAMS_OPENID_URL */
};

/* The connector that reaches every region of the public cloud. */
#define TEAMS_SERVICE_URL "https://smba.trafficmanager.net/teams/"
#define TEAMS_LOGIN_URL   "https://login.microsoftonline.com/"
#define TEAMS_OPENID_URL  "https://login.botframework.com/v1/.well-known/openidconfiguration"

enum { TEAMS_SERVICE_URL_BYTES_MAX = 300, TEAMS_CONVERSATION_BYTES_MAX = 300 };

/* Whether the bot's token may go to `service_url`: https at smba.trafficmanager.net or below
 * botframework.com, or at the scheme, host and port of `configured` (the bot's own service_url).
 * Letters, digits and `.-_~/` in the path, and nothing behind it. */
bool teams_may_serve(const char *service_url, const char *configured);

/* `19:…@thread.tacv2` and the like, as Teams writes ids: nothing percent-encoded, no message id. */
bool teams_is_conversation(const char *conversation);

#endif
