#include "operations/authorize.h"

#include "operations/operations_internal.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Every operation against everyone, as one picture: `.` the thing is hidden, `-` forbidden, `+`
 * authorized, `^` but for a step-up. Who: a caller of nothing, a caller that knows, the caller
 * whose it is; a person who is a stranger, involved, relied on, a stranger in a browser; auditor,
 * admin; host, system; nobody; and in a browser that has stepped up a person and an admin. */
static const struct {
    enum operation_kind kind;
    const char *name;
    const char *answers;
} table[] = {
    /*                                                     cko sirb UA hy n pa */
    {OPERATION_SUBMIT_REQUEST, "submit_request", /*     */ "+++ ---- -- -- - --"},
    {OPERATION_READ_REQUEST, "read_request", /*         */ ".++ .++. ++ ++ . .+"},
    {OPERATION_LIST_REQUESTS, "list_requests", /*       */ "+++ ++++ ++ +- - ++"},
    {OPERATION_CAST_VOTE, "cast_vote", /*               */ ".-- .++. ++ -- . .+"},
    {OPERATION_EDIT_REQUEST, "edit_request", /*         */ ".-- .++. ++ -- . .+"},
    {OPERATION_COMMENT_REQUEST, "comment_request", /*   */ ".-+ .+-. -- -- . .-"},
    {OPERATION_VIEW_REQUEST, "view_request", /*         */ ".-- .++. ++ -- . .+"},
    {OPERATION_WATCH_REQUEST, "watch_request", /*       */ ".-- .+-. -- -- . .-"},
    {OPERATION_READ_INSIGHTS, "read_insights", /*       */ "--- ++++ ++ +- - ++"},
    {OPERATION_CANCEL_REQUEST, "cancel_request", /*     */ ".-+ .--. -+ +- . .+"},
    {OPERATION_ESCALATE_DUE, "escalate_due", /*         */ "--- ---- -- -+ - --"},
    {OPERATION_EVALUATE, "evaluate", /*                 */ "+++ ---- -- -- - --"},
    {OPERATION_REDEEM_GRANT, "redeem_grant", /*         */ "+++ ---- -- -- - --"},
    {OPERATION_REPORT_EFFECT, "report_effect", /*       */ ".-+ .--. -- -- . .-"},
    {OPERATION_RESOLVE_EFFECT, "resolve_effect", /*     */ ".-- .-+. -+ -- . .+"},
    {OPERATION_REVOKE_GRANT, "revoke_grant", /*         */ ".-+ .-+. -+ ++ . .+"},
    {OPERATION_FREEZE, "freeze", /*                     */ "--- ---- -+ +- - -+"},
    {OPERATION_FREEZE_EVERYTHING, "freeze_everything", /**/ "--- ---- -+ +- - -+"},
    {OPERATION_THAW, "thaw", /*                         */ "--- ---- -+ +- - -+"},
    {OPERATION_THAW_EVERYTHING, "thaw_everything", /*   */ "--- ---- -+ +- - -+"},
    {OPERATION_LIST_FREEZES, "list_freezes", /*         */ "--- ++++ ++ +- - ++"},
    {OPERATION_PUBLISH_POLICY, "publish_policy", /*     */ "--- ---- -^ ++ - -+"},
    {OPERATION_ROLL_BACK_POLICY, "roll_back_policy", /* */ "--- ---- -- +- - --"},
    {OPERATION_READ_POLICY, "read_policy", /*           */ "--- ---- ++ ++ - -+"},
    {OPERATION_RECOVER, "recover", /*                   */ "--- ---- -- +- - --"},
    {OPERATION_NOTE_REFUSALS, "note_refusals", /*       */ "--- ---- -- -+ - --"},
    {OPERATION_DELIVER_NOTICES, "deliver_notices", /*   */ "--- ---- -- -+ - --"},
    {OPERATION_LIST_NOTICES, "list_notices", /*         */ "--- ---- ++ ++ - -+"},
    {OPERATION_RESEND_NOTICE, "resend_notice", /*       */ "--- ---- -+ +- - -+"},
    {OPERATION_READ_LEDGER, "read_ledger", /*           */ "--- ---- ++ ++ - -+"},
    {OPERATION_READ_RECEIPT, "read_receipt", /*         */ ".++ .++. ++ ++ . .+"},
    {OPERATION_CHANGE_PEOPLE, "change_people", /*       */ "--- ---- -^ +- - -+"},
    {OPERATION_LIST_PEOPLE, "list_people", /*           */ "--- ---- ++ ++ - -+"},
    {OPERATION_CHANGE_AGENTS, "change_agents", /*       */ "--- ---- -^ +- - -+"},
    {OPERATION_LIST_AGENTS, "list_agents", /*           */ "--- ---- ++ ++ - -+"},
    {OPERATION_CHANGE_CALLERS, "change_callers", /*     */ "--- ---- -^ +- - -+"},
    {OPERATION_LIST_CALLERS, "list_callers", /*         */ "--- ---- ++ ++ - -+"},
    {OPERATION_CHANGE_CREDENTIALS, "change_credentials", "--- ---- -^ +- - -+"},
    {OPERATION_LIST_CREDENTIALS, "list_credentials", /* */ "--- ---- ++ ++ - -+"},
    {OPERATION_ROTATE_KEYS, "rotate_keys", /*           */ "--- ---- -^ +- - -+"},
    {OPERATION_INTROSPECT_TOKEN, "introspect_token", /* */ "+++ ---- -- -- - --"},
    {OPERATION_DESCRIBE_SELF, "describe_self", /*       */ "+++ ++++ ++ +- - ++"},
    {OPERATION_READ_SETUP, "read_setup", "+++ ++++ ++ ++ + ++"},
    {OPERATION_BEGIN_SESSION, "begin_session", "--- ---- -- -- + --"},
    {OPERATION_READ_SESSION, "read_session", "--- ---+ -- -- - ++"},
    {OPERATION_END_SESSION, "end_session", "--- ---+ -- -- - ++"},
    {OPERATION_SET_PASSWORD, "set_password", "--- ---+ -- -- - ++"},
    {OPERATION_MAKE_SETUP_LINK, "make_setup_link", "--- ---- -- +- - --"},
    {OPERATION_MAKE_ENROLMENT_LINK, "make_enrolment_link", "--- ---- -^ +- - -+"},
    {OPERATION_USE_LINK, "use_link", "--- ---- -- -- + --"},
    {OPERATION_STEP_UP, "step_up", "--- ---+ -- -- - ++"},
    {OPERATION_ADD_PASSKEY, "add_passkey", "--- ---^ -- -- - ++"},
    {OPERATION_LIST_OWN, "list_own", "--- ++++ ++ -- - ++"},
    {OPERATION_RENAME_PASSKEY, "rename_passkey", "--- ---+ -- -- - ++"},
    {OPERATION_REMOVE_PASSKEY, "remove_passkey", "--- ---^ -- +- - ++"},
    {OPERATION_CONFIRM_PASSKEY, "confirm_passkey", "--- ---- -^ +- - -+"},
    {OPERATION_MAKE_STATEMENT, "make_statement", ".-- .--. -- -- . .+"},
    {OPERATION_PROVE_VOTE, "prove_vote", "--- ---+ -- -- - ++"},
    {OPERATION_CHANGE_TOTP, "change_totp", "--- ---^ -- -- - ++"},
    {OPERATION_ADD_OWN_TOKEN, "add_own_token", "--- ---^ -- -- - ++"},
    {OPERATION_TAKE_BACK_OWN, "take_back_own", "--- ++++ ++ -- - ++"},
    {OPERATION_CHOOSE_CHANNELS, "choose_channels", "--- ++++ ++ -- - ++"},
    {OPERATION_MAKE_CHAT_CODE, "make_chat_code", "--- ---^ -- -- - ++"},
    {OPERATION_NOTE_CONVERSATION, "note_conversation", "--- ---- -- -+ - --"},
    {OPERATION_LINK_CHAT, "link_chat", "--- ---- -- -- - --"},
    {OPERATION_PROPOSE_CHANGE, "propose_change", "--- ---- -^ -- - -+"},
    {OPERATION_LIST_PROPOSALS, "list_proposals", "--- ---- -+ -- - -+"},
    {OPERATION_WITHDRAW_PROPOSAL, "withdraw_proposal", "--- ---- -+ -- - -+"},
    {OPERATION_ADD_TENANT, "add_tenant", "--- ---- -- +- - --"},
    {OPERATION_LIST_TENANTS, "list_tenants", "--- ---- -- +- - --"},
};

