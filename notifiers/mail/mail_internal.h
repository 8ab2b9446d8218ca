#ifndef NOTIFIERS_MAIL_INTERNAL_H
#define NOTIFIERS_MAIL_INTERNAL_H

/* What all letters are made of. */

#include "notifiers/mail/mail_letter.h"

struct mail_parts {
    const char *subject; /* ASCII, the gateway's words */
    const char *thread;  /* what all letters of one thread share: an id; NULL: it stands alone */
    const struct builder *text, *html;
};
/* Headers and both parts. INVALID `bad_address` when an address is none. */
bool mail_append_parts(struct builder *out, const struct mail_parts *parts,
                       const struct mail_envelope *envelope, struct arena *arena,
                       struct error *error) MUST_CHECK;

void mail_begin_html(struct builder *out);
void mail_end_html(struct builder *out);
/* `text` escaped, between `open` and `close`; nothing where it is NULL. */
void mail_append_element(struct builder *out, const char *open, const char *text,
                         const char *close);

#endif
