#include "operations/authorize.h"
#include "operations/chat_operations.h"
#include "operations/owner_internal.h"
#include "operations/people_internal.h"
#include <string.h>

enum { CODE_CHARACTERS = 12, CODE_GROUP = 4 }; /* 60 bits */

/* Crockford's base32: no i, l, o or u. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static struct sha256 hash_code(const char *characters)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "chat code\n%s", characters);
    struct sha256 hash = crypto_sha256(text.bytes, text.length);
    crypto_wipe(text.bytes, text.length);
    return hash;
}

static void make_code(char plain[CODE_CHARACTERS + 1], char out[CHAT_CODE_TEXT_BYTES])
{
    unsigned char random[CODE_CHARACTERS];
    size_t length = 0;
    crypto_random(random, sizeof random);
    for (size_t i = 0; i < CODE_CHARACTERS; i++) {
        if (i > 0 && i % CODE_GROUP == 0) {
            out[length++] = '-';
        }
        plain[i] = alphabet[random[i] % 32];
        out[length++] = plain[i];
    }
    plain[CODE_CHARACTERS] = '\0';
    out[length] = '\0';
    crypto_wipe(random, sizeof random);
}

bool operation_make_chat_code(struct operation *operation, struct chat_code *out,
                              struct error *error)
{
    const struct principal *principal = &operation->principal;
    char plain[CODE_CHARACTERS + 1];
    struct chat_code code = {.expires_at = operation->now + CHAT_CODE_MS};
    if (!authorize(operation, OPERATION_MAKE_CHAT_CODE, NULL, NULL, error)) {
        return false;
    }
    make_code(plain, code.text);
    struct chat_code_row row = {.hash = hash_code(plain), .expires_at = code.expires_at};
    crypto_wipe(plain, sizeof plain);
    memcpy(row.person, principal->id, sizeof row.person);
    memcpy(row.tenant, principal->tenant, sizeof row.tenant);
    if (!store_put_chat_code(operation->store, &row, error)) {
        return false;
    }
    *out = code;
    return true;
}

bool operation_list_chat_links(struct operation *operation, struct chat_link_row **out,
                               size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_OWN, NULL, NULL, error) &&
           store_list_chat_links(operation->store, operation->principal.id, operation->arena, out,
                                 out_count, error);
}

static bool tell_of_link(struct operation *operation, const struct chat_link_row *link,
                         enum account_moment moment, struct error *error)
{
    struct owner_news news = {.moment = moment,
                              .facts = {{"Chat service", link->service}, {"Link", link->id}}};
    return tell_owner(operation, link->person, &news, error);
}

bool operation_remove_chat_link(struct operation *operation, const char *id, struct error *error)
{
    struct chat_link_row link;
    struct error missing = {0};
    if (!authorize(operation, OPERATION_TAKE_BACK_OWN, NULL, id, error)) {
        return false;
    }
    if (!store_read_chat_link(operation->store, operation->principal.tenant, id, operation->arena,
                              &link, &missing)) {
        return hide_missing(&missing, id, error);
    }
    if (strcmp(link.person, operation->principal.id) != 0) {
        return authorize_not_found(error, id);
    }
    struct change change = {.type = LEDGER_TOKEN_DISABLED,
                            .id = link.id,
                            .owner = link.person,
                            .changed = {"chat_link", link.service}};
    /* Told first, so that who loses it is told there. */
    return tell_of_link(operation, &link, ACCOUNT_CHAT_UNLINKED, error) &&
           store_delete_chat_link(operation->store, link.id, error) &&
           note_change(operation, &change, error);
}

/* ---- linking ---- */

static bool invalid(struct error *error)
{
    return error_set(error, ERROR_FORBIDDEN, "chat_code_invalid", NULL,
                     "this code was used, is too old or never was: make a new one under Account on "
                     "the dashboard");
}

/* Blanks, dashes and case as people type them; what could be mistaken is read as what it must be.
 */
static bool read_code(const char *typed, char out[CODE_CHARACTERS + 1])
{
    size_t length = 0;
    for (; *typed != '\0'; typed++) {
        char letter = *typed >= 'A' && *typed <= 'Z' ? (char)(*typed - 'A' + 'a') : *typed;
        letter = letter == 'o' ? '0' : letter == 'i' || letter == 'l' ? '1' : letter;
        if (letter == '-' || letter == ' ') {
            continue;
        }
        if (length == CODE_CHARACTERS || strchr(alphabet, letter) == NULL) {
            return false;
        }
        out[length++] = letter;
    }
    out[length] = '\0';
    return length == CODE_CHARACTERS;
}

static bool take_code(struct operation *operation, const char *typed, struct person_row *out,
                      struct error *error)
{
    char plain[CODE_CHARACTERS + 1];
    struct chat_code_row code;
    bool is_found = false;
    if (!read_code(typed, plain)) {
        return invalid(error);
    }
    struct sha256 hash = hash_code(plain);
    crypto_wipe(plain, sizeof plain);
    if (!store_take_chat_code(operation->store, &hash, &code, &is_found, error)) {
        return false;
    }
    return is_found && operation->now < code.expires_at
               ? store_read_person(operation->store, code.tenant, code.person, operation->arena,
                                   out, error)
               : invalid(error);
}

static bool check_link_count(struct operation *operation, const struct person_row *person,
                             struct error *error)
{
    struct chat_link_row *links;
    size_t count;
    return store_list_chat_links(operation->store, person->id, operation->arena, &links, &count,
                                 error) &&
           (count < CHAT_LINKS_PER_PERSON_MAX ||
            error_set(error, ERROR_CONFLICT, "too_many_links", NULL,
                      "%d accounts are linked, the most there may be: remove one first",
                      CHAT_LINKS_PER_PERSON_MAX));
}

bool operation_link_chat(struct operation *operation, const struct chat_account *account,
                         const char *code, const char **out_name, struct error *error)
{
    struct person_row person;
    if (!authorize(operation, OPERATION_LINK_CHAT, NULL, NULL, error) ||
        !take_code(operation, code, &person, error)) {
        return false;
    }
    if (!person.is_enabled) {
        return invalid(error);
    }
    struct chat_link_row link = {
        .service = account->service,
        .account = account->account,
        .hash = identity_hash_account(account->service, account->account),
        .created_at = operation->now,
    };
    crypto_make_id("chl", operation->now, link.id);
    memcpy(link.tenant, person.tenant, sizeof link.tenant);
    memcpy(link.person, person.id, sizeof link.person);
    /* The account acts, not yet the person. */
    memcpy(operation->principal.id, link.id, sizeof operation->principal.id);
    memcpy(operation->principal.tenant, person.tenant, sizeof operation->principal.tenant);
    struct change change = {.type = LEDGER_TOKEN_ADDED,
                            .id = link.id,
                            .owner = link.person,
                            .changed = {"chat_link", account->service}};
    *out_name = arena_text(operation->arena, person.name);
    return check_link_count(operation, &person, error) &&
           store_insert_chat_link(operation->store, &link, error) &&
           note_change(operation, &change, error) &&
           tell_of_link(operation, &link, ACCOUNT_CHAT_LINKED, error);
}
