#include "operations/authorize.h"
#include "operations/operations.h"
#include "operations/operations_internal.h"
#include "store/passkey_rows.h"
#include <string.h>

/* Whoever opened a link may need to fetch a security key first. */
#define LINK_STEP_UP_MS (15LL * 60 * 1000)

enum answer { ANSWER_HIDDEN = 0, ANSWER_FORBIDDEN, ANSWER_AUTHORIZED };

static enum answer decide(const struct principal *principal, enum operation_kind kind,
                          const struct authorize_facts *facts);
static bool needs_step_up(enum operation_kind kind);
static bool check_step_up(const struct operation *operation, enum operation_kind kind,
                          const char *subject, struct error *error);
static bool check_second_admin(const struct operation *operation, enum operation_kind kind,
                               const char *subject, struct error *error);
static bool check_whole_gateway(const struct operation *operation, enum operation_kind kind,
                                const char *subject, struct error *error);
static const char *explain(enum operation_kind kind);

bool authorize(const struct operation *operation, enum operation_kind kind,
               const struct authorize_facts *facts, const char *subject, struct error *error)
{
    static const struct authorize_facts stranger;
    if (facts == NULL) {
        facts = &stranger;
    }
    enum answer answer = decide(&operation->principal, kind, facts);
    if (answer == ANSWER_AUTHORIZED) {
        return check_whole_gateway(operation, kind, subject, error) &&
               check_step_up(operation, kind, subject, error) &&
               check_second_admin(operation, kind, subject, error);
    }
    if (answer == ANSWER_FORBIDDEN) {
        return error_set(error, ERROR_FORBIDDEN, "not_allowed", subject, "%s", explain(kind));
    }
    return authorize_not_found(error, subject);
}

bool authorize_not_found(struct error *error, const char *subject)
{
    return error_set(error, ERROR_NOT_FOUND, "not_found", subject,
                     "there is no such thing, or it is not yours to know of");
}

bool hide_missing(const struct error *missing, const char *subject, struct error *error)
{
    if (missing->kind == ERROR_NOT_FOUND) {
        return authorize_not_found(error, subject);
    }
    return error_set(error, missing->kind, missing->code, missing->subject, "%s", missing->message);
}

/* Who may is authorized; who may know of it but not do it is forbidden; nobody else learns of it.
 */
static enum answer allow(bool may, bool knows)
{
    return may ? ANSWER_AUTHORIZED : knows ? ANSWER_FORBIDDEN : ANSWER_HIDDEN;
}

