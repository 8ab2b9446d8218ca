#ifndef STORE_PROPOSAL_ROWS_H
#define STORE_PROPOSAL_ROWS_H

/* Changes that one admin began and another has to make too. */

#include "identity/principal.h"
#include "store/store.h"

enum proposal_state { PROPOSAL_OPEN = 1, PROPOSAL_CONFIRMED, PROPOSAL_WITHDRAWN };

struct proposal_row {
    char id[ID_BYTES]; /* prp_… */
    char tenant[NAME_BYTES];
    char proposer[ID_BYTES]; /* per_… */
    const char *method;      /* the call it would be */
    const char *path;
    const char *what;   /* the route, for entries: "POST /v1/people/{}/roles" */
    const char *body;   /* as it was sent; NULL none */
    struct sha256 hash; /* of method, path and body */
    enum proposal_state state;
    int64_t created_at;
    int64_t expires_at;
    const char *decided_by; /* per_…; NULL while open */
};
bool store_insert_proposal(struct store *store, const struct proposal_row *proposal,
                           struct error *error) MUST_CHECK;
bool store_read_proposal(struct store *store, const char *tenant, const char *id,
                         struct arena *arena, struct proposal_row *out,
                         struct error *error) MUST_CHECK;
/* The open one of this hash, neither expired nor begun by `other_than` (NULL: by anybody) or by
 * somebody who is no enabled admin any more;
 * `out_found` false when there is none. */
bool store_find_proposal(struct store *store, const char *tenant, const struct sha256 *hash,
                         const char *other_than, int64_t now, struct arena *arena,
                         struct proposal_row *out, bool *out_found, struct error *error) MUST_CHECK;
/* Writes state and decided_by of one that is open; CONFLICT `proposal_decided` when it is not. */
bool store_decide_proposal(struct store *store, const struct proposal_row *proposal,
                           struct error *error) MUST_CHECK;
/* Open ones that could be found, oldest first; at most `limit`. */
bool store_list_proposals(struct store *store, const char *tenant, int64_t now, int64_t limit,
                          struct arena *arena, struct proposal_row **out, size_t *out_count,
                          struct error *error) MUST_CHECK;

#endif
