#ifndef STORE_LEDGER_ROWS_H
#define STORE_LEDGER_ROWS_H

/* Ledger entries, perfect nodes at levels that are multiples of 8, checkpoints, epochs, policy
 * versions, the outbox. Append-only where it is history. */

#include "identity/principal.h"
#include "store/store.h"

/* One log per epoch. seq is the leaf index in its epoch's tree. */
struct entry_row {
    int64_t epoch;
    int64_t seq;
    int64_t at;
    const char *tenant;
    const char *type;
    const char *request; /* NULL when none */
    const char *grant;   /* NULL when none */
    const char *bytes;   /* canonical JSON */
    size_t length;
    struct sha256 leaf;
};
bool store_insert_entry(struct store *store, const struct entry_row *entry,
                        struct error *error) MUST_CHECK;
/* Calls `visit` for entries from `from_seq` up to `limit`, in order; stops when it returns false.
 */
typedef bool (*store_entry_visitor)(void *context, const struct entry_row *entry);
bool store_each_entry(struct store *store, int64_t epoch, int64_t from_seq, size_t limit,
                      store_entry_visitor visit, void *context, struct error *error) MUST_CHECK;
bool store_list_request_entries(struct store *store, const char *tenant, const char *request,
                                size_t limit, struct arena *arena, struct entry_row **out,
                                size_t *out_count, struct error *error) MUST_CHECK;
bool store_read_leaf(struct store *store, int64_t epoch, int64_t seq, struct sha256 *out,
                     struct error *error) MUST_CHECK;
bool store_insert_node(struct store *store, int64_t epoch, int level, int64_t index,
                       const struct sha256 *hash, struct error *error) MUST_CHECK;
bool store_read_node(struct store *store, int64_t epoch, int level, int64_t index,
                     struct sha256 *out, struct error *error) MUST_CHECK; /* NOT_FOUND */

struct checkpoint_row {
    int64_t epoch;
    int64_t size;
    int64_t at;
    struct sha256 root;
    const char *note; /* the signed note */
};
bool store_insert_checkpoint(struct store *store, const struct checkpoint_row *checkpoint,
                             struct error *error) MUST_CHECK;
bool store_latest_checkpoint(struct store *store, int64_t epoch, struct arena *arena,
                             struct checkpoint_row *out, bool *out_found,
                             struct error *error) MUST_CHECK;
/* The first checkpoint whose size is greater than `size`. */
bool store_next_checkpoint(struct store *store, int64_t epoch, int64_t size, struct arena *arena,
                           struct checkpoint_row *out, bool *out_found,
                           struct error *error) MUST_CHECK;

struct epoch_row {
    int64_t epoch;
    const char *origin;
    int64_t began_at;
    int64_t size; /* entries so far */
};
bool store_insert_epoch(struct store *store, const struct epoch_row *epoch,
                        struct error *error) MUST_CHECK;
bool store_list_epochs(struct store *store, struct arena *arena, struct epoch_row **out,
                       size_t *out_count, struct error *error) MUST_CHECK; /* oldest first */

/* Policy versions: the files as they were, so that a version can be chosen again. */
struct policy_row {
    int64_t publication; /* raised by each publication, also of a version published before */
    const char *version; /* hex */
    const char *files;   /* canonical JSON {name: text}; NULL in lists */
    int64_t published_at;
    const char *published_by;
};
bool store_insert_policy(struct store *store, const struct policy_row *policy, struct error *error)
    MUST_CHECK; /* idempotent on version; last published wins */
bool store_current_policy(struct store *store, struct arena *arena, struct policy_row *out,
                          bool *out_found, struct error *error) MUST_CHECK;
bool store_read_policy(struct store *store, const char *version, struct arena *arena,
                       struct policy_row *out, struct error *error) MUST_CHECK; /* NOT_FOUND */
/* Each version once, newest publication first, those below publication `before` (0: all). */
bool store_list_policies(struct store *store, int64_t before, size_t limit, struct arena *arena,
                         struct policy_row **out, size_t *out_count,
                         struct error *error) MUST_CHECK;

