#include "operations/ledger_internal.h"
#include "operations/policy_operations.h"

#include <stdio.h>
#include <string.h>

/* What a rollback chose, unless it is what the folder holds anyway; NULL when nothing was. */
static bool read_choice(struct operation *operation, const char *version, char **out_choice,
                        struct error *error)
{
    if (!store_get_text(operation->store, POLICY_CHOICE, operation->arena, out_choice, error)) {
        return false;
    }
    bool is_other =
        *out_choice != NULL && (*out_choice)[0] != '\0' && strcmp(*out_choice, version) != 0;
    *out_choice = is_other ? *out_choice : NULL;
    return true;
}

static bool keep_choice(struct operation *operation, const char *choice, struct error *error)
{
    struct policy_row row;
    struct error cause = {0};
    if (!store_read_policy(operation->store, choice, operation->arena, &row, error)) {
        return false;
    }
    struct policy *policy = operations_compile_policy(row.files, operation->arena, &cause);
    if (policy == NULL) {
        return error_set(error, ERROR_INVALID, "policy_choice_invalid", choice,
                         "the policy that a rollback chose, %.12s, does not load any more (%s:%d: "
                         "%s): start once with --publish-policy to put the folder's in force",
                         choice, cause.subject, cause.line, cause.message);
    }
    return keep_chosen_policy(operation, policy, row.files, error);
}

/* Where the folder holds what was chosen, the choice stands: only a publication ends it. */
static bool publish_folder(struct operation *operation, struct policy *policy_take,
                           const char *files, bool *out_changed, struct error *error)
{
    char *choice = NULL;
    return store_get_text(operation->store, POLICY_CHOICE, operation->arena, &choice, error) &&
           operation_publish_policy(operation, policy_take, files, out_changed, error) &&
           (choice == NULL || store_set_text(operation->store, POLICY_CHOICE, choice, error));
}

bool operations_publish_at_start(struct operations *operations, struct store *store, int64_t now,
                                 const struct start_policy *start,
                                 char out_kept[POLICY_VERSION_BYTES], struct error *error)
{
    struct turn turn;
    bool changed = false;
    char *choice = NULL;
    out_kept[0] = '\0';
    if (!turn_begin(&turn, operations, store, now, error)) {
        policy_destroy(start->policy_take);
        return false;
    }
    struct operation *operation = &turn.operation;
    bool ok = start->forgets_choice ||
              read_choice(operation, policy_version(start->policy_take), &choice, error);
    if (!ok || choice != NULL) {
        policy_destroy(start->policy_take);
        ok = ok && keep_choice(operation, choice, error);
    } else if (start->forgets_choice) {
        ok = operation_publish_policy(operation, start->policy_take, start->files, &changed, error);
    } else {
        ok = publish_folder(operation, start->policy_take, start->files, &changed, error);
    }
    if (ok && choice != NULL) {
        snprintf(out_kept, POLICY_VERSION_BYTES, "%s", choice);
    }
    return turn_end(&turn, ok, changed, error);
}
