#include "notifiers/notifier.h"

#include "base/builder.h"
#include "crypto/crypto.h"
#include "crypto/signer.h"
#include "formats/text.h"
#include <string.h>

/*
 * Standard Webhooks 1.0.0: what is signed is `id.timestamp.body`, once for each secret in force, so
 * that a receiver may hold either while they change over: `v1` is HMAC-SHA256, `v1a` Ed25519, whose
 * receivers hold nothing that could sign. The timestamp is this attempt's; the id and the body
 * never change.
 */

enum { ED25519_SEED_BYTES = 32, SECRET_BYTES_MIN = 24 };

static bool append_signature(struct builder *out, const struct notifier_secret *secret,
                             const struct builder *text, struct error *error)
{
    const char *gap = out->bytes[out->length - 1] == ' ' ? "" : " ";
    if (!secret->is_private) {
        struct sha256 mac =
            crypto_hmac_sha256(secret->bytes, secret->length, text->bytes, text->length);
        builder_printf(out, "%sv1,", gap);
        text_append_base64(out, mac.bytes, sizeof mac.bytes);
        return true;
    }
    unsigned char signature[64];
    struct signer *signer = signer_from_seed(SIGNER_ED25519, secret->bytes);
    bool is_signed = signer_sign(signer, text->bytes, text->length, signature, error);
    signer_close(signer);
    if (is_signed) {
        builder_printf(out, "%sv1a,", gap);
        text_append_base64(out, signature, sizeof signature);
    }
    return is_signed;
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
        if (!append_signature(&signature, &channel->secrets[i], &signed_text, error)) {
            return false;
        }
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
static void judge(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out)
{
    (void)channel, (void)notice, (void)arena;
    out->verdict = reply->status >= 200 && reply->status < 300 ? NOTIFIER_SENT
                   : reply->status == 410                      ? NOTIFIER_DEAD
                                                               : NOTIFIER_RETRY;
    out->retry_after_ms = reply->retry_after_ms;
}

const struct notifier webhook_notifier = {.kind = "webhook", .compose = compose, .judge = judge};

static bool read_bytes(const char *text, size_t length, const char *prefix,
                       struct notifier_secret *out)
{
    size_t skip = strlen(prefix);
    return length > skip && strncmp(text, prefix, skip) == 0 &&
           text_read_base64(text + skip, length - skip, out->bytes, sizeof out->bytes,
                            &out->length);
}

bool webhook_read_secret(const char *text, size_t length, struct notifier_secret *out,
                         struct error *error)
{
    *out = (struct notifier_secret){0};
    if (read_bytes(text, length, "whsec_", out) && out->length >= SECRET_BYTES_MIN) {
        return true;
    }
    if (read_bytes(text, length, "whsk_", out) &&
        (out->length == ED25519_SEED_BYTES || out->length == 2 * ED25519_SEED_BYTES)) {
        out->length = ED25519_SEED_BYTES;
        out->is_private = true;
        return true;
    }
    return error_set(
        error, ERROR_INVALID, "bad_secret", NULL,
        "a webhook secret is `whsec_` and 24 to 64 random bytes as base64, or `whsk_` and an "
        "Ed25519 private key of 32 or 64 bytes as base64: make one with "
        "`echo whsec_$(openssl rand -base64 32)`");
}
