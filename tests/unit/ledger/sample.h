#ifndef TESTS_UNIT_LEDGER_SAMPLE_H
#define TESTS_UNIT_LEDGER_SAMPLE_H

/* Makes small exports: entries with the writers the gateway uses, signed by a key of the tests. */

#include "ledger/entry.h"
#include "ledger/entry_data.h"
#include "ledger/export.h"
#include "ledger/verify.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_UNUSED __attribute__((unused))
#define SAMPLE_DIGEST "1111111111111111111111111111111111111111111111111111111111111111"
#define SAMPLE_OTHER  "2222222222222222222222222222222222222222222222222222222222222222"
#define SAMPLE_POLICY "3333333333333333333333333333333333333333333333333333333333333333"
#define SAMPLE_ORIGIN "gate.example/ledger"
#define TEXTS(...)                                                                                 \
    ((struct ledger_texts){.items = (const char *const[]){__VA_ARGS__},                            \
                           .count =                                                                \
                               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)})
#define NO_TEXTS ((struct ledger_texts){0})

enum { SAMPLE_START_MS = 1764000000 };

struct sample {
    struct builder lines;
    struct builder entry;
    struct builder data;
    struct tree tree;
    struct signer *signer;
    struct note_key key;   /* of the log being written */
    struct note_key named; /* of the name: what a verifier is given */
    int64_t now;
    uint64_t checkpoints;
    struct ledger_verify_report report;
    struct sample_kept {
        struct builder note;
    } kept;
    bool has_kept;
    bool allows_withheld;
};

SAMPLE_UNUSED static void sample_init(struct sample *sample)
{
    *sample = (struct sample){.now = SAMPLE_START_MS * INT64_C(1000)};
    unsigned char seed[32];
    memset(seed, 'k', sizeof seed);
    builder_init(&sample->lines, 0);
    builder_init(&sample->entry, 0);
    builder_init(&sample->data, 0);
    builder_init(&sample->kept.note, 0);
    tree_init(&sample->tree);
    sample->signer = signer_from_seed(SIGNER_ED25519, seed);
    ck_assert(note_key_of_signer(&sample->key, SAMPLE_ORIGIN, sample->signer, NULL));
    sample->named = sample->key;
}

SAMPLE_UNUSED static void sample_finish(struct sample *sample)
{
    builder_finish(&sample->lines);
    builder_finish(&sample->entry);
    builder_finish(&sample->data);
    builder_finish(&sample->kept.note);
    signer_close(sample->signer);
}

SAMPLE_UNUSED static void sample_header(struct sample *sample)
{
    sample->checkpoints = 0;
    ledger_export_header(&sample->lines, &sample->tree, &sample->key);
}

/* Who does what usually. */
static const struct ledger_actor sample_caller = {.kind = "caller", .id = "cal_1", .via = "api"};
static const struct ledger_actor sample_gateway = {.kind = "gateway", .id = "gateway"};

SAMPLE_UNUSED static struct ledger_actor sample_person(const char *id, const char *assurance)
{
    return (struct ledger_actor){.kind = "person", .id = id, .via = "web", .assurance = assurance};
}

/* Appends the entry with what stands in sample->data; sets seq, at and tenant. */
SAMPLE_UNUSED static void sample_append(struct sample *sample, struct ledger_entry entry)
{
    struct error error = {0};
    entry.seq = sample->tree.size;
    entry.at_ms = sample->now++;
    entry.tenant = entry.tenant == NULL ? "default" : entry.tenant;
    entry.actor = entry.actor.kind == NULL ? sample_gateway : entry.actor;
    entry.data = sample->data.length == 0 ? NULL : sample->data.bytes;
    entry.data_length = sample->data.length;
    builder_clear(&sample->entry);
    ck_assert_msg(ledger_entry_append(&sample->entry, &entry, &error), "%s", error.message);
    struct sha256 leaf = tree_leaf_hash(sample->entry.bytes, sample->entry.length);
    tree_append(&sample->tree, &leaf, NULL, NULL);
    ledger_export_entry(&sample->lines, sample->entry.bytes, sample->entry.length, &leaf);
    builder_clear(&sample->data);
}

/* An entry of another tenant, of which only the leaf is told. */
SAMPLE_UNUSED static void sample_withhold(struct sample *sample, const char *what)
{
    struct sha256 leaf = tree_leaf_hash(what, strlen(what));
    tree_append(&sample->tree, &leaf, NULL, NULL);
    ledger_export_withheld(&sample->lines, &leaf);
}

SAMPLE_UNUSED static void sample_sign(struct sample *sample, struct builder *out)
{
    struct checkpoint checkpoint = {.size = sample->tree.size, .root = tree_root(&sample->tree)};
    memcpy(checkpoint.origin, sample->key.name, sizeof checkpoint.origin);
    ck_assert(checkpoint_sign(out, &checkpoint, sample->signer, NULL));
}

