#ifndef LEDGER_FINDING_INTERNAL_H
#define LEDGER_FINDING_INTERNAL_H

/* What is wrong with an export. The first one stands. */

#include "base/error.h"
#include "ledger/scan_internal.h"

struct finding {
    const char *code; /* NULL: nothing found */
    char subject[128];
    char message[512];
};

/* Returns false, as error_set does. An absent `subject` is fine. */
bool finding_set(struct finding *finding, const char *code, struct span subject, const char *format,
                 ...) PRINTF_LIKE(4, 5);

#endif
