#ifndef BENCH_SAME_ROWS_H
#define BENCH_SAME_ROWS_H

/* The rows that a decision leaves behind, in the product's own schema, as fixed texts of the usual
 * length around ids of their own: a request, its grant (minted at once) and five entries. Nothing
 * is decided, bound, hashed into a tree or checked. */

#include "crypto/crypto.h"
#include "store/grant_rows.h"
#include "store/ledger_rows.h"
#include "store/request_rows.h"
#include <string.h>

enum { SAME_ENTRIES = 5 };

#define SAME_HEX "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872"

static const char same_entry[] =
    "{\"actor\":{\"id\":\"cal_01hf7m0000000000000000000\",\"kind\":\"caller\",\"via\":\"api_key\"},"
    "\"at\":\"2026-11-24T06:24:23.123Z\",\"data\":{\"action\":\"orders.get\",\"agent\":\"bot\","
    "\"parties\":[],\"resource\":\"order/4711-123456789012\",\"subject\":\"user/alice\"},"
    "\"digest\":\"" SAME_HEX "\",\"request\":\"req_01hf7m0000000000000000000\",\"seq\":123456,"
    "\"tenant\":\"default\",\"type\":\"request.submitted\",\"v\":1}";

static inline struct request_row same_request(const char *body, int64_t now)
{
    struct request_row request = {
        .tenant = "default",
        .caller = "cal_01hf7m0000000000000000000",
        .caller_name = "runner",
        .agent = "agt_01hf7m0000000000000000000",
        .agent_name = "bot",
        .state = REQUEST_APPROVED,
        .reason = REASON_POLICY_ALLOW,
        .revision = 1,
        .risk = 1,
        .verdict = 2,
        .subject = "{\"id\":\"alice\",\"type\":\"user\"}",
        .subject_key = "user/alice",
        .action = body,
        .action_name = "orders.get",
        .resource = "{\"id\":\"4711-123456789012\",\"type\":\"order\"}",
        .resource_key = "order/4711-123456789012",
        .context = "{\"session\":\"f1b2c3d4-aaaa-bbbb-cccc-0123456789ab\"}",
        .audience = "",
        .salt = "AAAAAAAAAAAAAAAAAAAAAA",
        .grant_settings = "{\"audiences\":[],\"bearer\":true,\"claim_within_ms\":900000,"
                          "\"ttl_ms\":60000}",
        .explanation = "{\"rules\":[{\"matched\":true,\"name\":\"reading\",\"verdict\":\"allow\"}],"
                       "\"verdict\":\"allow\",\"version\":\"" SAME_HEX "\"}",
        .policy = SAME_HEX,
        .parties = "",
        .created_at = now,
        .asked_at = now,
        .settled_at = now,
        .ended_at = now,
        .ended_by = "",
    };
    crypto_make_id("req", now, request.id);
    crypto_make_id("grt", now, request.grant);
    request.digest = crypto_sha256(request.id, sizeof request.id);
    request.match_key = request.effect_key = request.near_key = request.digest;
    return request;
}

static inline struct grant_row same_grant(const struct request_row *request, int64_t now)
{
    struct grant_row grant = {
        .state = GRANT_ISSUED,
        .epoch = 1,
        .digest = request->digest,
        .effect_key = request->effect_key,
        .audience = "",
        .ttl_ms = 60000,
        .issued_at = now,
        .claim_until = now + 900000,
        .mint_count = 1,
        .token = "jti_01hf7m0000000000000000000",
        .token_issued_at = now,
        .token_expires_at = now + 60000,
        .due_at = now + 900000,
    };
    memcpy(grant.id, request->grant, sizeof grant.id);
    memcpy(grant.tenant, request->tenant, sizeof grant.tenant);
    memcpy(grant.request, request->id, sizeof grant.request);
    memcpy(grant.caller, request->caller, sizeof grant.caller);
    memcpy(grant.agent, request->agent, sizeof grant.agent);
    return grant;
}

MUST_CHECK static inline bool same_rows_write(struct store *store, int64_t now, int64_t *seq,
                                              const char *body, struct error *error)
{
    struct request_row request = same_request(body, now);
    struct grant_row grant = same_grant(&request, now);
    if (!store_insert_request(store, &request, error) ||
        !store_insert_grant(store, &grant, error)) {
        return false;
    }
    for (int i = 0; i < SAME_ENTRIES; i++) {
        struct entry_row entry = {.epoch = 1,
                                  .seq = (*seq)++,
                                  .at = now,
                                  .tenant = request.tenant,
                                  .type = "request.submitted",
                                  .request = request.id,
                                  .bytes = same_entry,
                                  .length = sizeof same_entry - 1,
                                  .leaf = request.digest};
        if (!store_insert_entry(store, &entry, error)) {
            return false;
        }
    }
    return true;
}

#endif