SAMPLE_UNUSED static void sample_checkpoint(struct sample *sample)
{
    struct builder note BUILDER_SCOPE;
    builder_init(&note, 0);
    sample_sign(sample, &note);
    ledger_export_checkpoint(&sample->lines, note.bytes, note.length);
    sample->checkpoints++;
}

/* Remembers the log as it is now, outside the export. */
SAMPLE_UNUSED static void sample_keep(struct sample *sample)
{
    builder_clear(&sample->kept.note);
    sample_sign(sample, &sample->kept.note);
    sample->has_kept = true;
}

SAMPLE_UNUSED static void sample_end(struct sample *sample)
{
    ledger_export_end(&sample->lines, sample->tree.size, sample->checkpoints);
}

struct sample_reader {
    const char *at;
    const char *end;
};

SAMPLE_UNUSED static bool sample_read(void *context, const char **out_line, size_t *out_length,
                                      struct error *error)
{
    struct sample_reader *reader = context;
    (void)error;
    if (reader->at == reader->end) {
        return false;
    }
    const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    const char *end = newline == NULL ? reader->end : newline;
    *out_line = reader->at;
    *out_length = (size_t)(end - reader->at);
    reader->at = newline == NULL ? end : end + 1;
    return true;
}

SAMPLE_UNUSED static bool sample_verify_bytes(struct sample *sample, const char *bytes,
                                              size_t length)
{
    struct sample_reader reader = {.at = bytes, .end = bytes + length};
    struct ledger_kept kept = {.note = sample->kept.note.bytes, .length = sample->kept.note.length};
    struct ledger_verify_options options = {.keys = &sample->named,
                                            .key_count = 1,
                                            .kept = &kept,
                                            .kept_count = sample->has_kept ? 1 : 0,
                                            .allows_withheld = sample->allows_withheld};
    struct error error = {0};
    ck_assert(ledger_verify(&options, sample_read, &reader, &sample->report, &error));
    return sample->report.is_good;
}

SAMPLE_UNUSED static bool sample_verify(struct sample *sample)
{
    return sample_verify_bytes(sample, sample->lines.bytes, sample->lines.length);
}

SAMPLE_UNUSED static void sample_expect_good(struct sample *sample)
{
    bool is_good = sample_verify(sample);
    ck_assert_msg(is_good, "line %llu: %s: %s", (unsigned long long)sample->report.line,
                  sample->report.finding, sample->report.message);
}

SAMPLE_UNUSED static void sample_expect_found(struct sample *sample, const char *finding)
{
    ck_assert_msg(!sample_verify(sample), "accepted, where `%s` was expected", finding);
    ck_assert_msg(strcmp(sample->report.finding, finding) == 0, "found `%s` (%s), expected `%s`",
                  sample->report.finding, sample->report.message, finding);
}

/* Steps of a life. The request is bound to SAMPLE_DIGEST, its grant is `grt_` for `req_`. */

SAMPLE_UNUSED static void sample_submitted(struct sample *sample, const char *request)
{
    const struct ledger_submitted submitted = {.action = "payments.refund",
                                               .agent = "billing-bot",
                                               .resource = "account/42",
                                               .subject = "user/alice",
                                               .parties = TEXTS("per_alice", "per_owner")};
    ledger_data_submitted(&sample->data, &submitted);
    sample_append(sample, (struct ledger_entry){.type = LEDGER_REQUEST_SUBMITTED,
                                                .request = request,
                                                .digest = SAMPLE_DIGEST,
                                                .actor = sample_caller});
}

SAMPLE_UNUSED static void sample_decided(struct sample *sample, const char *request,
                                         const char *verdict)
{
    const struct ledger_requirement two_of_finance[] = {
        {.rule = "large-refund",
         .assurance = "session",
         .quorum = 2,
         .groups = TEXTS("finance", "finance-leads")}};
    const struct ledger_decided decided = {
        .revision = 1,
        .verdict = verdict,
        .risk = "medium",
        .cause = "submitted",
        .cost = 12,
        .rules = TEXTS("large-refund"),
        .requirements = {.items = two_of_finance,
                         .count = strcmp(verdict, "require_approval") == 0,
                         .deny_quorum = 1,
                         .timeout_at_ms = sample->now + 60000}};
    ledger_data_decided(&sample->data, &decided);
    sample_append(sample, (struct ledger_entry){.type = LEDGER_POLICY_DECIDED,
                                                .request = request,
                                                .digest = SAMPLE_DIGEST,
                                                .policy = SAMPLE_POLICY});
}

SAMPLE_UNUSED static void sample_pending(struct sample *sample, const char *request)
{
    sample_submitted(sample, request);
    sample_decided(sample, request, "require_approval");
}

