#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/people_internal.h"
#include <string.h>

bool find_person(struct operation *operation, const char *name, struct person_row *out,
                 struct error *error)
{
    struct error missing = {0};
    if (store_read_person(operation->store, operation->principal.tenant, name, operation->arena,
                          out, &missing)) {
        return true;
    }
    if (missing.kind != ERROR_NOT_FOUND) {
        return error_set(error, missing.kind, missing.code, missing.subject, "%s", missing.message);
    }
    return error_set(error, ERROR_NOT_FOUND, "unknown_person", name,
                     "there is no person `%.64s`; add the person first", name);
}

bool view_person(struct operation *operation, const struct person_row *person,
                 struct person_view *out, struct error *error)
{
    struct person_view view = {.person = *person};
    if (!store_list_groups_of(operation->store, person->tenant, person->id, operation->arena,
                              &view.groups, &view.group_count, error) ||
        !store_list_person_subjects(operation->store, person->id, operation->arena, &view.subjects,
                                    &view.subject_count, error)) {
        return false;
    }
    *out = view;
    return true;
}

static bool check_person(const struct person_input *input, struct error *error)
{
    if (!check_name(input->name, "a person", error) ||
        !check_text(input->display, PEOPLE_LABEL_BYTES_MAX, "a display name", "bad_display",
                    error) ||
        !check_count(input->group_count, PEOPLE_GROUPS_MAX, "groups", error) ||
        !check_count(input->subject_count, PEOPLE_SUBJECTS_MAX, "subjects", error)) {
        return false;
    }
    for (size_t i = 0; i < input->group_count; i++) {
        if (!check_name(input->groups[i], "a group", error)) {
            return false;
        }
    }
    return true;
}

