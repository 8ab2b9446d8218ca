/* People, the subjects they are, and the groups they are in. */

#include "store/people_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct person_row, ID, "id", id),
    COLUMN(struct person_row, NAME, "tenant", tenant),
    COLUMN(struct person_row, NAME, "name", name),
    COLUMN(struct person_row, TEXT, "display", display),
    COLUMN(struct person_row, BOOL, "is_admin", is_admin),
    COLUMN(struct person_row, BOOL, "is_auditor", is_auditor),
    COLUMN(struct person_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct person_row, INT64, "created_at", created_at),
    COLUMN(struct person_row, INT64, "disabled_at", disabled_at),
};
static const struct shape person_shape = SHAPE(struct person_row, columns);

static const struct column group_columns[] = {
    COLUMN(struct group_row, NAME, "name", name),
    COLUMN(struct group_row, INT64, "member_count", member_count),
};
static const struct shape group_shape = SHAPE(struct group_row, group_columns);

#define SELECT_PERSON                                                                              \
    "SELECT people.id, people.tenant, people.name, people.display, people.is_admin, "              \
    "people.is_auditor, people.is_enabled, people.created_at, people.disabled_at FROM people "

static const struct statement_text texts[] = {
    {.name = STATEMENT_PERSON_INSERT,
     .shape = &person_shape,
     .sql = "INSERT INTO people (id, tenant, name, display, is_admin, is_auditor, is_enabled, "
            "created_at, disabled_at) VALUES (:id, :tenant, :name, :display, :is_admin, "
            ":is_auditor, :is_enabled, :created_at, :disabled_at)",
     .conflict_code = "name_taken",
     .conflict_message = "another person of the tenant has this name"},
    {.name = STATEMENT_PERSON_BY_ID,
     .shape = &person_shape,
     .sql = SELECT_PERSON "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_PERSON_BY_NAME,
     .shape = &person_shape,
     .sql = SELECT_PERSON "WHERE tenant = :tenant AND name = :name"},
    {.name = STATEMENT_PERSON_UPDATE,
     .shape = &person_shape,
     .sql = "UPDATE people SET display = :display, is_admin = :is_admin, "
            "is_auditor = :is_auditor, is_enabled = :is_enabled, disabled_at = :disabled_at "
            "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_PERSON_LIST,
     .shape = &person_shape,
     .sql =
         SELECT_PERSON "WHERE tenant = :tenant AND name > :after_name ORDER BY name LIMIT :limit"},
    {.name = STATEMENT_PERSON_COUNT_ADMINS,
     .sql = "SELECT count(*) FROM people WHERE tenant = :tenant AND is_admin = 1 "
            "AND is_enabled = 1"},
    {.name = STATEMENT_SUBJECT_INSERT,
     .sql = "INSERT INTO person_subjects (tenant, subject_key, person) "
            "VALUES (:tenant, :subject_key, :person)",
     .conflict_code = "subject_taken",
     .conflict_message = "the subject is registered for a person already"},
    {.name = STATEMENT_SUBJECT_LIST,
     .sql = "SELECT subject_key FROM person_subjects WHERE person = :person ORDER BY subject_key"},
    {.name = STATEMENT_SUBJECT_FIND,
     .sql = "SELECT person FROM person_subjects "
            "WHERE tenant = :tenant AND subject_key = :subject_key"},
    {.name = STATEMENT_MEMBER_INSERT,
     .sql = "INSERT INTO members (tenant, group_name, person) "
            "VALUES (:tenant, :group_name, :person) ON CONFLICT DO NOTHING"},
    {.name = STATEMENT_MEMBER_DELETE,
     .sql = "DELETE FROM members "
            "WHERE tenant = :tenant AND group_name = :group_name AND person = :person"},
    {.name = STATEMENT_MEMBER_LIST_GROUPS,
     .sql = "SELECT group_name FROM members WHERE tenant = :tenant AND person = :person "
            "ORDER BY group_name"},
    {.name = STATEMENT_MEMBER_LIST,
     .shape = &person_shape,
     .sql = SELECT_PERSON "JOIN members ON members.person = people.id "
                          "AND members.tenant = people.tenant "
                          "WHERE members.tenant = :tenant AND members.group_name = :group_name "
                          "ORDER BY people.name"},
    {.name = STATEMENT_GROUP_LIST,
     .shape = &group_shape,
     .sql = "SELECT group_name AS name, count(*) AS member_count FROM members "
            "WHERE tenant = :tenant GROUP BY group_name ORDER BY group_name"},
};
const struct statement_list person_statements = STATEMENT_LIST(texts);

