#include "notifiers/notifier.h"

#include "base/builder.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <string.h>

/*
 * Standard Webhooks 1.0.0: the signature is HMAC-SHA256 over `id.timestamp.body`, one for each
 * secret in force, so that a receiver may hold either while they change over. The timestamp is this
 * attempt's; the id and the body never change.
 */

static void append_signature(struct builder *out, const struct notifier_secret *secret,
                             const struct builder *text)
{
    struct sha256 mac =
        crypto_hmac_sha256(secret->bytes, secret->length, text->bytes, text->length);
    builder_text(out, out->bytes[out->length - 1] == ' ' ? "v1," : " v1,");
    text_append_base64(out, mac.bytes, sizeof mac.bytes);
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder signed_text BUILDER_SCOPE;
    struct builder signature BUILDER_SCOPE;
    long long seconds = (long long)(now / 1000);
    builder_init(&signed_text, 0);
    builder_init(&signature, 0);
    if (channel->secret_count == 0 || strchr(notice->id, '.') != NULL) {
        return error_set(error, ERROR_INTERNAL, "webhook_unsigned", channel->name,
                         "the webhook `%s` has no signing secret", channel->name);
    }
    builder_printf(&signed_text, "%s.%lld.%s", notice->id, seconds, notice->payload);
    builder_text(&signature, "webhook-signature: ");
    for (size_t i = 0; i < channel->secret_count; i++) {
        append_signature(&signature, &channel->secrets[i], &signed_text);
    }
    *out = (struct notifier_message){
        .url = channel->url,
        .headers = {"Content-Type: application/json", "User-Agent: countersign",
                    arena_printf(arena, "webhook-id: %s", notice->id),
                    arena_printf(arena, "webhook-timestamp: %lld", seconds),
                    arena_copy(arena, signature.bytes, signature.length)},
        .body = notice->payload,
        .length = strlen(notice->payload)};
    return true;
}

/* Only 2xx is success; redirects are not followed and so are failures; 410 says: never again. */
static enum notifier_verdict judge(const struct notifier_reply *reply)
{
    if (reply->status >= 200 && reply->status < 300) {
        return NOTIFIER_SENT;
    }
    return reply->status == 410 ? NOTIFIER_DEAD : NOTIFIER_RETRY;
}

const struct notifier webhook_notifier = {.kind = "webhook", .compose = compose, .judge = judge};

bool webhook_read_secret(const char *text, size_t length, struct notifier_secret *out,
                         struct error *error)
{
    static const char prefix[] = "whsec_";
    size_t skip = sizeof prefix - 1;
    return (length > skip && strncmp(text, prefix, skip) == 0 &&
            text_read_base64(text + skip, length - skip, out->bytes, sizeof out->bytes,
                             &out->length) &&
            out->length >= 24) ||
           error_set(
               error, ERROR_INVALID, "bad_secret", NULL,
               "a webhook secret is `whsec_` and 24 to 64 random bytes as base64: make one with "
               "`echo whsec_$(openssl rand -base64 32)`");
}
