#include "ledger/passkeys_internal.h"

#include "base/memory.h"
#include "crypto/webauthn.h"
#include "formats/text.h"
#include "ledger/entry_data.h"
#include "ledger/life_internal.h"
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256, STATEMENT_MEMBERS = 11 };

/* ---- which there are ---- */

static struct passkey_known **bucket_of(struct passkeys *passkeys, struct span id)
{
    struct sha256 hash = crypto_sha256(id.bytes == NULL ? "" : id.bytes, id.length);
    return &passkeys->buckets[(hash.bytes[0] << 8 | hash.bytes[1]) % PASSKEY_BUCKETS];
}

static struct passkey_known *find(struct passkeys *passkeys, struct span id)
{
    struct passkey_known *known = *bucket_of(passkeys, id);
    while (known != NULL && !span_equals(known->id, id)) {
        known = known->next;
    }
    return known;
}

static void forget(struct passkey_known *known)
{
    struct span *kept[] = {&known->id,         &known->tenant,     &known->owner,
                           &known->credential, &known->public_key, &known->rp_id,
                           &known->trusted_at};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        life_keep(kept[i], (struct span){0});
    }
    free(known);
}

void passkeys_finish(struct passkeys *passkeys)
{
    for (size_t i = 0; i < PASSKEY_BUCKETS; i++) {
        while (passkeys->buckets[i] != NULL) {
            struct passkey_known *known = passkeys->buckets[i];
            passkeys->buckets[i] = known->next;
            forget(known);
        }
    }
    life_keep(&passkeys->policy, (struct span){0});
}

static bool add(struct passkeys *passkeys, const struct entry_view *entry, struct finding *finding)
{
    struct span passkey = scan_member(entry->data, "passkey");
    struct span id = scan_text_member(entry->data, "id");
    struct passkey_known read = {.owner = scan_text_member(entry->data, "owner"),
                                 .credential = scan_text_member(passkey, "credential"),
                                 .public_key = scan_text_member(passkey, "public_key"),
                                 .rp_id = scan_text_member(passkey, "rp_id"),
                                 .trusted_at = scan_text_member(passkey, "trusted_at")};
    if (passkey.bytes == NULL) {
        return true; /* an API key or a signing key */
    }
    if (id.length == 0 || read.owner.length == 0 || read.credential.length == 0 ||
        read.public_key.length == 0 || read.rp_id.length == 0 || !scan_is_time(read.trusted_at)) {
        return finding_set(finding, "data_malformed", id,
                           "A passkey needs an id, an owner, its key, its host and a time.");
    }
    if (find(passkeys, id) != NULL) {
        return finding_set(finding, "passkey_twice", id, "A passkey of this id was added before.");
    }
    struct passkey_known *known = memory_zeroed(1, sizeof *known);
    struct passkey_known **bucket = bucket_of(passkeys, id);
    life_keep(&known->id, id);
    life_keep(&known->tenant, entry->tenant);
    life_keep(&known->owner, read.owner);
    life_keep(&known->credential, read.credential);
    life_keep(&known->public_key, read.public_key);
    life_keep(&known->rp_id, read.rp_id);
    life_keep(&known->trusted_at, read.trusted_at);
    known->next = *bucket;
    *bucket = known;
    return true;
}

static bool confirm(struct passkeys *passkeys, const struct entry_view *entry,
                    struct finding *finding)
{
    struct passkey_known *known = find(passkeys, scan_text_member(entry->data, "id"));
    if (known == NULL) {
        return true;
    }
    if (span_equals(known->owner, entry->actor_id)) {
        return finding_set(finding, "passkey_confirmed_by_owner", known->id,
                           "Its own person cannot confirm a passkey.");
    }
    life_keep(&known->trusted_at, entry->at);
    return true;
}

/* A copy of the store was put back: what was removed since may be there again, and who runs the
 * gateway said whether to trust it (`recovered`). */
static void restore_all(struct passkeys *passkeys)
{
    for (size_t i = 0; i < PASSKEY_BUCKETS; i++) {
        for (struct passkey_known *known = passkeys->buckets[i]; known != NULL;
             known = known->next) {
            known->is_removed = false;
        }
    }
}