struct who {
    struct principal principal;
    struct authorize_facts facts;
    bool has_stepped_up;
};

static const struct who everyone[] = {
    {{.kind = PRINCIPAL_CALLER, .tenant = "here"}, {0}, false},
    {{.kind = PRINCIPAL_CALLER, .tenant = "here"}, {.is_known = true}, false},
    {{.kind = PRINCIPAL_CALLER, .tenant = "here"}, {.is_own = true}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here"}, {0}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here"}, {.is_involved = true}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here"}, {.is_relied_on = true}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here", .credential_kind = CREDENTIAL_SESSION},
     {0},
     false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here", .is_auditor = true}, {0}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here", .is_admin = true}, {0}, false},
    {{.kind = PRINCIPAL_HOST, .tenant = "default"}, {0}, false},
    {{.kind = PRINCIPAL_SYSTEM, .tenant = "default"}, {0}, false},
    {{.kind = PRINCIPAL_NONE, .tenant = "here"}, {0}, false},
    {{.kind = PRINCIPAL_PERSON, .tenant = "here", .credential_kind = CREDENTIAL_SESSION},
     {0},
     true},
    {{.kind = PRINCIPAL_PERSON,
      .tenant = "here",
      .credential_kind = CREDENTIAL_SESSION,
      .is_admin = true},
     {0},
     true},
};
enum { EVERYONE = sizeof everyone / sizeof everyone[0], KINDS = sizeof table / sizeof table[0] };

