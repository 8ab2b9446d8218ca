#include "operations/session_operations.h"

#include "identity/session.h"
#include "tests/support/rig.h"
#include "tests/support/run_suite.h"
#include <string.h>

/* Hashes are any text here: what they match is the worker's to find out. */
#define HASH       "not a real hash"
#define OTHER_HASH "not a real hash either"

static struct rig rig;
static struct error error;
static const struct credential nobody = {.kind = CREDENTIAL_NONE};

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

static void expect_refusal(bool ok, enum error_kind kind, const char *code)
{
    ck_assert(!ok);
    ck_assert_int_eq(error.kind, kind);
    ck_assert_str_eq(error.code, code);
    error = (struct error){0};
    rig_undo(&rig);
}

struct search {
    const char *text;
    size_t count;
};

static bool count_text(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    search->count +=
        memmem(entry->bytes, entry->length, search->text, strlen(search->text)) != NULL;
    return true;
}

static size_t entries_with(const char *text)
{
    struct error failed = {0};
    struct search search = {.text = text};
    ck_assert(store_each_entry(rig.store, 1, 0, 10000, count_text, &search, &failed));
    return search.count;
}

/* ---- steps ---- */

static struct link_view setup_link(void)
{
    struct link_view view;
    ck_assert(operation_make_setup_link(rig_begin_host(&rig), &view, &error));
    rig_commit(&rig);
    return view;
}

static struct link_view enrolment_link(const char *person)
{
    struct link_view view;
    ck_assert(operation_make_enrolment_link(rig_begin_host(&rig), person, &view, &error));
    rig_commit(&rig);
    return view;
}

static bool use_setup(const struct link_view *link, const char *name, struct session_view *out)
{
    struct link_use use = {.hash = link->link.hash, .password_hash = HASH, .name = name};
    return operation_use_setup_link(rig_begin(&rig, &nobody), &use, out, &error);
}

static bool use_enrolment(const struct link_view *link, const char *hash, struct session_view *out)
{
    struct link_use use = {.hash = link->link.hash, .password_hash = hash};
    return operation_use_enrolment_link(rig_begin(&rig, &nobody), &use, out, &error);
}

/* A person with a password; the credential of the session that enrolling began. */
static struct credential enrol(const char *name)
{
    struct session_view view;
    struct link_view link = enrolment_link(name);
    ck_assert(use_enrolment(&link, HASH, &view));
    rig_commit(&rig);
    return identity_session_credential(view.secret);
}

static struct password_found find_password(const char *name)
{
    struct password_found found;
    ck_assert(operation_find_password(rig_begin(&rig, &nobody), name, &found, &error));
    rig_undo(&rig);
    return found;
}

static bool sign_in(const struct password_found *verified, struct session_view *out)
{
    struct sign_in_input input = {.verified = verified};
    return operation_begin_session(rig_begin(&rig, &nobody), &input, out, &error);
}

static struct credential sign_in_as(const char *name)
{
    struct session_view view;
    struct password_found found = find_password(name);
    ck_assert(sign_in(&found, &view));
    rig_commit(&rig);
    return identity_session_credential(view.secret);
}

static bool lets_in_at(const struct credential *credential, int64_t now)
{
    struct arena *arena = arena_create();
    struct operation operation;
    struct error refused = {0};
    bool ok =
        operation_begin(&operation, rig.operations, rig.store, arena, now, credential, &refused);
    if (ok) {
        ck_assert_int_eq(operation.principal.kind, PRINCIPAL_PERSON);
        ck_assert_int_eq(operation.principal.credential_kind, CREDENTIAL_SESSION);
        ck_assert_int_eq(operation.principal.assurance, ASSURANCE_SESSION);
    } else {
        ck_assert_int_eq(refused.kind, ERROR_UNAUTHENTICATED);
        ck_assert_str_eq(refused.code, "session_over");
    }
    arena_destroy(arena);
    return ok;
}

static bool lets_in(const struct credential *credential)
{
    return lets_in_at(credential, rig.now);
}

/* ---- set-up ---- */

static bool needs_setup(void)
{
    bool needed = false;
    ck_assert(operation_needs_setup(rig_begin(&rig, &nobody), &needed, &error));
    rig_undo(&rig);
    return needed;
}

