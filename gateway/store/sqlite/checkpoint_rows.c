/* Checkpoints and epochs. */

#include "store/ledger_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct checkpoint_row, INT64, "epoch", epoch),
    COLUMN(struct checkpoint_row, INT64, "size", size),
    COLUMN(struct checkpoint_row, INT64, "at", at),
    COLUMN(struct checkpoint_row, HASH, "root", root),
    COLUMN(struct checkpoint_row, TEXT, "note", note),
};
static const struct shape checkpoint_shape = SHAPE(struct checkpoint_row, columns);

static const struct column epoch_columns[] = {
    COLUMN(struct epoch_row, INT64, "epoch", epoch),
    COLUMN(struct epoch_row, TEXT, "origin", origin),
    COLUMN(struct epoch_row, INT64, "began_at", began_at),
    COLUMN(struct epoch_row, INT64, "size", size),
};
static const struct shape epoch_shape = SHAPE(struct epoch_row, epoch_columns);

#define SELECT_CHECKPOINT                                                                          \
    "SELECT position >> 40 AS epoch, position & 1099511627775 AS size, at, root, note "            \
    "FROM checkpoints "

static const struct statement_text texts[] = {
    {.name = STATEMENT_CHECKPOINT_INSERT,
     .shape = &checkpoint_shape,
     .sql = "INSERT INTO checkpoints (position, at, root, note) "
            "VALUES ((:epoch << 40) + :size, :at, :root, :note)"},
    {.name = STATEMENT_CHECKPOINT_LATEST,
     .shape = &checkpoint_shape,
     .sql = SELECT_CHECKPOINT "WHERE position >= :from_position AND position < :end_position "
                              "ORDER BY position DESC LIMIT 1"},
    {.name = STATEMENT_CHECKPOINT_NEXT,
     .shape = &checkpoint_shape,
     .sql = SELECT_CHECKPOINT "WHERE position > :after_position AND position < :end_position "
                              "ORDER BY position LIMIT 1"},
    {.name = STATEMENT_EPOCH_INSERT,
     .shape = &epoch_shape,
     .sql = "INSERT INTO epochs (epoch, origin, began_at) VALUES (:epoch, :origin, :began_at)"},
    /* Entries of an epoch are numbered without gaps, so the last tells how many there are. */
    {.name = STATEMENT_EPOCH_LIST,
     .shape = &epoch_shape,
     .sql = "SELECT epoch, origin, began_at, ifnull((SELECT (position & 1099511627775) + 1 "
            "FROM entries WHERE position >= epochs.epoch << 40 "
            "AND position < (epochs.epoch + 1) << 40 ORDER BY position DESC LIMIT 1), 0) AS size "
            "FROM epochs ORDER BY epoch"},
};
const struct statement_list checkpoint_statements = STATEMENT_LIST(texts);

bool store_insert_checkpoint(struct store *store, const struct checkpoint_row *checkpoint,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHECKPOINT_INSERT);
    statement_row(statement, checkpoint);
    return statement_run(store, statement, NULL, error);
}

bool store_latest_checkpoint(struct store *store, int64_t epoch, struct arena *arena,
                             struct checkpoint_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHECKPOINT_LATEST);
    statement_number(statement, ":from_position", store_position(epoch, 0));
    statement_number(statement, ":end_position", store_position(epoch + 1, 0));
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_next_checkpoint(struct store *store, int64_t epoch, int64_t size, struct arena *arena,
                           struct checkpoint_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHECKPOINT_NEXT);
    statement_number(statement, ":after_position", store_position(epoch, size));
    statement_number(statement, ":end_position", store_position(epoch + 1, 0));
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_insert_epoch(struct store *store, const struct epoch_row *epoch, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EPOCH_INSERT);
    statement_row(statement, epoch);
    return statement_run(store, statement, NULL, error);
}

bool store_list_epochs(struct store *store, struct arena *arena, struct epoch_row **out,
                       size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EPOCH_LIST);
    return statement_collect(store, statement, arena, out, out_count, error);
}
