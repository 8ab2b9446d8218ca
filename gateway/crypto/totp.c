#include "crypto/totp.h"

#include "base/check.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

enum { RECOVERY_RANDOM_BYTES = 10, GROUP = 4 };
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Five bits a character; lengths here are multiples of five bytes. */
static void encode(const unsigned char *bytes, size_t length, char *out)
{
    size_t count = length * 8 / 5;
    for (size_t i = 0; i < count; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)bytes[bit / 8] << 8;
        pair |= bit / 8 + 1 < length ? bytes[bit / 8 + 1] : 0;
        out[i] = alphabet[pair >> (11 - bit % 8) & 31];
    }
    out[count] = '\0';
}

static bool decode(const char *text, unsigned char out[TOTP_SECRET_BYTES])
{
    if (strlen(text) != TOTP_SECRET_TEXT_BYTES - 1) {
        return false;
    }
    memset(out, 0, TOTP_SECRET_BYTES);
    for (size_t i = 0; i < TOTP_SECRET_TEXT_BYTES - 1; i++) {
        const char *found = strchr(alphabet, text[i]);
        if (found == NULL) {
            return false;
        }
        unsigned pair = (unsigned)(found - alphabet) << (11 - i * 5 % 8);
        out[i * 5 / 8] |= (unsigned char)(pair >> 8);
        if (i * 5 / 8 + 1 < TOTP_SECRET_BYTES) {
            out[i * 5 / 8 + 1] |= (unsigned char)pair;
        }
    }
    return true;
}

void totp_make_secret(char out[TOTP_SECRET_TEXT_BYTES])
{
    unsigned char secret[TOTP_SECRET_BYTES];
    crypto_random(secret, sizeof secret);
    encode(secret, sizeof secret, out);
    crypto_wipe(secret, sizeof secret);
}

/* RFC 4226 section 5.3. */
void totp_code(const void *secret, size_t length, int64_t step, int digits,
               char out[TOTP_CODE_BYTES])
{
    static const uint32_t powers[] = {1000000, 10000000, 100000000};
    unsigned char counter[8];
    unsigned char mac[SHA1_BYTES];
    size_t mac_length = 0;
    CHECK(digits >= 6 && digits <= 8);
    for (int i = 0; i < 8; i++) {
        counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    }
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, secret, length, counter, sizeof counter, mac,
                    sizeof mac, &mac_length) != NULL &&
          mac_length == sizeof mac);
    const unsigned char *at = mac + (mac[SHA1_BYTES - 1] & 15);
    uint32_t number =
        (uint32_t)(at[0] & 0x7F) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    number %= powers[digits - 6];
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
    out[digits] = '\0';
}

/* Section 5.2: a step either way for clocks that differ. All three are compared, whichever fits. */
bool totp_matches(const char *secret, const char *code, int64_t now_ms, int64_t last_step,
                  int64_t *out_step)
{
    unsigned char bytes[TOTP_SECRET_BYTES];
    char expected[TOTP_CODE_BYTES];
    bool is_found = false;
    int64_t now_step = now_ms / TOTP_STEP_MS;
    if (!decode(secret, bytes) || strlen(code) != TOTP_DIGITS) {
        return false;
    }
    for (int64_t step = now_step - 1; step <= now_step + 1; step++) {
        totp_code(bytes, sizeof bytes, step, TOTP_DIGITS, expected);
        if (crypto_equal(expected, code, TOTP_DIGITS) && step > last_step) {
            *out_step = step;
            is_found = true;
        }
    }
    crypto_wipe(bytes, sizeof bytes);
    return is_found;
}

void totp_make_recovery_code(char out[RECOVERY_CODE_BYTES])
{
    unsigned char random[RECOVERY_RANDOM_BYTES];
    char text[RECOVERY_RANDOM_BYTES * 8 / 5 + 1];
    size_t length = 0;
    crypto_random(random, sizeof random);
    encode(random, sizeof random, text);
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i > 0 && i % GROUP == 0) {
            out[length++] = '-';
        }
        out[length++] = (char)tolower((unsigned char)text[i]);
    }
    out[length] = '\0';
    CHECK(length + 1 == RECOVERY_CODE_BYTES);
    crypto_wipe(random, sizeof random);
    crypto_wipe(text, sizeof text);
}

struct sha256 totp_recovery_hash(const char *code)
{
    char text[RECOVERY_CODE_BYTES] = "";
    size_t length = 0;
    for (; *code != '\0' && length + 1 < sizeof text; code++) {
        if (*code != '-' && *code != ' ') {
            text[length++] = (char)tolower((unsigned char)*code);
        }
    }
    struct sha256 hash = crypto_sha256(text, length);
    crypto_wipe(text, sizeof text);
    return hash;
}