START_TEST(setup__the_link_makes_the_first_admin_and_signs_in)
{
    struct session_view view;
    ck_assert(needs_setup());
    struct link_view link = setup_link();
    ck_assert_int_eq(link.link.expires_at - link.link.created_at, 15 * 60 * 1000);
    ck_assert(use_setup(&link, "root", &view));
    ck_assert_str_eq(rig.operation.principal.name, "root");
    rig_commit(&rig);
    ck_assert(view.person.person.is_admin);
    struct credential session = identity_session_credential(view.secret);
    ck_assert(lets_in(&session));
    ck_assert(!needs_setup());
    ck_assert_uint_eq(entries_with("\"type\":\"person.added\""), 1);
    ck_assert_uint_eq(entries_with("\"changed\":[\"password\"]"), 1);
    ck_assert_uint_eq(entries_with("\"outcome\":\"in\""), 1);
    ck_assert_uint_eq(entries_with("\"via\":\"link\""), 3);
    ck_assert_uint_eq(entries_with(view.secret), 0);
    ck_assert_uint_eq(entries_with(link.secret), 0);
    ck_assert_uint_eq(entries_with(HASH), 0);
}
END_TEST

START_TEST(setup__a_link_works_once)
{
    struct session_view view;
    struct link_view link = setup_link();
    ck_assert(use_setup(&link, "root", &view));
    rig_commit(&rig);
    expect_refusal(use_setup(&link, "root2", &view), ERROR_FORBIDDEN, "setup_link_invalid");
}
END_TEST

START_TEST(setup__a_failure_uses_nothing_up)
{
    struct session_view view;
    rig_add_person(&rig, "dana", NULL, false);
    struct link_view link = setup_link();
    expect_refusal(use_setup(&link, "dana", &view), ERROR_CONFLICT, "name_taken");
    expect_refusal(use_setup(&link, "Not A Name", &view), ERROR_INVALID, "bad_name");
    ck_assert(use_setup(&link, "root", &view));
    rig_commit(&rig);
}
END_TEST

START_TEST(setup__a_link_ends_after_fifteen_minutes)
{
    struct link_view link = setup_link();
    struct operation *operation = rig_begin(&rig, &nobody);
    operation->now = link.link.expires_at - 1;
    ck_assert(operation_check_link(operation, LINK_SETUP, &link.link.hash, &error));
    operation->now = link.link.expires_at;
    expect_refusal(operation_check_link(operation, LINK_SETUP, &link.link.hash, &error),
                   ERROR_FORBIDDEN, "setup_link_invalid");
}
END_TEST

START_TEST(setup__the_newest_link_is_the_only_one)
{
    struct session_view view;
    struct link_view former = setup_link();
    struct link_view link = setup_link();
    expect_refusal(use_setup(&former, "root", &view), ERROR_FORBIDDEN, "setup_link_invalid");
    ck_assert(use_setup(&link, "root", &view));
    rig_commit(&rig);
}
END_TEST

START_TEST(setup__is_over_once_an_admin_can_sign_in)
{
    struct session_view view;
    struct link_view unused = setup_link();
    rig_add_person(&rig, "root", NULL, true);
    ck_assert(needs_setup());
    enrol("root");
    expect_refusal(use_setup(&unused, "mallory", &view), ERROR_FORBIDDEN, "setup_link_invalid");
    struct link_view link;
    expect_refusal(operation_make_setup_link(rig_begin_host(&rig), &link, &error), ERROR_CONFLICT,
                   "already_set_up");
}
END_TEST

