#include "formats/text.h"
#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/grant_operations.h"
#include "operations/ledger_internal.h"
#include "store/passkey_rows.h"
#include <string.h>

enum { ACTION_GLOB_BYTES_MAX = POLICY_PATTERN_BYTES_MAX };

static const char *scope_name(enum freeze_scope scope)
{
    switch (scope) {
    case FREEZE_EVERYTHING:
        return "everything";
    case FREEZE_TENANT:
        return "tenant";
    case FREEZE_AGENT:
        return "agent";
    case FREEZE_ACTION:
        return "action";
    }
    return NULL;
}

static bool covers(const struct freeze_row *freeze, const struct freeze_target *target)
{
    bool is_of_tenant = strcmp(freeze->tenant, target->tenant) == 0;
    switch (freeze->scope) {
    case FREEZE_EVERYTHING:
        return true;
    case FREEZE_TENANT:
        return is_of_tenant;
    case FREEZE_AGENT:
        return is_of_tenant && strcmp(freeze->target, target->agent) == 0;
    case FREEZE_ACTION:
        return is_of_tenant && text_matches_glob(freeze->target, target->action, '.');
    }
    return true; /* what is not understood stops everything */
}

bool find_freezes(struct operation *operation, const struct freeze_target *target, int64_t since,
                  struct freeze_row **out, size_t *out_count, struct error *error)
{
    struct freeze_row *freezes;
    size_t count;
    if (!store_list_freezes(operation->store, since == 0, since, operation->arena, &freezes, &count,
                            error)) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (covers(&freezes[i], target)) {
            freezes[kept++] = freezes[i];
        }
    }
    *out = freezes;
    *out_count = kept;
    return true;
}

bool is_frozen_now(struct operation *operation, const struct request_row *request, bool *out_frozen,
                   struct error *error)
{
    struct freeze_target target = {
        .tenant = request->tenant, .agent = request->agent, .action = request->action_name};
    struct freeze_row *freezes;
    size_t count;
    if (!find_freezes(operation, &target, 0, &freezes, &count, error)) {
        return false;
    }
    *out_frozen = count > 0;
    return true;
}

static bool record_freeze(struct operation *operation, enum ledger_entry_type type,
                          const struct freeze_row *freeze, struct error *error)
{
    const char *target = freeze->target[0] == '\0' ? NULL : freeze->target;
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_freeze(&data, freeze->id, scope_name(freeze->scope), target, freeze->reason);
    struct record record = {.type = type, .tenant = freeze->tenant, .data = &data};
    return record_entry(operation, &record, error);
}

static bool start_sweep(struct operation *operation, struct error *error)
{
    operation_note_due(operation, operation->now);
    return store_set_number(operation->store, "freeze_sweeping", 1, error) &&
           store_set_text(operation->store, "freeze_cursor", "", error);
}

bool begin_freeze(struct operation *operation, struct freeze_row *freeze, struct error *error)
{
    crypto_make_id("frz", operation->now, freeze->id);
    freeze->since_at = operation->now;
    freeze->by = arena_text(operation->arena, operation->principal.id);
    operation->operations->place.freeze_count++;
    return store_insert_freeze(operation->store, freeze, error) &&
           record_freeze(operation, LEDGER_FREEZE, freeze, error) && start_sweep(operation, error);
}

bool end_freeze(struct operation *operation, const struct freeze_row *freeze, struct error *error)
{
    /* Never of no length: a grant issued in the same millisecond must see that it was frozen. */
    int64_t until_at = operation->now > freeze->since_at ? operation->now : freeze->since_at + 1;
    operation->operations->place.freeze_count--;
    operation_note_due(operation, until_at);
    return store_end_freeze(operation->store, freeze->id, until_at, operation->principal.id,
                            error) &&
           record_freeze(operation, LEDGER_THAW, freeze, error) &&
           store_wake_stopped_requests(operation->store, until_at, error);
}

static bool find_target(struct operation *operation, const struct freeze_input *input,
                        struct freeze_row *freeze, struct error *error)
{
    struct agent_row agent;
    freeze->target = "";
    if (freeze->scope == FREEZE_AGENT) {
        if (input->target == NULL) {
            return error_set(error, ERROR_INVALID, "target_missing", "/target",
                             "name the agent to freeze");
        }
        if (!store_read_agent(operation->store, freeze->tenant, input->target, operation->arena,
                              &agent, error)) {
            return false;
        }
        freeze->target = arena_text(operation->arena, agent.id);
    }
    if (freeze->scope == FREEZE_ACTION) {
        size_t length = input->target == NULL ? 0 : strlen(input->target);
        if (length == 0 || length > ACTION_GLOB_BYTES_MAX) {
            return error_set(error, ERROR_INVALID, "target_missing", "/target",
                             "name the actions to freeze as a pattern of at most %d bytes, such as "
                             "`payments.*`",
                             ACTION_GLOB_BYTES_MAX);
        }
        freeze->target = arena_text(operation->arena, input->target);
    }
    return true;
}

