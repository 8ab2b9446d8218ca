/* How fast the ledger alone grows: entries as an allowed request makes them, written canonically,
 * hashed and added to the tree, without a store. Prints `name value unit`. */

#include "base/builder.h"
#include "crypto/crypto.h"
#include "ledger/entry.h"
#include "ledger/entry_data.h"
#include "ledger/tree.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ENTRIES = 400000 };

static const char digest[] = "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872";

static double used_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void write_data(struct builder *data, uint64_t number)
{
    static const struct ledger_submitted submitted = {.action = "payments.refund",
                                                      .agent = "billing-bot",
                                                      .resource = "invoice/2026-004217",
                                                      .subject = "user/dana@example.com"};
    builder_clear(data);
    if (number % 2 == 0) {
        ledger_data_submitted(data, &submitted);
    } else {
        ledger_data_minted(data, 1, 1700000060000, NULL);
    }
}

int main(void)
{
    struct tree tree;
    struct builder data BUILDER_SCOPE;
    struct builder entry BUILDER_SCOPE;
    struct error error = {0};
    crypto_start();
    tree_init(&tree);
    builder_init(&data, 0);
    builder_init(&entry, 0);
    double began = used_s();
    for (uint64_t i = 0; i < ENTRIES; i++) {
        write_data(&data, i);
        struct ledger_entry fields = {
            .seq = i,
            .at_ms = 1700000000000,
            .tenant = "main",
            .type = i % 2 == 0 ? LEDGER_REQUEST_SUBMITTED : LEDGER_GRANT_MINTED,
            .request = "req_01hf7m0000000000000000000",
            .grant = i % 2 == 0 ? NULL : "grt_01hf7m0000000000000000000",
            .digest = digest,
            .actor = {.kind = "caller", .id = "cal_01hf7m0000000000000000000", .via = "api_key"},
            .data = data.bytes,
            .data_length = data.length};
        builder_clear(&entry);
        if (!ledger_entry_append(&entry, &fields, &error)) {
            fprintf(stderr, "bench/ledger: %s\n", error.message);
            return 1;
        }
        struct sha256 leaf = tree_leaf_hash(entry.bytes, entry.length);
        tree_append(&tree, &leaf, NULL, NULL);
    }
    printf("ledger_append %.0f per_s\n", ENTRIES / (used_s() - began));
    return tree.size == ENTRIES ? 0 : 1;
}