bool store_insert_person(struct store *store, const struct person_row *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PERSON_INSERT);
    statement_row(statement, person);
    return statement_run(store, statement, NULL, error);
}

bool store_read_person(struct store *store, const char *tenant, const char *name_or_id,
                       struct arena *arena, struct person_row *out, struct error *error)
{
    return statement_get_named(store, STATEMENT_PERSON_BY_ID, STATEMENT_PERSON_BY_NAME, tenant,
                               name_or_id, arena, out, error);
}

bool store_update_person(struct store *store, const struct person_row *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PERSON_UPDATE);
    int64_t changed = 0;
    statement_row(statement, person);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, person->id, error);
}

bool store_list_people(struct store *store, const char *tenant, const char *after_name,
                       size_t limit, struct arena *arena, struct person_row **out,
                       size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PERSON_LIST);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":after_name", after_name == NULL ? "" : after_name);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_count_admins(struct store *store, const char *tenant, int64_t *out_count,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_PERSON_COUNT_ADMINS);
    statement_text(statement, ":tenant", tenant);
    return statement_count(store, statement, out_count, error);
}

bool store_insert_person_subject(struct store *store, const char *tenant, const char *person,
                                 const char *subject_key, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SUBJECT_INSERT);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":person", person);
    statement_text(statement, ":subject_key", subject_key);
    return statement_run(store, statement, NULL, error);
}

bool store_list_person_subjects(struct store *store, const char *person, struct arena *arena,
                                const char ***out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SUBJECT_LIST);
    statement_text(statement, ":person", person);
    return statement_collect_texts(store, statement, arena, out, out_count, error);
}

bool store_find_person_by_subject(struct store *store, const char *tenant, const char *subject_key,
                                  char out_person[ID_BYTES], struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SUBJECT_FIND);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":subject_key", subject_key);
    return statement_find_id(store, statement, out_person, error);
}

static void bind_member(struct statement *statement, const char *tenant, const char *group,
                        const char *person)
{
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":group_name", group);
    statement_text(statement, ":person", person);
}

bool store_insert_member(struct store *store, const char *tenant, const char *group,
                         const char *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_MEMBER_INSERT);
    bind_member(statement, tenant, group, person);
    return statement_run(store, statement, NULL, error);
}

bool store_delete_member(struct store *store, const char *tenant, const char *group,
                         const char *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_MEMBER_DELETE);
    int64_t changed = 0;
    bind_member(statement, tenant, group, person);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, person, error);
}

bool store_list_groups_of(struct store *store, const char *tenant, const char *person,
                          struct arena *arena, const char ***out, size_t *out_count,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_MEMBER_LIST_GROUPS);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":person", person);
    return statement_collect_texts(store, statement, arena, out, out_count, error);
}

bool store_list_members(struct store *store, const char *tenant, const char *group,
                        struct arena *arena, struct person_row **out, size_t *out_count,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_MEMBER_LIST);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":group_name", group);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_groups(struct store *store, const char *tenant, struct arena *arena,
                       struct group_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GROUP_LIST);
    statement_text(statement, ":tenant", tenant);
    return statement_collect(store, statement, arena, out, out_count, error);
}
