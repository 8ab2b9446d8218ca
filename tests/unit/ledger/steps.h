#ifndef TESTS_UNIT_LEDGER_STEPS_H
#define TESTS_UNIT_LEDGER_STEPS_H

/* The export of one test, and the steps of request `req_1` that tests of its life share. */

#include "tests/unit/ledger/sample.h"

static struct sample sample;

SAMPLE_UNUSED static void setup(void)
{
    sample_init(&sample);
    sample_header(&sample);
}

SAMPLE_UNUSED static void teardown(void)
{
    sample_finish(&sample);
}

SAMPLE_UNUSED static void close_export(void)
{
    sample_checkpoint(&sample);
    sample_end(&sample);
}

SAMPLE_UNUSED static void expect_good(void)
{
    close_export();
    sample_expect_good(&sample);
}

SAMPLE_UNUSED static void expect_found(const char *finding)
{
    close_export();
    sample_expect_found(&sample, finding);
}

/* Plain entries about a request, with what stands in sample.data. */
SAMPLE_UNUSED static void about(const char *request, enum ledger_entry_type type)
{
    sample_append(&sample, (struct ledger_entry){.type = type,
                                                 .request = request,
                                                 .digest = SAMPLE_DIGEST,
                                                 .policy = SAMPLE_POLICY});
}

SAMPLE_UNUSED static void reach_pending_with_votes(void)
{
    sample_pending(&sample, "req_1");
    sample_vote(&sample, "req_1", "per_bob", true);
    sample_vote(&sample, "req_1", "per_carol", true);
}

SAMPLE_UNUSED static void edit(void)
{
    ledger_data_edited(&sample.data, 2, TEXTS("/x"));
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_REQUEST_EDITED,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER,
                                                 .actor = sample_person("per_bob", "session")});
}

SAMPLE_UNUSED static const struct ledger_requirement grown[] = {
    {.rule = "another", .assurance = "passkey", .quorum = 1, .groups = TEXTS("security")},
    {.rule = "large-refund", .assurance = "session", .quorum = 2, .groups = TEXTS("finance")},
};

SAMPLE_UNUSED static void grow(const struct ledger_requirement *items, size_t count)
{
    const struct ledger_requirements requirements = {
        .items = items, .count = count, .deny_quorum = 1, .timeout_at_ms = sample.now + 30000};
    ledger_data_grown(&sample.data, &requirements);
    about("req_1", LEDGER_REQUIREMENTS_GROWN);
}

SAMPLE_UNUSED static void rung(void)
{
    ledger_data_rung(&sample.data, 0, 1, TEXTS("leads"));
    about("req_1", LEDGER_RUNG_REACHED);
}

SAMPLE_UNUSED static void uncount(void)
{
    ledger_data_uncounted(&sample.data, "per_bob", "disabled");
    about("req_1", LEDGER_VOTE_UNCOUNTED);
}

SAMPLE_UNUSED static void reach_edited(void)
{
    reach_pending_with_votes();
    edit();
}

#endif
