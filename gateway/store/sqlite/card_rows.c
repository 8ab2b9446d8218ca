/* Cards, and people's addresses. */

#include "store/roundup_rows.h"
#include "store/sqlite/driver_internal.h"
#include <string.h>

static const struct column card_columns[] = {
    COLUMN(struct card_row, NAME, "tenant", tenant),
    COLUMN(struct card_row, ID, "request", request),
    COLUMN(struct card_row, TEXT, "channel", channel),
    COLUMN(struct card_row, TEXT, "recipient", recipient),
    COLUMN(struct card_row, TEXT, "state", state),
    COLUMN(struct card_row, TEXT, "address", address),
    COLUMN(struct card_row, INT, "revision", revision),
    COLUMN(struct card_row, INT64, "version", version),
    COLUMN(struct card_row, TEXT, "moment", moment),
    COLUMN(struct card_row, INT64, "changed_at", changed_at),
    COLUMN(struct card_row, INT64, "told_at", told_at),
    COLUMN(struct card_row, TEXT, "roundup", roundup),
};
static const struct shape card_shape = SHAPE(struct card_row, card_columns);

static const struct column address_columns[] = {
    COLUMN(struct address_row, ID, "person", person),
    COLUMN(struct address_row, TEXT, "kind", kind),
    COLUMN(struct address_row, TEXT, "address", address),
};
static const struct shape address_shape = SHAPE(struct address_row, address_columns);

#define SELECT_CARD                                                                                \
    "SELECT tenant, request, channel, recipient, state, address, revision, version, moment, "      \
    "changed_at, told_at, roundup FROM cards "

static const struct statement_text texts[] = {
    {.name = STATEMENT_CARD_INSERT,
     .shape = &card_shape,
     .sql = "INSERT INTO cards (tenant, request, channel, recipient, state, address, revision, "
            "version, moment, changed_at, told_at, roundup) VALUES (:tenant, :request, :channel, "
            ":recipient, :state, :address, :revision, :version, :moment, :changed_at, :told_at, "
            ":roundup)"},
    {.name = STATEMENT_CARD_UPDATE,
     .shape = &card_shape,
     .sql = "UPDATE cards SET state = :state, address = :address, revision = :revision, "
            "version = :version, moment = :moment, changed_at = :changed_at, "
            "told_at = :told_at, roundup = :roundup WHERE tenant = :tenant "
            "AND request = :request AND channel = :channel AND recipient = :recipient"},
    {.name = STATEMENT_CARD_FIND,
     .shape = &card_shape,
     .sql = SELECT_CARD "WHERE tenant = :of_tenant AND request = :of_request AND channel = "
                        ":of_channel AND recipient = :of_recipient"},
    {.name = STATEMENT_CARD_LIST,
     .shape = &card_shape,
     .sql = SELECT_CARD "WHERE tenant = :of_tenant AND request = :of_request AND (:of_channel IS "
                        "NULL OR channel = :of_channel) ORDER BY row_id"},
    {.name = STATEMENT_CARD_RISKIEST,
     .shape = &card_shape,
     .sql = "SELECT cards.tenant AS tenant, request, channel, recipient, cards.state AS state, "
            "address, cards.revision AS revision, cards.version AS version, moment, changed_at, "
            "told_at, roundup FROM cards INDEXED BY cards_of_roundup CROSS JOIN requests ON "
            "requests.tenant = cards.tenant AND requests.id = cards.request "
            "WHERE cards.tenant = :of_tenant AND cards.roundup = :of_roundup AND "
            "requests.state = :of_state ORDER BY requests.risk DESC, requests.timeout_at, "
            "cards.row_id LIMIT :limit"},
    {.name = STATEMENT_ADDRESS_PUT,
     .shape = &address_shape,
     .conflict_code = "address_taken",
     .conflict_message = "another person has this address",
     .sql = "INSERT INTO person_addresses (tenant, person, kind, address) VALUES (:of_tenant, "
            ":person, :kind, :address) ON CONFLICT (tenant, person, kind) DO UPDATE SET address = "
            "excluded.address"},
    {.name = STATEMENT_ADDRESS_DELETE,
     .sql = "DELETE FROM person_addresses WHERE tenant = :of_tenant AND person = :of_person AND "
            "kind = :of_kind"},
    {.name = STATEMENT_ADDRESS_LIST,
     .shape = &address_shape,
     .sql = "SELECT person, kind, address FROM person_addresses WHERE tenant = :of_tenant AND "
            "person = :of_person ORDER BY kind"},
    {.name = STATEMENT_ADDRESS_FIND,
     .shape = &address_shape,
     .sql = "SELECT person, kind, address FROM person_addresses WHERE tenant = :of_tenant AND "
            "person = :of_person AND kind = :of_kind"},
    {.name = STATEMENT_ADDRESS_FIND_PERSON,
     .shape = &address_shape,
     .sql = "SELECT person, kind, address FROM person_addresses WHERE tenant = :of_tenant AND "
            "kind = :of_kind AND address = :of_address"},
};
const struct statement_list card_statements = STATEMENT_LIST(texts);

