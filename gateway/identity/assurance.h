#ifndef IDENTITY_ASSURANCE_H
#define IDENTITY_ASSURANCE_H

/* What a vote proves, weakest first, so that "enough" is `>=`. Zero proves nothing. */

#include "base/error.h"

enum assurance { ASSURANCE_NONE = 0, ASSURANCE_CHAT, ASSURANCE_SESSION, ASSURANCE_PASSKEY };

/* "none", "chat", "session", "passkey". */
const char *assurance_name(enum assurance assurance);
/* The reverse, for "chat", "session" and "passkey" only: nobody may ask for a vote that proves
 * nothing. */
bool assurance_read(const char *name, enum assurance *out_assurance) MUST_CHECK;

#endif
