#include "api/api_internal.h"

#include "crypto/password.h"
#include "identity/session.h"
#include "operations/session_operations.h"
#include "operations/tenant_operations.h"
#include <stdio.h>
#include <string.h>

/*
 * Signing in, and the links that let somebody choose a password. `look` reads what to check
 * against, `work` hashes on a worker, `run` acts. A name that does not exist takes every step that
 * one with another password takes, up to the same answer.
 */

static const char *const sign_in_members[] = {"code", "name", "password", "tenant", NULL};
static const char *const setup_members[] = {"display", "name", "password", "secret", NULL};
static const char *const enrol_members[] = {"password", "secret", NULL};
static const char *const change_members[] = {"new", "old", NULL};

enum { DISPLAY_BYTES_MAX = 200 };

struct sign_in {
    const char *name;
    const char *display;
    const char *tenant;  /* NULL: the default one */
    const char *account; /* whose attempts are counted */
    char *password;      /* wiped when it was hashed */
    char *former;        /* password change: the one there was */
    const char *code;    /* one-time or recovery code, or NULL */
    enum link_kind link;
    struct sha256 link_hash;
    struct password_found found;
    char new_hash[PASSWORD_HASH_BYTES]; /* "" when none was made */
    bool has_cookie;
    struct credential cookie; /* of the session the browser had */
    struct session_view view;
};

static struct sign_in *new_sign_in(struct api_call *call)
{
    struct sign_in *sign_in = ARENA_NEW(call->arena, struct sign_in);
    call->input = sign_in;
    call->result = &sign_in->view;
    return sign_in;
}

bool api_check_channel(const struct api_call *call, struct error *error)
{
    return api_allows_sessions(call) ||
           error_set(error, ERROR_FORBIDDEN, "plain_http", NULL,
                     "signing in needs TLS, or a listener on a loopback address: over plain HTTP "
                     "everybody on the way reads the password");
}

/* In the call's arena, so ours to wipe. */
static bool take_password(struct api_call *call, const struct json *body, const char *member,
                          char **out, struct error *error)
{
    const char *password;
    if (!api_take_text(call, body, member, true, PASSWORD_BYTES_MAX, &password, error)) {
        return false;
    }
    *out = (char *)(uintptr_t)password;
    return true;
}

static bool take_new_password(struct api_call *call, const struct json *body, const char *member,
                              char **out, struct error *error)
{
    char pointer[32];
    if (!take_password(call, body, member, out, error)) {
        return false;
    }
    snprintf(pointer, sizeof pointer, "/%s", member);
    return strlen(*out) >= PASSWORD_BYTES_MIN ||
           error_set(error, ERROR_INVALID, "password_too_short", pointer,
                     "a password has at least %d characters; a few words are easier to remember",
                     PASSWORD_BYTES_MIN);
}

bool api_read_former_session(struct api_call *call, struct credential *out)
{
    const char *cookies = NULL;
    struct error ignored = {0};
    return http_header(call->exchange, "cookie", &cookies, &ignored) &&
           identity_read_cookie(cookies, api_is_secure(call), out, &ignored);
}

/* ---- on a worker ---- */

static bool check_password(struct api_call *call, const struct password_found *found,
                           char *password, bool *out_matches, struct error *error)
{
    bool matches = false;
    metrics_add(call->api->options.metrics, METRIC_PASSWORD_CHECKS, 1);
    if (!password_verify(found->hash, password, strlen(password), &matches, error)) {
        return false;
    }
    *out_matches = matches && found->exists;
    return true;
}

static bool hash_new(struct sign_in *sign_in, struct error *error)
{
    bool ok = password_hash(sign_in->password, strlen(sign_in->password), sign_in->new_hash, error);
    crypto_wipe(sign_in->password, strlen(sign_in->password));
    return ok;
}

/* ---- POST /v1/session ---- */

