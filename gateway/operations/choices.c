#include "notifiers/quiet_hours.h"
#include "operations/notice_internal.h"
#include "operations/owner_internal.h"
#include "store/choice_rows.h"
#include <string.h>

/*
 * What a person chose: quiet hours of their own, and which of the operator's channels leave them
 * alone. Nobody adds a destination here. What is of critical risk reaches everybody somewhere: on a
 * muted channel too, where no other reaches them, unless they said that it need not.
 */

enum { QUIET_HOURS_MOST = 16, MUTED_BYTES = 32 * (NAME_BYTES + 1) };

static bool mutes(const struct choice_row *choice, const char *channel)
{
    size_t length = strlen(channel);
    for (const char *at = choice->muted; (at = strstr(at, channel)) != NULL; at += length) {
        if (at > choice->muted && at[-1] == ' ' && at[length] == ' ') {
            return true;
        }
    }
    return false;
}

/* ---- what reaches whom ---- */

static bool tells_prompts(const struct operations_channel *channel)
{
    return channel->tells == 0 || (channel->tells & (1u << CARD_ASKED | 1u << CARD_ESCALATED)) != 0;
}

/* A channel that may tell this person something about requests, and how. */
static bool concerns(const struct operations_channel *channel, const struct person_row *person,
                     const char *const *groups, size_t count)
{
    return channel->notifier->shows_cards && !channel->notifier->calls_back &&
           channel_is_of(channel, person->tenant) && channel_serves(channel, groups, count) &&
           (!channel_asks_people(channel) || channel_is_for(channel, person));
}

static bool list_channels(struct operation *operation, const struct person_row *person,
                          const struct choice_row *choice, struct own_channel **out,
                          size_t *out_count, struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    const char **groups;
    size_t count;
    if (!store_list_groups_of(operation->store, person->tenant, person->id, operation->arena,
                              &groups, &count, error)) {
        return false;
    }
    *out = arena_array(operation->arena, options->channel_count, sizeof **out);
    *out_count = 0;
    for (size_t i = 0; i < options->channel_count; i++) {
        const struct operations_channel *channel = &options->channels[i];
        struct own_channel own = {.channel = channel, .is_yours = channel_asks_people(channel)};
        const char *address = NULL;
        if (!concerns(channel, person, groups, count)) {
            continue;
        }
        if (own.is_yours &&
            !find_told_address(operation, channel, person->tenant, person->id, &address, error)) {
            return false;
        }
        own.reaches = own.is_yours && address != NULL && tells_prompts(channel);
        own.is_muted = own.is_yours && mutes(choice, channel->name);
        (*out)[(*out_count)++] = own;
    }
    return true;
}

/* Whether some channel reaches them that they did not mute; `*out_any`: whether one does at all. */
static bool is_reached(const struct own_channel *channels, size_t count, bool *out_any)
{
    bool is_reached = false;
    *out_any = false;
    for (size_t i = 0; i < count; i++) {
        *out_any = *out_any || channels[i].reaches;
        is_reached = is_reached || (channels[i].reaches && !channels[i].is_muted);
    }
    return is_reached;
}

bool choice_lets_tell(struct operation *operation, const struct operations_channel *channel,
                      const struct person_row *person, int risk, bool *out, struct error *error)
{
    struct choice_row choice;
    struct own_channel *channels;
    size_t count;
    bool any = false;
    if (!store_read_choice(operation->store, person->tenant, person->id, operation->arena, &choice,
                           error)) {
        return false;
    }
    *out = !mutes(&choice, channel->name);
    if (*out || risk != POLICY_RISK_CRITICAL || choice.accepts_silence != 0) {
        return true;
    }
    if (!list_channels(operation, person, &choice, &channels, &count, error)) {
        return false;
    }
    *out = !is_reached(channels, count, &any);
    return true;
}

bool choice_quiet_until(struct operation *operation, const struct operations_channel *channel,
                        const char *tenant, const char *recipient, int64_t *out,
                        struct error *error)
{
    struct choice_row choice;
    struct quiet_hours own = {0};
    *out = quiet_hours_until(&channel->quiet, operation->now);
    if (strncmp(recipient, "per_", 4) != 0) {
        return true;
    }
    if (!store_read_choice(operation->store, tenant, recipient, operation->arena, &choice, error)) {
        return false;
    }
    if (choice.quiet_hours[0] != '\0' && quiet_hours_read(choice.quiet_hours, &own)) {
        /* The one may begin where the other ends, once: two that cover the day end somewhere. */
        *out = quiet_hours_until(&own, *out);
        *out = quiet_hours_until(&channel->quiet, *out);
    }
    return true;
}

/* ---- choosing ---- */

static bool read_own(struct operation *operation, struct person_row *person,
                     struct choice_row *choice, struct error *error)
{
    return store_read_person(operation->store, operation->principal.tenant, operation->principal.id,
                             operation->arena, person, error) &&
           store_read_choice(operation->store, person->tenant, person->id, operation->arena, choice,
                             error);
}

static bool fill(struct operation *operation, const struct person_row *person,
                 const struct choice_row *choice, struct own_channels *out, struct error *error)
{
    bool any = false;
    if (!list_channels(operation, person, choice, &out->channels, &out->count, error)) {
        return false;
    }
    out->quiet_hours = choice->quiet_hours;
    out->is_silent = !is_reached(out->channels, out->count, &any) && any;
    out->accepts_silence = choice->accepts_silence != 0;
    return true;
}

