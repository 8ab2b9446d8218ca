#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * What is remembered. SQL lives only in this room; a second engine is a second folder behind these
 * headers.
 *
 *   store.h          open, migrate, close; the mark that stands outside
 *   writer.h         the one writing thread: group commit, a savepoint per job; the reader thread
 *   *_rows.h         rows by subject: plain structs in, plain structs out
 *
 * A `struct store` is one connection used by one thread: the writer's (the only one that ever
 * writes and checkpoints) or a read-only one. Every state change is compare-and-set; zero rows
 * changed is CONFLICT. Entries and votes are append-only: triggers refuse update and delete, the
 * SQLite authorizer refuses them again. Strings read are allocated in the arena given. Texts given
 * are copied. NULL text is SQL NULL.
 */

#include "base/arena.h"
#include "base/error.h"
#include "crypto/crypto.h"
#include "metrics/metrics.h"
#include <stdint.h>

struct store;

enum { STORE_PAGE_MAX = 200 }; /* rows of one keyset page; a higher limit is lowered to it */

struct store_options {
    const char *path;         /* the SQLite file; its folder must be writable */
    const char *ballast_path; /* given up when the disk is full, so that deny, cancel, revoke,
                                 freeze and effects still fit */
    int64_t ballast_bytes;    /* 0: none */
    struct metrics *metrics;  /* may be NULL */
};

/* Opens for writing: takes the lock file (a second gateway on the same store is refused), migrates
 * (one transaction a step, refuses a schema newer than this binary), checks integrity quickly. NULL
 * with a reason a human can act on. */
struct store *store_open(const struct store_options *options, struct error *error) MUST_CHECK;
/* A read-only connection on the same file. */
struct store *store_open_reader(const struct store_options *options,
                                struct error *error) MUST_CHECK;
void store_close(struct store *store); /* accepts NULL */

int store_schema_version(const struct store *store);

/* One transaction by hand, for who runs while no store thread does (start, stop). A COMMIT that
 * fails is ambiguous, as the writer's is: stop and read again. */
bool store_begin(struct store *store, struct error *error) MUST_CHECK;
bool store_commit(struct store *store, struct error *error) MUST_CHECK;
void store_roll_back(struct store *store);

/* Small named values: "wall_high_water", "fence_number", "origin"… */
bool store_get_number(struct store *store, const char *name, int64_t *out_number,
                      struct error *error) MUST_CHECK; /* 0 when absent */
bool store_set_number(struct store *store, const char *name, int64_t number,
                      struct error *error) MUST_CHECK;
bool store_get_text(struct store *store, const char *name, struct arena *arena, char **out_text,
                    struct error *error) MUST_CHECK; /* NULL when absent */
bool store_set_text(struct store *store, const char *name, const char *text,
                    struct error *error) MUST_CHECK;

/*
 * The mark: epoch and high-water mark on a path of its own, outside the store, fsynced after COMMIT
 * and before any redeem answer. A store that is behind its mark was restored from a copy. Two
 * checksummed slots, so that a torn write leaves the former one.
 */
struct store_mark {
    int64_t epoch;        /* 1 is the first */
    int64_t entries;      /* ledger size in this epoch at the last write */
    struct sha256 root;   /* its root */
    int64_t fence_number; /* highest fence handed out */
    int64_t wall_at;
};
struct store_mark_file;
/* `out_found` false: there was no file (or an empty one) and it was made, holding nothing until the
 * first write. CORRUPT when neither slot holds. */
struct store_mark_file *store_mark_open(const char *path, struct store_mark *out_mark,
                                        bool *out_found, struct error *error) MUST_CHECK;
bool store_mark_write(struct store_mark_file *file, const struct store_mark *mark,
                      struct error *error) MUST_CHECK; /* durable on return */
void store_mark_close(struct store_mark_file *file);

#endif