bool api_read_sign_in(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = new_sign_in(call);
    const struct json *body = api_read_body(call, sign_in_members, error);
    if (body == NULL || !api_check_channel(call, error) ||
        !api_take_text(call, body, "name", true, NAME_BYTES - 1, &sign_in->name, error) ||
        !take_password(call, body, "password", &sign_in->password, error) ||
        !api_take_text(call, body, "code", false, API_CODE_BYTES_MAX, &sign_in->code, error) ||
        !api_take_text(call, body, "tenant", false, NAME_BYTES - 1, &sign_in->tenant, error)) {
        return false;
    }
    sign_in->account = sign_in->tenant == NULL
                           ? sign_in->name
                           : arena_printf(call->arena, "%s/%s", sign_in->tenant, sign_in->name);
    if (!api_attempts_take(call->api, sign_in->account, api_peer(call), error)) {
        return false;
    }
    sign_in->has_cookie = api_read_former_session(call, &sign_in->cookie);
    api_see_browser(call);
    return true;
}

static void enter_tenant(struct api_call *call, const struct sign_in *sign_in)
{
    if (sign_in->tenant != NULL) {
        operation_enter_tenant(&call->operation, sign_in->tenant);
    }
}

bool api_look_sign_in(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = call->input;
    enter_tenant(call, sign_in);
    return operation_find_password(&call->operation, sign_in->name, &sign_in->found, error);
}

bool api_work_sign_in(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = call->input;
    bool matches = false;
    if (!check_password(call, &sign_in->found, sign_in->password, &matches, error)) {
        return false;
    }
    if (matches && password_is_outdated(sign_in->found.hash)) {
        return hash_new(sign_in, error);
    }
    crypto_wipe(sign_in->password, strlen(sign_in->password));
    return matches || error_set(error, ERROR_UNAUTHENTICATED, "wrong_name_or_password", NULL,
                                "the name or the password is wrong");
}

bool api_run_sign_in(struct api_call *call, struct error *error)
{
    const struct sign_in *sign_in = call->input;
    struct sign_in_input input = {
        .verified = &sign_in->found,
        .new_hash = sign_in->new_hash[0] == '\0' ? NULL : sign_in->new_hash,
        .ended_session = sign_in->has_cookie ? &sign_in->cookie : NULL,
        .code = sign_in->code,
    };
    enter_tenant(call, sign_in);
    return operation_begin_session(&call->operation, &input, call->result, error);
}

/* ---- set-up and enrolment ---- */

static bool take_link(struct api_call *call, const struct json *body, enum link_kind kind,
                      struct sign_in *sign_in, struct error *error)
{
    const char *secret;
    if (!api_take_text(call, body, "secret", true, SECRET_TEXT_BYTES - 1, &secret, error)) {
        return false;
    }
    sign_in->link = kind;
    sign_in->link_hash = crypto_sha256(secret, strlen(secret));
    sign_in->has_cookie = api_read_former_session(call, &sign_in->cookie);
    api_see_browser(call);
    return api_check_channel(call, error);
}

bool api_read_setup(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = new_sign_in(call);
    const struct json *body = api_read_body(call, setup_members, error);
    return body != NULL && take_link(call, body, LINK_SETUP, sign_in, error) &&
           api_take_text(call, body, "name", true, NAME_BYTES - 1, &sign_in->name, error) &&
           api_take_text(call, body, "display", false, DISPLAY_BYTES_MAX, &sign_in->display,
                         error) &&
           take_new_password(call, body, "password", &sign_in->password, error);
}

bool api_read_enrol(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = new_sign_in(call);
    const struct json *body = api_read_body(call, enrol_members, error);
    return body != NULL && take_link(call, body, LINK_ENROLMENT, sign_in, error) &&
           take_new_password(call, body, "password", &sign_in->password, error);
}

