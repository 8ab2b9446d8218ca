#ifndef TESTS_UNIT_LEDGER_SIGNED_H
#define TESTS_UNIT_LEDGER_SIGNED_H

/* Votes that a passkey signed, and votes that only look so. */

#include "formats/text.h"
#include "tests/support/authenticator.h"
#include "tests/unit/ledger/sample.h"

#define SIGNED_RP_ID  "gate.example"
#define SIGNED_ORIGIN "https://gate.example"

/* What differs from an honest vote; zero: nothing does. */
struct signed_twist {
    const char *decision, *request, *digest, *person, *policy, *tenant, *tag, *nonce, *more;
    int64_t revision;
    int64_t expires_at; /* 0: five minutes from now */
    const char *origin; /* told and recorded */
    const char *recorded_origin, *recorded_rp_id, *recorded_credential, *recorded_key;
    const char *recorded_statement;
    struct authenticator_twist answer;
    bool claims_session;
};

struct signed_key {
    struct authenticator *authenticator;
    const char *passkey; /* pky_… */
    const char *owner;
    int64_t trusted_at;
};

SAMPLE_UNUSED static const char *signed_text(struct builder *into, struct webauthn_bytes bytes)
{
    builder_init(into, 0);
    text_append_base64url(into, bytes.bytes, bytes.length);
    return into->bytes;
}

SAMPLE_UNUSED static void signed_register(struct sample *sample, const struct signed_key *key)
{
    struct builder credential BUILDER_SCOPE;
    struct builder public_key BUILDER_SCOPE;
    const struct ledger_passkey passkey = {
        .id = key->passkey,
        .owner = key->owner,
        .credential = signed_text(&credential, authenticator_id(key->authenticator)),
        .public_key = signed_text(&public_key, authenticator_key(key->authenticator)),
        .rp_id = SIGNED_RP_ID,
        .trusted_at_ms = key->trusted_at == 0 ? sample->now : key->trusted_at,
    };
    ledger_data_passkey(&sample->data, &passkey);
    sample_append(sample, (struct ledger_entry){.type = LEDGER_KEY_ADDED,
                                                .actor = sample_person(key->owner, "session")});
}

SAMPLE_UNUSED static const char *signed_or(const char *twisted, const char *honest)
{
    return twisted == NULL ? honest : twisted;
}

/* The statement as the gateway writes it, or as the twist says. */
SAMPLE_UNUSED static void signed_statement(struct sample *sample, const char *request,
                                           const struct signed_key *key,
                                           const struct signed_twist *twist, struct builder *out)
{
    char expires_at[TIME_TEXT_BYTES];
    char nonce[32];
    text_write_time(twist->expires_at == 0 ? sample->now + 300000 : twist->expires_at, expires_at);
    snprintf(nonce, sizeof nonce, "n%llu", (unsigned long long)sample->tree.size);
    builder_printf(out,
                   "{\"decision\":\"%s\",\"digest\":\"%s\",\"expires_at\":\"%s\",\"gateway\":"
                   "\"https://gate.example\",\"nonce\":\"%s\",\"person\":\"%s\",\"policy\":\"%s\","
                   "\"request\":\"%s\",\"revision\":%d,\"statement\":\"%s\",\"tenant\":\"%s\"%s}",
                   signed_or(twist->decision, "approve"), signed_or(twist->digest, SAMPLE_DIGEST),
                   expires_at, signed_or(twist->nonce, nonce), signed_or(twist->person, key->owner),
                   signed_or(twist->policy, SAMPLE_POLICY), signed_or(twist->request, request),
                   twist->revision == 0 ? 1 : (int)twist->revision,
                   signed_or(twist->tag, LEDGER_STATEMENT), signed_or(twist->tenant, "default"),
                   signed_or(twist->more, ""));
}

/* An approval of `request` by the key's owner. */
SAMPLE_UNUSED static void signed_vote(struct sample *sample, const char *request,
                                      const struct signed_key *key,
                                      const struct signed_twist *given)
{
    static const struct signed_twist honest;
    const struct signed_twist *twist = given == NULL ? &honest : given;
    struct builder statement BUILDER_SCOPE;
    struct builder texts[5];
    struct authenticator_answer answer ANSWER_SCOPE;
    builder_init(&statement, 0);
    signed_statement(sample, request, key, twist, &statement);
    struct sha256 challenge = crypto_sha256(statement.bytes, statement.length);
    struct webauthn_expected asked = {.rp_id = SIGNED_RP_ID,
                                      .origin = signed_or(twist->origin, SIGNED_ORIGIN),
                                      .challenge = {challenge.bytes, sizeof challenge.bytes}};
    authenticator_assert(key->authenticator, &asked, &twist->answer, &answer);
    const struct ledger_proof proof = {
        .passkey = key->passkey,
        .credential = signed_or(twist->recorded_credential,
                                signed_text(&texts[0], authenticator_id(key->authenticator))),
        .public_key = signed_or(twist->recorded_key,
                                signed_text(&texts[1], authenticator_key(key->authenticator))),
        .rp_id = signed_or(twist->recorded_rp_id, SIGNED_RP_ID),
        .origin = signed_or(twist->recorded_origin, asked.origin),
        .statement = signed_or(twist->recorded_statement, statement.bytes),
        .client_data = signed_text(&texts[2], authenticator_bytes(&answer.client_data)),
        .authenticator_data = signed_text(&texts[3], authenticator_bytes(&answer.data)),
        .signature = signed_text(&texts[4], authenticator_bytes(&answer.signature)),
    };
    const struct ledger_vote vote = {.is_approve = true, .revision = 1, .proof = &proof};
    ledger_data_vote(&sample->data, &vote);
    const char *assurance = twist->claims_session ? "session" : "passkey";
    sample_append(sample, (struct ledger_entry){.type = LEDGER_VOTE,
                                                .request = request,
                                                .digest = SAMPLE_DIGEST,
                                                .policy = SAMPLE_POLICY,
                                                .actor = sample_person(key->owner, assurance)});
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        builder_finish(&texts[i]);
    }
}

/* The same in one step, with a new key each time. */
SAMPLE_UNUSED static void signed_vote_of(struct sample *sample, const char *request,
                                         const char *person)
{
    char passkey[64];
    snprintf(passkey, sizeof passkey, "pky_%s", person + 4);
    struct signed_key key = {
        .authenticator = authenticator_create(WEBAUTHN_ES256), .passkey = passkey, .owner = person};
    signed_register(sample, &key);
    signed_vote(sample, request, &key, NULL);
    authenticator_destroy(key.authenticator);
}

#endif