bool passkeys_note(struct passkeys *passkeys, const struct entry_view *entry,
                   struct finding *finding)
{
    if (entry->type == LEDGER_KEY_ADDED) {
        return add(passkeys, entry, finding);
    }
    if (entry->type == LEDGER_KEY_CONFIRMED) {
        return confirm(passkeys, entry, finding);
    }
    if (entry->type == LEDGER_KEY_DISABLED) {
        struct passkey_known *known = find(passkeys, scan_text_member(entry->data, "id"));
        if (known != NULL) {
            known->is_removed = true;
        }
    }
    if (entry->type == LEDGER_POLICY_PUBLISHED) {
        life_keep(&passkeys->policy, entry->policy);
    }
    if (entry->type == LEDGER_EPOCH_BEGUN) {
        restore_all(passkeys);
    }
    return true;
}

/* ---- whether it signed ---- */

struct proof {
    struct span passkey, credential, public_key, rp_id, origin, statement;
    struct span client_data, authenticator_data, signature;
};

static struct proof read_proof(struct span object)
{
    return (struct proof){.passkey = scan_text_member(object, "passkey"),
                          .credential = scan_text_member(object, "credential"),
                          .public_key = scan_text_member(object, "public_key"),
                          .rp_id = scan_text_member(object, "rp_id"),
                          .origin = scan_text_member(object, "origin"),
                          .statement = scan_member(object, "statement"),
                          .client_data = scan_text_member(object, "client_data"),
                          .authenticator_data = scan_text_member(object, "authenticator_data"),
                          .signature = scan_text_member(object, "signature")};
}

static bool refuse(struct finding *finding, const struct entry_view *entry, const char *code,
                   const char *what)
{
    return finding_set(finding, code, entry->request, "The vote of `%.*s` %s.",
                       (int)entry->actor_id.length, entry->actor_id.bytes, what);
}

static bool is_before(struct span left, struct span right)
{
    return memcmp(left.bytes, right.bytes, left.length) < 0;
}

static bool check_key(const struct passkey_known *known, const struct entry_view *entry,
                      const struct proof *proof, struct finding *finding)
{
    if (!span_equals(known->tenant, entry->tenant) || !span_equals(known->owner, entry->actor_id) ||
        !span_equals(known->credential, proof->credential) ||
        !span_equals(known->public_key, proof->public_key) ||
        !span_equals(known->rp_id, proof->rp_id)) {
        return refuse(finding, entry, "passkey_other",
                      "names a passkey that is another's, or has another key, than was registered");
    }
    if (known->is_removed) {
        return refuse(finding, entry, "passkey_removed",
                      "was signed by a passkey after its removal");
    }
    return !is_before(entry->at, known->trusted_at) ||
           refuse(finding, entry, "passkey_too_new",
                  "was signed by a passkey before votes could rest on it");
}

static size_t count_members(struct span object)
{
    struct scan_walk walk = scan_enter(object);
    struct span name;
    struct span value;
    size_t count = 0;
    while (scan_next_member(&walk, &name, &value)) {
        count++;
    }
    return count;
}

/* What of the statement is not about this vote; NULL when all is. */
static const char *other_member(const struct passkeys *passkeys, const struct entry_view *entry,
                                struct span statement)
{
    bool is_approve = false;
    int64_t revision = 0;
    int64_t stated = 0;
    bool is_vote = scan_bool_member(entry->data, "approve", &is_approve) &&
                   scan_integer_member(entry->data, "revision", 1, &revision);
    const struct {
        const char *name;
        bool is_same;
    } members[] = {
        {"statement", span_is(scan_text_member(statement, "statement"), LEDGER_STATEMENT)},
        {"decision", is_vote && span_is(scan_text_member(statement, "decision"),
                                        is_approve ? "approve" : "deny")},
        {"revision",
         is_vote && scan_integer_member(statement, "revision", 1, &stated) && stated == revision},
        {"request", span_equals(scan_text_member(statement, "request"), entry->request)},
        {"digest", span_equals(scan_text_member(statement, "digest"), entry->digest)},
        {"person", span_equals(scan_text_member(statement, "person"), entry->actor_id)},
        {"tenant", span_equals(scan_text_member(statement, "tenant"), entry->tenant)},
        {"policy",
         span_equals(scan_text_member(statement, "policy"), entry->policy) &&
             (passkeys->policy.bytes == NULL || span_equals(entry->policy, passkeys->policy))},
        {"gateway", scan_text_member(statement, "gateway").length > 0},
        {"nonce", scan_text_member(statement, "nonce").length > 0},
        {"expires_at", scan_is_time(scan_text_member(statement, "expires_at"))},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!members[i].is_same) {
            return members[i].name;
        }
    }
    return count_members(statement) == STATEMENT_MEMBERS ? NULL : "members";
}

