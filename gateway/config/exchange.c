#include "config/config_internal.h"

#include <string.h>

/* Audiences that get a token of their own for a grant. Which there are, and what they read, is the
 * operator's to say. */

static const char *const audience_keys[] = {"audience", "for",     "algorithm",
                                            "lifetime", "subject", NULL};

#define LIFETIME_MS       (5 * 60 * 1000)
#define LIFETIME_LEAST_MS (30 * 1000)
#define LIFETIME_MOST_MS  (15 * 60 * 1000)

static bool read_text(const char *file, const struct yaml_node *mapping, const char *key,
                      const char **out, struct error *error)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_text(file, node, out, error);
}

/* Azure reads nothing but `sub`; clouds know workloads, not our people. */
static enum exchange_subject usual_subject(enum exchange_target target)
{
    switch (target) {
    case EXCHANGE_AZURE:
        return EXCHANGE_SUBJECT_AGENT_ACTION;
    case EXCHANGE_AWS:
    case EXCHANGE_GCP:
    case EXCHANGE_VAULT:
        return EXCHANGE_SUBJECT_AGENT;
    case EXCHANGE_SERVICE:
    case EXCHANGE_TARGET_COUNT:
        break;
    }
    return EXCHANGE_SUBJECT_PRINCIPAL;
}

static bool read_algorithm(const char *file, const struct yaml_node *node, const char *word,
                           struct exchange_audience *out, struct error *error)
{
    out->is_rs256 = word == NULL ? out->target == EXCHANGE_AZURE : strcmp(word, "RS256") == 0;
    if (word != NULL && !out->is_rs256 && strcmp(word, "ES256") != 0) {
        return yaml_fail(file, yaml_member(node, "algorithm"), error, "unknown_value",
                         "write `ES256` or `RS256`");
    }
    return out->is_rs256 || out->target != EXCHANGE_AZURE ||
           yaml_fail(file, yaml_member(node, "algorithm"), error, "unknown_value",
                     "Azure takes RS256 alone");
}

static bool read_audience(const char *file, const struct yaml_node *node,
                          const struct config *config, struct exchange_audience *out,
                          struct error *error)
{
    const char *target = NULL;
    const char *subject = NULL;
    const char *algorithm = NULL;
    const struct yaml_node *lifetime = yaml_member(node, "lifetime");
    out->lifetime_ms = LIFETIME_MS;
    if (!yaml_only_keys(file, node, audience_keys, error) ||
        !read_text(file, node, "audience", &out->audience, error) ||
        !read_text(file, node, "for", &target, error) ||
        !read_text(file, node, "algorithm", &algorithm, error) ||
        !read_text(file, node, "subject", &subject, error) ||
        (lifetime != NULL && !yaml_read_duration(file, lifetime, LIFETIME_LEAST_MS,
                                                 LIFETIME_MOST_MS, &out->lifetime_ms, error))) {
        return false;
    }
    if (out->audience == NULL || out->audience[0] == '\0' || strlen(out->audience) > 256 ||
        exchange_find(config->exchange, config->exchange_count, out->audience) != NULL) {
        return yaml_fail(file, node, error, "bad_audience",
                         "an item of `exchange` needs an `audience` of its own, at most 256 bytes");
    }
    if (target != NULL && !exchange_target_read(target, &out->target)) {
        return yaml_fail(file, yaml_member(node, "for"), error, "unknown_value",
                         "write `service`, `aws`, `gcp`, `azure` or `vault`");
    }
    out->subject = usual_subject(out->target);
    if (subject != NULL && !exchange_subject_read(subject, &out->subject)) {
        return yaml_fail(file, yaml_member(node, "subject"), error, "unknown_value",
                         "write `principal`, `agent` or `agent_action`");
    }
    return read_algorithm(file, node, algorithm, out, error);
}

bool config_read_exchange(const char *file, const struct yaml_node *list, struct config *config,
                          struct error *error)
{
    if (list == NULL) {
        return true;
    }
    if (list->type != YAML_SEQUENCE || list->count > EXCHANGE_AUDIENCES_MAX) {
        return yaml_fail(file, list, error, "wrong_type",
                         "`exchange` must be a list of at most %d audiences",
                         EXCHANGE_AUDIENCES_MAX);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!read_audience(file, list->items[i], config, &config->exchange[i], error)) {
            return false;
        }
        config->exchange_count++;
    }
    return true;
}
