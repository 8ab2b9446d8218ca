#include "crypto/webauthn.h"
#include "formats/json.h"
#include "formats/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * webauthn CASES.json: this gateway's verdict on each registration and assertion, a line each: `ok`
 * with the credential's id or the sign count, or the code of the refusal. The peers are asked the
 * same by test_webauthn.py. Bytes are base64url.
 */

enum { FILE_BYTES_MAX = 1 << 20, PART_BYTES_MAX = 4096 };

struct part {
    unsigned char bytes[PART_BYTES_MAX];
};

static struct webauthn_bytes take(const struct json *test, const char *name, struct part *into)
{
    const struct json *text = json_member(test, name);
    size_t length = 0;
    if (json_text(text) == NULL || !text_read_base64url(json_text(text), json_text_length(text),
                                                        into->bytes, PART_BYTES_MAX, &length)) {
        fprintf(stderr, "a case has no good `%s`\n", name);
        exit(2);
    }
    return (struct webauthn_bytes){into->bytes, length};
}

static void judge_registration(const struct json *test, const struct webauthn_expected *expected)
{
    static struct part parts[2];
    static struct webauthn_passkey passkey;
    struct error error = {0};
    struct builder id BUILDER_SCOPE;
    builder_init(&id, 0);
    if (!webauthn_verify_registration(expected, take(test, "client_data", &parts[0]),
                                      take(test, "attestation_object", &parts[1]), &passkey,
                                      &error)) {
        puts(error.code);
        return;
    }
    text_append_base64url(&id, passkey.id, passkey.id_length);
    printf("ok %s\n", id.bytes);
}

static void judge_assertion(const struct json *test, const struct webauthn_expected *expected)
{
    static struct part parts[4];
    struct error error = {0};
    uint32_t count = 0;
    struct webauthn_assertion assertion = {
        .client_data = take(test, "client_data", &parts[0]),
        .authenticator_data = take(test, "authenticator_data", &parts[1]),
        .signature = take(test, "signature", &parts[2]),
    };
    if (webauthn_verify_assertion(expected, take(test, "key", &parts[3]), &assertion, &count,
                                  &error)) {
        printf("ok %u\n", count);
    } else {
        puts(error.code);
    }
}

int main(int count, char **words)
{
    static char bytes[FILE_BYTES_MAX];
    struct error error = {0};
    FILE *file = count == 2 ? fopen(words[1], "re") : NULL;
    if (file == NULL) {
        fprintf(stderr, "webauthn CASES.json\n");
        return 2;
    }
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, &error);
    if (document == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    const struct json *cases = json_root(document);
    for (size_t i = 0; i < json_count(cases); i++) {
        static struct part challenge;
        const struct json *test = json_element(cases, i);
        struct webauthn_expected expected = {.rp_id = json_text(json_member(test, "rp_id")),
                                             .origin = json_text(json_member(test, "origin")),
                                             .challenge = take(test, "challenge", &challenge)};
        if (json_member(test, "attestation_object") != NULL) {
            judge_registration(test, &expected);
        } else {
            judge_assertion(test, &expected);
        }
    }
    return 0;
}
