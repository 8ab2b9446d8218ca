#ifndef NOTIFIERS_SLACK_CALLBACK_H
#define NOTIFIERS_SLACK_CALLBACK_H

/*
 * What Slack sends when somebody presses a button, submits a modal or uses a shortcut: proven to
 * come from Slack, taken apart strictly, and held against the one app and the teams that the
 * operator named. Pure: no store, no clock.
 *
 * Anyone who sees a message can press its buttons, also people of other companies in a channel that
 * is shared with them: the team that is looked at is the person's own (`user.team_id`), beside the
 * one the app is installed in. No name, handle or mail address is read anywhere here.
 */

#include "notifiers/callback.h"
#include <stddef.h>
#include <stdint.h>

enum {
    SLACK_SECRETS_MAX = 2,
    SLACK_SKEW_MS = 300 * 1000, /* either way */
    SLACK_BODY_BYTES_MAX = 512 * 1024,
};

/* What a modal says it is, beside SLACK_DENY; a shortcut's callback_id is the same. */
#define SLACK_LINK "countersign_link"

struct slack_app {
    const char *app;          /* A… */
    const char *place;        /* C…: where its cards stand; NULL: in conversations with people */
    const char *const *teams; /* T…: of the installation and of the person. None: nobody */
    size_t team_count;
    const char *const
        *enterprises; /* E…: none: no enterprise is looked at, but it is part of who */
    size_t enterprise_count;
};

/* Whether Slack signed these very bytes (signing secrets version v0): HMAC-SHA256 over
 * `v0:<timestamp>:<body>` in lower-case hex. Headers may be NULL. The secrets are texts, the second
 * for the 24 hours in which the former is still good. UNAUTHENTICATED `no_signature`,
 * `bad_timestamp`, `wrong_time`, `bad_signature`. */
bool slack_check_signature(const char *timestamp, const char *signature, const char *body,
                           size_t length, const char *const *secrets, size_t secret_count,
                           int64_t now, struct error *error) MUST_CHECK;

/* The form's one field `payload`, decoded. INVALID `invalid_form`. */
const char *slack_read_form(const char *body, size_t length, struct arena *arena,
                            struct error *error) MUST_CHECK;

/* INVALID `invalid_json`, `bad_payload`; FORBIDDEN `wrong_app`, `wrong_team`, `wrong_enterprise`,
 * `stranger` (the person is of another team, or of none that Slack says), `wrong_place`,
 * `bad_value`. What is none of these and asks for nothing known is CALLBACK_IGNORED. */
bool slack_read_payload(const char *payload, size_t length, const struct slack_app *app,
                        struct arena *arena, struct callback *out, struct error *error) MUST_CHECK;

#endif