static bool refuse_taken_name(struct operation *operation, const char *name, struct error *error)
{
    struct person_row person;
    struct error missing = {0};
    if (!store_read_person(operation->store, operation->principal.tenant, name, operation->arena,
                           &person, &missing)) {
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    return error_set(error, ERROR_CONFLICT, "name_taken", name,
                     "there is already a person `%s`%s; choose another name", name,
                     person.is_enabled ? "" : ", who is disabled: enable that one");
}

/* `type/id`, as requests name their subject. */
static bool check_subject(const char *subject, struct error *error)
{
    const char *slash = strchr(subject, '/');
    char type[SUBJECT_BYTES];
    char key[SUBJECT_BYTES];
    if (slash != NULL && (size_t)(slash - subject) < sizeof type) {
        memcpy(type, subject, (size_t)(slash - subject));
        type[slash - subject] = '\0';
        if (type[0] != '\0' && slash[1] != '\0' &&
            identity_make_key(type, slash + 1, key, sizeof key)) {
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "bad_subject", subject,
                     "`%.200s` is no subject: write type/id, such as user/dana@example.com",
                     subject);
}

static bool add_subject(struct operation *operation, const struct person_row *person,
                        const char *subject, struct error *error)
{
    char owner[ID_BYTES];
    if (!check_subject(subject, error) ||
        !store_find_person_by_subject(operation->store, person->tenant, subject, owner, error)) {
        return false;
    }
    if (owner[0] != '\0') {
        return strcmp(owner, person->id) == 0 ||
               error_set(error, ERROR_CONFLICT, "subject_taken", subject,
                         "`%.200s` is already the subject of another person; one subject is one "
                         "person",
                         subject);
    }
    return store_insert_person_subject(operation->store, person->tenant, person->id, subject,
                                       error);
}

static bool note_membership(struct operation *operation, const char *group, const char *person,
                            bool is_member, struct error *error)
{
    struct ledger_texts one = {.items = &person, .count = 1};
    struct ledger_texts none = {0};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_group(&data, group, is_member ? one : none, is_member ? none : one);
    struct record record = {.type = LEDGER_GROUP_CHANGED, .data = &data};
    return record_entry(operation, &record, error);
}

static bool set_member(struct operation *operation, const char *group,
                       const struct person_row *person, bool is_member, struct error *error)
{
    bool ok = is_member
                  ? store_insert_member(operation->store, person->tenant, group, person->id, error)
                  : store_delete_member(operation->store, person->tenant, group, person->id, error);
    struct owner_news news = {.moment = is_member ? ACCOUNT_GROUP_JOINED : ACCOUNT_GROUP_LEFT,
                              .facts = {{"Group", group}}};
    return ok && note_membership(operation, group, person->id, is_member, error) &&
           tell_owner(operation, person->id, &news, error);
}

static bool is_listed(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool join_groups(struct operation *operation, const struct person_input *input,
                        const struct person_row *person, struct error *error)
{
    for (size_t i = 0; i < input->group_count; i++) {
        if (!is_listed(input->groups, i, input->groups[i]) &&
            !set_member(operation, input->groups[i], person, true, error)) {
            return false;
        }
    }
    return true;
}

static bool add_subjects(struct operation *operation, const struct person_input *input,
                         const struct person_row *person, struct error *error)
{
    if (!add_subject(operation, person, arena_printf(operation->arena, "user/%s", person->name),
                     error)) {
        return false;
    }
    for (size_t i = 0; i < input->subject_count; i++) {
        if (!add_subject(operation, person, input->subjects[i], error)) {
            return false;
        }
    }
    return true;
}

static bool insert_person(struct operation *operation, const struct person_input *input,
                          struct person_row *out, struct error *error)
{
    struct person_row person = {
        .display = arena_text(operation->arena, input->display),
        .is_admin = input->is_admin,
        .is_auditor = input->is_auditor,
        .is_enabled = true,
        .created_at = operation->now,
    };
    crypto_make_id("per", operation->now, person.id);
    memcpy(person.tenant, operation->principal.tenant, sizeof person.tenant);
    memcpy(person.name, input->name, strlen(input->name) + 1);
    struct change change = {
        .type = LEDGER_PERSON_ADDED,
        .id = person.id,
        .changed = {input->is_admin ? "admin" : NULL, input->is_auditor ? "auditor" : NULL, "name"},
    };
    *out = person;
    return store_insert_person(operation->store, &person, error) &&
           note_change(operation, &change, error);
}

bool add_person(struct operation *operation, const struct person_input *input,
                struct person_row *out, struct error *error)
{
    return check_person(input, error) && refuse_taken_name(operation, input->name, error) &&
           insert_person(operation, input, out, error) &&
           add_subjects(operation, input, out, error) && join_groups(operation, input, out, error);
}

bool operation_add_person(struct operation *operation, const struct person_input *input,
                          struct person_view *out, struct error *error)
{
    struct person_row person;
    return authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, input->name, error) &&
           add_person(operation, input, &person, error) &&
           (input->group_count == 0 || free_stranded(operation, person.tenant, error)) &&
           view_person(operation, &person, out, error);
}

/* Admins may not leave the tenant without one by mistake; the host may, for it can add one. */
static bool keep_an_admin(struct operation *operation, const struct person_row *person,
                          struct error *error)
{
    if (!person->is_admin || !person->is_enabled || operation->principal.kind == PRINCIPAL_HOST) {
        return true;
    }
    int64_t count;
    if (!store_count_admins(operation->store, person->tenant, &count, error)) {
        return false;
    }
    return count > 1 ||
           error_set(error, ERROR_CONFLICT, "last_admin", person->name,
                     "`%s` is the last admin; make someone else admin first", person->name);
}

/* What rests on a person ends with them: keys and sessions, the votes they gave, grants not yet
 * used. */
static bool disable_person(struct operation *operation, struct person_row *person,
                           struct error *error)
{
    person->is_enabled = false;
    person->disabled_at = operation->now;
    struct change change = {.type = LEDGER_PERSON_DISABLED, .id = person->id};
    int64_t ended;
    struct owner_news news = {.moment = ACCOUNT_DISABLED};
    return store_update_person(operation->store, person, error) &&
           note_change(operation, &change, error) &&
           tell_owner(operation, person->id, &news, error) &&
           disable_credentials_of(operation, person->id, "person_disabled", error) &&
           store_delete_sessions(operation->store, person->id, NULL, &ended, error) &&
           revoke_grants_resting_on(operation, person->id, "approver_disabled", error) &&
           uncount_votes_of(operation, person->tenant, person->id, error);
}

static bool enable_person(struct operation *operation, struct person_row *person,
                          struct error *error)
{
    person->is_enabled = true;
    person->disabled_at = 0;
    struct change change = {
        .type = LEDGER_PERSON_CHANGED, .id = person->id, .changed = {"enabled"}};
    struct owner_news news = {.moment = ACCOUNT_ENABLED};
    return store_update_person(operation->store, person, error) &&
           note_change(operation, &change, error) &&
           tell_owner(operation, person->id, &news, error) &&
           free_stranded(operation, person->tenant, error);
}

bool operation_enable_person(struct operation *operation, const char *name, bool is_enabled,
                             struct person_view *out, struct error *error)
{
    struct person_row person;
    if (!authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, name, error) ||
        !find_person(operation, name, &person, error)) {
        return false;
    }
    if (person.is_enabled != is_enabled) {
        bool ok = is_enabled ? enable_person(operation, &person, error)
                             : keep_an_admin(operation, &person, error) &&
                                   disable_person(operation, &person, error);
        if (!ok) {
            return false;
        }
    }
    return view_person(operation, &person, out, error);
}

static const char *role_names(bool is_admin, bool is_auditor)
{
    return is_admin && is_auditor ? "admin, auditor"
           : is_admin             ? "admin"
           : is_auditor           ? "auditor"
                                  : "none";
}

bool operation_set_roles(struct operation *operation, const char *name, bool is_admin,
                         bool is_auditor, struct person_view *out, struct error *error)
{
    struct person_row person;
    if (!authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, name, error) ||
        !find_person(operation, name, &person, error)) {
        return false;
    }
    bool changes_admin = person.is_admin != is_admin;
    bool changes_auditor = person.is_auditor != is_auditor;
    if (changes_admin || changes_auditor) {
        if (!is_admin && !keep_an_admin(operation, &person, error)) {
            return false;
        }
        person.is_admin = is_admin;
        person.is_auditor = is_auditor;
        struct change change = {
            .type = LEDGER_PERSON_CHANGED,
            .id = person.id,
            .changed = {changes_admin ? "admin" : NULL, changes_auditor ? "auditor" : NULL},
        };
        struct owner_news news = {.moment = ACCOUNT_ROLES_CHANGED,
                                  .facts = {{"Roles now", role_names(is_admin, is_auditor)}}};
        if (!store_update_person(operation->store, &person, error) ||
            !note_change(operation, &change, error) ||
            !tell_owner(operation, person.id, &news, error)) {
            return false;
        }
    }
    return view_person(operation, &person, out, error);
}