START_TEST(setup__only_the_host_makes_links)
{
    struct link_view link;
    struct credential dana = rig_add_person(&rig, "dana", NULL, true);
    expect_refusal(operation_make_setup_link(rig_begin(&rig, &dana), &link, &error),
                   ERROR_FORBIDDEN, "not_allowed");
    expect_refusal(operation_make_setup_link(rig_begin(&rig, &nobody), &link, &error),
                   ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

/* ---- enrolment ---- */

START_TEST(enrolment__an_admin_or_the_host_lets_a_person_in)
{
    struct session_view view;
    struct link_view link;
    rig_add_person(&rig, "root", NULL, true);
    struct credential root = rig_step_up(&rig, "root");
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    ck_assert(operation_make_enrolment_link(rig_begin(&rig, &root), "dana", &link, &error));
    rig_commit(&rig);
    ck_assert_int_eq(link.link.expires_at - link.link.created_at, 24 * 60 * 60 * 1000);
    ck_assert(use_enrolment(&link, HASH, &view));
    rig_commit(&rig);
    ck_assert_str_eq(view.person.person.name, "dana");
    ck_assert_uint_eq(view.person.group_count, 1);
    expect_refusal(operation_make_enrolment_link(rig_begin(&rig, &dana), "root", &link, &error),
                   ERROR_FORBIDDEN, "not_allowed");
    expect_refusal(operation_make_enrolment_link(rig_begin(&rig, &root), "erin", &link, &error),
                   ERROR_NOT_FOUND, "unknown_person");
}
END_TEST

START_TEST(enrolment__a_link_works_once_and_for_its_kind_only)
{
    struct session_view view;
    rig_add_person(&rig, "dana", NULL, false);
    struct link_view link = enrolment_link("dana");
    expect_refusal(use_setup(&link, "root", &view), ERROR_FORBIDDEN, "setup_link_invalid");
    ck_assert(use_enrolment(&link, HASH, &view));
    rig_commit(&rig);
    expect_refusal(use_enrolment(&link, OTHER_HASH, &view), ERROR_FORBIDDEN,
                   "enrolment_link_invalid");
}
END_TEST

START_TEST(enrolment__of_who_forgot_the_password_ends_the_former_sessions)
{
    rig_add_person(&rig, "dana", NULL, false);
    struct credential former = enrol("dana");
    struct credential now = enrol("dana");
    ck_assert(!lets_in(&former));
    ck_assert(lets_in(&now));
}
END_TEST

static void set_enabled(const char *name, bool is_enabled)
{
    struct person_view view;
    ck_assert(operation_enable_person(rig_begin_host(&rig), name, is_enabled, &view, &error));
    rig_commit(&rig);
}

START_TEST(enrolment__is_not_for_the_disabled)
{
    struct session_view view;
    struct link_view link;
    rig_add_person(&rig, "dana", NULL, false);
    link = enrolment_link("dana");
    set_enabled("dana", false);
    expect_refusal(use_enrolment(&link, HASH, &view), ERROR_FORBIDDEN, "enrolment_link_invalid");
    expect_refusal(operation_make_enrolment_link(rig_begin_host(&rig), "dana", &link, &error),
                   ERROR_CONFLICT, "owner_disabled");
}
END_TEST

/* ---- signing in ---- */

START_TEST(sign_in__a_name_without_a_password_is_checked_against_the_dummy)
{
    rig_add_person(&rig, "dana", NULL, false);
    rig_add_person(&rig, "erin", NULL, false);
    enrol("erin");
    set_enabled("erin", false);
    static const char *const names[] = {"nobody", "dana", "erin", "", "' OR 1=1 --"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct session_view view;
        struct password_found found = find_password(names[i]);
        ck_assert_msg(!found.exists, "%s", names[i]);
        ck_assert_str_eq(found.hash, password_dummy_hash());
        expect_refusal(sign_in(&found, &view), ERROR_UNAUTHENTICATED, "wrong_name_or_password");
    }
}
END_TEST

START_TEST(sign_in__each_time_is_another_session)
{
    rig_add_person(&rig, "dana", NULL, false);
    enrol("dana");
    struct credential first = sign_in_as("dana");
    struct credential second = sign_in_as("dana");
    ck_assert_mem_ne(&first.hash, &second.hash, sizeof first.hash);
    ck_assert(lets_in(&first) && lets_in(&second));
}
END_TEST

START_TEST(sign_in__again_ends_the_session_the_browser_had)
{
    struct session_view view;
    rig_add_person(&rig, "dana", NULL, false);
    struct credential former = enrol("dana");
    struct password_found found = find_password("dana");
    struct sign_in_input input = {.verified = &found, .ended_session = &former};
    ck_assert(operation_begin_session(rig_begin(&rig, &nobody), &input, &view, &error));
    rig_commit(&rig);
    ck_assert(!lets_in(&former));
}
END_TEST

/* Between the check on a worker and the session. */
START_TEST(sign_in__what_changed_since_it_was_verified_is_refused)
{
    struct session_view view;
    rig_add_person(&rig, "dana", NULL, false);
    enrol("dana");
    struct password_found found = find_password("dana");
    struct link_view link = enrolment_link("dana");
    ck_assert(use_enrolment(&link, OTHER_HASH, &view));
    rig_commit(&rig);
    expect_refusal(sign_in(&found, &view), ERROR_UNAUTHENTICATED, "wrong_name_or_password");
    found = find_password("dana");
    set_enabled("dana", false);
    expect_refusal(sign_in(&found, &view), ERROR_UNAUTHENTICATED, "wrong_name_or_password");
}
END_TEST

START_TEST(sign_in__an_outdated_hash_is_replaced_and_sessions_stay)
{
    struct session_view view;
    rig_add_person(&rig, "dana", NULL, false);
    struct credential other = enrol("dana");
    struct password_found found = find_password("dana");
    struct sign_in_input input = {.verified = &found, .new_hash = OTHER_HASH};
    ck_assert(operation_begin_session(rig_begin(&rig, &nobody), &input, &view, &error));
    rig_commit(&rig);
    ck_assert_str_eq(find_password("dana").hash, OTHER_HASH);
    ck_assert(lets_in(&other));
}
END_TEST

START_TEST(sign_in__nobody_does_nothing_else)
{
    struct session_view view;
    struct person_view person;
    expect_refusal(operation_read_session(rig_begin(&rig, &nobody), &view, &error), ERROR_FORBIDDEN,
                   "not_allowed");
    expect_refusal(operation_add_person(rig_begin(&rig, &nobody),
                                        &(struct person_input){.name = "mallory"}, &person, &error),
                   ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

/* ---- sessions ---- */

START_TEST(session__is_over_when_unused_or_old)
{
    int64_t minute = 60 * 1000;
    rig_add_person(&rig, "dana", NULL, false);
    struct credential dana = enrol("dana");
    ck_assert(lets_in_at(&dana, rig.now + 30 * minute - 1));
    ck_assert(!lets_in_at(&dana, rig.now + 30 * minute));
    int64_t began = rig.now;
    for (int64_t at = began; at < began + 12 * 60 * minute; at += 20 * minute) {
        ck_assert(lets_in_at(&dana, at));
        struct operation *operation = rig_begin(&rig, &dana);
        operation->now = at;
        ck_assert(operation_touch_session(operation, &error));
        rig_commit(&rig);
    }
    ck_assert(lets_in_at(&dana, began + 12 * 60 * minute - 1));
    ck_assert(!lets_in_at(&dana, began + 12 * 60 * minute));
}
END_TEST

START_TEST(session__ends_by_signing_out_with_an_entry)
{
    rig_add_person(&rig, "dana", NULL, false);
    struct credential dana = enrol("dana");
    struct credential other = sign_in_as("dana");
    ck_assert(operation_end_session(rig_begin(&rig, &dana), &error));
    rig_commit(&rig);
    ck_assert(!lets_in(&dana));
    ck_assert(lets_in(&other));
    ck_assert_uint_eq(entries_with("\"outcome\":\"out\""), 1);
    ck_assert_uint_eq(entries_with("\"via\":\"session\""), 3);
}
END_TEST

START_TEST(session__ends_at_once_with_the_person)
{
    rig_add_person(&rig, "dana", NULL, false);
    struct credential dana = enrol("dana");
    set_enabled("dana", false);
    ck_assert(!lets_in(&dana));
    set_enabled("dana", true);
    ck_assert(!lets_in(&dana)); /* for good */
}
END_TEST

START_TEST(session__others_end_when_the_password_changes)
{
    struct password_found found;
    rig_add_person(&rig, "dana", NULL, false);
    rig_add_person(&rig, "erin", NULL, false);
    struct credential former = enrol("dana");
    struct credential erin = enrol("erin");
    struct credential dana = sign_in_as("dana");
    ck_assert(operation_find_own_password(rig_begin(&rig, &dana), &found, &error));
    rig_undo(&rig);
    ck_assert_str_eq(found.hash, HASH);
    ck_assert(operation_set_password(rig_begin(&rig, &dana), &found, OTHER_HASH, &error));
    rig_commit(&rig);
    ck_assert(!lets_in(&former));
    ck_assert(lets_in(&dana) && lets_in(&erin));
    expect_refusal(operation_set_password(rig_begin(&rig, &dana), &found, HASH, &error),
                   ERROR_CONFLICT, "password_changed");
}
END_TEST

START_TEST(session__changes_only_its_own_password)
{
    rig_add_person(&rig, "dana", NULL, false);
    rig_add_person(&rig, "erin", NULL, false);
    enrol("dana");
    struct credential erin = enrol("erin");
    struct password_found of_dana = find_password("dana");
    expect_refusal(operation_set_password(rig_begin(&rig, &erin), &of_dana, OTHER_HASH, &error),
                   ERROR_CONFLICT, "password_changed");
    ck_assert_str_eq(find_password("dana").hash, HASH);
}
END_TEST

START_TEST(session__a_token_is_none)
{
    struct session_view view;
    struct password_found found;
    struct credential dana = rig_add_person(&rig, "dana", NULL, false);
    expect_refusal(operation_read_session(rig_begin(&rig, &dana), &view, &error), ERROR_FORBIDDEN,
                   "not_allowed");
    expect_refusal(operation_end_session(rig_begin(&rig, &dana), &error), ERROR_FORBIDDEN,
                   "not_allowed");
    expect_refusal(operation_find_own_password(rig_begin(&rig, &dana), &found, &error),
                   ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

START_TEST(session__a_store_put_back_knows_none)
{
    rig_add_person(&rig, "root", NULL, true);
    struct credential root = enrol("root");
    rig_add_person(&rig, "dana", NULL, false);
    struct link_view unused = enrolment_link("dana");
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    rig_add_person(&rig, "erin", NULL, false);
    rig_close(&rig);
    rig_put_copy_back(&rig);
    rig_open(&rig);
    ck_assert(rig.was_rolled_back);
    ck_assert(!lets_in(&root));
    ck_assert(!find_password("root").exists);
    ck_assert(needs_setup());
    struct session_view view;
    expect_refusal(use_enrolment(&unused, HASH, &view), ERROR_FORBIDDEN, "enrolment_link_invalid");
    int64_t enabled;
    ck_assert(
        operation_recover(rig_begin_host(&rig), true, "moved to a new disk", &enabled, &error));
    rig_commit(&rig);
    ck_assert(find_password("root").exists);
    ck_assert(!lets_in(&root));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/sign_in");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, setup__the_link_makes_the_first_admin_and_signs_in);
    tcase_add_test(tests, setup__a_link_works_once);
    tcase_add_test(tests, setup__a_failure_uses_nothing_up);
    tcase_add_test(tests, setup__a_link_ends_after_fifteen_minutes);
    tcase_add_test(tests, setup__the_newest_link_is_the_only_one);
    tcase_add_test(tests, setup__is_over_once_an_admin_can_sign_in);
    tcase_add_test(tests, setup__only_the_host_makes_links);
    tcase_add_test(tests, enrolment__an_admin_or_the_host_lets_a_person_in);
    tcase_add_test(tests, enrolment__a_link_works_once_and_for_its_kind_only);
    tcase_add_test(tests, enrolment__of_who_forgot_the_password_ends_the_former_sessions);
    tcase_add_test(tests, enrolment__is_not_for_the_disabled);
    tcase_add_test(tests, sign_in__a_name_without_a_password_is_checked_against_the_dummy);
    tcase_add_test(tests, sign_in__each_time_is_another_session);
    tcase_add_test(tests, sign_in__again_ends_the_session_the_browser_had);
    tcase_add_test(tests, sign_in__what_changed_since_it_was_verified_is_refused);
    tcase_add_test(tests, sign_in__an_outdated_hash_is_replaced_and_sessions_stay);
    tcase_add_test(tests, sign_in__nobody_does_nothing_else);
    tcase_add_test(tests, session__is_over_when_unused_or_old);
    tcase_add_test(tests, session__ends_by_signing_out_with_an_entry);
    tcase_add_test(tests, session__ends_at_once_with_the_person);
    tcase_add_test(tests, session__others_end_when_the_password_changes);
    tcase_add_test(tests, session__changes_only_its_own_password);
    tcase_add_test(tests, session__a_token_is_none);
    tcase_add_test(tests, session__a_store_put_back_knows_none);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