bool operation_read_own_channels(struct operation *operation, struct own_channels *out,
                                 struct error *error)
{
    struct person_row person;
    struct choice_row choice;
    return authorize(operation, OPERATION_LIST_OWN, NULL, NULL, error) &&
           read_own(operation, &person, &choice, error) &&
           fill(operation, &person, &choice, out, error);
}

static bool check_quiet_hours(const char *text, struct error *error)
{
    struct quiet_hours hours = {0};
    if (text[0] == '\0') {
        return true;
    }
    if (!quiet_hours_read(text, &hours)) {
        return error_set(error, ERROR_INVALID, "bad_time", "/quiet_hours",
                         "write `22:00-07:00`, of UTC, or `22:00-07:00 +01:00`; an empty text ends "
                         "them");
    }
    return quiet_hours_minutes(&hours) <= QUIET_HOURS_MOST * 60 ||
           error_set(error, ERROR_INVALID, "bad_time", "/quiet_hours",
                     "quiet hours are at most %d of a day: mute a channel instead",
                     QUIET_HOURS_MOST);
}

static bool is_theirs(const struct own_channel *channels, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (channels[i].is_yours && strcmp(channels[i].channel->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A channel that is gone or that never told them personally cannot be muted: a slip would not show.
 */
static bool write_muted(struct operation *operation, const struct own_channels *own,
                        const struct channel_choice *choice, const char **out, struct error *error)
{
    struct builder muted BUILDER_SCOPE;
    builder_init(&muted, MUTED_BYTES);
    for (size_t i = 0; i < choice->muted_count; i++) {
        if (!is_theirs(own->channels, own->count, choice->muted[i])) {
            return error_set(error, ERROR_INVALID, "unknown_channel", "/muted",
                             "no channel called `%s` tells you personally: GET /v1/me/channels "
                             "lists those that do (`yours`)",
                             choice->muted[i]);
        }
        builder_printf(&muted, "%s%s ", muted.length == 0 ? " " : "", choice->muted[i]);
    }
    *out = arena_copy(operation->arena, muted.bytes == NULL ? "" : muted.bytes, muted.length);
    return true;
}

/* Whoever took over a session, or a token, must not make somebody deaf. */
static bool check_silence(struct operation *operation, const struct own_channels *own,
                          const struct channel_choice *choice, struct error *error)
{
    if (!own->is_silent) {
        return true;
    }
    if (choice->accepts_silence) {
        return authorize_step_up(operation) != STEP_UP_NONE ||
               authorize_step_up_needed(operation, "/accepts_silence", error);
    }
    return error_set(error, ERROR_CONFLICT, "last_channel", "/muted",
                     "you would be told of nothing any more, not even of critical risk: keep one "
                     "channel that reaches you, or send `accepts_silence: true` after confirming "
                     "that it is you");
}

static bool record_choice(struct operation *operation, const struct person_row *person,
                          const struct choice_row *before, const struct choice_row *after,
                          struct error *error)
{
    struct builder data BUILDER_SCOPE;
    const char *members[3];
    size_t count = 0;
    builder_init(&data, 0);
    if (before->accepts_silence != after->accepts_silence) {
        members[count++] = "channels.accepts_silence";
    }
    if (strcmp(before->muted, after->muted) != 0) {
        members[count++] = "channels.muted";
    }
    if (strcmp(before->quiet_hours, after->quiet_hours) != 0) {
        members[count++] = "channels.quiet_hours";
    }
    if (count == 0) {
        return true;
    }
    struct owner_news news = {
        .moment = ACCOUNT_CHANNELS_CHANGED,
        .facts = {{"Muted channels", after->muted[0] == '\0' ? "none" : after->muted},
                  {"Quiet hours", after->quiet_hours[0] == '\0' ? "none" : after->quiet_hours},
                  {"Critical risk",
                   after->accepts_silence != 0 ? "told on none of them" : "told all the same"}}};
    ledger_data_changed(&data, person->id, NULL, (struct ledger_texts){members, count});
    struct record record = {.type = LEDGER_PERSON_CHANGED, .tenant = person->tenant, .data = &data};
    return record_entry(operation, &record, error) &&
           tell_owner(operation, person->id, &news, error);
}

bool operation_choose_channels(struct operation *operation, const struct channel_choice *choice,
                               struct own_channels *out, struct error *error)
{
    struct person_row person;
    struct choice_row before;
    if (!authorize(operation, OPERATION_CHOOSE_CHANNELS, NULL, NULL, error) ||
        !read_own(operation, &person, &before, error) ||
        !fill(operation, &person, &before, out, error)) {
        return false;
    }
    struct choice_row after = before;
    after.quiet_hours = choice->quiet_hours != NULL ? choice->quiet_hours : before.quiet_hours;
    after.changed_at = operation->now;
    if (!check_quiet_hours(after.quiet_hours, error) ||
        (choice->sets_muted && !write_muted(operation, out, choice, &after.muted, error)) ||
        !fill(operation, &person, &after, out, error) ||
        (choice->sets_muted && !check_silence(operation, out, choice, error))) {
        return false;
    }
    if (choice->sets_muted) {
        after.accepts_silence = out->is_silent;
    }
    out->accepts_silence = after.accepts_silence != 0;
    return store_put_choice(operation->store, &after, error) &&
           record_choice(operation, &person, &before, &after, error);
}
