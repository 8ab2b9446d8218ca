#ifndef OPERATIONS_MINTED_TOKENS_H
#define OPERATIONS_MINTED_TOKENS_H

/* When this process minted each grant token, on the boot clock: a wall clock that is set back does
 * not make a token live longer. Forgets what has run out; a token it does not know is judged by
 * the wall clock alone. Bounded: MINTED_TOKENS_MAX, past which all are forgotten. */

#include <stdint.h>

enum { MINTED_TOKENS_MAX = 1 << 20 };

struct minted_tokens;

struct minted_tokens *minted_tokens_create(void);
void minted_tokens_destroy(struct minted_tokens *minted); /* accepts NULL */

void minted_tokens_remember(struct minted_tokens *minted, const char *token, int64_t boot_ms);
/* Milliseconds since it was minted; -1 when this process did not mint it or has forgotten. */
int64_t minted_tokens_elapsed(const struct minted_tokens *minted, const char *token,
                              int64_t boot_ms);

#endif
