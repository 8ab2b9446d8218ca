#ifndef NOTIFIERS_TEAMS_CALLBACK_H
#define NOTIFIERS_TEAMS_CALLBACK_H

/*
 * What the Bot Framework posts when something happens at the bot's end in Microsoft Teams: taken
 * apart strictly and held against the one bot and the Entra tenant that the operator named. Whether
 * it is the Bot Framework's is proven beside it, by the token that came with it. Pure: no store, no
 * clock.
 *
 * Who is meant is (Entra tenant, object id), which Teams vouches for and which never change. No
 * name, principal name or mail address is read anywhere here. Guests of the tenant have an object
 * id too, and are strangers where the activity says what they are; otherwise they are accounts that
 * nobody linked.
 */

#include "notifiers/callback.h"
#include "notifiers/teams/teams_place.h"
#include <stddef.h>

enum {
    TEAMS_BODY_BYTES_MAX = 256 * 1024,
    TEAMS_ID_BYTES_MAX = 400, /* of a conversation, an activity, a member */
    TEAMS_GUID_BYTES = 37,    /* 36 characters and NUL */
};

/* What a card's Action.Execute buttons say they do. */
#define TEAMS_APPROVE "approve"
#define TEAMS_DENY    "deny"
#define TEAMS_LINK    "link"

/* Who signs what comes in; in the token's `iss`. */
#define TEAMS_ISSUER "https://api.botframework.com"

/* The one channel of the Bot Framework that is Teams. */
#define TEAMS_CHANNEL "msteams"

/* Zero is nothing at all, and whoever gets it refuses. */
enum teams_kind {
    TEAMS_NONE = 0,
    TEAMS_OTHER,     /* well-formed and ours, but it asks for nothing we do */
    TEAMS_ODD_PRESS, /* an invoke that is none of ours: it wants an answer that says so */
    TEAMS_PRESS,     /* `callback` says what of */
    TEAMS_STRANGER,  /* an invoke of a guest, of another tenant's, or of nobody Entra knows */
    TEAMS_MESSAGE,   /* somebody wrote to the bot: what, is not read */
    TEAMS_ADDED,     /* the bot came into the conversation */
    TEAMS_REMOVED,   /* or was taken out of it */
};

struct teams_activity {
    enum teams_kind kind;
    struct callback callback; /* of a press: what, on which card, by which account */
    const char *id;           /* of the activity: the same when it is sent again */
    const char *service_url;  /* as the activity says; the token's claim must be the same */
    const char *conversation; /* id: of a thread, where it is in one */
    const char *place;        /* the same without the thread: as channels name it */
    const char *user;         /* 29:…, from.id; NULL when not said */
    const char *object;       /* from.aadObjectId, a GUID in lower case; NULL when not said */
};

/* INVALID `too_long`, `invalid_json`, `bad_payload`; FORBIDDEN `wrong_channel`, `wrong_tenant`,
 * `service_not_allowed` (an answer would take the bot's token elsewhere), `bad_value`. `out` is
 * written only on success. */
bool teams_read_activity(const char *body, size_t length, const struct teams_bot *bot,
                         struct arena *arena, struct teams_activity *out,
                         struct error *error) MUST_CHECK;

/* Reads a GUID of either case into lower case. */
bool teams_read_guid(const char *text, char out[TEAMS_GUID_BYTES]) MUST_CHECK;

#endif
