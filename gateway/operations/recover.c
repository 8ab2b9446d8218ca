#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/ledger_internal.h"
#include "operations/people_internal.h"
#include "store/passkey_rows.h"

static bool thaw_rollback(struct operation *operation, size_t *out_thawed, struct error *error)
{
    struct freeze_row *freezes;
    size_t count;
    *out_thawed = 0;
    if (!store_list_freezes(operation->store, true, 0, operation->arena, &freezes, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_rollback_freeze(&freezes[i])) {
            if (!end_freeze(operation, &freezes[i], error)) {
                return false;
            }
            *out_thawed += 1;
        }
    }
    operation->operations->place.is_frozen_by_rollback = false;
    return true;
}

static bool record_recovery(struct operation *operation, bool trusts_credentials,
                            const char *reason, struct error *error)
{
    const char *detail = arena_printf(operation->arena, "credentials %s: %s",
                                      trusts_credentials ? "trusted" : "not trusted",
                                      operation_bounded_text(operation, reason));
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_detail(&data, detail);
    struct record record = {.type = LEDGER_RECOVERED, .tenant = "", .data = &data};
    return record_entry(operation, &record, error);
}

bool operation_recover(struct operation *operation, bool trusts_credentials, const char *reason,
                       int64_t *out_enabled, struct error *error)
{
    size_t thawed;
    int64_t enabled = 0;
    int64_t passwords = 0;
    int64_t passkeys = 0;
    if (!authorize(operation, OPERATION_RECOVER, NULL, NULL, error) ||
        !check_text(reason == NULL ? "" : reason, OPERATIONS_TEXT_BYTES_MAX, "the reason",
                    "bad_reason", error) ||
        !thaw_rollback(operation, &thawed, error) ||
        (trusts_credentials &&
         (!store_enable_credentials(operation->store, ROLLBACK_REASON, &enabled, error) ||
          !store_enable_passwords(operation->store, true, &passwords, error) ||
          !store_enable_passkeys(operation->store, true, &passkeys, error)))) {
        return false;
    }
    if (thawed == 0 && enabled == 0 && passwords == 0 && passkeys == 0) {
        return error_set(error, ERROR_CONFLICT, "nothing_to_recover", NULL,
                         "the store was not rolled back, or was recovered before");
    }
    *out_enabled = enabled;
    return record_recovery(operation, trusts_credentials, reason, error);
}
