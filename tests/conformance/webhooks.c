#include "base/arena.h"
#include "crypto/crypto.h"
#include "formats/json.h"
#include "notifiers/notifier.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * webhooks VECTORS.json: signs each Standard Webhooks vector that names a signature made with
 * its own secret, HMAC or Ed25519, and compares. Vectors about what receivers must refuse and about
 * Slack are not for who sends: skipped, each named with its reason.
 */

static char *read_file(const char *path, size_t *out_length)
{
    FILE *file = fopen(path, "re");
    static char bytes[1 << 20];
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    *out_length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    return bytes;
}

static const char *skip_reason(const struct json *test)
{
    const char *signature = json_text(json_member(test, "signature"));
    const char *secret = json_text(json_member(test, "secret"));
    if (json_type(json_member(test, "valid")) != JSON_TYPE_TRUE) {
        return "about what a receiver refuses";
    }
    if (strncmp(secret, "whse", 4) == 0 ? strstr(signature, "v1,") == NULL
                                        : strncmp(secret, "whsk_", 5) != 0) {
        return "a signature of another sort";
    }
    return NULL;
}

/* The signature this gateway would send is one of those the vector lists. */
static bool is_signed_alike(const struct json *test, struct arena *arena)
{
    struct error error = {0};
    struct notifier_message message;
    struct notifier_channel channel = {
        .name = "test", .url = "https://example.com/", .secret_count = 1};
    const char *secret = json_text(json_member(test, "secret"));
    struct notifier_notice notice = {.id = json_text(json_member(test, "id")),
                                     .payload = json_text(json_member(test, "body"))};
    int64_t seconds = strtoll(json_text(json_member(test, "timestamp")), NULL, 10);
    if (!webhook_read_secret(secret, strlen(secret), &channel.secrets[0], &error) ||
        !webhook_notifier.compose(&channel, &notice, seconds * 1000, arena, &message, &error)) {
        printf("  %s\n", error.message);
        return false;
    }
    for (const char *const *header = message.headers; *header != NULL; header++) {
        if (strncmp(*header, "webhook-signature: ", 19) == 0) {
            return strstr(json_text(json_member(test, "signature")), *header + 19) != NULL;
        }
    }
    return false;
}

int main(int count, char **words)
{
    size_t length;
    struct error error = {0};
    int run = 0;
    int good = 0;
    if (count != 2) {
        return 2;
    }
    crypto_start();
    const char *bytes = read_file(words[1], &length);
    struct json_document *document = json_parse(bytes, length, &error);
    struct arena *arena ARENA_SCOPE = arena_create();
    const struct json *cases = document == NULL ? NULL : json_member(json_root(document), "cases");
    for (size_t i = 0; i < json_count(cases); i++) {
        const struct json *test = json_element(cases, i);
        const char *name = json_text(json_member(test, "name"));
        const char *reason = skip_reason(test);
        if (reason != NULL) {
            printf("skip %s: %s\n", name, reason);
            continue;
        }
        run++;
        bool is_alike = is_signed_alike(test, arena);
        good += is_alike;
        if (!is_alike) {
            printf("FAIL %s\n", name);
        }
    }
    json_destroy(document);
    printf("webhooks: %d/%d\n", good, run);
    return good == run && run > 0 ? 0 : 1;
}
