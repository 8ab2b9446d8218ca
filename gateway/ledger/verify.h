#ifndef LEDGER_VERIFY_H
#define LEDGER_VERIFY_H

/*
 * The offline verifier: an export (export.h) and public keys in, a verdict out. It needs nothing
 * else and believes nothing else. It recomputes every leaf and the root at every checkpoint, checks
 * every signature, that every line is canonical and of its form, that `seq` counts and `at` never
 * decreases, and replays every request and grant (entry_data.h has the order): a request approved
 * without the votes its requirements ask for, by people who may not, or a grant redeemed twice, is
 * a finding even where all hashes hold.
 *
 * It stops at the first finding. What no checkpoint covers is read and checked but said to be
 * uncovered: only the signed part is evident. Truncation, and a history rewritten by who holds the
 * key, show only against a checkpoint that was kept outside: give it in `kept`.
 *
 * Memory grows with the requests that are still alive (about 1 kB each) and by 20 to 45 bytes for
 * each that ended: of its id and its grant's a 64-bit hash is remembered. Ten million requests have
 * a chance of one in 90,000 that a new id is taken for a used one, which would be a false finding,
 * never a missed one.
 */

#include "base/error.h"
#include "ledger/note.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEDGER_KEPT_MAX = 16 };

struct ledger_kept {
    const char *note; /* a checkpoint of one of the logs: from a witness, a receipt, before */
    size_t length;
};

struct ledger_verify_options {
    /* The log's key is the Ed25519 key named as the origin of its first epoch; it also serves the
     * origins `name/e<n>`. Keys of witnesses are checked where they signed. */
    const struct note_key *keys;
    size_t key_count; /* at most NOTE_KEYS_MAX */
    const struct ledger_kept *kept;
    size_t kept_count; /* at most LEDGER_KEPT_MAX */
    bool allows_withheld; /* an export for one tenant: of others' entries it holds the leaf alone */
};

/* Gives the next line without its newline, borrowed until the next call. False at the end, or with
 * `error` set when it could not be read. */
typedef bool (*ledger_line_reader)(void *context, const char **out_line, size_t *out_length,
                                   struct error *error);

struct ledger_verify_report {
    bool is_good; /* nothing was found, and every kept checkpoint was met */
    /* Of the last log in the export: */
    char origin[NOTE_NAME_BYTES_MAX + 1];
    uint64_t size;       /* entries of it, with those before `from` */
    uint64_t covered;    /* of these, under a good signature; the entry before is the last */
    char covered_at[25]; /* `at` of that entry, "" when none */
    /* Of the whole export: */
    bool begins_midway; /* what was before its first entry is not in it */
    char first_origin[NOTE_NAME_BYTES_MAX + 1];
    uint64_t from; /* its first entry, of that log */
    uint64_t entry_count;
    uint64_t withheld_count; /* of these, by their leaf alone: what they say was not judged */
    uint64_t checkpoint_count;
    uint64_t request_count;  /* submitted in it */
    uint64_t grant_count;    /* issued in it */
    uint64_t unjudged_count; /* entries about requests that began before the export does */
    /* The first finding: */
    uint64_t line; /* 1-based; 0 when it is about the whole */
    bool has_seq;
    uint64_t seq;
    const char *finding; /* a literal: "root_mismatch", "approved_without_votes"… */
    char subject[128];   /* request, grant or origin it is about; may be empty */
    char message[512];
};

/* False only when reading failed; what was found is in the report. */
bool ledger_verify(const struct ledger_verify_options *options, ledger_line_reader read,
                   void *context, struct ledger_verify_report *out_report,
                   struct error *error) MUST_CHECK;

/* Appends the report for a human; the last line always says what was covered: `complete to entry 41
 * at 2026-11-24T06:24:23.123Z`. */
void ledger_verify_append_report(struct builder *out, const struct ledger_verify_report *report);

#endif