bool api_look_link(struct api_call *call, struct error *error)
{
    const struct sign_in *sign_in = call->input;
    return operation_check_link(&call->operation, sign_in->link, &sign_in->link_hash, error);
}

bool api_work_link(struct api_call *call, struct error *error)
{
    return hash_new(call->input, error);
}

static struct link_use use_of(const struct sign_in *sign_in)
{
    return (struct link_use){.hash = sign_in->link_hash,
                             .password_hash = sign_in->new_hash,
                             .name = sign_in->name,
                             .display = sign_in->display};
}

bool api_run_setup(struct api_call *call, struct error *error)
{
    struct link_use use = use_of(call->input);
    return operation_use_setup_link(&call->operation, &use, call->result, error);
}

bool api_run_enrol(struct api_call *call, struct error *error)
{
    struct link_use use = use_of(call->input);
    return operation_use_enrolment_link(&call->operation, &use, call->result, error);
}

bool api_run_needs_setup(struct api_call *call, struct error *error)
{
    bool *needed = ARENA_NEW(call->arena, bool);
    call->result = needed;
    return operation_needs_setup(&call->operation, needed, error);
}

void api_answer_needs_setup(struct api_call *call)
{
    const bool *needed = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "needed", *needed);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

static struct link_view *new_link(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct link_view);
    return call->result;
}

bool api_run_make_setup_link(struct api_call *call, struct error *error)
{
    return operation_make_setup_link(&call->operation, new_link(call), error);
}

bool api_run_make_enrolment_link(struct api_call *call, struct error *error)
{
    return operation_make_enrolment_link(&call->operation, call->path_values[0], new_link(call),
                                         error);
}

/* The secret is in the fragment: it reaches no server, no log and no Referer header. */
void api_answer_link(struct api_call *call)
{
    struct link_view *view = call->result;
    char path[SECRET_TEXT_BYTES + 16];
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    snprintf(path, sizeof path, "%s#%s", view->link.kind == LINK_SETUP ? "/setup" : "/enrol",
             view->secret);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_time(&writer, "expires_at", view->link.expires_at);
    canonical_member_text(&writer, "issuer", call->api->options.issuer);
    canonical_member_text(&writer, "link_path", path);
    canonical_close_object(&writer);
    api_answer_json(call, 201, &body, NULL, 0);
    crypto_wipe(body.bytes, body.length);
    crypto_wipe(path, sizeof path);
    crypto_wipe(view->secret, sizeof view->secret);
    api_end_call(call);
}

/* ---- the session ---- */

bool api_run_session(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct session_view);
    return operation_read_session(&call->operation, call->result, error);
}

static void write_person(struct canonical_writer *writer, const struct person_view *view)
{
    const struct person_row *person = &view->person;
    canonical_open_object(writer);
    canonical_member_bool(writer, "admin", person->is_admin);
    canonical_member_bool(writer, "auditor", person->is_auditor);
    canonical_member_text(writer, "display",
                          person->display == NULL ? person->name : person->display);
    canonical_name(writer, "groups");
    canonical_open_array(writer);
    for (size_t i = 0; i < view->group_count; i++) {
        canonical_string(writer, view->groups[i]);
    }
    canonical_close_array(writer);
    canonical_member_text(writer, "id", person->id);
    canonical_member_text(writer, "name", person->name);
    canonical_close_object(writer);
}

static void write_session(struct canonical_writer *writer, struct api_call *call,
                          const struct credential *credential)
{
    const struct session_view *view = call->result;
    char csrf[CSRF_TEXT_BYTES];
    identity_csrf_text(credential, csrf);
    canonical_open_object(writer);
    canonical_member_text(writer, "csrf", csrf);
    api_write_time(writer, "expires_at", view->session.expires_at);
    canonical_name(writer, "gateway");
    canonical_open_object(writer);
    canonical_member_text(writer, "issuer", call->api->options.issuer);
    canonical_member_text(writer, "version", COUNTERSIGN_VERSION);
    canonical_close_object(writer);
    canonical_name(writer, "person");
    write_person(writer, &view->person);
    canonical_member_bool(writer, "production", api_is_secure(call));
    api_write_time(writer, "stepped_up_until", view->stepped_up_until);
    canonical_member_text(writer, "tenant", view->session.tenant);
    canonical_close_object(writer);
}

