#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Structured log: one JSON object a line on standard error, {"at":…,"level":…,"event":…, fields…}.
 * Only doors, courier and main log; lower floors return errors. Never pass a secret. Thread-safe.
 */

#include "base/error.h"
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *name; /* NULL ends the list */
    const char *text; /* used when not NULL */
    int64_t number;   /* used when text is NULL */
};

void log_set_level(enum log_level level);
/* `event` is a stable word ("started", "policy_reload_failed"). Fields come as LOG_TEXT/LOG_NUMBER.
 */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define LOG_TEXT(key, value)                                                                       \
    ((struct log_field){.name = (key), .text = (value) == NULL ? "" : (value)})
#define LOG_NUMBER(key, value) ((struct log_field){.name = (key), .number = (int64_t)(value)})
#define LOG(level, event, ...)                                                                     \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
/* Logs an error value with its kind, code, subject and place. */
void log_error(enum log_level level, const char *event, const struct error *error);

#endif
