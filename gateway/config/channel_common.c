#include "config/channel_internal.h"

#include "identity/principal.h"
#include <string.h>

/* What channels of every kind may say. */

enum {
    IN_FLIGHT_MOST = 64,
    PER_SECOND_MOST = 1000,
    ROUNDUP_OVER_MOST = 1000,
    ROUNDUP_WITHIN_LEAST_MS = 1000,
    ROUNDUP_WITHIN_MOST_MS = 60 * 60 * 1000,
};

const char *const channel_common_keys[] = {
    "name",   "kind",   "ca",   "allow_networks", "proxy",       "proxy_file", "groups",
    "people", "limits", "tell", "tenant",         "quiet_hours", "roundup",    NULL};
static const char *const roundup_keys[] = {"over", "within", NULL};
static const char *const limits_keys[] = {"in_flight", "per_second", NULL};

static bool read_tell(const struct channel_reading *reading)
{
    /* As people say it; `decided` is what a card calls ended. */
    static const struct {
        const char *word;
        enum card_moment moment;
    } words[] = {{"asked", CARD_ASKED},
                 {"escalated", CARD_ESCALATED},
                 {"edited", CARD_EDITED},
                 {"question", CARD_QUESTION},
                 {"decided", CARD_ENDED}};
    const char *const *texts = NULL;
    size_t count = 0;
    if (!channel_read_list(reading, "tell", &texts, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned moment = 0;
        for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) {
            moment = strcmp(words[j].word, texts[i]) == 0 ? 1u << words[j].moment : moment;
        }
        if (moment == 0) {
            return yaml_fail(reading->file, yaml_member(reading->node, "tell"), reading->error,
                             "unknown_value",
                             "`tell` lists asked, escalated, edited, question, decided; `%s` is "
                             "none of them",
                             texts[i]);
        }
        reading->who->tells |= moment;
    }
    return true;
}

static bool read_limit(const struct channel_reading *reading, const struct yaml_node *limits,
                       const char *key, int64_t most, int *out)
{
    const struct yaml_node *node = yaml_member(limits, key);
    int64_t value = 0;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_integer(reading->file, node, 1, most, &value, reading->error)) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool read_limits(const struct channel_reading *reading)
{
    const struct yaml_node *limits = yaml_member(reading->node, "limits");
    return limits == NULL || (yaml_only_keys(reading->file, limits, limits_keys, reading->error) &&
                              read_limit(reading, limits, "in_flight", IN_FLIGHT_MOST,
                                         &reading->out->in_flight_max) &&
                              read_limit(reading, limits, "per_second", PER_SECOND_MOST,
                                         &reading->out->per_second_max));
}

/* `roundup: { over: 5, within: 1m }`; both are needed, so that nobody guesses the other. */
static bool read_roundup(const struct channel_reading *reading)
{
    const struct yaml_node *roundup = yaml_member(reading->node, "roundup");
    const struct yaml_node *over = yaml_member(roundup, "over");
    const struct yaml_node *within = yaml_member(roundup, "within");
    struct roundup_rule *rule = &reading->who->roundup;
    int64_t most = 0;
    if (roundup == NULL) {
        return true;
    }
    if (!reading->who->notifier->shows_cards) {
        return yaml_fail(reading->file, roundup, reading->error, "unknown_key",
                         "programs are told each event: leave out `roundup`");
    }
    if (over == NULL || within == NULL) {
        return yaml_fail(reading->file, roundup, reading->error, "missing_key",
                         "write `roundup: { over: 5, within: 1m }`");
    }
    if (!yaml_only_keys(reading->file, roundup, roundup_keys, reading->error) ||
        !yaml_read_integer(reading->file, over, 1, ROUNDUP_OVER_MOST, &most, reading->error) ||
        !yaml_read_duration(reading->file, within, ROUNDUP_WITHIN_LEAST_MS, ROUNDUP_WITHIN_MOST_MS,
                            &rule->within_ms, reading->error)) {
        return false;
    }
    rule->over = (int)most;
    return true;
}

/* Whose channel it is. That there is such a tenant is not known yet: it may be added later. */
static bool read_tenant(const struct channel_reading *reading)
{
    const char **tenant = &reading->who->tenant;
    return channel_read_text(reading, "tenant", tenant) &&
           (*tenant == NULL || identity_is_name(*tenant) ||
            yaml_fail(reading->file, yaml_member(reading->node, "tenant"), reading->error,
                      "bad_name", "`tenant` is a name: 1 to 64 of a-z 0-9 . _ -"));
}

static bool read_quiet_hours(const struct channel_reading *reading)
{
    const char *text = NULL;
    return channel_read_text(reading, "quiet_hours", &text) &&
           (text == NULL || quiet_hours_read(text, &reading->who->quiet) ||
            yaml_fail(reading->file, yaml_member(reading->node, "quiet_hours"), reading->error,
                      "bad_time",
                      "write `quiet_hours: \"22:00-07:00\"`, of UTC, or with ` +02:00` behind"));
}

bool channel_read_common(const struct channel_reading *reading)
{
    return channel_read_text(reading, "ca", &reading->out->ca_file) &&
           config_read_own_proxy(reading->file, reading->node, reading->arena, reading->out,
                                 reading->error) &&
           read_tell(reading) && read_limits(reading) && read_tenant(reading) &&
           read_quiet_hours(reading) && read_roundup(reading) &&
           channel_read_list(reading, "groups", &reading->who->groups,
                             &reading->who->group_count) &&
           channel_read_list(reading, "people", &reading->who->people,
                             &reading->who->person_count) &&
           config_read_networks(reading->file, yaml_member(reading->node, "allow_networks"),
                                reading->arena, reading->out, reading->error);
}
