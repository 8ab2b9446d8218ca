#include "grants/exchange.h"

#include "formats/canonical.h"
#include <string.h>

enum { AWS_TAG_BYTES_MAX = 256 };

bool exchange_target_read(const char *name, enum exchange_target *out)
{
    static const char *const names[EXCHANGE_TARGET_COUNT] = {"service", "aws", "gcp", "azure",
                                                             "vault"};
    for (int i = 0; i < EXCHANGE_TARGET_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum exchange_target)i;
            return true;
        }
    }
    return false;
}

bool exchange_subject_read(const char *name, enum exchange_subject *out)
{
    static const char *const names[EXCHANGE_SUBJECT_COUNT] = {"principal", "agent", "agent_action"};
    for (int i = 0; i < EXCHANGE_SUBJECT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum exchange_subject)i;
            return true;
        }
    }
    return false;
}

const struct exchange_audience *exchange_find(const struct exchange_audience *audiences,
                                              size_t count, const char *audience)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(audiences[i].audience, audience) == 0) {
            return &audiences[i];
        }
    }
    return NULL;
}

/* Letters and digits of ASCII and what STS takes in a tag's value beside them. */
static bool fits_tag(const char *text)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                " _.:/=+-@";
    size_t length = strlen(text);
    return length > 0 && length <= AWS_TAG_BYTES_MAX && strspn(text, taken) == length;
}

struct tag {
    const char *name;
    const char *value;
};
enum { TAG_COUNT = 6 };

static void name_tags(const struct grant_claims *claims, struct tag tags[TAG_COUNT])
{
    tags[0] = (struct tag){"action", claims->action};
    tags[1] = (struct tag){"agent", claims->agent};
    tags[2] = (struct tag){"grant", claims->grant};
    tags[3] = (struct tag){"request", claims->request};
    tags[4] = (struct tag){"resource", claims->resource};
    tags[5] = (struct tag){"tenant", claims->tenant};
}

/* A value that STS would refuse is left out: a role that asks for the tag is then closed, and one
 * that does not would have been open anyway. Nothing is ever altered to fit. */
static void write_aws(struct canonical_writer *writer, const struct grant_claims *claims)
{
    struct tag tags[TAG_COUNT];
    name_tags(claims, tags);
    canonical_member_text(writer, "https://aws.amazon.com/source_identity", claims->request);
    canonical_name(writer, "https://aws.amazon.com/tags");
    canonical_open_object(writer);
    canonical_name(writer, "principal_tags");
    canonical_open_object(writer);
    for (size_t i = 0; i < TAG_COUNT; i++) {
        if (fits_tag(tags[i].value)) {
            canonical_name(writer, tags[i].name);
            canonical_open_array(writer);
            canonical_string(writer, tags[i].value);
            canonical_close_array(writer);
        }
    }
    canonical_close_object(writer);
    canonical_name(writer, "transitive_tag_keys");
    canonical_open_array(writer);
    for (size_t i = 0; i < TAG_COUNT; i++) {
        if (fits_tag(tags[i].value)) {
            canonical_string(writer, tags[i].name);
        }
    }
    canonical_close_array(writer);
    canonical_close_object(writer);
}

static void append_subject(const struct exchange_audience *audience,
                           const struct grant_claims *claims, struct builder *out)
{
    switch (audience->subject) {
    case EXCHANGE_SUBJECT_AGENT:
        builder_printf(out, "agent:%s:%s", claims->tenant, claims->agent);
        return;
    case EXCHANGE_SUBJECT_AGENT_ACTION:
        builder_printf(out, "agent:%s:%s:%s", claims->tenant, claims->agent, claims->action);
        return;
    case EXCHANGE_SUBJECT_PRINCIPAL:
    case EXCHANGE_SUBJECT_COUNT:
        break;
    }
    builder_text(out, claims->subject);
}

void grant_append_exchanged(const struct exchange_audience *audience,
                            const struct grant_claims *claims, struct builder *out)
{
    struct builder details BUILDER_SCOPE;
    struct builder subject BUILDER_SCOPE;
    struct canonical_writer writer;
    int64_t issued = (claims->issued_at - EXCHANGE_BACKDATED_MS) / 1000;
    builder_init(&details, 0);
    builder_init(&subject, 0);
    grant_append_details(claims, &details);
    append_subject(audience, claims, &subject);
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "act");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "sub", claims->agent);
    canonical_close_object(&writer);
    canonical_member_text(&writer, "action", claims->action);
    canonical_member_text(&writer, "agent", claims->agent);
    canonical_member_text(&writer, "aud", audience->audience);
    canonical_member_raw(&writer, "authorization_details", details.bytes, details.length);
    canonical_member_text(&writer, "binding_hash", claims->binding);
    canonical_member_text(&writer, "client_id", claims->caller);
    canonical_member_text(&writer, "digest", claims->digest);
    canonical_member_integer(&writer, "exp", (claims->issued_at + audience->lifetime_ms) / 1000);
    canonical_member_integer(&writer, "fence", claims->fence);
    canonical_member_text(&writer, "grant", claims->grant);
    if (audience->target == EXCHANGE_AWS) {
        write_aws(&writer, claims);
    }
    canonical_member_integer(&writer, "iat", issued);
    canonical_member_text(&writer, "iss", claims->issuer);
    canonical_member_text(&writer, "jti", claims->token);
    canonical_member_integer(&writer, "nbf", issued);
    canonical_member_text(&writer, "policy_version", claims->policy);
    canonical_member_text(&writer, "resource", claims->resource);
    canonical_member_text(&writer, "sub", subject.bytes);
    canonical_member_text(&writer, "tenant", claims->tenant);
    canonical_member_text(&writer, "txn", claims->request);
    canonical_close_object(&writer);
}
