#include "crypto/crypto.h"
#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/session_internal.h"
#include <string.h>

/* Set-up and enrolment links. A link is a credential: it stands in the ledger as a token that was
 * added, and disabled when it was used. */

#define SETUP_LINK_MS     (15LL * 60 * 1000)
#define ENROLMENT_LINK_MS (24LL * 60 * 60 * 1000)

static bool link_invalid(enum link_kind kind, struct error *error)
{
    return kind == LINK_SETUP
               ? error_set(error, ERROR_FORBIDDEN, "setup_link_invalid", NULL,
                           "this set-up link was used, is too old, or this gateway is set up "
                           "already; run `countersign admin setup-link` on the gateway's host for "
                           "a new one")
               : error_set(error, ERROR_FORBIDDEN, "enrolment_link_invalid", NULL,
                           "this link was used or is too old; ask an admin for a new one "
                           "(`countersign admin enrol NAME` on the gateway's host makes one)");
}

static bool count_admins(struct operation *operation, int64_t *out, struct error *error)
{
    return store_count_admins_with_password(operation->store, operation->principal.tenant, out,
                                            error);
}

bool operation_needs_setup(struct operation *operation, bool *out_needed, struct error *error)
{
    int64_t admins;
    if (!authorize(operation, OPERATION_READ_SETUP, NULL, NULL, error) ||
        !count_admins(operation, &admins, error)) {
        return false;
    }
    *out_needed = admins == 0;
    return true;
}

/* ---- making ---- */

static bool make_link(struct operation *operation, struct link_row *link, struct link_view *out,
                      struct error *error)
{
    char secret[SECRET_TEXT_BYTES];
    bool is_setup = link->kind == LINK_SETUP;
    crypto_make_secret("csl", secret);
    crypto_make_id("lnk", operation->now, link->id);
    link->hash = crypto_sha256(secret, strlen(secret));
    link->created_at = operation->now;
    link->expires_at = operation->now + (is_setup ? SETUP_LINK_MS : ENROLMENT_LINK_MS);
    struct change change = {.type = LEDGER_TOKEN_ADDED,
                            .id = link->id,
                            .owner = is_setup ? NULL : link->person,
                            .changed = {is_setup ? "setup_link" : "enrolment_link"}};
    bool ok =
        store_put_link(operation->store, link, error) && note_change(operation, &change, error);
    if (ok) {
        out->link = *link;
        memcpy(out->secret, secret, sizeof secret);
    }
    crypto_wipe(secret, sizeof secret);
    return ok;
}

bool operation_make_setup_link(struct operation *operation, struct link_view *out,
                               struct error *error)
{
    struct link_row link = {.kind = LINK_SETUP};
    int64_t admins;
    if (!authorize(operation, OPERATION_MAKE_SETUP_LINK, NULL, NULL, error) ||
        !count_admins(operation, &admins, error)) {
        return false;
    }
    if (admins > 0) {
        return error_set(error, ERROR_CONFLICT, "already_set_up", NULL,
                         "there is an admin who can sign in; `countersign admin enrol NAME` lets "
                         "another person in");
    }
    memcpy(link.tenant, operation->principal.tenant, sizeof link.tenant);
    return make_link(operation, &link, out, error);
}

bool operation_make_enrolment_link(struct operation *operation, const char *name,
                                   struct link_view *out, struct error *error)
{
    struct link_row link = {.kind = LINK_ENROLMENT};
    struct person_row person;
    if (!authorize(operation, OPERATION_MAKE_ENROLMENT_LINK, NULL, name, error) ||
        !find_person(operation, name, &person, error)) {
        return false;
    }
    if (!person.is_enabled) {
        return error_set(error, ERROR_CONFLICT, "owner_disabled", name,
                         "`%.64s` is disabled; enable the person first", name);
    }
    memcpy(link.tenant, person.tenant, sizeof link.tenant);
    memcpy(link.person, person.id, sizeof link.person);
    struct owner_news news = {.moment = ACCOUNT_ENROLMENT_LINK_MADE};
    return make_link(operation, &link, out, error) &&
           tell_owner(operation, person.id, &news, error);
}

/* ---- using ---- */

static bool find_link(struct operation *operation, enum link_kind kind, const struct sha256 *hash,
                      struct link_row *out, struct error *error)
{
    struct error missing = {0};
    int64_t admins = 0;
    if (!store_find_link(operation->store, kind, hash, out, &missing)) {
        return missing.kind == ERROR_NOT_FOUND
                   ? link_invalid(kind, error)
                   : error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
    }
    if (operation->now >= out->expires_at) {
        return link_invalid(kind, error);
    }
    if (kind == LINK_SETUP &&
        !store_count_admins_with_password(operation->store, out->tenant, &admins, error)) {
        return false;
    }
    return admins == 0 || link_invalid(kind, error);
}

bool operation_check_link(struct operation *operation, enum link_kind kind,
                          const struct sha256 *hash, struct error *error)
{
    struct link_row link;
    return authorize(operation, OPERATION_USE_LINK, NULL, NULL, error) &&
           find_link(operation, kind, hash, &link, error);
}

/* From here on the link is who acts, until the person does. */
static bool consume_link(struct operation *operation, enum link_kind kind,
                         const struct sha256 *hash, struct link_row *out, struct error *error)
{
    if (!authorize(operation, OPERATION_USE_LINK, NULL, NULL, error) ||
        !find_link(operation, kind, hash, out, error) ||
        !store_delete_link(operation->store, out->id, error)) {
        return false;
    }
    struct principal *principal = &operation->principal;
    principal->credential_kind = CREDENTIAL_LINK;
    memcpy(principal->id, out->id, sizeof principal->id);
    memcpy(principal->tenant, out->tenant, sizeof principal->tenant);
    struct change change = {.type = LEDGER_TOKEN_DISABLED,
                            .id = out->id,
                            .owner = kind == LINK_SETUP ? NULL : out->person,
                            .changed = {"used"}};
    return note_change(operation, &change, error);
}

bool operation_use_setup_link(struct operation *operation, const struct link_use *use,
                              struct session_view *out, struct error *error)
{
    struct link_row link;
    struct person_row person;
    struct person_input input = {.name = use->name, .display = use->display, .is_admin = true};
    return consume_link(operation, LINK_SETUP, &use->hash, &link, error) &&
           add_person(operation, &input, &person, error) &&
           put_password(operation, &person, use->password_hash, error) &&
           open_session(operation, &person, STEP_UP_LINK, out, error);
}

bool operation_use_enrolment_link(struct operation *operation, const struct link_use *use,
                                  struct session_view *out, struct error *error)
{
    struct link_row link;
    struct person_row person;
    int64_t ended;
    if (!consume_link(operation, LINK_ENROLMENT, &use->hash, &link, error) ||
        !find_person(operation, link.person, &person, error)) {
        return false;
    }
    if (!person.is_enabled) {
        return link_invalid(LINK_ENROLMENT, error);
    }
    return store_delete_sessions(operation->store, person.id, NULL, &ended, error) &&
           put_password(operation, &person, use->password_hash, error) &&
           open_session(operation, &person, STEP_UP_LINK, out, error);
}