SAMPLE_UNUSED static void sample_vote_with(struct sample *sample, const char *request,
                                           const char *person, bool is_approve,
                                           const char *assurance)
{
    const struct ledger_vote vote = {.is_approve = is_approve, .revision = 1};
    ledger_data_vote(&sample->data, &vote);
    sample_append(sample, (struct ledger_entry){.type = LEDGER_VOTE,
                                                .request = request,
                                                .digest = SAMPLE_DIGEST,
                                                .actor = sample_person(person, assurance)});
}

SAMPLE_UNUSED static void sample_vote(struct sample *sample, const char *request,
                                      const char *person, bool is_approve)
{
    sample_vote_with(sample, request, person, is_approve, "session");
}

SAMPLE_UNUSED static void sample_approved(struct sample *sample, const char *request,
                                          const char *reason,
                                          const struct ledger_assigned *assigned, size_t count)
{
    const struct ledger_approved approved = {
        .reason = reason, .revision = 1, .assigned = assigned, .assigned_count = count};
    ledger_data_approved(&sample->data, &approved);
    sample_append(sample, (struct ledger_entry){.type = LEDGER_REQUEST_APPROVED,
                                                .request = request,
                                                .digest = SAMPLE_DIGEST,
                                                .policy = SAMPLE_POLICY});
}

static const struct ledger_assigned sample_bob_and_carol[] = {
    {.person = "per_bob", .group = "finance", .requirement = 0},
    {.person = "per_carol", .group = "finance-leads", .requirement = 0},
};

SAMPLE_UNUSED static void sample_people_approve(struct sample *sample, const char *request)
{
    sample_vote(sample, request, "per_bob", true);
    sample_vote(sample, request, "per_carol", true);
    sample_approved(sample, request, "approved_by_people", sample_bob_and_carol, 2);
}

SAMPLE_UNUSED static void sample_ended(struct sample *sample, const char *request,
                                       enum ledger_entry_type type, const char *reason)
{
    ledger_data_ended(&sample->data, 1, reason);
    sample_append(sample, (struct ledger_entry){.type = type, .request = request});
}

/* An entry about the grant of a request. */
SAMPLE_UNUSED static void sample_grant(struct sample *sample, const char *request,
                                       enum ledger_entry_type type, struct ledger_actor actor)
{
    char grant[64];
    snprintf(grant, sizeof grant, "grt_%s", request + 4);
    sample_append(sample, (struct ledger_entry){.type = type,
                                                .request = request,
                                                .grant = grant,
                                                .digest = SAMPLE_DIGEST,
                                                .actor = actor});
}

SAMPLE_UNUSED static void sample_issued(struct sample *sample, const char *request)
{
    const struct ledger_issued issued = {.claim_until_ms = sample->now + 900000};
    ledger_data_issued(&sample->data, &issued);
    sample_grant(sample, request, LEDGER_GRANT_ISSUED, sample_gateway);
}

SAMPLE_UNUSED static void sample_minted(struct sample *sample, const char *request, int64_t mint)
{
    ledger_data_minted(&sample->data, mint, sample->now + 60000, NULL);
    sample_grant(sample, request, LEDGER_GRANT_MINTED, sample_caller);
}

SAMPLE_UNUSED static void sample_redeemed(struct sample *sample, const char *request, int64_t mint)
{
    const struct ledger_redeemed redeemed = {.mint = mint,
                                             .fence = (INT64_C(1) << 40) +
                                                      (int64_t)sample->tree.size + 1,
                                             .effect_due_ms = sample->now + 900000,
                                             .how = "redeem"};
    ledger_data_redeemed(&sample->data, &redeemed);
    sample_grant(sample, request, LEDGER_GRANT_REDEEMED, sample_caller);
}

SAMPLE_UNUSED static void sample_effect(struct sample *sample, const char *request,
                                        const char *outcome)
{
    ledger_data_effect(&sample->data, outcome, NULL);
    sample_grant(sample, request, LEDGER_EFFECT_REPORTED, sample_caller);
}

/* From submission to effect. */
SAMPLE_UNUSED static void sample_allow_cycle(struct sample *sample, const char *request)
{
    sample_submitted(sample, request);
    sample_decided(sample, request, "allow");
    sample_approved(sample, request, "policy_allow", NULL, 0);
    sample_issued(sample, request);
    sample_minted(sample, request, 1);
    sample_redeemed(sample, request, 1);
    sample_effect(sample, request, "succeeded");
}

SAMPLE_UNUSED static void sample_people_cycle(struct sample *sample, const char *request)
{
    sample_pending(sample, request);
    sample_people_approve(sample, request);
    sample_issued(sample, request);
    sample_minted(sample, request, 1);
    sample_redeemed(sample, request, 1);
    sample_effect(sample, request, "succeeded");
}

#endif