static enum answer decide(const struct principal *principal, enum operation_kind kind,
                          const struct authorize_facts *facts)
{
    bool is_caller = principal->kind == PRINCIPAL_CALLER;
    bool is_person = principal->kind == PRINCIPAL_PERSON;
    bool is_host = principal->kind == PRINCIPAL_HOST;
    bool is_system = principal->kind == PRINCIPAL_SYSTEM;
    bool is_admin = is_person && principal->is_admin;
    bool reads_all = is_host || is_system || is_admin || (is_person && principal->is_auditor);
    bool is_signed_in = is_person && principal->credential_kind == CREDENTIAL_SESSION;
    bool is_chat = identity_is_chat(principal->credential_kind);
    bool is_own = is_caller && facts->is_own;
    bool is_relied_on = is_person && facts->is_relied_on;
    bool knows = reads_all || is_own || (is_caller && facts->is_known) || is_relied_on ||
                 (is_person && facts->is_involved);

    /* Only the host and the gateway itself reach across tenants. */
    if (!is_host && !is_system && facts->tenant != NULL &&
        strcmp(facts->tenant, principal->tenant) != 0) {
        return ANSWER_HIDDEN;
    }
    if (is_chat && kind != OPERATION_CAST_VOTE && kind != OPERATION_LINK_CHAT &&
        kind != OPERATION_NOTE_CONVERSATION) {
        return ANSWER_HIDDEN;
    }
    switch (kind) {
    case OPERATION_SUBMIT_REQUEST:
    case OPERATION_EVALUATE:
    case OPERATION_REDEEM_GRANT:
    case OPERATION_INTROSPECT_TOKEN:
        return allow(is_caller, true);
    case OPERATION_READ_REQUEST:
    case OPERATION_READ_RECEIPT:
        return allow(knows, knows);
    case OPERATION_LIST_REQUESTS:
    case OPERATION_DESCRIBE_SELF:
        return allow(is_caller || is_person || is_host, true);
    case OPERATION_READ_SETUP:
        return ANSWER_AUTHORIZED;
    case OPERATION_BEGIN_SESSION:
    case OPERATION_USE_LINK:
        return allow(principal->kind == PRINCIPAL_NONE, true);
    case OPERATION_NOTE_CONVERSATION:
        return allow(is_system || is_chat, true);
    case OPERATION_LINK_CHAT:
        return allow(principal->kind == PRINCIPAL_NONE && is_chat, true);
    case OPERATION_READ_SESSION:
    case OPERATION_END_SESSION:
    case OPERATION_SET_PASSWORD:
    case OPERATION_MAKE_CHAT_CODE:
    case OPERATION_STEP_UP:
    case OPERATION_ADD_PASSKEY:
    case OPERATION_RENAME_PASSKEY:
    case OPERATION_PROVE_VOTE:
    case OPERATION_CHANGE_TOTP:
    case OPERATION_ADD_OWN_TOKEN:
        return allow(is_signed_in, true);
    case OPERATION_REMOVE_PASSKEY:
        return allow(is_signed_in || is_host, true);
    case OPERATION_LIST_OWN:
    case OPERATION_TAKE_BACK_OWN:
    case OPERATION_CHOOSE_CHANNELS:
        return allow(is_person, true);
    case OPERATION_MAKE_STATEMENT:
        return allow(is_signed_in && knows, knows);
    case OPERATION_CAST_VOTE:
    case OPERATION_EDIT_REQUEST:
    case OPERATION_VIEW_REQUEST:
        return allow(is_person && knows, knows);
    case OPERATION_COMMENT_REQUEST:
        return allow(is_own || (is_person && facts->is_involved), knows);
    case OPERATION_WATCH_REQUEST:
        return allow(is_person && facts->is_involved, knows);
    case OPERATION_CANCEL_REQUEST:
        return allow(is_own || is_admin || is_host, knows);
    case OPERATION_ESCALATE_DUE:
    case OPERATION_NOTE_REFUSALS:
    case OPERATION_DELIVER_NOTICES:
        return allow(is_system, true);
    case OPERATION_REPORT_EFFECT:
        return allow(is_own, knows);
    case OPERATION_RESOLVE_EFFECT:
        return allow(is_relied_on || is_admin, knows);
    case OPERATION_REVOKE_GRANT:
        return allow(is_own || is_relied_on || is_admin || is_host || is_system, knows);
    case OPERATION_FREEZE:
    case OPERATION_FREEZE_EVERYTHING:
    case OPERATION_THAW:
    case OPERATION_THAW_EVERYTHING:
    case OPERATION_RESEND_NOTICE:
    case OPERATION_CHANGE_PEOPLE:
    case OPERATION_CHANGE_AGENTS:
    case OPERATION_CHANGE_CALLERS:
    case OPERATION_CHANGE_CREDENTIALS:
    case OPERATION_MAKE_ENROLMENT_LINK:
    case OPERATION_CONFIRM_PASSKEY:
    case OPERATION_ROTATE_KEYS:
        return allow(is_admin || is_host, true);
    case OPERATION_PROPOSE_CHANGE:
    case OPERATION_LIST_PROPOSALS:
    case OPERATION_WITHDRAW_PROPOSAL:
        return allow(is_admin, true);
    case OPERATION_PUBLISH_POLICY:
        return allow(is_admin || is_host || is_system, true);
    /* A rollback puts former rules in force: from the host alone, until a person can prove
     * themselves anew for it. */
    case OPERATION_ROLL_BACK_POLICY:
    case OPERATION_RECOVER:
    case OPERATION_MAKE_SETUP_LINK:
    case OPERATION_ADD_TENANT:
    case OPERATION_LIST_TENANTS:
        return allow(is_host, true);
    case OPERATION_LIST_FREEZES:
    case OPERATION_READ_INSIGHTS:
        return allow(is_person || is_host, true);
    case OPERATION_READ_LEDGER:
    case OPERATION_READ_POLICY:
    case OPERATION_LIST_NOTICES:
    case OPERATION_LIST_PEOPLE:
    case OPERATION_LIST_AGENTS:
    case OPERATION_LIST_CALLERS:
    case OPERATION_LIST_CREDENTIALS:
        return allow(reads_all, true);
    }
    return ANSWER_HIDDEN;
}

