#ifndef SUPPORT_MINTER_H
#define SUPPORT_MINTER_H

/* Somebody else's issuer: keys of every algorithm, made anew, and tokens signed with them. */

#include "base/builder.h"
#include "crypto/jwk.h"

struct minter;

struct minter *minter_create(enum jwk_algorithm algorithm);
void minter_destroy(struct minter *minter);
/* Appends the public key as a JWK; `more` are members in front, such as "\"kid\":\"a\",". */
void minter_append_jwk(const struct minter *minter, const char *more, struct builder *out);
/* Appends a compact JWS over exactly these texts. */
void minter_append_token(const struct minter *minter, const char *header, const char *claims,
                         struct builder *out);

#endif
