#include "ledger/finding_internal.h"

#include <stdarg.h>
#include <stdio.h>

bool finding_set(struct finding *finding, const char *code, struct span subject, const char *format,
                 ...)
{
    if (finding->code != NULL) {
        return false;
    }
    finding->code = code;
    snprintf(finding->subject, sizeof finding->subject, "%.*s", (int)subject.length,
             subject.bytes == NULL ? "" : subject.bytes);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
    return false;
}
