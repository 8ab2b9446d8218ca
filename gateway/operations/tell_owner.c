#include "operations/notice_internal.h"
#include "operations/owner_internal.h"
#include "operations/session_operations.h"
#include "store/owner_rows.h"
#include <string.h>

#define HOUR_MS (60LL * 60 * 1000)

static enum account_actor actor_of(const struct principal *principal, const char *owner)
{
    switch (principal->kind) {
    case PRINCIPAL_PERSON:
        return strcmp(principal->id, owner) == 0 ? ACCOUNT_BY_OWNER : ACCOUNT_BY_PERSON;
    case PRINCIPAL_HOST:
        return ACCOUNT_BY_HOST;
    case PRINCIPAL_NONE:
    case PRINCIPAL_CALLER:
    case PRINCIPAL_SYSTEM:
        break;
    }
    if (principal->credential_kind == CREDENTIAL_LINK) {
        return ACCOUNT_BY_LINK;
    }
    return strncmp(principal->id, "chl_", 4) == 0 ? ACCOUNT_BY_CODE : ACCOUNT_BY_GATEWAY;
}

/* One notice; none where there were too many of this sort. */
static bool insert(struct operation *operation, const struct operations_channel *channel,
                   struct account_notice *notice, const char *address, struct error *error)
{
    const char *event = account_event(notice->moment);
    const char *tenant = operation->principal.tenant;
    int64_t count = 0;
    if (!store_count_notices_to(operation->store, tenant, address, event, operation->now - HOUR_MS,
                                &count, error)) {
        return false;
    }
    if (count >= OWNER_NOTICES_PER_HOUR_MAX) {
        return true;
    }
    notice->is_last = count == OWNER_NOTICES_PER_HOUR_MAX - 1;
    struct notice_row row = {.channel = channel->name,
                             .event = event,
                             .recipient = address,
                             .line = "",
                             .payload = account_notice_write(notice, operation->arena)};
    return insert_notice(operation, tenant, &row, error);
}

static bool is_among(const struct former_address_row *rows, size_t count, const char *address)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].address, address) == 0) {
            return true;
        }
    }
    return false;
}

static bool tell_through(struct operation *operation, const struct operations_channel *channel,
                         const char *person, struct account_notice *notice, struct error *error)
{
    const char *kind = channel->notifier->kind;
    const char *current = NULL;
    struct former_address_row *former;
    size_t count;
    if (!find_told_address(operation, channel, operation->principal.tenant, person, &current,
                           error) ||
        !store_list_former_addresses(operation->store, person, kind,
                                     operation->now - FORMER_ADDRESS_MS, FORMER_ADDRESSES_MAX,
                                     operation->arena, &former, &count, error)) {
        return false;
    }
    if (current != NULL && !is_among(former, count, current) &&
        !insert(operation, channel, notice, current, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_among(former, i, former[i].address) &&
            !insert(operation, channel, notice, former[i].address, error)) {
            return false;
        }
    }
    return true;
}

/* To each at an address, or in a conversation, of their own. */
static bool tells_owners(const struct operations_channel *channel, const char *tenant)
{
    return channel->notifier->tells_owners && channel_asks_people(channel) &&
           channel_is_of(channel, tenant);
}

/* The first channel of each kind that tells owners: two of a kind serve different groups, and an
 * owner is one. */
static bool is_first_of_kind(const struct operations_options *options, size_t index,
                             const char *tenant)
{
    const struct operations_channel *channel = &options->channels[index];
    if (!tells_owners(channel, tenant)) {
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (options->channels[i].notifier == channel->notifier &&
            tells_owners(&options->channels[i], tenant)) {
            return false;
        }
    }
    return true;
}

static struct account_notice make_notice(const struct operation *operation,
                                         const struct person_row *person,
                                         const struct owner_news *news)
{
    const struct principal *principal = &operation->principal;
    struct account_notice notice = {
        .moment = news->moment,
        .actor = actor_of(principal, person->id),
        .account = arena_text(operation->arena, person->name),
        .issuer = operation->operations->options.issuer,
        .at = operation->now,
    };
    if (notice.actor == ACCOUNT_BY_PERSON) {
        notice.by = arena_text(operation->arena, principal->name);
    }
    while (notice.fact_count < ACCOUNT_FACTS_MAX && news->facts[notice.fact_count].label != NULL) {
        notice.facts[notice.fact_count] = news->facts[notice.fact_count];
        notice.fact_count++;
    }
    return notice;
}

bool tell_owner(struct operation *operation, const char *person, const struct owner_news *news,
                struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    const char *tenant = operation->principal.tenant;
    struct person_row row = {0};
    for (size_t i = 0; i < options->channel_count; i++) {
        if (!is_first_of_kind(options, i, tenant)) {
            continue;
        }
        if (row.id[0] == '\0' && !find_person(operation, person, &row, error)) {
            return false;
        }
        struct account_notice notice = make_notice(operation, &row, news);
        if (!tell_through(operation, &options->channels[i], row.id, &notice, error)) {
            return false;
        }
    }
    return true;
}

bool keep_former_address(struct operation *operation, const struct person_row *person,
                         const char *kind, const char *address, struct error *error)
{
    struct former_address_row former = {
        .kind = kind, .address = address, .replaced_at = operation->now};
    memcpy(former.tenant, person->tenant, sizeof former.tenant);
    memcpy(former.person, person->id, sizeof former.person);
    return store_insert_former_address(operation->store, &former, error);
}

/* ---- browsers ---- */

static bool tell_sign_in(struct operation *operation, const struct person_row *person,
                         const struct browser_seen *browser, struct error *error)
{
    struct owner_news news = {.moment = ACCOUNT_SIGNED_IN};
    if (browser != NULL) {
        news.facts[0] = (struct account_fact){"Browser", browser->name};
        news.facts[1] = (struct account_fact){"From", browser->peer};
    }
    return tell_owner(operation, person->id, &news, error);
}

/* A cookie that we made for somebody is kept for whoever signs in here next; one that we did not
 * make is never taken: it could have been put there by who wants their own browser known later. */
bool note_browser(struct operation *operation, const struct person_row *person, bool tells,
                  char out_cookie[SECRET_TEXT_BYTES], struct error *error)
{
    const struct browser_seen *browser = operation->browser;
    int64_t since = operation->now - BROWSER_KNOWN_MS;
    struct browser_row row = {.seen_at = operation->now};
    bool is_known = false;
    bool is_ours = false;
    if (browser != NULL && browser->has_cookie &&
        (!store_knows_browser(operation->store, person->id, &browser->cookie, since, &is_known,
                              error) ||
         !store_knows_browser(operation->store, NULL, &browser->cookie, since, &is_ours, error))) {
        return false;
    }
    out_cookie[0] = '\0';
    if (is_ours) {
        row.hash = browser->cookie;
    } else {
        crypto_make_secret("csb", out_cookie);
        row.hash = crypto_sha256(out_cookie, strlen(out_cookie));
    }
    memcpy(row.tenant, person->tenant, sizeof row.tenant);
    memcpy(row.person, person->id, sizeof row.person);
    return store_put_browser(operation->store, &row, error) &&
           store_trim_browsers(operation->store, person->id, BROWSERS_PER_PERSON_MAX, error) &&
           (is_known || !tells || tell_sign_in(operation, person, browser, error));
}
