#ifndef TESTS_SUPPORT_STORE_FIXTURE_H
#define TESTS_SUPPORT_STORE_FIXTURE_H

/* A store in a folder of its own in memory or under TMPDIR, removed at the end, and sample rows. */

#include "store/grant_rows.h"
#include "store/ledger_rows.h"
#include "store/people_rows.h"
#include "store/request_rows.h"
#include "store/store.h"

struct store_fixture {
    char folder[128];
    char path[192];
    char ballast[192];
    int64_t ballast_bytes; /* set before store_fixture_open; 0: none */
    struct store *store;
    struct arena *arena;
    struct error error;
};

/* Where tests keep files. */
const char *store_fixture_place(void);
/* Makes the folder and opens the store in it; fails the test when it cannot. */
void store_fixture_init(struct store_fixture *fixture);
void store_fixture_init_at(struct store_fixture *fixture, const char *place);
void store_fixture_finish(struct store_fixture *fixture);
struct store_options store_fixture_options(const struct store_fixture *fixture);
void store_fixture_open(struct store_fixture *fixture);
void store_fixture_close(struct store_fixture *fixture);
void store_fixture_reopen(struct store_fixture *fixture); /* close and open again */

/* Runs SQL through a connection of its own and returns SQLite's extended code. */
int store_fixture_sql(const struct store_fixture *fixture, const char *sql);
/* First column of the first row of `sql`, read through a connection of its own. */
int64_t store_fixture_number(const struct store_fixture *fixture, const char *sql);

struct sha256 sample_hash(unsigned char fill);
/* A pending request of tenant `main`; every member that can be set is, each differently. */
struct request_row sample_request(const char *id);
struct grant_row sample_grant(const char *id, const char *request);
struct vote_row sample_vote(const char *id, const char *request);
struct entry_row sample_entry(int64_t seq);
struct notice_row sample_notice(const char *id);

#endif
