#include "policy/cel/encoders_internal.h"
#include "policy/cel/library_internal.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void cel_base64_encode(char *out, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
}

static int digit_of(char character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

bool cel_base64_decode(unsigned char *out, const char *text, size_t length, size_t *out_length)
{
    size_t digits = length;
    while (digits > 0 && length - digits < 2 && text[digits - 1] == '=') {
        digits--;
    }
    if ((digits < length && length % 4 != 0) || digits % 4 == 1) {
        return false;
    }
    uint32_t bits = 0;
    size_t kept = 0;
    *out_length = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        kept += 6;
        if (kept >= 8) {
            kept -= 8;
            out[(*out_length)++] = (unsigned char)(bits >> kept);
        }
        bits &= (1u << kept) - 1;
    }
    return bits == 0;
}

static struct cel_value encode(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind != CEL_BYTES) {
        return cel_no_overload(run, "base64.encode", args, count);
    }
    size_t length = cel_base64_encoded_bytes(args[0].length);
    char *text = cel_alloc_some(run, length);
    if (text == NULL) {
        return cel_null();
    }
    cel_base64_encode(text, (const unsigned char *)args[0].as.bytes, args[0].length);
    return cel_string(text, length);
}

static struct cel_value decode(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "base64.decode", args, count);
    }
    unsigned char *bytes = cel_alloc_some(run, cel_base64_decoded_bytes(args[0].length));
    if (bytes == NULL) {
        return cel_null();
    }
    size_t length;
    if (!cel_base64_decode(bytes, args[0].as.bytes, args[0].length, &length)) {
        return cel_fail(run, "the text is not base64");
    }
    return (struct cel_value){
        .kind = CEL_BYTES, .length = (uint32_t)length, .as.bytes = (const char *)bytes};
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

const struct cel_function_row cel_library_encoders[] = {
    {"base64.encode", CEL_GLOBAL, 1, 1, encode, SIGNATURES("(bytes) -> string"),
     cel_cost_call_and_scan, NULL, NULL},
    {"base64.decode", CEL_GLOBAL, 1, 1, decode, SIGNATURES("(string) -> bytes"),
     cel_cost_call_and_scan, NULL, NULL},
    {0},
};
