#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include "operations/authorize.h"
#include "operations/passkey_internal.h"
#include "operations/prove_vote_internal.h"
#include "operations/request_internal.h"
#include <string.h>

/*
 * What a passkey vote signs: one canonical JSON object, whose SHA-256 is the challenge. Everything
 * it is bound to stands in it, so that whoever holds the ledger entry can check it again with
 * nobody's help. The gateway keeps none of those it hands out: the nonce carries a MAC over the
 * rest, and a statement is used once.
 */

enum { NONCE_BYTES = CHALLENGE_RANDOM_BYTES + CHALLENGE_MAC_BYTES };

struct statement {
    const struct request_row *request;
    const char *policy;
    const char *person;
    bool approves;
    int64_t expires_at;
    const char *nonce; /* base64url; NULL: left out, for the MAC */
};

static const char *write_statement(struct operation *operation, const struct statement *statement)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    char expires_at[TIME_TEXT_BYTES];
    const struct request_row *request = statement->request;
    builder_init(&text, 0);
    text_write_time(statement->expires_at, expires_at);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "decision", statement->approves ? "approve" : "deny");
    canonical_member_text(&writer, "digest", operation_hex(operation, &request->digest));
    canonical_member_text(&writer, "expires_at", expires_at);
    canonical_member_text(&writer, "gateway", operation->operations->options.issuer);
    canonical_member_text(&writer, "nonce", statement->nonce);
    canonical_member_text(&writer, "person", statement->person);
    canonical_member_text(&writer, "policy", statement->policy);
    canonical_member_text(&writer, "request", request->id);
    canonical_member_integer(&writer, "revision", request->revision);
    canonical_member_text(&writer, "statement", LEDGER_STATEMENT);
    canonical_member_text(&writer, "tenant", request->tenant);
    canonical_close_object(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

static void mac_of(struct operation *operation, const struct statement *statement,
                   const unsigned char random[CHALLENGE_RANDOM_BYTES],
                   unsigned char out[CHALLENGE_MAC_BYTES])
{
    struct statement bare = *statement;
    struct builder text BUILDER_SCOPE;
    bare.nonce = NULL;
    builder_init(&text, 0);
    builder_append(&text, (const char *)random, CHALLENGE_RANDOM_BYTES);
    builder_text(&text, write_statement(operation, &bare));
    challenge_mac(operation, "statement", text.bytes, text.length, out);
}

static const char *encode(struct operation *operation, const unsigned char *bytes, size_t length)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, bytes, length);
    return arena_copy(operation->arena, text.bytes, text.length);
}

bool operation_make_statement(struct operation *operation, const struct statement_input *input,
                              struct passkey_question *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts standing;
    unsigned char nonce[NONCE_BYTES];
    if (!find_request(operation, input->request, &request, &standing, error) ||
        !authorize(operation, OPERATION_MAKE_STATEMENT, &standing, input->request, error) ||
        !check_passkeys_available(operation, error) ||
        !check_shown(operation, &request, input->revision, &input->digest, error)) {
        return false;
    }
    struct statement statement = {
        .request = &request,
        .policy = operations_policy_version(operation->operations),
        .person = operation->principal.id,
        .approves = input->approves,
        .expires_at = operation->now + CHALLENGE_MS,
    };
    crypto_random(nonce, CHALLENGE_RANDOM_BYTES);
    mac_of(operation, &statement, nonce, nonce + CHALLENGE_RANDOM_BYTES);
    statement.nonce = encode(operation, nonce, sizeof nonce);
    *out = (struct passkey_question){.statement = write_statement(operation, &statement),
                                     .expires_at = statement.expires_at,
                                     .rp_id = operation->operations->options.rp_id};
    struct sha256 hash = crypto_sha256(out->statement, strlen(out->statement));
    const char *challenge = encode(operation, hash.bytes, sizeof hash.bytes);
    memcpy(out->challenge, challenge, strlen(challenge) + 1);
    return find_person(operation, operation->principal.id, &out->person, error) &&
           store_list_passkeys(operation->store, operation->principal.id, operation->arena,
                               &out->passkeys, &out->passkey_count, error);
}

/* ---- the vote that signs it ---- */

