#include "ledger/life_internal.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024, FIRST_ENDED = 1024 };

void lives_init(struct lives *lives)
{
    *lives = (struct lives){
        .buckets = memory_zeroed(FIRST_BUCKETS, sizeof(struct life *)),
        .bucket_count = FIRST_BUCKETS,
        .ended = memory_zeroed(FIRST_ENDED, sizeof(uint64_t)),
        .ended_room = FIRST_ENDED,
    };
}

static void drop(struct span *kept)
{
    free((char *)kept->bytes);
    *kept = (struct span){0};
}

static void destroy_life(struct life *life)
{
    life_forget_votes(life);
    life_forget_rungs(life);
    struct span *texts[] = {&life->id,          &life->tenant,        &life->digest,
                            &life->parties,     &life->editor,        &life->requirements,
                            &life->timeout_at,  &life->grant,         &life->claim_until,
                            &life->token_until, &life->redeemer_kind, &life->redeemer_id,
                            &life->asker};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        drop(texts[i]);
    }
    free(life);
}

void lives_finish(struct lives *lives)
{
    for (size_t i = 0; i < lives->bucket_count; i++) {
        for (struct life *life = lives->buckets[i]; life != NULL;) {
            struct life *next = life->next;
            destroy_life(life);
            life = next;
        }
    }
    free(lives->buckets);
    free(lives->ended);
    *lives = (struct lives){0};
}

/* FNV-1a with a final mix, so that the low bits depend on all of the id. Ids come from the
 * gateway's random generator; a made-up collision gains nothing but a finding. */
static uint64_t hash_of(struct span id)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < id.length; i++) {
        hash = (hash ^ (unsigned char)id.bytes[i]) * 0x100000001b3;
    }
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    hash ^= hash >> 33;
    return hash == 0 ? 1 : hash;
}

static struct life **bucket_of(const struct lives *lives, uint64_t hash)
{
    return &lives->buckets[hash & (lives->bucket_count - 1)];
}

struct life *lives_find(const struct lives *lives, struct span id)
{
    uint64_t hash = hash_of(id);
    struct life *life = *bucket_of(lives, hash);
    while (life != NULL && (life->hash != hash || !span_equals(life->id, id))) {
        life = life->next;
    }
    return life;
}

static void grow_buckets(struct lives *lives)
{
    struct life **old = lives->buckets;
    size_t old_count = lives->bucket_count;
    lives->bucket_count = old_count * 2;
    lives->buckets = memory_zeroed(lives->bucket_count, sizeof(struct life *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct life *life = old[i]; life != NULL;) {
            struct life *next = life->next;
            struct life **bucket = bucket_of(lives, life->hash);
            life->next = *bucket;
            *bucket = life;
            life = next;
        }
    }
    free(old);
}

struct life *lives_add(struct lives *lives, struct span id)
{
    if (lives->count == lives->bucket_count) {
        grow_buckets(lives);
    }
    struct life *life = memory_zeroed(1, sizeof *life);
    life->hash = hash_of(id);
    life_keep(&life->id, id);
    struct life **bucket = bucket_of(lives, life->hash);
    life->next = *bucket;
    *bucket = life;
    lives->count++;
    return life;
}

static uint64_t *find_slot(uint64_t *slots, size_t room, uint64_t hash)
{
    size_t at = hash & (room - 1);
    while (slots[at] != 0 && slots[at] != hash) {
        at = (at + 1) & (room - 1);
    }
    return &slots[at];
}

static void grow_ended(struct lives *lives)
{
    size_t room = lives->ended_room * 2;
    uint64_t *slots = memory_zeroed(room, sizeof(uint64_t));
    for (size_t i = 0; i < lives->ended_room; i++) {
        if (lives->ended[i] != 0) {
            *find_slot(slots, room, lives->ended[i]) = lives->ended[i];
        }
    }
    free(lives->ended);
    lives->ended = slots;
    lives->ended_room = room;
}

static void note_hash(struct lives *lives, uint64_t hash)
{
    if (lives->ended_count >= lives->ended_room / 4 * 3) {
        grow_ended(lives);
    }
    uint64_t *slot = find_slot(lives->ended, lives->ended_room, hash);
    lives->ended_count += *slot == 0;
    *slot = hash;
}

void lives_note_ended(struct lives *lives, struct span id)
{
    note_hash(lives, hash_of(id));
}

bool lives_has_ended(const struct lives *lives, struct span id)
{
    return *find_slot(lives->ended, lives->ended_room, hash_of(id)) != 0;
}

void lives_end(struct lives *lives, struct life *life)
{
    struct life **link = bucket_of(lives, life->hash);
    while (*link != life) {
        link = &(*link)->next;
    }
    *link = life->next;
    lives->count--;
    note_hash(lives, life->hash);
    destroy_life(life);
}

void life_keep(struct span *kept, struct span text)
{
    drop(kept);
    if (text.bytes != NULL) {
        char *copy = memory_resized(NULL, text.length + 1);
        memcpy(copy, text.bytes, text.length);
        copy[text.length] = '\0';
        *kept = (struct span){.bytes = copy, .length = text.length};
    }
}

void life_forget_votes(struct life *life)
{
    for (size_t i = 0; i < life->vote_count; i++) {
        drop(&life->votes[i].person);
    }
    free(life->votes);
    life->votes = NULL;
    life->vote_count = 0;
}

void life_forget_rungs(struct life *life)
{
    for (size_t i = 0; i < life->rung_count; i++) {
        drop(&life->rungs[i].groups);
    }
    free(life->rungs);
    life->rungs = NULL;
    life->rung_count = 0;
}

bool life_add_rung(struct life *life, int64_t requirement, struct span groups)
{
    if (life->rung_count == LIFE_RUNGS_MAX) {
        return false;
    }
    life->rungs = memory_resized(life->rungs, (life->rung_count + 1) * sizeof *life->rungs);
    struct life_rung *rung = &life->rungs[life->rung_count++];
    *rung = (struct life_rung){.requirement = requirement};
    life_keep(&rung->groups, groups);
    return true;
}

struct life_vote *life_find_vote(const struct life *life, struct span person)
{
    for (size_t i = 0; i < life->vote_count; i++) {
        if (span_equals(life->votes[i].person, person)) {
            return &life->votes[i];
        }
    }
    return NULL;
}

struct life_vote *life_make_vote(struct life *life, struct span person)
{
    struct life_vote *vote = life_find_vote(life, person);
    if (vote == NULL && life->vote_count < LIFE_VOTES_MAX) {
        life->votes = memory_resized(life->votes, (life->vote_count + 1) * sizeof *life->votes);
        vote = &life->votes[life->vote_count++];
        *vote = (struct life_vote){0};
        life_keep(&vote->person, person);
    }
    return vote;
}
