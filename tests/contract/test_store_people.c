#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static struct person_row make_person(const char *id, const char *tenant, const char *name)
{
    struct person_row person = {
        .display = "Dana D.", .is_auditor = true, .is_enabled = true, .created_at = 100};
    snprintf(person.id, sizeof person.id, "%s", id);
    snprintf(person.tenant, sizeof person.tenant, "%s", tenant);
    snprintf(person.name, sizeof person.name, "%s", name);
    return person;
}

static struct person_row add_person(const char *id, const char *tenant, const char *name)
{
    struct person_row person = make_person(id, tenant, name);
    ck_assert(store_insert_person(fixture.store, &person, &fixture.error));
    return person;
}

static bool read_person(const char *tenant, const char *name_or_id, struct person_row *out)
{
    fixture.error = (struct error){0};
    return store_read_person(fixture.store, tenant, name_or_id, fixture.arena, out, &fixture.error);
}

static void assert_same_person(const struct person_row *found, const struct person_row *expected)
{
    ck_assert_str_eq(found->id, expected->id);
    ck_assert_str_eq(found->tenant, expected->tenant);
    ck_assert_str_eq(found->name, expected->name);
    ck_assert_pstr_eq(found->display, expected->display);
    ck_assert_int_eq(found->is_admin, expected->is_admin);
    ck_assert_int_eq(found->is_auditor, expected->is_auditor);
    ck_assert_int_eq(found->is_enabled, expected->is_enabled);
    ck_assert_int_eq(found->created_at, expected->created_at);
    ck_assert_int_eq(found->disabled_at, expected->disabled_at);
}

