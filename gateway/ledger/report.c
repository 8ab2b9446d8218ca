#include "ledger/verify.h"

#include <inttypes.h>

static void append_coverage(struct builder *out, const struct ledger_verify_report *report)
{
    if (report->covered == 0) {
        builder_text(out, "complete to nothing: no checkpoint covers an entry\n");
        return;
    }
    builder_printf(out, "complete to entry %" PRIu64 " at %s\n", report->covered - 1,
                   report->covered_at);
}

static void append_finding(struct builder *out, const struct ledger_verify_report *report)
{
    builder_text(out, "FOUND ");
    builder_text(out, report->finding);
    if (report->has_seq) {
        builder_printf(out, ", entry %" PRIu64, report->seq);
    }
    if (report->line > 0) {
        builder_printf(out, ", line %" PRIu64, report->line);
    }
    if (report->subject[0] != '\0') {
        builder_printf(out, ", %s", report->subject);
    }
    builder_printf(out, "\n  %s\n", report->message);
}

void ledger_verify_append_report(struct builder *out, const struct ledger_verify_report *report)
{
    builder_printf(out,
                   "log %s: %" PRIu64 " entries, %" PRIu64 " checkpoints, %" PRIu64
                   " requests, %" PRIu64 " grants\n",
                   report->origin[0] == '\0' ? "(none)" : report->origin, report->entry_count,
                   report->checkpoint_count, report->request_count, report->grant_count);
    if (report->begins_midway) {
        builder_printf(out, "begins at entry %" PRIu64 " of %s: what was before is not in it\n",
                       report->from, report->first_origin);
    }
    if (report->withheld_count > 0) {
        builder_printf(out,
                       "%" PRIu64 " entries are withheld: of them only their place was verified\n",
                       report->withheld_count);
    }
    if (report->unjudged_count > 0) {
        builder_printf(out,
                       "%" PRIu64
                       " entries are about requests that began before this export: their "
                       "order was not judged\n",
                       report->unjudged_count);
    }
    if (report->finding != NULL) {
        append_finding(out, report);
    }
    if (report->size > report->covered) {
        builder_printf(out, "not covered by a signature: entries %" PRIu64 " to %" PRIu64 "\n",
                       report->covered, report->size - 1);
    }
    append_coverage(out, report);
}