/* The outbox: what must be told, committed with what happened. Leased by the courier. */
struct notice_row {
    char id[ID_BYTES]; /* ntc_… */
    char tenant[NAME_BYTES];
    const char *channel;   /* destination's name */
    const char *event;     /* "request.pending", "request.ended"… */
    const char *request;   /* may be NULL */
    const char *recipient; /* of a card: per_… or an address; "" for the whole channel */
    const char *line;      /* notices of one line are sent one after the other; "": of none */
    const char *payload;   /* JSON; "" of a card: composed when it is leased */
    int attempts;
    int64_t created_at;
    int64_t due_at;
    int64_t leased_until;
    int64_t fence;          /* of the lease */
    const char *state;      /* "waiting", "sent", "dead", "stale", "gathered" */
    const char *last_error; /* may be NULL */
    int64_t settled_at;     /* when the last attempt was over; 0 before the first */
    const char *answer;     /* of the other side to it; may be NULL */
    const char *roundup;    /* rnd_…: which it went in, or which it tells; NULL: none */
    int gathering;          /* 1: left for a round-up until due_at */
};
/* The event of a notice that an admin asked for, to see what the other side says. */
#define NOTICE_TEST_EVENT "channel.test"
bool store_insert_notice(struct store *store, const struct notice_row *notice,
                         struct error *error) MUST_CHECK;
/* Notices waiting, due, first of their line and not leased, earliest first; each lease raises the
 * fence. `skipped` (may be NULL): channels whose notices are left, but for tests, each between
 * spaces: ` chat mail `. */
bool store_lease_notices(struct store *store, int64_t now, int64_t lease_ms, size_t limit,
                         const char *skipped, struct arena *arena, struct notice_row **out,
                         size_t *out_count, struct error *error) MUST_CHECK;
/* How many of this event, about no request, were made for this recipient after `since`. */
bool store_count_notices_to(struct store *store, const char *tenant, const char *recipient,
                            const char *event, int64_t since, int64_t *out_count,
                            struct error *error) MUST_CHECK;
/* What was left for later in this line, and not tried, is due at once. */
bool store_hasten_notices(struct store *store, const char *line, int64_t now,
                          struct error *error) MUST_CHECK;
/* Writes state, attempts, due_at, last_error, settled_at, answer, roundup, gathering, and ends the
 * lease. */
bool store_settle_notice(struct store *store, const struct notice_row *notice,
                         struct error *error) MUST_CHECK; /* CONFLICT when the fence moved on */
/* When the next notice that may be leased may be sent, leases included; 0 when none waits. A few
 * steps through an index for each channel, however many notices wait. */
bool store_next_notice_at(struct store *store, const char *skipped, int64_t *out_due_at,
                          struct error *error) MUST_CHECK;
bool store_read_notice(struct store *store, const char *tenant, const char *id, struct arena *arena,
                       struct notice_row *out, struct error *error) MUST_CHECK; /* NOT_FOUND */
/* A dead notice waits again, due at once. NOT_FOUND, or CONFLICT `not_dead`. */
bool store_revive_notice(struct store *store, const char *tenant, const char *id, int64_t now,
                         struct arena *arena, struct notice_row *out,
                         struct error *error) MUST_CHECK;
/* The same for one that is sent: it is sent once more. CONFLICT `not_sent`. */
bool store_replay_notice(struct store *store, const char *tenant, const char *id, int64_t now,
                         struct arena *arena, struct notice_row *out,
                         struct error *error) MUST_CHECK;
struct notice_filter {
    const char *tenant; /* never NULL */
    const char *state;  /* NULL: any, as the next two */
    const char *channel;
    const char *request;
    const char *before_id; /* "" or NULL for the newest */
    size_t limit;
};
bool store_list_notices(struct store *store, const struct notice_filter *filter,
                        struct arena *arena, struct notice_row **out, size_t *out_count,
                        struct error *error) MUST_CHECK; /* newest first */

#endif
