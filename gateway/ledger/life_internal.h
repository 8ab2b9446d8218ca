#ifndef LEDGER_LIFE_INTERNAL_H
#define LEDGER_LIFE_INTERNAL_H

/* The requests of an export that are still alive, found by id, and the hashes of those that ended.
 * Texts are copies of what stood in the entries, escapes and all. */

#include "ledger/scan_internal.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any gateway makes; past them an export is refused rather than read slowly. */
enum { LIFE_REQUIREMENTS_MAX = 64, LIFE_RUNGS_MAX = 1024, LIFE_VOTES_MAX = 1024 };

enum life_state {
    LIFE_NONE = 0,
    LIFE_SUBMITTED,
    LIFE_ALLOWED, /* policy allowed it; its approval must follow */
    LIFE_REFUSED, /* policy denied it; its denial must follow */
    LIFE_PENDING,
    LIFE_EDITED, /* its new arguments are not decided yet */
    LIFE_APPROVED,
    LIFE_ISSUED,
    LIFE_REDEEMED,
    LIFE_UNKNOWN, /* what its effect was is not known */
    LIFE_OVER,
};

struct life_vote {
    struct span person;
    int assurance;
    bool is_approve;
    bool is_counted;
};

struct life_rung {
    int64_t requirement;
    struct span groups; /* canonical array of texts */
};

struct life {
    struct life *next; /* in its bucket */
    uint64_t hash;
    struct span id;
    struct span tenant;
    struct span digest;
    struct span parties; /* canonical array: who may not approve */
    struct span asker;   /* id of the caller that asked */
    enum life_state state;
    int64_t revision;
    bool is_high;       /* risk high or critical */
    struct span editor; /* of the current revision; absent when as submitted */
    /* what is required */
    struct span requirements; /* canonical array */
    struct span timeout_at;
    int64_t deny_quorum;
    bool allows_self;
    struct life_rung *rungs;
    size_t rung_count;
    /* current vote of each person on the current revision */
    struct life_vote *votes;
    size_t vote_count;
    /* its grant */
    struct span grant;
    struct span claim_until;
    struct span token_until; /* of the last mint */
    bool is_bearer;
    bool is_bound; /* the last mint names the key its holder must show */
    int64_t mint;
    struct span redeemer_kind;
    struct span redeemer_id;
};

struct lives {
    struct life **buckets; /* a power of two of them */
    size_t bucket_count;
    size_t count;
    uint64_t *ended; /* open addressing; 0 is free */
    size_t ended_room;
    size_t ended_count;
};

void lives_init(struct lives *lives);
void lives_finish(struct lives *lives);

struct life *lives_find(const struct lives *lives, struct span id); /* NULL when not alive */
struct life *lives_add(struct lives *lives, struct span id);
/* Forgets all but that it was. */
void lives_end(struct lives *lives, struct life *life);
bool lives_has_ended(const struct lives *lives, struct span id);
void lives_note_ended(struct lives *lives, struct span id);

/* Replaces a kept text by a copy; an absent one empties it. */
void life_keep(struct span *kept, struct span text);
void life_forget_votes(struct life *life);
void life_forget_rungs(struct life *life);
/* False past LIFE_RUNGS_MAX. */
bool life_add_rung(struct life *life, int64_t requirement, struct span groups);
/* NULL when that person has no current vote. */
struct life_vote *life_find_vote(const struct life *life, struct span person);
/* Their vote, made when they have none yet; NULL past LIFE_VOTES_MAX. */
struct life_vote *life_make_vote(struct life *life, struct span person);

#endif
