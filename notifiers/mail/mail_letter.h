#ifndef NOTIFIERS_MAIL_LETTER_H
#define NOTIFIERS_MAIL_LETTER_H

/*
 * A card, or a notice to the owner of an account, as a mail: text and HTML parts of the same words
 * (RFC 5322, MIME RFC 2045 to 2047), base64, CRLF, lines of at most 76. Its links only locate:
 * scanners follow links, run scripts and even submit forms, so nothing in a mail decides. No header
 * holds a word from outside: the subject is the gateway's and the request's id.
 */

#include "notifiers/account_notice.h"
#include "notifiers/card.h"

enum { MAIL_ADDRESS_BYTES_MAX = 254 };

struct mail_envelope {
    const char *from;   /* addr-spec, mail_is_address */
    const char *to;     /* addr-spec, mail_is_address */
    const char *notice; /* ntc_…: the same on every attempt, so that a doubled mail is known */
    int64_t now;        /* of this attempt */
};

/* Whether the text is one plain address: `local@domain` of ASCII without quotes, spaces, controls,
 * angle brackets or commas. libcurl passes on what it is given, so that a line break would make a
 * second recipient. */
bool mail_is_address(const char *text) MUST_CHECK;
/* Appends the whole message. INVALID `bad_address` when an address is none. */
bool mail_append(struct builder *out, const struct card *card, const struct mail_envelope *envelope,
                 struct arena *arena, struct error *error) MUST_CHECK;
/* mail_account.c: the same to the owner of an account. It holds no link: what asks its reader to
 * follow one is what others forge. */
bool mail_append_account(struct builder *out, const struct account_notice *notice,
                         const struct mail_envelope *envelope, struct arena *arena,
                         struct error *error) MUST_CHECK;

#endif