/* One set of rules, one log and one issuer serve all tenants: what reads or changes the whole of
 * them is an admin's while there is one tenant, and then the host's. */
static bool is_of_whole_gateway(enum operation_kind kind)
{
    return kind == OPERATION_READ_POLICY || kind == OPERATION_PUBLISH_POLICY ||
           kind == OPERATION_ROTATE_KEYS || kind == OPERATION_FREEZE_EVERYTHING ||
           kind == OPERATION_THAW_EVERYTHING;
}

static bool check_whole_gateway(const struct operation *operation, enum operation_kind kind,
                                const char *subject, struct error *error)
{
    bool is_fine = operation->principal.kind != PRINCIPAL_PERSON || operation->is_only_tenant ||
                   !is_of_whole_gateway(kind);
    return is_fine || error_set(error, ERROR_FORBIDDEN, "not_allowed", subject,
                                "several tenants share this gateway, and this concerns them all: "
                                "it is done on the host");
}

/* What outlasts a session: whoever took one over must not come by it. What only takes authority
 * away needs none, so that nobody is slow to do it. */
static bool needs_step_up(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_CHANGE_PEOPLE:
    case OPERATION_CHANGE_AGENTS:
    case OPERATION_CHANGE_CALLERS:
    case OPERATION_CHANGE_CREDENTIALS:
    case OPERATION_MAKE_ENROLMENT_LINK:
    case OPERATION_PUBLISH_POLICY:
    case OPERATION_ROTATE_KEYS:
    case OPERATION_ADD_PASSKEY:
    case OPERATION_REMOVE_PASSKEY:
    case OPERATION_CONFIRM_PASSKEY:
    case OPERATION_CHANGE_TOTP:
    case OPERATION_MAKE_CHAT_CODE:
    case OPERATION_ADD_OWN_TOKEN:
    case OPERATION_PROPOSE_CHANGE:
        return true;
    case OPERATION_LINK_CHAT: /* its code was made after one */
    case OPERATION_EDIT_REQUEST:
    case OPERATION_COMMENT_REQUEST:
    case OPERATION_READ_INSIGHTS:
    case OPERATION_VIEW_REQUEST:
    case OPERATION_WATCH_REQUEST:
    case OPERATION_ROLL_BACK_POLICY: /* the host's */
    case OPERATION_READ_POLICY:
    case OPERATION_EVALUATE:
    case OPERATION_INTROSPECT_TOKEN:
    case OPERATION_SUBMIT_REQUEST:
    case OPERATION_READ_REQUEST:
    case OPERATION_LIST_REQUESTS:
    case OPERATION_CAST_VOTE:
    case OPERATION_CANCEL_REQUEST:
    case OPERATION_ESCALATE_DUE:
    case OPERATION_REDEEM_GRANT:
    case OPERATION_REPORT_EFFECT:
    case OPERATION_RESOLVE_EFFECT:
    case OPERATION_REVOKE_GRANT:
    case OPERATION_FREEZE:
    case OPERATION_FREEZE_EVERYTHING:
    case OPERATION_THAW_EVERYTHING:
    case OPERATION_THAW: /* freeze.c asks for more where there is a passkey */
    case OPERATION_LIST_FREEZES:
    case OPERATION_RECOVER:
    case OPERATION_NOTE_REFUSALS:
    case OPERATION_DELIVER_NOTICES:
    case OPERATION_NOTE_CONVERSATION:
    case OPERATION_LIST_NOTICES:
    case OPERATION_RESEND_NOTICE:
    case OPERATION_READ_LEDGER:
    case OPERATION_READ_RECEIPT:
    case OPERATION_LIST_PEOPLE:
    case OPERATION_LIST_AGENTS:
    case OPERATION_LIST_CALLERS:
    case OPERATION_LIST_CREDENTIALS:
    case OPERATION_DESCRIBE_SELF:
    case OPERATION_READ_SETUP:
    case OPERATION_BEGIN_SESSION:
    case OPERATION_READ_SESSION:
    case OPERATION_END_SESSION:
    case OPERATION_SET_PASSWORD:
    case OPERATION_MAKE_SETUP_LINK:
    case OPERATION_USE_LINK:
    case OPERATION_STEP_UP:
    case OPERATION_LIST_OWN:
    case OPERATION_CHOOSE_CHANNELS: /* choices.c asks for one where nothing would be told */
    case OPERATION_RENAME_PASSKEY:
    case OPERATION_MAKE_STATEMENT:
    case OPERATION_PROVE_VOTE:
    case OPERATION_TAKE_BACK_OWN:
    case OPERATION_LIST_PROPOSALS:
    case OPERATION_WITHDRAW_PROPOSAL:
    case OPERATION_ADD_TENANT:
    case OPERATION_LIST_TENANTS:
        return false;
    }
    return true;
}