/* The session's cookie first; of a browser that is new, one more. */
static size_t list_cookies(struct api_call *call, struct session_view *view,
                           struct http_field out[2])
{
    int64_t seconds = (view->session.expires_at - view->session.created_at) / 1000;
    size_t count = 0;
    if (view->secret[0] != '\0') {
        out[count++] = (struct http_field){
            .name = "Set-Cookie", .value = api_session_cookie(call, view->secret, seconds)};
    }
    if (view->browser[0] != '\0') {
        out[count++] = (struct http_field){.name = "Set-Cookie",
                                           .value = api_browser_cookie(call, view->browser)};
    }
    return count;
}

void api_answer_session(struct api_call *call)
{
    struct session_view *view = call->result;
    bool is_new = view->secret[0] != '\0';
    struct credential credential =
        is_new ? identity_session_credential(view->secret) : call->credential;
    struct http_field cookies[2];
    size_t cookie_count = list_cookies(call, view, cookies);
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_session(&writer, call, &credential);
    api_answer_json(call, is_new ? 201 : 200, &body, cookies, cookie_count);
    crypto_wipe(view->secret, sizeof view->secret);
    crypto_wipe(view->browser, sizeof view->browser);
    crypto_wipe(body.bytes, body.length);
    api_end_call(call);
}

void api_answer_sign_in(struct api_call *call)
{
    const struct sign_in *sign_in = call->input;
    api_attempts_succeeded(call->api, sign_in->account, api_peer(call));
    api_answer_session(call);
}

bool api_run_sign_out(struct api_call *call, struct error *error)
{
    return operation_end_session(&call->operation, error);
}

void api_answer_sign_out(struct api_call *call)
{
    const struct http_field fields[] = {{"Cache-Control", "no-store"},
                                        {"X-Request-ID", call->trace},
                                        {"Set-Cookie", api_session_cookie(call, "", 0)}};
    http_answer(call->exchange, 204, fields, sizeof fields / sizeof fields[0], NULL, 0);
    api_end_call(call);
}

/* ---- POST /v1/session/password ---- */

/* Who took over a session must not guess the password with it: attempts count per session. */
bool api_take_session_attempt(struct api_call *call, struct error *error)
{
    char session[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(session + 2 * i, 3, "%02x", call->credential.hash.bytes[i]);
    }
    return api_attempts_take(call->api, session, api_peer(call), error);
}

bool api_read_change_password(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = new_sign_in(call);
    const struct json *body = api_read_body(call, change_members, error);
    return body != NULL && api_check_channel(call, error) &&
           take_password(call, body, "old", &sign_in->former, error) &&
           take_new_password(call, body, "new", &sign_in->password, error) &&
           api_take_session_attempt(call, error);
}

bool api_look_change_password(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = call->input;
    return operation_find_own_password(&call->operation, &sign_in->found, error);
}

bool api_work_change_password(struct api_call *call, struct error *error)
{
    struct sign_in *sign_in = call->input;
    bool matches = false;
    bool ok = check_password(call, &sign_in->found, sign_in->former, &matches, error);
    crypto_wipe(sign_in->former, strlen(sign_in->former));
    if (!ok) {
        return false;
    }
    if (!matches) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_password", "/old",
                         "that is not your present password; nothing was changed");
    }
    return hash_new(sign_in, error);
}

bool api_run_change_password(struct api_call *call, struct error *error)
{
    const struct sign_in *sign_in = call->input;
    return operation_set_password(&call->operation, &sign_in->found, sign_in->new_hash, error);
}
