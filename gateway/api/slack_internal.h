#ifndef API_SLACK_INTERNAL_H
#define API_SLACK_INTERNAL_H

/* One press or modal of Slack's, however it came: slack_callbacks.c over HTTP, slack_envelopes.c
 * over Socket Mode. slack_press.c is what both do with it. */

#include "api/api_internal.h"
#include "operations/chat_operations.h"

struct slack_press {
    struct callback callback;
    const char **channels; /* of the apps that take it; the first is where words are said */
    size_t channel_count;
    const char *key;    /* not twice */
    struct sha256 body; /* what it came with */
    struct chat_answer answer;
    const char *linked_to; /* the person's name */
};

struct credential slack_press_credential(const struct slack_press *press);
/* Loop thread. LIMIT `too_many_attempts`: codes are not to be guessed from one account. */
bool slack_press_admit(struct api *api, const struct slack_press *press,
                       struct error *error) MUST_CHECK;
/* slack_standing.c; loop thread. Calls `go` when Slack has said whether this account may decide and
 * whether the place is one of our own, or has not within two seconds: at once where it is known.
 * `refusal`: why the press is not carried out, or NULL. FORBIDDEN `not_a_member`, `shared_place`;
 * RETRY_LATER `standing_unknown`. */
void slack_hold(struct api *api, const struct slack_press *press,
                void (*go)(void *owner, const struct error *refusal), void *owner);
/* Within an operation that was begun with the credential. */
bool slack_press_run(struct slack_press *press, struct operation *operation,
                     struct error *error) MUST_CHECK;
/* Loop thread. Says to who pressed what there is to say; true when a modal is answered with `body`.
 */
bool slack_press_answer(struct api *api, struct arena *arena, const struct slack_press *press,
                        struct builder *body);
bool slack_press_refuse(struct api *api, const struct slack_press *press, const struct error *error,
                        struct builder *body);

/* Well signed or brought, but not for us: logs which of these it was. Returns false. */
bool slack_note_refusal(const struct error *reason, struct error *error);

#endif
