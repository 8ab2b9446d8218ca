#ifndef OPERATIONS_CHAT_OPERATIONS_H
#define OPERATIONS_CHAT_OPERATIONS_H

/*
 * People's accounts at chat services. A person who signed in and stepped up makes a code; whoever
 * types it to the app within ten minutes from an account that the service vouches for has linked
 * that account. From then on what the account presses is a vote of the person's that proves `chat`,
 * cast by the one operation that casts votes. Nothing else can be done by such an account.
 */

#include "operations/request_operations.h"
#include "store/chat_rows.h"

enum {
    CHAT_CODE_TEXT_BYTES = 15, /* "abcd-efgh-jkmn" and NUL */
    CHAT_CODE_MS = 10 * 60 * 1000,
    CHAT_LINKS_PER_PERSON_MAX = 10,
};

struct chat_code {
    char text[CHAT_CODE_TEXT_BYTES]; /* shown once */
    int64_t expires_at;
};
/* Takes the place of the person's former code. */
bool operation_make_chat_code(struct operation *operation, struct chat_code *out,
                              struct error *error) MUST_CHECK;
/* One's own, in order of making. Serves from a read-only store. */
bool operation_list_chat_links(struct operation *operation, struct chat_link_row **out,
                               size_t *out_count, struct error *error) MUST_CHECK;
/* One's own. NOT_FOUND. */
bool operation_remove_chat_link(struct operation *operation, const char *id,
                                struct error *error) MUST_CHECK;

struct chat_account {
    const char *service; /* "slack", "teams" */
    const char *account; /* by ids that never change */
};
/* Links the account that the operation was begun with. Blanks, dashes and case of the code do not
 * matter. FORBIDDEN `chat_code_invalid` for a code that was used, is over or never was; CONFLICT
 * `too_many_links`. `out_name`: whose it is now. */
bool operation_link_chat(struct operation *operation, const struct chat_account *account,
                         const char *code, const char **out_name, struct error *error) MUST_CHECK;

/* chat_votes.c: one press of a button on a card. */
struct chat_press {
    const char *const *channels; /* where the card may stand */
    size_t channel_count;
    const char *request;
    const char *place; /* where it was pressed; NULL: not said */
    const char *nonce; /* that of the card's buttons: this request as it is now, or another card */
    bool approves;
    const char *reason; /* NULL when none */
    bool is_only_begun; /* nothing is decided: whether it could be, and what the card shows now */
    bool wants_card;    /* the answer takes the place of the card */
    const char *key;    /* of the callback: the same one again changes nothing */
    struct sha256 body;
};
struct chat_answer {
    const char *text; /* for who pressed: what came of it, or what had happened before */
    bool was_current; /* the card is of the request as it is now, and it is pending */
    const char
        *card; /* JSON (notifiers/card.h) of what it shows now; NULL: what it showed before */
};
/* FORBIDDEN `not_linked`, and whatever a vote is refused with. */
bool operation_press_by_chat(struct operation *operation, const struct chat_press *press,
                             struct chat_answer *out, struct error *error) MUST_CHECK;

/* chat_conversations.c: where a bot reaches its conversation. What a verified activity says, when
 * its sender is proven to be the service; no person's authority is needed, nor gained by it. */
struct chat_conversation {
    const char *service;      /* "teams" */
    const char *app;          /* which bot: the application's id */
    const char *conversation; /* a `;messageid=…` behind it is dropped */
    const char *service_url;  /* of what is remembered */
};
/* Begun with the account that sent it, or as the system. Remembers it when a channel names the
 * conversation, and says so; any other is none of ours, and `out_is_named` is false. FORBIDDEN
 * `service_not_allowed`: the bot's token would not go there. */
bool operation_remember_conversation(struct operation *operation,
                                     const struct chat_conversation *conversation,
                                     bool *out_is_named, struct error *error) MUST_CHECK;
/* The bot was taken out of it. What is sent there from now on goes to the channel's `service_url`,
 * which answers that the bot is not there. */
bool operation_forget_conversation(struct operation *operation,
                                   const struct chat_conversation *conversation,
                                   struct error *error) MUST_CHECK;

#endif
