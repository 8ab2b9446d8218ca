#include "policy/cel/base64_internal.h"
#include "policy/cel/library_internal.h"

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
