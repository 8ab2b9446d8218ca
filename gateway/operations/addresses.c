#include "formats/text.h"
#include "notifiers/callback.h"
#include "notifiers/mail/mail_letter.h"
#include "operations/notice_internal.h"
#include "operations/owner_internal.h"
#include "store/chat_rows.h"
#include <string.h>

/* Where people are told, and which card a button belongs to. */

enum { ADDRESS_BYTES_MAX = 254, CARDS_TRIED_MAX = 1000, PEOPLE_COUNTED_MAX = 1000 };

static bool check_address(const char *kind, const char *address, struct error *error)
{
    if (notifier_find(kind) == NULL || !notifier_find(kind)->asks_people) {
        return error_set(error, ERROR_INVALID, "unknown_kind", "/kind",
                         "channels of kind `%s` do not tell people at addresses of their own: "
                         "write `mail`",
                         kind);
    }
    if (strcmp(kind, "mail") == 0 && !mail_is_address(address)) {
        return error_set(error, ERROR_INVALID, "bad_address", "/address",
                         "`%s` is not a plain mail address such as `dana@example.com`", address);
    }
    return strlen(address) <= ADDRESS_BYTES_MAX ||
           error_set(error, ERROR_INVALID, "bad_address", "/address",
                     "an address has at most %d bytes", ADDRESS_BYTES_MAX);
}

bool channel_asks_people(const struct operations_channel *channel)
{
    return channel->notifier->asks_people || channel->tells_accounts;
}

/* The first linked of the channel's own teams. */
static bool find_account(struct operation *operation, const struct operations_channel *channel,
                         const char *person, const char **out, struct error *error)
{
    struct chat_link_row *links;
    size_t count;
    *out = NULL;
    if (!store_list_chat_links(operation->store, person, operation->arena, &links, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && *out == NULL; i++) {
        if (strcmp(links[i].service, channel->notifier->kind) == 0 &&
            callback_is_of_team(links[i].account, channel->teams, channel->team_count)) {
            *out = links[i].account;
        }
    }
    return true;
}

bool find_told_address(struct operation *operation, const struct operations_channel *channel,
                       const char *tenant, const char *person, const char **out,
                       struct error *error)
{
    return channel->tells_accounts
               ? find_account(operation, channel, person, out, error)
               : store_find_address(operation->store, tenant, person, channel->notifier->kind,
                                    operation->arena, out, error);
}

static bool count_in_group(struct operation *operation, const struct operations_channel *channel,
                           const char *group, const char **seen, size_t *seen_count, int *unlinked,
                           struct error *error)
{
    struct person_row *members;
    size_t count;
    if (!channel_serves(channel, &group, 1)) {
        return true;
    }
    if (!store_list_members(operation->store, operation->principal.tenant, group, operation->arena,
                            &members, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && *seen_count < PEOPLE_COUNTED_MAX; i++) {
        const char *address = NULL;
        bool is_seen = false;
        for (size_t j = 0; j < *seen_count && !is_seen; j++) {
            is_seen = strcmp(seen[j], members[i].id) == 0;
        }
        if (is_seen || !channel_is_for(channel, &members[i])) {
            continue;
        }
        seen[(*seen_count)++] = arena_text(operation->arena, members[i].id);
        if (!find_told_address(operation, channel, members[i].tenant, members[i].id, &address,
                               error)) {
            return false;
        }
        *unlinked += address == NULL;
    }
    return true;
}

bool count_unlinked(struct operation *operation, const struct operations_channel *channel, int *out,
                    struct error *error)
{
    const char **seen = arena_array(operation->arena, PEOPLE_COUNTED_MAX, sizeof *seen);
    size_t seen_count = 0;
    struct group_row *groups;
    size_t count;
    *out = 0;
    if (!channel->tells_accounts) {
        return true;
    }
    if (!store_list_groups(operation->store, operation->principal.tenant, operation->arena, &groups,
                           &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!count_in_group(operation, channel, groups[i].name, seen, &seen_count, out, error)) {
            return false;
        }
    }
    return true;
}

static bool record_address(struct operation *operation, const struct person_row *person,
                           const char *kind, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    const char *members[] = {arena_printf(operation->arena, "address.%s", kind)};
    builder_init(&data, 0);
    ledger_data_changed(&data, person->id, NULL, (struct ledger_texts){members, 1});
    struct record record = {.type = LEDGER_PERSON_CHANGED, .tenant = person->tenant, .data = &data};
    return record_entry(operation, &record, error);
}

/* Who is no longer told here is told so here. */
static bool leave_former(struct operation *operation, const struct person_row *person,
                         const char *kind, const char *address, struct error *error)
{
    const char *former = NULL;
    struct owner_news news = {
        .moment = ACCOUNT_ADDRESS_CHANGED,
        .facts = {{"Told from now on",
                   address[0] == '\0' ? "nowhere by this kind of channel" : "at another address"},
                  {"Kind", kind}}};
    if (!store_find_address(operation->store, person->tenant, person->id, kind, operation->arena,
                            &former, error)) {
        return false;
    }
    return former == NULL || strcmp(former, address) == 0 ||
           (tell_owner(operation, person->id, &news, error) &&
            keep_former_address(operation, person, kind, former, error));
}

bool operation_set_address(struct operation *operation, const char *person, const char *kind,
                           const char *address, struct error *error)
{
    struct person_row row;
    bool is_removal = address[0] == '\0';
    if (!authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, NULL, error) ||
        !store_read_person(operation->store, operation->principal.tenant, person, operation->arena,
                           &row, error) ||
        (!is_removal && !check_address(kind, address, error)) ||
        !leave_former(operation, &row, kind, address, error)) {
        return false;
    }
    struct address_row own = {.kind = kind, .address = address};
    memcpy(own.person, row.id, sizeof own.person);
    return (is_removal ? store_delete_address(operation->store, row.tenant, row.id, kind, error)
                       : store_put_address(operation->store, row.tenant, &own, error)) &&
           record_address(operation, &row, kind, error);
}

bool operation_list_addresses(struct operation *operation, const char *person,
                              struct address_row **out, size_t *out_count, struct error *error)
{
    struct person_row row;
    return authorize(operation, OPERATION_LIST_PEOPLE, NULL, NULL, error) &&
           store_read_person(operation->store, operation->principal.tenant, person,
                             operation->arena, &row, error) &&
           store_list_addresses(operation->store, row.tenant, row.id, operation->arena, out,
                                out_count, error);
}

bool operation_find_card(struct operation *operation, const char *channel, const char *tenant,
                         const char *request, const char *nonce, struct card_row *out,
                         struct error *error)
{
    struct request_row row;
    struct card_row *cards = NULL;
    size_t count = 0;
    struct error missing = {0};
    if (store_read_request(operation->store, tenant, request, operation->arena, &row, &missing) &&
        !store_list_cards(operation->store, tenant, request, channel, operation->arena, &cards,
                          &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && i < CARDS_TRIED_MAX; i++) {
        const char *wanted = card_nonce(operation, &row, channel, cards[i].recipient);
        if (strlen(nonce) == strlen(wanted) && crypto_equal(nonce, wanted, strlen(wanted))) {
            *out = cards[i];
            return true;
        }
    }
    return error_set(error, ERROR_NOT_FOUND, "no_such_card", NULL,
                     "this card is out of date: open the request");
}