int64_t authorize_step_up_end(const struct operation *operation)
{
    const struct session_row *session = &operation->session;
    bool is_link = session->step_up == STEP_UP_LINK;
    int64_t lasts_ms = is_link ? LINK_STEP_UP_MS : operation->operations->options.step_up_ms;
    return session->stepped_up_at + lasts_ms;
}

enum step_up authorize_step_up(const struct operation *operation)
{
    const struct session_row *session = &operation->session;
    bool is_recent = session->step_up != STEP_UP_NONE &&
                     operation->principal.credential_kind == CREDENTIAL_SESSION &&
                     operation->now < authorize_step_up_end(operation);
    return is_recent ? session->step_up : STEP_UP_NONE;
}

bool authorize_step_up_needed(const struct operation *operation, const char *subject,
                              struct error *error)
{
    bool is_token = operation->principal.credential_kind == CREDENTIAL_TOKEN;
    return error_set(error, ERROR_FORBIDDEN, "step_up_needed", subject, "%s",
                     is_token ? "a personal token proves too little for this: sign in on the "
                                "dashboard, or do it on the gateway's host"
                              : "confirm first that it is you: POST /v1/session/step-up, with your "
                                "passkey or, where there is none, your password");
}

/* A password, even typed again, does not bring in the first passkey: that takes a link an admin
 * made. */
static bool check_step_up(const struct operation *operation, enum operation_kind kind,
                          const char *subject, struct error *error)
{
    if (operation->principal.kind != PRINCIPAL_PERSON || !needs_step_up(kind)) {
        return true;
    }
    enum step_up given = authorize_step_up(operation);
    if (kind == OPERATION_ADD_PASSKEY && given == STEP_UP_PASSWORD) {
        return error_set(error, ERROR_FORBIDDEN, "enrolment_needed", subject,
                         "the first passkey is registered by an enrolment link: ask an admin for "
                         "one (`countersign admin enrol NAME` on the gateway's host makes one)");
    }
    return given != STEP_UP_NONE || authorize_step_up_needed(operation, subject, error);
}

/* Who approves is decided by who is in which group under which policy: none of it is one person's
 * to change once two admins could agree. */
static bool needs_second_admin(enum operation_kind kind)
{
    return kind == OPERATION_CHANGE_PEOPLE || kind == OPERATION_MAKE_ENROLMENT_LINK ||
           kind == OPERATION_PUBLISH_POLICY;
}

static bool check_second_admin(const struct operation *operation, enum operation_kind kind,
                               const char *subject, struct error *error)
{
    int64_t admins = 0;
    if (operation->principal.kind != PRINCIPAL_PERSON || !needs_second_admin(kind) ||
        operation->operations->options.one_admin_suffices || operation->proposal[0] != '\0') {
        return true;
    }
    return store_count_admins_with_passkey(operation->store, operation->principal.tenant, &admins,
                                           error) &&
           (admins < 2 ||
            error_set(error, ERROR_FORBIDDEN, "second_admin_needed", subject,
                      "two admins have passkeys: another one must make this change too"));
}

