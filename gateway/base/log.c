#include "base/log.h"

#include "base/builder.h"
#include "base/clock.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level least_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    least_level = level;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level];
}

static void append_quoted(struct builder *line, const char *text)
{
    builder_char(line, '"');
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            builder_char(line, '\\');
            builder_char(line, (char)*at);
        } else if (*at < 0x20 || *at == 0x7f) {
            builder_printf(line, "\\u%04x", *at);
        } else {
            builder_char(line, (char)*at);
        }
    }
    builder_char(line, '"');
}

static void append_time(struct builder *line)
{
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    builder_printf(line, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                   (int)(now % 1000));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level < least_level) {
        return;
    }
    struct builder line BUILDER_SCOPE;
    builder_init(&line, 0);
    builder_text(&line, "{\"at\":");
    append_time(&line);
    builder_printf(&line, ",\"level\":\"%s\",\"event\":", level_name(level));
    append_quoted(&line, event);
    for (const struct log_field *field = fields; field->name != NULL; field++) {
        builder_char(&line, ',');
        append_quoted(&line, field->name);
        builder_char(&line, ':');
        if (field->text != NULL) {
            append_quoted(&line, field->text);
        } else {
            builder_printf(&line, "%lld", (long long)field->number);
        }
    }
    builder_text(&line, "}\n");
    /* One write per line keeps lines of several threads whole; a lost log line stops nothing. */
    ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
    (void)written;
}

void log_error(enum log_level level, const char *event, const struct error *error)
{
    LOG(level, event, LOG_TEXT("kind", error_kind_name(error->kind)), LOG_TEXT("code", error->code),
        LOG_TEXT("subject", error->subject), LOG_NUMBER("line", error->line),
        LOG_NUMBER("column", error->column), LOG_TEXT("message", error->message));
}