static bool statement_invalid(struct error *error)
{
    return error_set(error, ERROR_FORBIDDEN, "statement_invalid", "/passkey/statement",
                     "this is no statement of this gateway about this vote: ask for one with POST "
                     "/v1/requests/{id}/statement and sign it as it is");
}

/* Takes from the text what only it says; the rest must be what we would write. */
static bool read_given(struct operation *operation, const char *text, struct statement *statement)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &ignored);
    const struct json *root = document == NULL ? NULL : json_root(document);
    const char *nonce = json_text(json_member(root, "nonce"));
    const char *policy = json_text(json_member(root, "policy"));
    const char *expires_at = json_text(json_member(root, "expires_at"));
    if (nonce == NULL || policy == NULL || expires_at == NULL ||
        !text_read_time(expires_at, &statement->expires_at)) {
        return false;
    }
    statement->nonce = arena_text(operation->arena, nonce);
    statement->policy = arena_text(operation->arena, policy);
    return strcmp(write_statement(operation, statement), text) == 0;
}

static bool has_our_nonce(struct operation *operation, const struct statement *statement)
{
    unsigned char nonce[NONCE_BYTES];
    unsigned char mac[CHALLENGE_MAC_BYTES];
    size_t length = 0;
    if (!text_read_base64url(statement->nonce, strlen(statement->nonce), nonce, sizeof nonce,
                             &length) ||
        length != sizeof nonce) {
        return false;
    }
    mac_of(operation, statement, nonce, mac);
    return crypto_equal(mac, nonce + CHALLENGE_RANDOM_BYTES, sizeof mac);
}

static bool check_statement(struct operation *operation, const struct statement *statement,
                            struct error *error)
{
    if (operation->now >= statement->expires_at) {
        return error_set(error, ERROR_FORBIDDEN, "statement_expired", "/passkey/statement",
                         "this took too long: ask for another statement and sign that");
    }
    return strcmp(statement->policy, operations_policy_version(operation->operations)) == 0 ||
           error_set(error, ERROR_CONFLICT, "statement_outdated", "/passkey/statement",
                     "another policy was published meanwhile: read the request again and ask for "
                     "another statement");
}

static bool check_trusted(const struct operation *operation, const struct passkey_row *passkey,
                          struct error *error)
{
    char trusted_at[TIME_TEXT_BYTES];
    if (passkey->trusted_at <= operation->now) {
        return true;
    }
    text_write_time(passkey->trusted_at, trusted_at);
    return error_set(error, ERROR_FORBIDDEN, "passkey_too_new", passkey->id,
                     "this passkey was added later than your first: it serves such votes from %s, "
                     "or when an admin confirms it. Use another, or wait",
                     trusted_at);
}

bool prove_vote(struct operation *operation, const struct request_row *request, bool approves,
                const struct passkey_answer *answer, struct ledger_proof *out, struct error *error)
{
    struct passkey_row passkey;
    struct statement statement = {
        .request = request, .person = operation->principal.id, .approves = approves};
    if (!authorize(operation, OPERATION_PROVE_VOTE, NULL, request->id, error)) {
        return false;
    }
    if (!read_given(operation, answer->statement, &statement) ||
        !has_our_nonce(operation, &statement)) {
        return statement_invalid(error);
    }
    struct sha256 hash = crypto_sha256(answer->statement, strlen(answer->statement));
    if (!check_statement(operation, &statement, error) ||
        !check_answer(operation, operation->principal.id, answer,
                      (struct webauthn_bytes){hash.bytes, sizeof hash.bytes}, &passkey, error) ||
        !check_trusted(operation, &passkey, error) ||
        !use_challenge(operation, answer->statement, strlen(answer->statement),
                       statement.expires_at, error)) {
        return false;
    }
    operation->principal.assurance = ASSURANCE_PASSKEY;
    *out = (struct ledger_proof){
        .passkey = arena_text(operation->arena, passkey.id),
        .credential = passkey.credential,
        .public_key = passkey.key,
        .rp_id = passkey.rp_id,
        .origin = operation->operations->options.passkey_origin,
        .statement = answer->statement,
        .client_data = answer->client_data,
        .authenticator_data = answer->authenticator_data,
        .signature = answer->signature,
    };
    return true;
}