bool operation_list_people(struct operation *operation, const char *after_name, size_t limit,
                           struct person_view **out, size_t *out_count, struct error *error)
{
    struct person_row *people;
    size_t count;
    if (!authorize(operation, OPERATION_LIST_PEOPLE, NULL, NULL, error) ||
        !store_list_people(operation->store, operation->principal.tenant, after_name,
                           page_size(limit), operation->arena, &people, &count, error)) {
        return false;
    }
    struct person_view *views = arena_array(operation->arena, count, sizeof *views);
    for (size_t i = 0; i < count; i++) {
        if (!view_person(operation, &people[i], &views[i], error)) {
            return false;
        }
    }
    *out = views;
    *out_count = count;
    return true;
}

bool operation_join_group(struct operation *operation, const char *group, const char *person,
                          bool is_member, struct error *error)
{
    struct person_row row;
    struct person_view view;
    if (!authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, person, error) ||
        !check_name(group, "a group", error) || !find_person(operation, person, &row, error) ||
        !view_person(operation, &row, &view, error)) {
        return false;
    }
    if (is_listed(view.groups, view.group_count, group) == is_member) {
        return true;
    }
    if (is_member && !check_count(view.group_count + 1, PEOPLE_GROUPS_MAX, "groups", error)) {
        return false;
    }
    return set_member(operation, group, &row, is_member, error) &&
           (is_member ? free_stranded(operation, row.tenant, error)
                      : uncount_votes_of(operation, row.tenant, row.id, error));
}

bool operation_list_groups(struct operation *operation, struct group_row **out, size_t *out_count,
                           struct error *error)
{
    return authorize(operation, OPERATION_LIST_PEOPLE, NULL, NULL, error) &&
           store_list_groups(operation->store, operation->principal.tenant, operation->arena, out,
                             out_count, error);
}
