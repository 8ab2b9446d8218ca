#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void set_va(struct error *error, enum error_kind kind, const char *code, const char *subject,
                   int line, int column, const char *format, va_list arguments)
{
    if (error == NULL || error->kind != ERROR_NONE) {
        return;
    }
    error->kind = kind;
    error->code = code;
    error->line = line;
    error->column = column;
    snprintf(error->subject, sizeof error->subject, "%s", subject == NULL ? "" : subject);
    vsnprintf(error->message, sizeof error->message, format, arguments);
}

bool error_set(struct error *error, enum error_kind kind, const char *code, const char *subject,
               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_va(error, kind, code, subject, 0, 0, format, arguments);
    va_end(arguments);
    return false;
}

bool error_set_at(struct error *error, enum error_kind kind, const char *code, const char *subject,
                  int line, int column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_va(error, kind, code, subject, line, column, format, arguments);
    va_end(arguments);
    return false;
}

const char *error_kind_name(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NONE:
        return "none";
    case ERROR_INVALID:
        return "invalid";
    case ERROR_UNAUTHENTICATED:
        return "unauthenticated";
    case ERROR_FORBIDDEN:
        return "forbidden";
    case ERROR_NOT_FOUND:
        return "not_found";
    case ERROR_CONFLICT:
        return "conflict";
    case ERROR_LIMIT:
        return "limit";
    case ERROR_RETRY_LATER:
        return "retry_later";
    case ERROR_CORRUPT:
        return "corrupt";
    case ERROR_INTERNAL:
        return "internal";
    }
    return "internal";
}
