#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/operations_internal.h"

bool operation_note_refusals(struct operation *operation, const struct refusal_note *notes,
                             size_t count, struct error *error)
{
    if (!authorize(operation, OPERATION_NOTE_REFUSALS, NULL, NULL, error)) {
        return false;
    }
    if (count > OPERATIONS_BATCH_MAX) {
        return error_set(error, ERROR_LIMIT, "too_many", NULL, "at most %d refusals at once",
                         OPERATIONS_BATCH_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct ledger_refusals refusals = {.kind = notes[i].kind,
                                           .source = notes[i].source,
                                           .count = notes[i].count,
                                           .since_ms = notes[i].since_at};
        struct builder data BUILDER_SCOPE;
        builder_init(&data, 0);
        ledger_data_refusals(&data, &refusals);
        struct record record = {
            .type = LEDGER_REFUSALS_NOTED, .tenant = "", .data = &data, .is_by_gateway = true};
        if (!record_entry(operation, &record, error)) {
            return false;
        }
    }
    return true;
}
