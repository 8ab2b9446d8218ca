#ifndef API_TEAMS_INTERNAL_H
#define API_TEAMS_INTERNAL_H

/* One activity of the Bot Framework's: teams_callbacks.c proves whose it is and takes it apart,
 * teams_press.c does what it asks for and says what came of it. */

#include "api/api_internal.h"
#include "crypto/jwt.h"
#include "notifiers/teams/teams_callback.h"
#include "operations/chat_operations.h"

struct teams_press {
    struct jwt jwt;       /* its token */
    struct jwk_set *keys; /* one of these may have signed it */
    const char *body;
    size_t length;
    bool is_proven;                  /* the token is the Bot Framework's, for one of our bots */
    const struct api_teams_bot *bot; /* the first that takes it */
    const char **channels;           /* of the bots that take it */
    size_t channel_count;
    struct teams_activity activity;
    const char *member;    /* what Teams is asked about who pressed */
    struct sha256 pressed; /* what the press says, without what changes when it is sent again */
    struct chat_answer answer;
    const char *linked_to; /* the person's name */
    bool is_named;         /* of a bot that was added: a channel has its cards there */
};

/* teams_standing.c; loop thread. Calls `go` when Teams has said whether this account may decide, or
 * has not within five seconds: at once where it is known, and for what is no press. `refusal`: why
 * the press is not carried out, or NULL. FORBIDDEN `not_a_member`; RETRY_LATER `standing_unknown`.
 */
void teams_hold(struct api *api, const struct teams_press *press,
                void (*go)(void *owner, const struct error *refusal), void *owner);
/* Within an operation that was begun with the call's credential. */
bool teams_press_run(struct teams_press *press, struct operation *operation,
                     const struct credential *credential, struct error *error) MUST_CHECK;
/* Loop thread. The body of the answer, and its status. */
int teams_press_answer(struct api *api, struct arena *arena, const struct teams_press *press,
                       struct builder *body);
/* The same where what was pressed was refused. */
int teams_press_refuse(struct api *api, const struct teams_press *press, const struct error *error,
                       struct builder *body);

#endif
