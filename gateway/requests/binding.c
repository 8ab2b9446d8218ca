#include "requests/binding.h"

#include "base/check.h"
#include "formats/canonical.h"
#include "formats/text.h"

#include <string.h>

enum { SALT_BYTES = 16 };

/* A digest of half a request would be worse than none: it could be approved. */
static void check_is_whole(const struct binding *binding)
{
    CHECK(binding->tenant != NULL && binding->agent != NULL && binding->subject != NULL &&
          binding->action != NULL && binding->resource != NULL && binding->context != NULL &&
          binding->audience != NULL);
}

static void member_json(struct canonical_writer *writer, const char *name, const char *canonical)
{
    canonical_member_raw(writer, name, canonical, strlen(canonical));
}

void binding_append_text(const struct binding *binding, const char *salt, struct builder *out)
{
    check_is_whole(binding);
    CHECK(salt != NULL && salt[0] != '\0');
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    member_json(&writer, "action", binding->action);
    canonical_member_text(&writer, "agent", binding->agent);
    canonical_member_text(&writer, "audience", binding->audience);
    member_json(&writer, "context", binding->context);
    member_json(&writer, "resource", binding->resource);
    canonical_member_text(&writer, "salt", salt);
    member_json(&writer, "subject", binding->subject);
    canonical_member_text(&writer, "tenant", binding->tenant);
    canonical_member_integer(&writer, "v", BINDING_VERSION);
    canonical_close_object(&writer);
}

struct sha256 binding_digest(const struct binding *binding, const char *salt)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    binding_append_text(binding, salt, &text);
    return crypto_sha256(text.bytes, text.length);
}

/* The private keys share one secret; "use" keeps one kind from ever being taken for another. */
static struct sha256 finish_key(struct canonical_writer *writer, const char *use,
                                const struct secret *key)
{
    CHECK(key != NULL);
    canonical_member_text(writer, "use", use);
    canonical_member_integer(writer, "v", BINDING_VERSION);
    canonical_close_object(writer);
    return secret_hmac(key, writer->out->bytes, writer->out->length);
}

struct sha256 binding_match_key(const struct binding *binding, const char *caller,
                                const struct secret *key)
{
    check_is_whole(binding);
    CHECK(caller != NULL);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    member_json(&writer, "action", binding->action);
    canonical_member_text(&writer, "agent", binding->agent);
    canonical_member_text(&writer, "audience", binding->audience);
    canonical_member_text(&writer, "caller", caller);
    member_json(&writer, "context", binding->context);
    member_json(&writer, "resource", binding->resource);
    member_json(&writer, "subject", binding->subject);
    canonical_member_text(&writer, "tenant", binding->tenant);
    return finish_key(&writer, "match", key);
}

struct sha256 binding_effect_key(const struct binding *binding, const struct secret *key)
{
    check_is_whole(binding);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    member_json(&writer, "action", binding->action);
    member_json(&writer, "resource", binding->resource);
    member_json(&writer, "subject", binding->subject);
    canonical_member_text(&writer, "tenant", binding->tenant);
    return finish_key(&writer, "effect", key);
}

struct sha256 binding_near_key(const char *tenant, const char *agent, const char *action_name,
                               const char *resource_key, const struct secret *key)
{
    CHECK(tenant != NULL && agent != NULL && action_name != NULL && resource_key != NULL);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "action", action_name);
    canonical_member_text(&writer, "agent", agent);
    canonical_member_text(&writer, "resource", resource_key);
    canonical_member_text(&writer, "tenant", tenant);
    return finish_key(&writer, "near", key);
}

static void member_hash(struct canonical_writer *writer, const char *name,
                        const struct sha256 *hash)
{
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    text_append_hex(&hex, hash->bytes, sizeof hash->bytes);
    canonical_member_text(writer, name, hex.bytes);
}

struct sha256 binding_history_key(const struct binding_history *history, const struct secret *key)
{
    CHECK(history->parts != 0 && (history->parts & ~(unsigned)POLICY_HISTORY_PARTS_ALL) == 0);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    if ((history->parts & POLICY_HISTORY_ACTION) != 0) {
        canonical_member_text(&writer, "action", history->action_name);
    }
    if ((history->parts & POLICY_HISTORY_AGENT) != 0) {
        canonical_member_text(&writer, "agent", history->agent);
    }
    if ((history->parts & POLICY_HISTORY_DIGEST) != 0) {
        member_hash(&writer, "match", history->match_key);
    }
    if ((history->parts & POLICY_HISTORY_RESOURCE) != 0) {
        canonical_member_text(&writer, "resource", history->resource_key);
    }
    canonical_member_integer(&writer, "since", history->since_at);
    if ((history->parts & POLICY_HISTORY_SUBJECT) != 0) {
        canonical_member_text(&writer, "subject", history->subject_key);
    }
    canonical_member_text(&writer, "tenant", history->tenant);
    return finish_key(&writer, "history", key);
}

void binding_make_salt(char out[SALT_TEXT_BYTES])
{
    unsigned char salt[SALT_BYTES];
    crypto_random(salt, sizeof salt);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, salt, sizeof salt);
    CHECK(text.length == SALT_TEXT_BYTES - 1);
    memcpy(out, text.bytes, SALT_TEXT_BYTES);
}
