#include "notifiers/notifier.h"

#include <string.h>

static const struct notifier *const notifiers[] = {&webhook_notifier};

const struct notifier *notifier_find(const char *kind)
{
    for (size_t i = 0; i < sizeof notifiers / sizeof notifiers[0]; i++) {
        if (strcmp(notifiers[i]->kind, kind) == 0) {
            return notifiers[i];
        }
    }
    return NULL;
}

int64_t notifier_retry_after_ms(int attempt, unsigned chance)
{
    /* The schedule that Standard Webhooks recommends; together about three days. */
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    size_t index = (size_t)(attempt < 1 ? 0 : attempt - 1);
    if (index >= sizeof seconds / sizeof seconds[0]) {
        return 0;
    }
    return seconds[index] * 1000 + seconds[index] * (int64_t)(chance % 1000) / 10;
}
