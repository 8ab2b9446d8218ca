#ifndef OPERATIONS_SESSION_OPERATIONS_H
#define OPERATIONS_SESSION_OPERATIONS_H

/*
 * How people sign in. Checking a password costs CPU, so the door does it on a worker between two
 * operations: one that reads what to check against, and one that acts, which looks again whether
 * what was checked is still so. An account that does not exist is checked against a dummy, so that
 * nobody learns which ones do.
 */

#include "crypto/password.h"
#include "operations/people_operations.h"
#include "store/session_rows.h"

/* What a password is checked against. */
struct password_found {
    bool exists; /* an enabled person with an enabled password */
    char person[ID_BYTES];
    char hash[PASSWORD_HASH_BYTES]; /* the dummy's when there is none */
};
/* Of whoever is named; succeeds for every name. Serves from a read-only store. */
bool operation_find_password(struct operation *operation, const char *name,
                             struct password_found *out, struct error *error) MUST_CHECK;
/* Of the person signed in: for choosing another. Serves from a read-only store. */
bool operation_find_own_password(struct operation *operation, struct password_found *out,
                                 struct error *error) MUST_CHECK;

/* The browser that somebody signs in with, as far as it can be told: `operation.browser`. */
struct browser_seen {
    bool has_cookie;
    struct sha256 cookie; /* of the one that says that it was here before */
    const char *name;     /* identity_name_browser */
    const char *peer;     /* network address, as text */
};

struct session_view {
    struct session_row session;
    char secret[SECRET_TEXT_BYTES];  /* of a new session, else "": told once, never stored */
    char browser[SECRET_TEXT_BYTES]; /* the cookie this browser is to keep; "": it has one */
    struct person_view person;
    int64_t stepped_up_until; /* 0: it has not stepped up, or that is over */
};
struct sign_in_input {
    const struct password_found *verified;  /* what the password matched */
    const char *new_hash;                   /* the same password, hashed as is done now; or NULL */
    const struct credential *ended_session; /* the one the browser had before; or NULL */
    const char *code;                       /* one-time or recovery code; or NULL */
};
/* UNAUTHENTICATED `wrong_name_or_password` when what was verified is no longer so, `code_needed`
 * and `wrong_code` where the person has one-time codes. The operation goes on as the person. */
bool operation_begin_session(struct operation *operation, const struct sign_in_input *input,
                             struct session_view *out, struct error *error) MUST_CHECK;
/* The session of this operation; without its secret. Serves from a read-only store. */
bool operation_read_session(struct operation *operation, struct session_view *out,
                            struct error *error) MUST_CHECK;
bool operation_end_session(struct operation *operation, struct error *error) MUST_CHECK;
/* Notes that the session was used: nothing but its idle time changes, so it is no entry. */
bool operation_touch_session(struct operation *operation, struct error *error) MUST_CHECK;
/* Ends the person's other sessions. CONFLICT `password_changed` when it was changed meanwhile. */
bool operation_set_password(struct operation *operation, const struct password_found *verified,
                            const char *new_hash, struct error *error) MUST_CHECK;

/* By who has no passkey: the password again, with a code where there are any. FORBIDDEN
 * `passkey_needed`, `code_needed`, `wrong_code`, `wrong_password` when what was verified is no
 * longer so. The session goes on under another secret. */
bool operation_step_up_by_password(struct operation *operation,
                                   const struct password_found *verified, const char *code,
                                   struct session_view *out, struct error *error) MUST_CHECK;

/* Whether the tenant has no admin with a password: then a set-up link makes one. */
bool operation_needs_setup(struct operation *operation, bool *out_needed,
                           struct error *error) MUST_CHECK;
/* A link takes the place of the former one of its kind and person. */
struct link_view {
    struct link_row link;
    char secret[SECRET_TEXT_BYTES]; /* told once */
};
/* Host only; 15 minutes. CONFLICT `already_set_up`. */
bool operation_make_setup_link(struct operation *operation, struct link_view *out,
                               struct error *error) MUST_CHECK;
/* For a person who has no password yet, or forgot it; 24 hours. */
bool operation_make_enrolment_link(struct operation *operation, const char *person,
                                   struct link_view *out, struct error *error) MUST_CHECK;
/* Whether the link is good now, before anything is hashed for it. FORBIDDEN `setup_link_invalid` or
 * `enrolment_link_invalid`. Serves from a read-only store. */
bool operation_check_link(struct operation *operation, enum link_kind kind,
                          const struct sha256 *hash, struct error *error) MUST_CHECK;
struct link_use {
    struct sha256 hash;
    const char *password_hash;
    const char *name;    /* set-up: of the first admin */
    const char *display; /* may be NULL */
};
/* Both use the link up, set the password and sign in; a person's former sessions end. */
bool operation_use_setup_link(struct operation *operation, const struct link_use *use,
                              struct session_view *out, struct error *error) MUST_CHECK;
bool operation_use_enrolment_link(struct operation *operation, const struct link_use *use,
                                  struct session_view *out, struct error *error) MUST_CHECK;

#endif
