#ifndef OPERATIONS_NOTICE_OPERATIONS_H
#define OPERATIONS_NOTICE_OPERATIONS_H

/*
 * The outbox: notices are written in the transaction of what they tell (tell_outside), leased by
 * the courier, and settled with an entry. A webhook's are frozen when they happen. A card's are
 * composed when they are leased, from the request as it is then; notices about one card leave one
 * after the other, and one that would tell nothing new is stale: it is settled here and not sent.
 *
 *     wanted ──lease──> posting ──sent──> posted ──sent──> posted …      a card's row
 *        ^                 │
 *        └──refused────────┘     (what may have arrived stays posting: its end is told all the
 * same)
 *
 * A card that can be changed is posted without its buttons and gets them by a change, under the
 * same notice: what was posted twice because an answer was lost has buttons once, and the card with
 * the buttons is the one whose place is known.
 */

#include "notifiers/card.h"
#include "operations/operations.h"
#include "store/card_rows.h"
#include "store/ledger_rows.h"

enum { NOTICE_LEASE_MS = 60 * 1000, NOTICES_LEASED_MAX = 32, NOTICE_ANSWER_BYTES_MAX = 300 };

/* One notice as it leaves. */
struct notice_lease {
    struct notice_row row; /* its payload as it is to be sent */
    const char *to;        /* an address of the channel's kind; NULL: the whole channel */
    const char *address;   /* JSON: of the card that this changes; NULL: it is new */
    bool is_card;
    bool may_stand; /* a card that an earlier attempt may have posted */
    bool is_bare;   /* a new card without the buttons that it gets by its first change */
    int revision;   /* of the request, as composed; 0 when it is about none */
    int64_t version;
};
/* The system's. Leases what is due; what is stale is settled here and not returned. `skipped` (may
 * be NULL): channels that take nothing now, as store_lease_notices has them. */
bool operation_lease_notices(struct operation *operation, const char *skipped,
                             struct notice_lease **out, size_t *out_count,
                             struct error *error) MUST_CHECK;

enum notice_outcome {
    NOTICE_RETRY = 0,
    NOTICE_SENT,
    NOTICE_DEAD,
    NOTICE_DEFERRED, /* not tried: its destination takes no more now */
};
struct notice_settlement {
    enum notice_outcome outcome;
    const char *reason;     /* of a failure: short, without secrets; NULL when sent */
    int64_t retry_after_ms; /* of a retry */
    const char *answer;     /* what the other side said; bytes of any kind; NULL: nothing */
    const char *address;    /* JSON: of a card that was posted; NULL: none, or as it was */
    bool may_have_arrived;  /* of a failure: no answer said that it was refused */
};
/* The system's. CONFLICT `lease_over` when another settled it meanwhile. `notice` as leased. */
bool operation_settle_notice(struct operation *operation, struct notice_lease *notice,
                             const struct notice_settlement *settlement,
                             struct error *error) MUST_CHECK;

/* Admins, auditors and the host; the tenant of `filter` is not looked at. */
bool operation_list_notices(struct operation *operation, const struct notice_filter *filter,
                            struct notice_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK;
bool operation_read_notice(struct operation *operation, const char *id, struct notice_row *out,
                           struct error *error) MUST_CHECK;
/* Admins and the host: a dead notice is due at once again, with its attempts counted anew. CONFLICT
 * `not_dead`. */
bool operation_resend_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error) MUST_CHECK;
/* The same for one that was sent: under the same id. CONFLICT `not_sent`. */
bool operation_replay_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error) MUST_CHECK;
/* Admins and the host: a harmless notice through this channel, tried once. `to`: whom it goes to
 * where the channel tells people (NULL: its first fixed address, or the admin's own). NOT_FOUND;
 * INVALID `no_address`. */
bool operation_test_channel(struct operation *operation, const char *channel, const char *to,
                            struct notice_row *out, struct error *error) MUST_CHECK;

/* Admins, auditors and the host. In `out` the options of each and how it fares beside it. */
bool operation_list_channels(struct operation *operation, const struct operations_channel **out,
                             struct operations_channel_state **out_states, size_t *out_count,
                             struct error *error) MUST_CHECK;
/* Any thread: the courier says how its `index`th channel fares. */
void operations_note_channel(struct operations *operations, size_t index,
                             const struct operations_channel_state *state);

/* Earliest due notice known, 0 none. Any thread. */
int64_t operations_notices_due_at(const struct operations *operations);
/* What is due is to be looked for again: a channel takes notices once more. Any thread. */
void operations_look_at_outbox(struct operations *operations);

/* The card on `channel` whose buttons carry this nonce: of the revision as it is now. `tenant` and
 * request as given with it. NOT_FOUND `no_such_card` when it is none, or of a revision that an edit
 * replaced. */
bool operation_find_card(struct operation *operation, const char *channel, const char *tenant,
                         const char *request, const char *nonce, struct card_row *out,
                         struct error *error) MUST_CHECK;

/* Admins and the host: where a person is told on channels of this kind; "" removes it. INVALID
 * `bad_address`, CONFLICT `address_taken`. */
bool operation_set_address(struct operation *operation, const char *person, const char *kind,
                           const char *address, struct error *error) MUST_CHECK;
/* Admins, auditors, the host, and the person themselves. */
bool operation_list_addresses(struct operation *operation, const char *person,
                              struct address_row **out, size_t *out_count,
                              struct error *error) MUST_CHECK;

/* One of the operator's channels as one person sees it. */
struct own_channel {
    const struct operations_channel *channel;
    bool is_yours; /* tells each person: they may mute it. Otherwise it is a place of many */
    bool reaches;  /* it is theirs, tells prompts, and knows where they are told */
    bool is_muted;
};
struct own_channels {
    struct own_channel *channels;
    size_t count;
    const char *quiet_hours; /* "" for none */
    bool is_silent;          /* all that would reach them are muted */
    bool accepts_silence;    /* and that is as they want it, critical risk included */
};
/* A person's own: the channels that may tell them something, and what they chose. */
bool operation_read_own_channels(struct operation *operation, struct own_channels *out,
                                 struct error *error) MUST_CHECK;
struct channel_choice {
    const char *quiet_hours; /* NULL: as they are; "": none */
    bool sets_muted;
    const char *const *muted; /* names; all others are not */
    size_t muted_count;
    bool accepts_silence; /* that the last channel that reaches them is among them */
};
/* A person's own. INVALID `bad_time`, `unknown_channel`; CONFLICT `last_channel` when they would be
 * told of nothing any more; FORBIDDEN `step_up_needed` to accept that. */
bool operation_choose_channels(struct operation *operation, const struct channel_choice *choice,
                               struct own_channels *out, struct error *error) MUST_CHECK;

#endif
