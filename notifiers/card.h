#ifndef NOTIFIERS_CARD_H
#define NOTIFIERS_CARD_H

/*
 * What an approver is shown away from the dashboard: the same facts on every channel, in the
 * gateway's words, with what the agent sent kept apart. The gateway composes a card from the
 * request as it is when the notice leaves, so that nobody is asked about what has ended meanwhile;
 * a notifier only sets it.
 *
 * Every text that may come from outside is made visible here (text_append_visible): a notifier
 * still puts it only where its channel interprets nothing.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CARD_NAMES_MAX = 20,       /* groups asked, people who voted */
    CARD_FACTS_MAX = 20,       /* key facts of the arguments */
    CARD_FACT_BYTES_MAX = 300, /* one fact as shown */
    CARD_WHY_BYTES_MAX = 500,  /* the agent's reason as shown */
    CARD_NONCE_BYTES = 27,     /* of a button */
};

/* Why this card is sent or changed. Zero is none, so that a forgotten one is noticed. */
enum card_moment {
    CARD_ASKED = 1,
    CARD_ESCALATED,
    CARD_EDITED,
    CARD_QUESTION,
    CARD_ENDED,
    CARD_TEST,
    CARD_ROUNDUP /* of several requests: `request` is the round-up's id, `facts` a line for each */
};

struct card_fact {
    const char *label; /* the gateway's word, or an argument's name made visible */
    const char *value; /* made visible */
};

struct card {
    enum card_moment moment;
    const char *request; /* req_… */
    const char *link;    /* where the dashboard shows it; only locates */
    const char *nonce;   /* of the buttons; "" when nothing can be decided here */
    const char *action, *resource, *agent, *subject, *risk; /* made visible */
    const char *digest;                                     /* 64 hex */
    int64_t revision;
    const char *message;   /* the policy's words to approvers; NULL when none */
    const char *why;       /* the agent's words, unverified, made visible and cut; NULL when none */
    const char *arguments; /* canonical JSON; NULL once erased */
    size_t arguments_length;
    struct card_fact facts[CARD_FACTS_MAX]; /* what the policy says to show first */
    size_t fact_count;
    const char *asked[CARD_NAMES_MAX]; /* groups asked by now */
    size_t asked_count;
    int64_t created_at, timeout_at, ended_at; /* 0: none */
    const char *state;                        /* "pending", "approved", …; a round-up: "closed" */
    const char *reason;                     /* of the end: "denied_by_person"; NULL while pending */
    const char *decided_by[CARD_NAMES_MAX]; /* people, after the end */
    size_t decided_count;
    const char *question, *asked_by; /* the newest that a person asked, and who; NULL when none */
    const char *answer;              /* the agent's to it; NULL when none */
    bool decides;                    /* an approval by chat could count */
    const char *why_not;             /* why it could not; NULL when it could */
};

/* Reads the `card` member that operations write (docs/channels/card.md). CORRUPT when it is not of
 * its form. */
bool card_read(const char *json, size_t length, struct arena *arena, struct card *out,
               struct error *error) MUST_CHECK;

/* "asked", "escalated", …; NULL for none. */
const char *card_moment_name(enum card_moment moment);
/* The reverse; 0 for a word that is none. */
enum card_moment card_read_moment(const char *name);
/* One line: "Approval needed", "Asked again", "Changed: revision 2", "Denied". */
const char *card_heading(const struct card *card);
/* Whether there are arguments to show: a round-up has none. */
bool card_has_arguments(const struct card *card);
/* The gateway's facts in order: agent, for whom, on what, risk, words that mix alphabets, then the
 * policy's, then times and digest. At most CARD_FACTS_MAX + 12 go to `out`. */
size_t card_facts(const struct card *card, struct arena *arena, struct card_fact *out);
/* The arguments with one member a line, everything visible. Where that is longer than `bytes_max`,
 * head and tail with what lies between counted, and `out_is_whole` is false: then nobody may
 * approve from this card. */
const char *card_arguments(const struct card *card, size_t bytes_max, struct arena *arena,
                           bool *out_is_whole);
/* Who ended it and how: "Denied by dana at 2026-11-24T06:24:23Z". NULL while pending. */
const char *card_outcome(const struct card *card, struct arena *arena);
/* Why nothing can be approved here, for the reader; NULL when it can. `is_whole` as card_arguments
 * said. */
const char *card_why_not(const struct card *card, bool is_whole);

#endif
