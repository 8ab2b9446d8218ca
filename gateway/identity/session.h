#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

/*
 * Sessions as a browser carries them. The cookie is `__Host-countersign` over TLS; where that
 * cannot be set, on plain HTTP to this very machine, it is `countersign-dev`, which is not for
 * production. Its value is `css_` and 43 base64url characters. The CSRF token is an HMAC keyed by
 * that secret: it can be checked without the store, belongs to one session, and tells nothing about
 * the cookie. Pure: doors find the header values, operations find the session.
 */

#include "identity/principal.h"

enum { CSRF_TEXT_BYTES = 44, BROWSER_NAME_BYTES = 32 };

const char *identity_cookie_name(bool is_tls);
/* A `Cookie` header (RFC 6265 section 4.2.1) -> the session credential in it. Others' cookies are
 * passed over. UNAUTHENTICATED `no_credential` when ours is not there (or the header is NULL),
 * `invalid_credential` when it is there twice or of another form. */
bool identity_read_cookie(const char *header, bool is_tls, struct credential *out,
                          struct error *error) MUST_CHECK;
/* The credential of a session's secret. */
struct credential identity_session_credential(const char *secret);

/* A second cookie stays when the session ends, and says only that somebody has signed in with this
 * browser before: `csb_` and 43 base64url characters. It lets nobody in. */
const char *identity_browser_cookie_name(bool is_tls);
/* False when it is not there (or the header is NULL), there twice, or of another form. */
bool identity_read_browser(const char *header, bool is_tls, struct sha256 *out_hash) MUST_CHECK;
/* What a `User-Agent` says, in words of ours alone: "Firefox on Linux". Whoever signs in chooses
 * the header, so nothing of it is passed on. */
void identity_name_browser(const char *user_agent, char out[BROWSER_NAME_BYTES]);

/* What the page sends as `X-CSRF-Token`. */
void identity_csrf_text(const struct credential *credential, char out[CSRF_TEXT_BYTES]);
/* In constant time; false for NULL and for every credential but a session. */
bool identity_csrf_matches(const struct credential *credential, const char *text) MUST_CHECK;

/* Whether an `Origin` header is scheme://Host of the request it came with (RFC 6454 section 7). */
bool identity_is_same_origin(const char *origin, bool is_tls, const char *host) MUST_CHECK;

#endif