bool store_insert_card(struct store *store, const struct card_row *card, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CARD_INSERT);
    statement_row(statement, card);
    return statement_run(store, statement, NULL, error);
}

bool store_update_card(struct store *store, const struct card_row *card, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CARD_UPDATE);
    int64_t changed = 0;
    statement_row(statement, card);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "changed", card->request, error);
}

bool store_find_card(struct store *store, const char *tenant, const char *request,
                     const char *channel, const char *recipient, struct arena *arena,
                     struct card_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CARD_FIND);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_request", request);
    statement_text(statement, ":of_channel", channel);
    statement_text(statement, ":of_recipient", recipient);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_list_cards(struct store *store, const char *tenant, const char *request,
                      const char *channel, struct arena *arena, struct card_row **out,
                      size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CARD_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_request", request);
    statement_text(statement, ":of_channel", channel);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_riskiest(struct store *store, const char *tenant, const char *roundup, int state,
                         size_t limit, struct arena *arena, struct card_row **out,
                         size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CARD_RISKIEST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_roundup", roundup);
    statement_number(statement, ":of_state", state);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_put_address(struct store *store, const char *tenant, const struct address_row *address,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ADDRESS_PUT);
    statement_row(statement, address);
    statement_text(statement, ":of_tenant", tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_delete_address(struct store *store, const char *tenant, const char *person,
                          const char *kind, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ADDRESS_DELETE);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_person", person);
    statement_text(statement, ":of_kind", kind);
    return statement_run(store, statement, NULL, error);
}

static bool find_address(struct store *store, struct statement *statement, const char *tenant,
                         const char *kind, struct arena *arena, struct address_row *out,
                         bool *out_found, struct error *error)
{
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_kind", kind);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_find_address(struct store *store, const char *tenant, const char *person,
                        const char *kind, struct arena *arena, const char **out_address,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ADDRESS_FIND);
    struct address_row row;
    bool is_found = false;
    statement_text(statement, ":of_person", person);
    if (!find_address(store, statement, tenant, kind, arena, &row, &is_found, error)) {
        return false;
    }
    *out_address = is_found ? row.address : NULL;
    return true;
}

bool store_find_person_by_address(struct store *store, const char *tenant, const char *kind,
                                  const char *address, char out_person[ID_BYTES],
                                  struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_ADDRESS_FIND_PERSON);
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct address_row row;
    bool is_found = false;
    statement_text(statement, ":of_address", address);
    if (!find_address(store, statement, tenant, kind, scratch, &row, &is_found, error)) {
        return false;
    }
    memset(out_person, 0, ID_BYTES);
    if (is_found) {
        memcpy(out_person, row.person, ID_BYTES);
    }
    return true;
}

bool store_list_addresses(struct store *store, const char *tenant, const char *person,
                          struct arena *arena, struct address_row **out, size_t *out_count,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ADDRESS_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_person", person);
    return statement_collect(store, statement, arena, out, out_count, error);
}
