#ifndef OPERATIONS_SESSION_INTERNAL_H
#define OPERATIONS_SESSION_INTERNAL_H

/* What signing in by password and by link share. */

#include "operations/people_internal.h"
#include "operations/session_operations.h"

enum {
    SESSIONS_PER_PERSON_MAX = 20, /* the oldest give way */
    SESSIONS_PURGED_MAX = 100,    /* that are over, at each sign-in */
};

/* Opens a session of this person with its entry; the operation goes on as the person, who has
 * proved `step_up`. */
bool open_session(struct operation *operation, const struct person_row *person,
                  enum step_up step_up, struct session_view *out, struct error *error) MUST_CHECK;
/* The operation's session, stepped up, under another id and secret, with its entry. */
bool step_up_session(struct operation *operation, enum step_up step_up, struct session_view *out,
                     struct error *error) MUST_CHECK;
/* Any session of the operation's person, with its entry. */
bool end_session(struct operation *operation, const struct session_row *session,
                 struct error *error) MUST_CHECK;
/* Of the browser that signs in again; NULL: it had none. */
bool end_former_session(struct operation *operation, const struct credential *former,
                        struct error *error) MUST_CHECK;
/* Sets the password with its entry. */
bool put_password(struct operation *operation, const struct person_row *person, const char *hash,
                  struct error *error) MUST_CHECK;

#endif
