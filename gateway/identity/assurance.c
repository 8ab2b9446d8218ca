#include "identity/assurance.h"
#include <string.h>

const char *assurance_name(enum assurance assurance)
{
    switch (assurance) {
    case ASSURANCE_CHAT:
        return "chat";
    case ASSURANCE_SESSION:
        return "session";
    case ASSURANCE_PASSKEY:
        return "passkey";
    case ASSURANCE_NONE:
        break;
    }
    return "none";
}

bool assurance_read(const char *name, enum assurance *out_assurance)
{
    for (enum assurance each = ASSURANCE_CHAT; each <= ASSURANCE_PASSKEY; each++) {
        if (name != NULL && strcmp(name, assurance_name(each)) == 0) {
            *out_assurance = each;
            return true;
        }
    }
    return false;
}