/* What to tell someone who knows of the thing but may not do this to it. */
static const char *explain(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_SUBMIT_REQUEST:
        return "only a caller with an API key submits requests";
    case OPERATION_EVALUATE:
        return "only a caller with an API key has actions evaluated";
    case OPERATION_INTROSPECT_TOKEN:
        return "only a caller asks what a token is worth";
    case OPERATION_REDEEM_GRANT:
        return "only a caller with an API key redeems grants";
    case OPERATION_CAST_VOTE:
        return "only people vote, and only on what they may know of";
    case OPERATION_EDIT_REQUEST:
        return "only people edit, and only what they may decide";
    case OPERATION_VIEW_REQUEST:
        return "only people look at requests";
    case OPERATION_WATCH_REQUEST:
        return "only people who are asked or involved say that they are at it";
    case OPERATION_COMMENT_REQUEST:
        return "only people who are asked or involved ask, and only who submitted it answers";
    case OPERATION_CANCEL_REQUEST:
        return "only the caller that submitted it, or an admin, cancels a request";
    case OPERATION_ESCALATE_DUE:
    case OPERATION_NOTE_REFUSALS:
    case OPERATION_DELIVER_NOTICES:
    case OPERATION_NOTE_CONVERSATION:
        return "the gateway does this by itself";
    case OPERATION_REPORT_EFFECT:
        return "only the caller that redeemed the grant reports what happened";
    case OPERATION_RESOLVE_EFFECT:
        return "only a person on whose vote the grant rests, or an admin, says what happened when "
               "nobody knows";
    case OPERATION_REVOKE_GRANT:
        return "only the holder, a person on whose vote it rests, or an admin revokes a grant";
    case OPERATION_FREEZE:
    case OPERATION_FREEZE_EVERYTHING:
    case OPERATION_THAW:
    case OPERATION_THAW_EVERYTHING:
        return "only an admin freezes and thaws";
    case OPERATION_CHANGE_PEOPLE:
    case OPERATION_CHANGE_AGENTS:
    case OPERATION_CHANGE_CALLERS:
    case OPERATION_CHANGE_CREDENTIALS:
    case OPERATION_MAKE_ENROLMENT_LINK:
    case OPERATION_PUBLISH_POLICY:
    case OPERATION_RESEND_NOTICE:
    case OPERATION_CONFIRM_PASSKEY:
    case OPERATION_ROTATE_KEYS:
    case OPERATION_PROPOSE_CHANGE:
    case OPERATION_LIST_PROPOSALS:
    case OPERATION_WITHDRAW_PROPOSAL:
        return "only an admin does this";
    case OPERATION_ROLL_BACK_POLICY:
        return "this is done on the host: `countersign policy rollback`";
    case OPERATION_LIST_OWN:
    case OPERATION_TAKE_BACK_OWN:
    case OPERATION_CHOOSE_CHANNELS:
        return "only people have these";
    case OPERATION_ADD_TENANT:
    case OPERATION_LIST_TENANTS:
        return "this is done on the host: `countersign admin tenant`";
    case OPERATION_RECOVER:
        return "this is done on the host: `countersign recover`";
    case OPERATION_MAKE_SETUP_LINK:
        return "this is done on the host: `countersign admin setup-link`";
    case OPERATION_LINK_CHAT:
        return "this chat account is linked already";
    case OPERATION_BEGIN_SESSION:
    case OPERATION_USE_LINK:
        return "send this without a credential: it is how one signs in";
    case OPERATION_READ_SESSION:
    case OPERATION_END_SESSION:
    case OPERATION_SET_PASSWORD:
    case OPERATION_STEP_UP:
    case OPERATION_MAKE_CHAT_CODE:
    case OPERATION_ADD_PASSKEY:
    case OPERATION_RENAME_PASSKEY:
    case OPERATION_REMOVE_PASSKEY:
    case OPERATION_MAKE_STATEMENT:
    case OPERATION_PROVE_VOTE:
    case OPERATION_CHANGE_TOTP:
    case OPERATION_ADD_OWN_TOKEN:
        return "only a person who signed in with a browser session does this";
    case OPERATION_READ_REQUEST:
    case OPERATION_LIST_REQUESTS:
    case OPERATION_LIST_FREEZES:
    case OPERATION_READ_INSIGHTS:
    case OPERATION_READ_LEDGER:
    case OPERATION_READ_POLICY:
    case OPERATION_READ_RECEIPT:
    case OPERATION_LIST_NOTICES:
    case OPERATION_LIST_PEOPLE:
    case OPERATION_LIST_AGENTS:
    case OPERATION_LIST_CALLERS:
    case OPERATION_LIST_CREDENTIALS:
    case OPERATION_DESCRIBE_SELF:
    case OPERATION_READ_SETUP:
        return "only an auditor or an admin reads this";
    }
    return "this is not allowed";
}
