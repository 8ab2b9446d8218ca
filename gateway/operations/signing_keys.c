#include "operations/authorize.h"
#include "operations/operations_internal.h"
#include "operations/token_operations.h"

#include "ledger/entry_data.h"

bool operation_may_rotate_keys(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_ROTATE_KEYS, NULL, NULL, error);
}

bool operation_note_signing_key(struct operation *operation, const char *key_id,
                                const char *algorithm, bool drops_former, struct error *error)
{
    const char *changed[] = {algorithm, "drop_former"};
    struct ledger_texts texts = {.items = changed, .count = drops_former ? 2 : 1};
    struct record record = {.type = LEDGER_KEY_ADDED, .tenant = ""};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    if (!operation_may_rotate_keys(operation, error)) {
        return false;
    }
    ledger_data_changed(&data, key_id, "issuer", texts);
    record.data = &data;
    return record_entry(operation, &record, error);
}