static bool is_only_tenant = true;

static char ask(enum operation_kind kind, const struct who *who, const char *tenant)
{
    static struct operations operations = {
        .options = {.step_up_ms = 10, .one_admin_suffices = true}};
    struct operation operation = {.operations = &operations,
                                  .principal = who->principal,
                                  .now = 109,
                                  .is_only_tenant = is_only_tenant,
                                  .session = {.stepped_up_at = 100}};
    operation.session.step_up = who->has_stepped_up ? STEP_UP_PASSKEY : STEP_UP_NONE;
    struct authorize_facts facts = who->facts;
    struct error error = {0};
    facts.tenant = tenant;
    if (authorize(&operation, kind, &facts, "thing", &error)) {
        return '+';
    }
    ck_assert_str_eq(error.subject, "thing");
    if (error.kind == ERROR_FORBIDDEN && strcmp(error.code, "step_up_needed") == 0) {
        return '^';
    }
    if (error.kind == ERROR_FORBIDDEN) {
        ck_assert_str_eq(error.code, "not_allowed");
        return '-';
    }
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    ck_assert_str_eq(error.code, "not_found");
    return '.';
}

START_TEST(authorize__every_operation_of_everyone_is_as_the_table_says)
{
    for (size_t i = 0; i < KINDS; i++) {
        char answers[2 * EVERYONE] = "";
        size_t length = 0;
        for (size_t j = 0; j < EVERYONE; j++) {
            if (j == 3 || j == 7 || j == 9 || j == 11 || j == 12) {
                answers[length++] = ' ';
            }
            answers[length++] = ask(table[i].kind, &everyone[j], NULL);
        }
        ck_assert_msg(strcmp(answers, table[i].answers) == 0, "%s is `%s`, must be `%s`",
                      table[i].name, answers, table[i].answers);
    }
}
END_TEST

START_TEST(authorize__the_table_names_every_operation_once)
{
    ck_assert_uint_eq(KINDS, OPERATION_LIST_TENANTS + 1);
    for (size_t i = 0; i < KINDS; i++) {
        ck_assert_uint_eq(table[i].kind, i);
    }
}
END_TEST

START_TEST(authorize__an_account_at_a_chat_service_votes_and_links_and_does_nothing_else)
{
    struct who linked = {{.kind = PRINCIPAL_PERSON,
                          .tenant = "here",
                          .credential_kind = CREDENTIAL_SLACK,
                          .is_admin = true},
                         {.is_involved = true, .is_relied_on = true},
                         true};
    struct who nobody = {{.kind = PRINCIPAL_NONE, .credential_kind = CREDENTIAL_SLACK}, {0}, false};
    for (size_t i = 0; i < KINDS; i++) {
        enum operation_kind kind = table[i].kind;
        bool is_noted = kind == OPERATION_NOTE_CONVERSATION;
        char wanted = kind == OPERATION_CAST_VOTE || is_noted ? '+'
                      : kind == OPERATION_LINK_CHAT           ? '-'
                                                              : '.';
        ck_assert_msg(ask(kind, &linked, NULL) == wanted, "%s", table[i].name);
        wanted = kind == OPERATION_LINK_CHAT || is_noted ? '+' : '.';
        ck_assert_msg(ask(kind, &nobody, NULL) == wanted, "%s", table[i].name);
    }
}
END_TEST

START_TEST(authorize__another_tenants_things_are_hidden_from_all_but_host_and_system)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t j = 0; j < EVERYONE; j++) {
            enum principal_kind kind = everyone[j].principal.kind;
            if (kind != PRINCIPAL_HOST && kind != PRINCIPAL_SYSTEM) {
                ck_assert_int_eq(ask(table[i].kind, &everyone[j], "elsewhere"), '.');
            }
        }
    }
    ck_assert_int_eq(ask(OPERATION_READ_REQUEST, &everyone[9], "elsewhere"), '+');
}
END_TEST

