#ifndef OPERATIONS_OWNER_INTERNAL_H
#define OPERATIONS_OWNER_INTERNAL_H

/*
 * Telling the owner of an account what happened to it, in the transaction in which it happened. No
 * setting of the account, and none of a channel's (whom it serves, what it tells, when it is
 * quiet), keeps such a notice back: whoever took an account over could use it. What keeps it back
 * is that no channel of the tenant tells owners, or that the owner has no address there.
 */

#include "notifiers/account_notice.h"
#include "operations/people_internal.h"

enum {
    OWNER_NOTICES_PER_HOUR_MAX = 20, /* of one sort, to one address */
    FORMER_ADDRESSES_MAX = 5,
    BROWSERS_PER_PERSON_MAX = 20,
};
#define FORMER_ADDRESS_MS (7LL * 24 * 60 * 60 * 1000)  /* still told after another took its place  \
                                                        */
#define BROWSER_KNOWN_MS (400LL * 24 * 60 * 60 * 1000) /* as long as browsers keep a cookie */

/* One thing that happened; at most ACCOUNT_FACTS_MAX facts, up to a NULL label. */
struct owner_news {
    enum account_moment moment;
    struct account_fact facts[ACCOUNT_FACTS_MAX];
};
/* Writes the notices: to the address of now and to those of the last seven days. `person` is per_…
 * of the operation's tenant. */
bool tell_owner(struct operation *operation, const char *person, const struct owner_news *news,
                struct error *error) MUST_CHECK;
/* The address stops being told of all else; its notices go on for seven days. */
bool keep_former_address(struct operation *operation, const struct person_row *person,
                         const char *kind, const char *address, struct error *error) MUST_CHECK;
/* Of a sign-in: tells the owner of a browser that is not known as theirs (`tells`: unless what else
 * happened tells it), and fills `out_cookie` where it needs one; else "". */
bool note_browser(struct operation *operation, const struct person_row *person, bool tells,
                  char out_cookie[SECRET_TEXT_BYTES], struct error *error) MUST_CHECK;

#endif
