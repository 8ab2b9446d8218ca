#ifndef CRYPTO_TOTP_H
#define CRYPTO_TOTP_H

/* One-time codes from a shared secret and the time (RFC 6238 with HMAC-SHA1, 30 seconds, 6 digits,
 * which is what every authenticator app does), and recovery codes for when the device is lost. Pure
 * but for making secrets. */

#include "crypto/crypto.h"
#include <stdint.h>

enum {
    TOTP_SECRET_BYTES = 20,      /* RFC 4226 section 4 */
    TOTP_SECRET_TEXT_BYTES = 33, /* base32 (RFC 4648), with the NUL */
    TOTP_DIGITS = 6,
    TOTP_CODE_BYTES = 9, /* up to 8 digits, with the NUL */
    RECOVERY_CODE_BYTES = 20,
};
#define TOTP_STEP_MS INT64_C(30000)

void totp_make_secret(char out[TOTP_SECRET_TEXT_BYTES]);
/* The code of one step; `digits` is 6 to 8. */
void totp_code(const void *secret, size_t length, int64_t step, int digits,
               char out[TOTP_CODE_BYTES]);
/* Whether `code` is that of now, of the step before or of the next, and of none up to `last_step`:
 * each is taken once. A secret that is no base32 matches nothing. */
bool totp_matches(const char *secret, const char *code, int64_t now_ms, int64_t last_step,
                  int64_t *out_step) MUST_CHECK;

/* 80 random bits as `abcd-efgh-jkmn-pqrs`. */
void totp_make_recovery_code(char out[RECOVERY_CODE_BYTES]);
/* What is stored of it, however it was typed: case, blanks and hyphens do not count. */
struct sha256 totp_recovery_hash(const char *code);

#endif
