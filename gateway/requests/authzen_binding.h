#ifndef REQUESTS_AUTHZEN_BINDING_H
#define REQUESTS_AUTHZEN_BINDING_H

#include "base/builder.h"
#include "crypto/crypto.h"

/*
 * AuthZEN's ARAP draft 1, `binding_hash`: SHA-256(JCS({"subject","resource","action","context"})),
 * the subject without `properties.act`, of the context only `members`. Canonical texts; `members` a
 * canonical array of names, NULL: all. It says what an approval is for to those who know neither
 * our salt nor our agents; our own digest is what everything here rests on.
 */
struct sha256 binding_authzen_hash(const char *subject, const char *action, const char *resource,
                                   const char *context, const char *members);
/* The members of a canonical object named in a canonical array, as a canonical object. */
void binding_append_restricted(const char *object, const char *members, struct builder *out);
/* The names of a canonical object, as a canonical array. */
void binding_append_names(const char *object, struct builder *out);

#endif
