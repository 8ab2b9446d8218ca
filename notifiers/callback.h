#ifndef NOTIFIERS_CALLBACK_H
#define NOTIFIERS_CALLBACK_H

/*
 * What somebody did on a channel, translated and nothing more: who their chat service says they
 * are, what they pressed, on which card. It is no decision and proves no person: the door hands it
 * to operations, which look the account up and vote as its person, or do not. Texts live in the
 * arena that it was read into.
 */

#include "base/arena.h"
#include "base/error.h"
#include <stddef.h>

enum {
    CALLBACK_ACCOUNT_BYTES = 200,
    CALLBACK_REASON_BYTES_MAX = 960, /* 240 characters of four bytes */
    CALLBACK_CODE_BYTES_MAX = 40,
};

/* Zero is nothing at all, and whoever gets it refuses. */
enum callback_what {
    CALLBACK_NONE = 0,
    CALLBACK_IGNORED,    /* well-formed and ours, but it asks for nothing: a link was opened */
    CALLBACK_APPROVE,    /* with request and nonce */
    CALLBACK_ASK_REASON, /* Deny was pressed: ask why. With request and nonce */
    CALLBACK_DENY,       /* with request, nonce, and reason when there is one */
    CALLBACK_ASK_CODE,   /* wants to link the account */
    CALLBACK_LINK,       /* with the code */
};

struct callback {
    enum callback_what what;
    char account[CALLBACK_ACCOUNT_BYTES]; /* who, by ids that never change: "E…/T…/U…" of Slack's,
                                             "tenant/object" of Entra's */
    const char *user;                     /* the last of them */
    const char *value;                    /* `v1.<request>.<nonce>` as it came; NULL when none */
    const char *request, *nonce;          /* of it */
    const char *reason;                   /* NULL when none was typed */
    const char *code;
    const char *place;   /* where the card stands, to answer its reader; NULL when not said */
    const char *trigger; /* good once and for three seconds; NULL when none */
};

/* Takes `v1.<request>.<nonce>` apart into `out`. FORBIDDEN `bad_value`. */
bool callback_read_value(const char *value, struct arena *arena, struct callback *out,
                         struct error *error) MUST_CHECK;
/* Whether an account "E…/T…/U…" is of one of these teams. */
bool callback_is_of_team(const char *account, const char *const *teams, size_t count);

/* Whether a text that somebody typed is plain: no control characters but line feeds and tabs. */
bool callback_is_plain(const char *text);

#endif