static bool check_statement(const struct passkeys *passkeys, const struct entry_view *entry,
                            struct span statement, struct finding *finding)
{
    /* What is a text or a number here has no members to be walked. */
    bool is_object = statement.length > 1 && statement.bytes[0] == '{';
    const char *other = is_object ? other_member(passkeys, entry, statement) : "statement";
    if (other != NULL) {
        return finding_set(finding, "statement_other", entry->request,
                           "The vote of `%.*s` carries a statement whose `%s` is not that of the "
                           "vote.",
                           (int)entry->actor_id.length, entry->actor_id.bytes, other);
    }
    return is_before(entry->at, scan_text_member(statement, "expires_at")) ||
           refuse(finding, entry, "statement_expired", "carries a statement that had expired");
}

static bool decode(struct span text, unsigned char *bytes, size_t bytes_max,
                   struct webauthn_bytes *out)
{
    out->bytes = bytes;
    return text.length > 0 &&
           text_read_base64url(text.bytes, text.length, bytes, bytes_max, &out->length);
}

static bool copy_name(struct span text, char out[NAME_MAX_BYTES])
{
    if (text.length == 0 || text.length >= NAME_MAX_BYTES) {
        return false;
    }
    memcpy(out, text.bytes, text.length);
    out[text.length] = '\0';
    return true;
}

/* A page belongs to its own host and to the domains above it. */
static bool is_page_of(const char *origin, const char *rp_id)
{
    const char *host = strstr(origin, "://");
    if (host == NULL) {
        return false;
    }
    host += 3;
    size_t length = strcspn(host, ":/?#");
    size_t wanted = strlen(rp_id);
    return length >= wanted && memcmp(host + length - wanted, rp_id, wanted) == 0 &&
           (length == wanted || host[length - wanted - 1] == '.');
}

static bool check_signature(const struct proof *proof, struct error *error)
{
    unsigned char key[WEBAUTHN_KEY_BYTES_MAX];
    unsigned char client_data[WEBAUTHN_CLIENT_DATA_BYTES_MAX];
    unsigned char authenticator_data[WEBAUTHN_AUTHENTICATOR_DATA_BYTES_MAX];
    unsigned char signature[WEBAUTHN_SIGNATURE_BYTES_MAX];
    char rp_id[NAME_MAX_BYTES];
    char origin[NAME_MAX_BYTES];
    struct webauthn_bytes public_key;
    struct webauthn_assertion assertion;
    uint32_t count;
    if (!decode(proof->public_key, key, sizeof key, &public_key) ||
        !decode(proof->client_data, client_data, sizeof client_data, &assertion.client_data) ||
        !decode(proof->authenticator_data, authenticator_data, sizeof authenticator_data,
                &assertion.authenticator_data) ||
        !decode(proof->signature, signature, sizeof signature, &assertion.signature) ||
        !copy_name(proof->rp_id, rp_id) || !copy_name(proof->origin, origin) ||
        !is_page_of(origin, rp_id)) {
        return error_set(error, ERROR_INVALID, "proof_malformed", NULL,
                         "its parts are not of their form");
    }
    struct sha256 challenge = crypto_sha256(proof->statement.bytes, proof->statement.length);
    struct webauthn_expected expected = {
        .rp_id = rp_id, .origin = origin, .challenge = {challenge.bytes, sizeof challenge.bytes}};
    return webauthn_verify_assertion(&expected, public_key, &assertion, &count, error);
}

bool passkeys_check_vote(struct passkeys *passkeys, const struct entry_view *entry,
                         bool may_be_unknown, bool *out_is_unknown, struct finding *finding)
{
    bool claims = span_is(entry->actor_assurance, "passkey");
    struct span object = scan_member(entry->data, "proof");
    struct error error = {0};
    *out_is_unknown = false;
    if (!claims && object.bytes == NULL) {
        return true;
    }
    if (!claims || object.bytes == NULL) {
        return refuse(finding, entry, "proof_missing",
                      claims ? "claims a passkey and has no proof of it"
                             : "has a proof and does not claim its passkey");
    }
    struct proof proof = read_proof(object);
    const struct passkey_known *known = find(passkeys, proof.passkey);
    *out_is_unknown = known == NULL;
    if (known == NULL && !may_be_unknown) {
        return refuse(finding, entry, "passkey_unknown", "names a passkey that was never added");
    }
    if ((known != NULL && !check_key(known, entry, &proof, finding)) ||
        !check_statement(passkeys, entry, proof.statement, finding)) {
        return false;
    }
    return check_signature(&proof, &error) ||
           finding_set(finding, "proof_bad", entry->request,
                       "The vote of `%.*s` was not signed by its passkey: %s.",
                       (int)entry->actor_id.length, entry->actor_id.bytes, error.message);
}
