#ifndef TESTS_SUPPORT_REQUEST_MODEL_H
#define TESTS_SUPPORT_REQUEST_MODEL_H

/*
 * A model of one request, written from the description of its life and sharing no code with the
 * gateway: it counts by arithmetic where the gateway matches, and by one number of time where the
 * gateway settles clocks. tests/unit/operations/test_model.c holds the gateway against it.
 */

#include "tests/support/scenario.h"

enum {
    PEOPLE = NORA + 1, /* DANA to NORA */
    TIMEOUT = 30 * MINUTE,
    RUNG = 10 * MINUTE,
};
enum group { OPS, FINANCE, LEADS, GROUPS };
/* Bounds that rules have for the amount of the arguments. */
enum { NO_AMOUNT = -1, SMALL = 10, LARGE = 100, TOO_MUCH = 1000 };

enum stance { ASKS, DENIES, ALLOWS };
enum risk { LOW, HIGH, CRITICAL };

/* A policy, as text and as the model knows it. */
struct variant {
    const char *yaml;
    enum stance stance;
    int quorum_a;
    int quorum_b;
    bool reads_arguments;
    enum risk risk_of_large;
};

enum choice { NOTHING, YES, NO };

struct model {
    /* the world */
    bool is_member[PEOPLE][GROUPS];
    bool is_enabled[PEOPLE];
    bool is_frozen;
    int variant;
    /* the request */
    enum request_state state;
    enum request_reason reason;
    int revision;
    enum risk action_risk; /* of the first rule, by the action */
    enum risk risk;        /* as it has risen to */
    int amount;            /* of the arguments; NO_AMOUNT */
    int quorum_a;
    int quorum_b;
    int64_t elapsed; /* of its clock, which stands still while frozen */
    bool was_frozen;
    enum cast subject;        /* NORA + 1: nobody we know */
    int editor;               /* -1: as submitted */
    enum choice vote[PEOPLE]; /* that counts; an uncounted one is NOTHING */
    enum choice last[PEOPLE]; /* said of this revision, whether or not it counts */
    bool has_ever_voted[PEOPLE];
};

enum typing { TYPES_NOTHING, TYPES_WRONG, TYPES_RIGHT };

enum { MODEL_VARIANTS = 8, MODEL_VARIANTS_THAT_ASK = 5 }; /* those come first */
extern const struct variant model_variants[MODEL_VARIANTS];

/* What a person, or what happens, does to it. A refusal's code; NULL: it is taken. */
const char *model_vote(struct model *model, int who, bool approves, enum typing typing);
const char *model_edit(struct model *model, int who, int amount);
void model_submit(struct model *model, enum risk risk, int amount, enum cast subject);
void model_publish(struct model *model, int variant);
void model_pass(struct model *model, int64_t ms);
void model_take_back(struct model *model, int who); /* after they lost a group or their account */
void model_end(struct model *model, enum request_state state, enum request_reason reason);

int model_missing(const struct model *model);
bool model_nobody_can(const struct model *model);
bool model_has_vote(const struct model *model); /* on this revision */
/* Whether the person may yet decide a critical request, and knows of nobody's vote. */
bool model_is_blind(const struct model *model, int who);

#endif