START_TEST(authorize__what_concerns_all_tenants_is_the_hosts_once_there_are_several)
{
    is_only_tenant = false;
    for (size_t i = 0; i < KINDS; i++) {
        enum operation_kind kind = table[i].kind;
        bool concerns_all = kind == OPERATION_READ_POLICY || kind == OPERATION_PUBLISH_POLICY ||
                            kind == OPERATION_ROTATE_KEYS || kind == OPERATION_FREEZE_EVERYTHING ||
                            kind == OPERATION_THAW_EVERYTHING;
        const char *own = table[i].answers + strlen(table[i].answers) - 1;
        ck_assert_int_eq(ask(kind, &everyone[13], NULL), concerns_all ? '-' : *own);
        if (concerns_all) {
            ck_assert_int_eq(ask(kind, &everyone[9], NULL), '+');
        }
    }
    is_only_tenant = true;
}
END_TEST

/* By a password typed again, by a link, by a passkey; each at the last moment and past it. */
START_TEST(authorize__a_step_up_is_over_when_its_time_is)
{
    static struct operations operations = {
        .options = {.step_up_ms = 300000, .one_admin_suffices = true}};
    static const struct {
        enum step_up step_up;
        int64_t lasts_ms;
    } kinds[] = {{STEP_UP_PASSWORD, 300000}, {STEP_UP_PASSKEY, 300000}, {STEP_UP_LINK, 900000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct error error = {0};
        struct operation operation = {
            .operations = &operations,
            .principal = everyone[13].principal,
            .session = {.stepped_up_at = 1000, .step_up = kinds[i].step_up}};
        operation.now = 1000 + kinds[i].lasts_ms - 1;
        ck_assert(authorize(&operation, OPERATION_CHANGE_PEOPLE, NULL, NULL, &error));
        operation.now++;
        ck_assert(!authorize(&operation, OPERATION_CHANGE_PEOPLE, NULL, NULL, &error));
        ck_assert_str_eq(error.code, "step_up_needed");
    }
}
END_TEST

START_TEST(authorize__a_password_brings_in_no_passkey)
{
    static struct operations operations = {
        .options = {.step_up_ms = 10, .one_admin_suffices = true}};
    struct error error = {0};
    struct operation operation = {.operations = &operations,
                                  .principal = everyone[12].principal,
                                  .session = {.step_up = STEP_UP_PASSWORD}};
    ck_assert(!authorize(&operation, OPERATION_ADD_PASSKEY, NULL, NULL, &error));
    ck_assert_str_eq(error.code, "enrolment_needed");
    operation.session.step_up = STEP_UP_LINK;
    ck_assert(authorize(&operation, OPERATION_ADD_PASSKEY, NULL, NULL, &error));
}
END_TEST

START_TEST(authorize__claims_of_the_wrong_kind_of_principal_count_for_nothing)
{
    struct who person = {
        {.kind = PRINCIPAL_PERSON, .tenant = "here"}, {.is_own = true, .is_known = true}, false};
    struct who caller = {{.kind = PRINCIPAL_CALLER, .tenant = "here", .is_admin = true},
                         {.is_involved = true, .is_relied_on = true},
                         false};
    ck_assert_int_eq(ask(OPERATION_REPORT_EFFECT, &person, NULL), '.');
    ck_assert_int_eq(ask(OPERATION_READ_REQUEST, &person, NULL), '.');
    ck_assert_int_eq(ask(OPERATION_RESOLVE_EFFECT, &caller, NULL), '.');
    ck_assert_int_eq(ask(OPERATION_FREEZE, &caller, NULL), '-');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: authorize");
    TCase *cases = tcase_create("authorize");
    tcase_add_test(cases, authorize__every_operation_of_everyone_is_as_the_table_says);
    tcase_add_test(cases, authorize__the_table_names_every_operation_once);
    tcase_add_test(cases,
                   authorize__an_account_at_a_chat_service_votes_and_links_and_does_nothing_else);
    tcase_add_test(cases,
                   authorize__another_tenants_things_are_hidden_from_all_but_host_and_system);
    tcase_add_test(cases, authorize__what_concerns_all_tenants_is_the_hosts_once_there_are_several);
    tcase_add_test(cases, authorize__a_step_up_is_over_when_its_time_is);
    tcase_add_test(cases, authorize__a_password_brings_in_no_passkey);
    tcase_add_test(cases, authorize__claims_of_the_wrong_kind_of_principal_count_for_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
