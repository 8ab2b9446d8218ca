#ifndef CONFIG_CHANNEL_INTERNAL_H
#define CONFIG_CHANNEL_INTERNAL_H

/*
 * One entry of the `channels` list, while it is read. A kind of channel is a file of its own with a
 * table row: what it may say beside what all do, and how that is read. Everything read lives in the
 * arena; what is wrong is said with file, line and column.
 */

#include "config/config_internal.h"

/* The one channel being read. */
struct channel_reading {
    const char *file;
    const struct yaml_node *node;
    struct arena *arena;
    struct courier_channel *out;
    struct operations_channel *who;
    struct config *config;
    struct error *error;
};

struct channel_kind {
    const char *kind;
    const char *const *keys; /* beside the common ones; NULL-terminated */
    bool (*read)(const struct channel_reading *reading);
};

extern const struct channel_kind channel_webhook;
extern const struct channel_kind channel_callback;
extern const struct channel_kind channel_mail;
extern const struct channel_kind channel_template;
extern const struct channel_kind channel_slack;
extern const struct channel_kind channel_teams;

/* channel_common.c: what channels of every kind may say. */
extern const char *const channel_common_keys[];
bool channel_read_common(const struct channel_reading *reading) MUST_CHECK;

/* channel_pieces.c. A key that is absent leaves `*out` as it is. */
bool channel_read_text(const struct channel_reading *reading, const char *key,
                       const char **out) MUST_CHECK;
bool channel_read_list(const struct channel_reading *reading, const char *key,
                       const char *const **out, size_t *out_count) MUST_CHECK;
bool channel_read_allowance(const struct channel_reading *reading, const char *key) MUST_CHECK;

/* `url`, or `url_file` where the address itself is a secret. */
bool channel_read_url(const struct channel_reading *reading) MUST_CHECK;

/* `key` names a file of one line: a password, a token. */
bool channel_read_secret(const struct channel_reading *reading, const char *key,
                         const char **out) MUST_CHECK;
bool channel_read_secret_line(const struct channel_reading *reading, const struct yaml_node *node,
                              const char *path, const char **out) MUST_CHECK;

/* A file of several lines that only this process may read. */
bool channel_read_secret_file(const struct channel_reading *reading, const struct yaml_node *node,
                              const char *path, char **out, size_t *out_length) MUST_CHECK;

/* False, with `message` at the channel. */
bool channel_missing(const struct channel_reading *reading, const char *message) MUST_CHECK;

#endif
