#ifndef IDENTITY_MATCHER_H
#define IDENTITY_MATCHER_H

/*
 * Which caller a proven identity is. A registration in the configuration names claims and what they
 * must be; the first whose every claim matches is taken. The language:
 *
 *   claim:  `sub` is the member of that name; `/kubernetes.io/namespace` a JSON pointer (RFC 6901)
 *   value:  one text or a list, any of which will do; a text without `*` is exact, byte for byte;
 *           with `*` it is a glob: `*` any run without '/', `**` any run
 *   what is there: a text; a whole number or a boolean as its JSON text; of a list, any element
 *
 * An X.509-SVID has two claims: `sub`, its SPIFFE ID, and `path`.
 */

#include "formats/json.h"
#include <stdbool.h>
#include <stddef.h>

enum { MATCHER_CLAIMS_MAX = 16, MATCHER_VALUES_MAX = 64, MATCHER_ELEMENTS_MAX = 256 };

struct matcher_claim {
    const char *claim;
    const char *const *values;
    size_t value_count; /* none matches nothing */
};

struct matcher {
    const struct matcher_claim *claims;
    size_t claim_count; /* none matches nothing: nobody is let in by leaving the match out */
    const char *caller; /* name of the registered caller this is */
    const char *agent;  /* the only agent it speaks for; NULL: those the caller is registered for */
};

/* The first that matches, lent; NULL when none does. */
const struct matcher *matcher_find(const struct matcher *matchers, size_t count,
                                   const struct json *claims);
/* The same for an X.509-SVID. */
const struct matcher *matcher_find_spiffe(const struct matcher *matchers, size_t count,
                                          const char *id, const char *path);

#endif
