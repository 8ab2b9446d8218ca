#ifndef OPERATIONS_SESSION_INTERNAL_H
#define OPERATIONS_SESSION_INTERNAL_H

/* What signing in by password and by link share. */

#include "operations/people_internal.h"
#include "operations/session_operations.h"

enum {
    SESSIONS_PER_PERSON_MAX = 20, /* the oldest give way */
    SESSIONS_PURGED_MAX = 100,    /* that are over, at each sign-in */
};

/* Opens a session of this person with its entry; the operation goes on as the person. */
bool open_session(struct operation *operation, const struct person_row *person,
                  struct session_view *out, struct error *error) MUST_CHECK;
/* Sets the password with its entry. */
bool put_password(struct operation *operation, const struct person_row *person, const char *hash,
                  struct error *error) MUST_CHECK;

#endif