START_TEST(people__are_read_by_name_and_by_id_within_their_tenant)
{
    struct person_row found;
    struct person_row person = add_person("per_1", "main", "dana");
    ck_assert(read_person("main", "dana", &found));
    assert_same_person(&found, &person);
    ck_assert(read_person("main", "per_1", &found));
    assert_same_person(&found, &person);
    ck_assert(!read_person("other", "dana", &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(!read_person("other", "per_1", &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(!read_person("main", "erin", &found));
}
END_TEST

START_TEST(people__a_name_is_taken_once_in_a_tenant)
{
    add_person("per_1", "main", "dana");
    add_person("per_2", "other", "dana");
    struct person_row person = make_person("per_3", "main", "dana");
    ck_assert(!store_insert_person(fixture.store, &person, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "name_taken");
}
END_TEST

START_TEST(people__update_writes_display_roles_and_enabled)
{
    struct person_row found;
    struct person_row person = add_person("per_1", "main", "dana");
    person.display = NULL;
    person.is_admin = true;
    person.is_auditor = person.is_enabled = false;
    person.disabled_at = 200;
    ck_assert(store_update_person(fixture.store, &person, &fixture.error));
    ck_assert(read_person("main", "dana", &found));
    assert_same_person(&found, &person);
    strcpy(person.tenant, "other");
    ck_assert(!store_update_person(fixture.store, &person, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(people__pages_go_on_after_a_name)
{
    struct person_row *people;
    size_t count;
    add_person("per_1", "main", "erin");
    add_person("per_2", "main", "dana");
    add_person("per_3", "other", "eve");
    add_person("per_4", "main", "fred");
    ck_assert(store_list_people(fixture.store, "main", "", 2, fixture.arena, &people, &count,
                                &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(people[0].name, "dana");
    ck_assert_str_eq(people[1].name, "erin");
    ck_assert(store_list_people(fixture.store, "main", "erin", 2, fixture.arena, &people, &count,
                                &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(people[0].name, "fred");
}
END_TEST

START_TEST(people__enabled_admins_are_counted)
{
    int64_t count = -1;
    for (int i = 0; i < 4; i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "per_%d", i);
        struct person_row person = make_person(id, i == 3 ? "other" : "main", id);
        person.is_admin = i != 0;
        person.is_enabled = i != 1;
        ck_assert(store_insert_person(fixture.store, &person, &fixture.error));
    }
    ck_assert(store_count_admins(fixture.store, "main", &count, &fixture.error));
    ck_assert_int_eq(count, 1);
}
END_TEST

static void assert_subject(const char *tenant, const char *key, const char *expected)
{
    char person[ID_BYTES];
    ck_assert(store_find_person_by_subject(fixture.store, tenant, key, person, &fixture.error));
    ck_assert_str_eq(person, expected);
}

START_TEST(subjects__are_found_without_ascii_case_in_their_tenant)
{
    ck_assert(store_insert_person_subject(fixture.store, "main", "per_1", "user/Dana@Example.com",
                                          &fixture.error));
    assert_subject("main", "user/Dana@Example.com", "per_1");
    assert_subject("main", "USER/dana@example.COM", "per_1");
    assert_subject("other", "user/dana@example.com", "");
    assert_subject("main", "user/dan@example.com", "");
}
END_TEST

START_TEST(subjects__one_belongs_to_one_person)
{
    ck_assert(
        store_insert_person_subject(fixture.store, "main", "per_1", "user/dana", &fixture.error));
    ck_assert(
        !store_insert_person_subject(fixture.store, "main", "per_2", "USER/DANA", &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "subject_taken");
}
END_TEST

START_TEST(subjects__of_a_person_are_listed)
{
    const char **subjects;
    size_t count;
    ck_assert(
        store_insert_person_subject(fixture.store, "main", "per_1", "user/b", &fixture.error));
    ck_assert(
        store_insert_person_subject(fixture.store, "main", "per_1", "user/a", &fixture.error));
    ck_assert(
        store_insert_person_subject(fixture.store, "main", "per_2", "user/c", &fixture.error));
    ck_assert(store_list_person_subjects(fixture.store, "per_1", fixture.arena, &subjects, &count,
                                         &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(subjects[0], "user/a");
    ck_assert_str_eq(subjects[1], "user/b");
}
END_TEST

static void join(const char *tenant, const char *group, const char *person)
{
    ck_assert(store_insert_member(fixture.store, tenant, group, person, &fixture.error));
}

START_TEST(members__joining_twice_is_joining_once)
{
    struct person_row *members;
    size_t count;
    add_person("per_1", "main", "dana");
    join("main", "finance", "per_1");
    join("main", "finance", "per_1");
    ck_assert(store_list_members(fixture.store, "main", "finance", fixture.arena, &members, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(members[0].name, "dana");
}
END_TEST

START_TEST(members__leaving_ends_membership_and_an_absent_one_is_not_found)
{
    const char **groups;
    size_t count;
    join("main", "finance", "per_1");
    join("main", "ops", "per_1");
    ck_assert(store_delete_member(fixture.store, "main", "finance", "per_1", &fixture.error));
    ck_assert(store_list_groups_of(fixture.store, "main", "per_1", fixture.arena, &groups, &count,
                                   &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(groups[0], "ops");
    ck_assert(!store_delete_member(fixture.store, "main", "finance", "per_1", &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(members__groups_are_of_one_tenant)
{
    struct group_row *groups;
    struct person_row *members;
    const char **names;
    size_t count;
    add_person("per_1", "main", "dana");
    join("main", "finance", "per_1");
    join("main", "finance", "per_2");
    join("main", "ops", "per_1");
    join("other", "finance", "per_1");
    ck_assert(
        store_list_groups(fixture.store, "main", fixture.arena, &groups, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(groups[0].name, "finance");
    ck_assert_int_eq(groups[0].member_count, 2);
    ck_assert_str_eq(groups[1].name, "ops");
    ck_assert(store_list_groups_of(fixture.store, "other", "per_1", fixture.arena, &names, &count,
                                   &fixture.error));
    ck_assert_uint_eq(count, 1);
    /* A person of another tenant is no member, whatever the rows say. */
    ck_assert(store_list_members(fixture.store, "other", "finance", fixture.arena, &members, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

static struct agent_row add_agent(const char *id, const char *tenant, const char *name)
{
    struct agent_row agent = {.owner = "per_1", .is_enabled = true, .created_at = 100};
    snprintf(agent.id, sizeof agent.id, "%s", id);
    snprintf(agent.tenant, sizeof agent.tenant, "%s", tenant);
    snprintf(agent.name, sizeof agent.name, "%s", name);
    ck_assert(store_insert_agent(fixture.store, &agent, &fixture.error));
    return agent;
}

static bool read_agent(const char *tenant, const char *name_or_id, struct agent_row *out)
{
    fixture.error = (struct error){0};
    return store_read_agent(fixture.store, tenant, name_or_id, fixture.arena, out, &fixture.error);
}

START_TEST(agents__are_read_by_name_and_by_id_within_their_tenant)
{
    struct agent_row found;
    add_agent("agt_1", "main", "billing");
    ck_assert(read_agent("main", "billing", &found));
    ck_assert_str_eq(found.id, "agt_1");
    ck_assert_str_eq(found.owner, "per_1");
    ck_assert(found.is_enabled);
    ck_assert_int_eq(found.created_at, 100);
    ck_assert(read_agent("main", "agt_1", &found));
    ck_assert(!read_agent("other", "billing", &found));
    ck_assert(!read_agent("other", "agt_1", &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(agents__update_writes_owner_and_enabled)
{
    struct agent_row found;
    struct agent_row agent = add_agent("agt_1", "main", "billing");
    agent.owner[0] = 0;
    agent.is_enabled = false;
    ck_assert(store_update_agent(fixture.store, &agent, &fixture.error));
    ck_assert(read_agent("main", "billing", &found));
    ck_assert_str_eq(found.owner, "");
    ck_assert(!found.is_enabled);
    strcpy(agent.tenant, "other");
    ck_assert(!store_update_agent(fixture.store, &agent, &fixture.error));
}
END_TEST

START_TEST(agents__names_are_taken_once_and_pages_go_on_after_one)
{
    struct agent_row *agents;
    size_t count;
    struct agent_row taken = add_agent("agt_1", "main", "b");
    add_agent("agt_2", "main", "a");
    add_agent("agt_3", "other", "b");
    strcpy(taken.id, "agt_4");
    ck_assert(!store_insert_agent(fixture.store, &taken, &fixture.error));
    ck_assert_str_eq(fixture.error.code, "name_taken");
    ck_assert(store_list_agents(fixture.store, "main", "a", 10, fixture.arena, &agents, &count,
                                &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(agents[0].id, "agt_1");
}
END_TEST

static const char *agents_of[] = {"agt_1", "agt_2"};
static const char *subjects_of[] = {"user/*"};
static const char *audiences_of[] = {"payments-api", "crm", "mail"};

static struct caller_row make_caller(const char *id, const char *tenant, const char *name)
{
    struct caller_row caller = {.is_enabled = true,
                                .created_at = 100,
                                .agents = agents_of,
                                .agent_count = 2,
                                .subjects = subjects_of,
                                .subject_count = 1,
                                .audiences = audiences_of,
                                .audience_count = 3};
    snprintf(caller.id, sizeof caller.id, "%s", id);
    snprintf(caller.tenant, sizeof caller.tenant, "%s", tenant);
    snprintf(caller.name, sizeof caller.name, "%s", name);
    return caller;
}

static bool read_caller(const char *tenant, const char *name_or_id, struct caller_row *out)
{
    fixture.error = (struct error){0};
    return store_read_caller(fixture.store, tenant, name_or_id, fixture.arena, out, &fixture.error);
}

static void assert_caller_lists(const struct caller_row *found)
{
    ck_assert_uint_eq(found->agent_count, 2);
    ck_assert_str_eq(found->agents[0], "agt_1");
    ck_assert_str_eq(found->agents[1], "agt_2");
    ck_assert_uint_eq(found->subject_count, 1);
    ck_assert_str_eq(found->subjects[0], "user/*");
    ck_assert_uint_eq(found->audience_count, 3);
    ck_assert_str_eq(found->audiences[0], "payments-api");
    ck_assert_str_eq(found->audiences[1], "crm");
    ck_assert_str_eq(found->audiences[2], "mail");
}

START_TEST(callers__read_back_with_their_lists_in_order)
{
    struct caller_row found;
    struct caller_row caller = make_caller("cal_1", "main", "runner");
    ck_assert(store_insert_caller(fixture.store, &caller, &fixture.error));
    ck_assert(read_caller("main", "runner", &found));
    assert_caller_lists(&found);
    ck_assert_str_eq(found.id, "cal_1");
    ck_assert(found.is_enabled);
    ck_assert(read_caller("main", "cal_1", &found));
    assert_caller_lists(&found);
    ck_assert(!read_caller("other", "runner", &found));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(callers__update_replaces_the_lists)
{
    struct caller_row found;
    struct caller_row caller = make_caller("cal_1", "main", "runner");
    ck_assert(store_insert_caller(fixture.store, &caller, &fixture.error));
    caller.is_enabled = false;
    caller.agents = audiences_of;
    caller.agent_count = 1;
    caller.subject_count = caller.audience_count = 0;
    ck_assert(store_update_caller(fixture.store, &caller, &fixture.error));
    ck_assert(read_caller("main", "runner", &found));
    ck_assert(!found.is_enabled);
    ck_assert_uint_eq(found.agent_count, 1);
    ck_assert_str_eq(found.agents[0], "payments-api");
    ck_assert_uint_eq(found.subject_count, 0);
    ck_assert_uint_eq(found.audience_count, 0);
}
END_TEST

START_TEST(callers__another_tenants_update_changes_no_list)
{
    struct caller_row found;
    struct caller_row caller = make_caller("cal_1", "main", "runner");
    ck_assert(store_insert_caller(fixture.store, &caller, &fixture.error));
    strcpy(caller.tenant, "other");
    caller.agent_count = 0;
    ck_assert(!store_update_caller(fixture.store, &caller, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    ck_assert(read_caller("main", "runner", &found));
    assert_caller_lists(&found);
}
END_TEST

START_TEST(callers__are_listed_with_their_lists)
{
    struct caller_row *callers;
    size_t count;
    struct caller_row first = make_caller("cal_1", "main", "b");
    struct caller_row second = make_caller("cal_2", "main", "a");
    struct caller_row third = make_caller("cal_3", "other", "c");
    ck_assert(store_insert_caller(fixture.store, &first, &fixture.error));
    ck_assert(store_insert_caller(fixture.store, &second, &fixture.error));
    ck_assert(store_insert_caller(fixture.store, &third, &fixture.error));
    ck_assert(store_list_callers(fixture.store, "main", "", 10, fixture.arena, &callers, &count,
                                 &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(callers[0].name, "a");
    assert_caller_lists(&callers[1]);
}
END_TEST

static struct credential_row make_credential(const char *id, const char *owner, unsigned char hash)
{
    struct credential_row credential = {.tenant = "main",
                                        .kind = CREDENTIAL_API_KEY,
                                        .hash = sample_hash(hash),
                                        .label = "ci",
                                        .is_enabled = true,
                                        .created_at = 100,
                                        .expires_at = 200};
    snprintf(credential.id, sizeof credential.id, "%s", id);
    snprintf(credential.owner, sizeof credential.owner, "%s", owner);
    return credential;
}

static void add_credential(const char *id, const char *owner, unsigned char hash)
{
    struct credential_row credential = make_credential(id, owner, hash);
    ck_assert(store_insert_credential(fixture.store, &credential, &fixture.error));
}

static struct credential_row read_credential(const char *id)
{
    struct credential_row found;
    ck_assert(
        store_read_credential(fixture.store, "main", id, fixture.arena, &found, &fixture.error));
    return found;
}

START_TEST(credentials__are_found_by_kind_and_hash)
{
    struct credential_row found;
    struct sha256 hash = sample_hash(7);
    add_credential("key_1", "cal_1", 7);
    ck_assert(store_find_credential(fixture.store, CREDENTIAL_API_KEY, &hash, fixture.arena, &found,
                                    &fixture.error));
    ck_assert_str_eq(found.id, "key_1");
    ck_assert_str_eq(found.tenant, "main");
    ck_assert_int_eq(found.kind, CREDENTIAL_API_KEY);
    ck_assert_str_eq(found.owner, "cal_1");
    ck_assert_mem_eq(&found.hash, &hash, SHA256_BYTES);
    ck_assert_str_eq(found.label, "ci");
    ck_assert(found.is_enabled);
    ck_assert_ptr_null(found.disabled_reason);
    ck_assert_int_eq(found.created_at, 100);
    ck_assert_int_eq(found.expires_at, 200);
    ck_assert(!store_find_credential(fixture.store, CREDENTIAL_TOKEN, &hash, fixture.arena, &found,
                                     &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(credentials__a_disabled_one_is_still_found_and_says_so)
{
    struct credential_row credential = make_credential("key_1", "cal_1", 7);
    ck_assert(store_insert_credential(fixture.store, &credential, &fixture.error));
    credential.is_enabled = false;
    credential.disabled_reason = "disabled";
    ck_assert(store_update_credential(fixture.store, &credential, &fixture.error));
    ck_assert(store_find_credential(fixture.store, CREDENTIAL_API_KEY, &credential.hash,
                                    fixture.arena, &credential, &fixture.error));
    ck_assert(!credential.is_enabled);
    ck_assert_str_eq(credential.disabled_reason, "disabled");
}
END_TEST

START_TEST(credentials__one_secret_is_registered_once)
{
    add_credential("key_1", "cal_1", 7);
    struct credential_row again = make_credential("key_2", "cal_2", 7);
    ck_assert(!store_insert_credential(fixture.store, &again, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(credentials__are_disabled_by_owner_or_all_and_enabled_by_reason)
{
    int64_t count = -1;
    add_credential("key_1", "cal_1", 1);
    add_credential("key_2", "cal_1", 2);
    add_credential("key_3", "cal_2", 3);
    ck_assert(
        store_disable_credentials(fixture.store, "cal_1", "disabled", &count, &fixture.error));
    ck_assert_int_eq(count, 2);
    ck_assert(
        store_disable_credentials(fixture.store, NULL, "rolled_back", &count, &fixture.error));
    ck_assert_int_eq(count, 1);
    ck_assert_str_eq(read_credential("key_3").disabled_reason, "rolled_back");
    ck_assert(store_enable_credentials(fixture.store, "rolled_back", &count, &fixture.error));
    ck_assert_int_eq(count, 1);
    ck_assert(read_credential("key_3").is_enabled);
    ck_assert_ptr_null(read_credential("key_3").disabled_reason);
    ck_assert(!read_credential("key_1").is_enabled);
}
END_TEST

START_TEST(credentials__are_listed_within_their_tenant)
{
    struct credential_row *credentials;
    size_t count;
    struct credential_row other = make_credential("key_3", "cal_1", 3);
    add_credential("key_1", "cal_1", 1);
    add_credential("key_2", "cal_2", 2);
    strcpy(other.tenant, "other");
    ck_assert(store_insert_credential(fixture.store, &other, &fixture.error));
    ck_assert(store_list_credentials(fixture.store, "main", NULL, fixture.arena, &credentials,
                                     &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert(store_list_credentials(fixture.store, "main", "cal_1", fixture.arena, &credentials,
                                     &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(credentials[0].id, "key_1");
    ck_assert(!store_read_credential(fixture.store, "main", "key_3", fixture.arena, credentials,
                                     &fixture.error));
}
END_TEST

static void freeze(const char *id, int64_t since_at, int64_t until_at)
{
    struct freeze_row row = {.scope = FREEZE_AGENT,
                             .tenant = "main",
                             .target = "agt_1",
                             .reason = "it runs wild",
                             .by = "per_1",
                             .since_at = since_at,
                             .until_at = until_at};
    snprintf(row.id, sizeof row.id, "%s", id);
    ck_assert(store_insert_freeze(fixture.store, &row, &fixture.error));
}

static struct freeze_row *list_freezes(bool only_active, int64_t since, size_t *out_count)
{
    struct freeze_row *freezes;
    ck_assert(store_list_freezes(fixture.store, only_active, since, fixture.arena, &freezes,
                                 out_count, &fixture.error));
    return freezes;
}

START_TEST(freezes__in_force_or_ended_since_newest_first)
{
    size_t count;
    freeze("frz_1", 100, 200);
    freeze("frz_2", 300, 0);
    freeze("frz_3", 400, 500);
    struct freeze_row *freezes = list_freezes(true, 0, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(freezes[0].id, "frz_2");
    freezes = list_freezes(false, 200, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(freezes[0].id, "frz_3");
    ck_assert_str_eq(freezes[1].id, "frz_2");
    (void)list_freezes(false, 0, &count);
    ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(freezes__end_once_and_say_who_ended_them)
{
    size_t count;
    freeze("frz_1", 100, 0);
    ck_assert(store_end_freeze(fixture.store, "frz_1", 150, "per_2", &fixture.error));
    struct freeze_row *freezes = list_freezes(false, 0, &count);
    ck_assert_int_eq(freezes[0].until_at, 150);
    ck_assert_str_eq(freezes[0].thawed_by, "per_2");
    ck_assert_int_eq(freezes[0].scope, FREEZE_AGENT);
    ck_assert_str_eq(freezes[0].target, "agt_1");
    ck_assert_str_eq(freezes[0].reason, "it runs wild");
    ck_assert_str_eq(freezes[0].by, "per_1");
    ck_assert(!store_end_freeze(fixture.store, "frz_1", 160, "per_3", &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

static void add_people_tests(Suite *suite)
{
    TCase *tests = tcase_create("people");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, people__are_read_by_name_and_by_id_within_their_tenant);
    tcase_add_test(tests, people__a_name_is_taken_once_in_a_tenant);
    tcase_add_test(tests, people__update_writes_display_roles_and_enabled);
    tcase_add_test(tests, people__pages_go_on_after_a_name);
    tcase_add_test(tests, people__enabled_admins_are_counted);
    tcase_add_test(tests, subjects__are_found_without_ascii_case_in_their_tenant);
    tcase_add_test(tests, subjects__one_belongs_to_one_person);
    tcase_add_test(tests, subjects__of_a_person_are_listed);
    tcase_add_test(tests, members__joining_twice_is_joining_once);
    tcase_add_test(tests, members__leaving_ends_membership_and_an_absent_one_is_not_found);
    tcase_add_test(tests, members__groups_are_of_one_tenant);
    suite_add_tcase(suite, tests);
}

static void add_caller_tests(Suite *suite)
{
    TCase *tests = tcase_create("callers");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, agents__are_read_by_name_and_by_id_within_their_tenant);
    tcase_add_test(tests, agents__update_writes_owner_and_enabled);
    tcase_add_test(tests, agents__names_are_taken_once_and_pages_go_on_after_one);
    tcase_add_test(tests, callers__read_back_with_their_lists_in_order);
    tcase_add_test(tests, callers__update_replaces_the_lists);
    tcase_add_test(tests, callers__another_tenants_update_changes_no_list);
    tcase_add_test(tests, callers__are_listed_with_their_lists);
    tcase_add_test(tests, credentials__are_found_by_kind_and_hash);
    tcase_add_test(tests, credentials__a_disabled_one_is_still_found_and_says_so);
    tcase_add_test(tests, credentials__one_secret_is_registered_once);
    tcase_add_test(tests, credentials__are_disabled_by_owner_or_all_and_enabled_by_reason);
    tcase_add_test(tests, credentials__are_listed_within_their_tenant);
    tcase_add_test(tests, freezes__in_force_or_ended_since_newest_first);
    tcase_add_test(tests, freezes__end_once_and_say_who_ended_them);
    suite_add_tcase(suite, tests);
}

int main(void)
{
    Suite *suite = suite_create("store_people");
    add_people_tests(suite);
    add_caller_tests(suite);
    return run_suite(suite);
}