bool operation_freeze(struct operation *operation, const struct freeze_input *input,
                      struct freeze_row *out, struct error *error)
{
    const char *tenant = input->tenant == NULL ? operation->principal.tenant : input->tenant;
    bool is_everything = input->scope == FREEZE_EVERYTHING;
    struct authorize_facts facts = {.tenant = is_everything ? NULL : tenant};
    enum operation_kind kind = is_everything ? OPERATION_FREEZE_EVERYTHING : OPERATION_FREEZE;
    if (!authorize(operation, kind, &facts, NULL, error)) {
        return false;
    }
    if (scope_name(input->scope) == NULL || strlen(tenant) >= NAME_BYTES) {
        return error_set(error, ERROR_INVALID, "bad_scope", "/scope",
                         "freeze `everything`, a `tenant`, an `agent` or an `action`");
    }
    if (input->reason == NULL || input->reason[0] == '\0') {
        return error_set(error, ERROR_INVALID, "reason_missing", "/reason",
                         "say why: the reason is kept with the freeze");
    }
    *out = (struct freeze_row){.scope = input->scope,
                               .reason = operation_bounded_text(operation, input->reason)};
    if (!is_everything) {
        memcpy(out->tenant, tenant, strlen(tenant) + 1);
    }
    return find_target(operation, input, out, error) && begin_freeze(operation, out, error);
}

static bool find_active(struct operation *operation, const char *id, struct freeze_row *out,
                        struct error *error)
{
    struct freeze_row *freezes;
    size_t count;
    if (!store_list_freezes(operation->store, true, 0, operation->arena, &freezes, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(freezes[i].id, id) == 0) {
            *out = freezes[i];
            return true;
        }
    }
    return authorize_not_found(error, id);
}

/* Letting everything run again is worth a thief's while: who has a passkey shows it. */
static bool check_thaw_proof(struct operation *operation, const char *freeze, struct error *error)
{
    struct passkey_row *passkeys;
    size_t count = 0;
    if (operation->principal.kind != PRINCIPAL_PERSON) {
        return true;
    }
    if (!store_list_passkeys(operation->store, operation->principal.id, operation->arena, &passkeys,
                             &count, error)) {
        return false;
    }
    return count == 0 || authorize_step_up(operation) == STEP_UP_PASSKEY ||
           authorize_step_up_needed(operation, freeze, error);
}

bool operation_thaw(struct operation *operation, const char *freeze, struct freeze_row *out,
                    struct error *error)
{
    if (!authorize(operation, OPERATION_THAW, NULL, freeze, error) ||
        !find_active(operation, freeze, out, error)) {
        return false;
    }
    bool is_everything = out->scope == FREEZE_EVERYTHING;
    struct authorize_facts facts = {.tenant = is_everything ? NULL : out->tenant};
    if (!authorize(operation, is_everything ? OPERATION_THAW_EVERYTHING : OPERATION_THAW, &facts,
                   freeze, error) ||
        !check_thaw_proof(operation, freeze, error)) {
        return false;
    }
    if (is_rollback_freeze(out)) {
        return error_set(error, ERROR_FORBIDDEN, "recover_needed", freeze,
                         "the store was rolled back: run `countersign recover` on the host");
    }
    if (!end_freeze(operation, out, error)) {
        return false;
    }
    out->until_at = operation->now;
    out->thawed_by = arena_text(operation->arena, operation->principal.id);
    return true;
}

bool operation_list_freezes(struct operation *operation, struct freeze_row **out, size_t *out_count,
                            struct error *error)
{
    struct freeze_row *freezes;
    size_t count;
    if (!authorize(operation, OPERATION_LIST_FREEZES, NULL, NULL, error) ||
        !store_list_freezes(operation->store, true, 0, operation->arena, &freezes, &count, error)) {
        return false;
    }
    bool sees_all = operation->principal.kind == PRINCIPAL_HOST;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (sees_all || freezes[i].scope == FREEZE_EVERYTHING ||
            strcmp(freezes[i].tenant, operation->principal.tenant) == 0) {
            freezes[kept++] = freezes[i];
        }
    }
    *out = freezes;
    *out_count = kept;
    return true;
}
