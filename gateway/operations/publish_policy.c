/* A policy in force is state like any other: it changes in a job, and a job that is rolled back
 * must not leave its policy behind. The former one is kept until the batch is committed. */

#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/history_internal.h"
#include "operations/ledger_internal.h"
#include <string.h>

/* Destroys it unless it is still one of the three. */
static void drop_policy(struct operations *operations, struct policy *policy)
{
    if (policy != operations->policy && policy != operations->policy_at_savepoint &&
        policy != operations->policy_at_begin) {
        policy_destroy(policy);
    }
}

void policies_begin(struct operations *operations)
{
    struct policy *first = operations->policy_at_begin;
    struct policy *second = operations->policy_at_savepoint;
    operations->policy_at_begin = operations->policy;
    operations->policy_at_savepoint = operations->policy;
    drop_policy(operations, first);
    if (second != first) {
        drop_policy(operations, second);
    }
}

void policies_savepoint(struct operations *operations)
{
    struct policy *former = operations->policy_at_savepoint;
    operations->policy_at_savepoint = operations->policy;
    drop_policy(operations, former);
}

void policies_rollback(struct operations *operations)
{
    struct policy *undone = operations->policy;
    operations->policy = operations->policy_at_savepoint;
    drop_policy(operations, undone);
}

void policies_abort(struct operations *operations)
{
    policies_rollback(operations);
    struct policy *undone = operations->policy;
    operations->policy = operations->policy_at_begin;
    operations->policy_at_savepoint = operations->policy_at_begin;
    drop_policy(operations, undone);
}

void policies_destroy(struct operations *operations)
{
    policies_begin(operations);
    policy_destroy(operations->policy);
    operations->policy = NULL;
}

const char *operations_policy_version(const struct operations *operations)
{
    return operations->policy == NULL ? "" : policy_version(operations->policy);
}

/* A policy that is being put in force, and why. */
struct publication {
    struct operation *operation;
    const struct policy *policy;
    const char *files;
    const char *previous; /* version in force before; NULL for the first */
    bool is_rollback;
};

static bool record_publication(const struct publication *publication, struct error *error)
{
    const struct policy *policy = publication->policy;
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_published(&data, publication->previous, publication->is_rollback,
                          (int64_t)policy_rule_count(policy));
    struct record record = {
        .type = LEDGER_POLICY_PUBLISHED, .policy = policy_version(policy), .data = &data};
    return record_entry(publication->operation, &record, error);
}

/* The cursor is 1 + the row of the last pending request that was looked at; 0: none is left. */
static bool store_publication(const struct publication *publication, struct error *error)
{
    struct operation *operation = publication->operation;
    struct policy_row row = {.version = policy_version(publication->policy),
                             .files = publication->files,
                             .published_at = operation->now,
                             .published_by = operation->principal.id};
    return store_insert_policy(operation->store, &row, error) &&
           record_publication(publication, error) &&
           store_set_number(operation->store, "reevaluation_cursor", 1, error);
}

static void put_in_force(struct operations *operations, struct policy *policy)
{
    struct policy *former = operations->policy;
    operations->policy = policy;
    drop_policy(operations, former);
}

bool operation_may_publish_policy(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_PUBLISH_POLICY, NULL, NULL, error);
}

bool operation_may_roll_back_policy(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_ROLL_BACK_POLICY, NULL, NULL, error);
}

static bool store_if_changed(struct publication *publication, bool *out_changed,
                             struct error *error)
{
    struct operation *operation = publication->operation;
    struct policy_row current;
    bool has_current;
    if (!store_current_policy(operation->store, operation->arena, &current, &has_current, error)) {
        return false;
    }
    *out_changed =
        !has_current || strcmp(current.version, policy_version(publication->policy)) != 0;
    publication->previous = has_current ? current.version : NULL;
    return !*out_changed || store_publication(publication, error);
}

/* Takes the policy once it is in force; the caller keeps it when this fails before. */
static bool publish(struct publication *publication, struct policy *policy, bool *out_changed,
                    bool *out_taken, struct error *error)
{
    struct operation *operation = publication->operation;
    size_t done;
    bool has_more;
    *out_taken = false;
    if (!store_if_changed(publication, out_changed, error) ||
        !follow_history(operation, policy, error)) {
        return false;
    }
    *out_taken = true;
    put_in_force(operation->operations, policy);
    return reevaluate_more(operation, OPERATIONS_BATCH_MAX, &done, &has_more, error);
}

/* `choice`: the version that stays in force whatever the folder holds; "" for none. */
static bool publish_or_destroy(struct publication *publication, struct policy *policy_take,
                               const char *choice, bool *out_changed, struct error *error)
{
    bool is_taken = false;
    bool changed = false;
    bool ok = store_set_text(publication->operation->store, POLICY_CHOICE, choice, error) &&
              publish(publication, policy_take, &changed, &is_taken, error);
    if (!is_taken) {
        policy_destroy(policy_take);
    }
    if (ok) {
        *out_changed = changed;
    }
    return ok;
}

bool operation_publish_policy(struct operation *operation, struct policy *policy_take,
                              const char *files, bool *out_changed, struct error *error)
{
    struct publication publication = {
        .operation = operation, .policy = policy_take, .files = files};
    if (!authorize(operation, OPERATION_PUBLISH_POLICY, NULL, NULL, error)) {
        policy_destroy(policy_take);
        return false;
    }
    return publish_or_destroy(&publication, policy_take, "", out_changed, error);
}

bool operation_roll_back_policy(struct operation *operation, struct policy *policy_take,
                                const char *files, bool *out_changed, struct error *error)
{
    struct publication publication = {
        .operation = operation, .policy = policy_take, .files = files, .is_rollback = true};
    if (!authorize(operation, OPERATION_ROLL_BACK_POLICY, NULL, NULL, error)) {
        policy_destroy(policy_take);
        return false;
    }
    const char *version = arena_text(operation->arena, policy_version(policy_take));
    return publish_or_destroy(&publication, policy_take, version, out_changed, error);
}

bool keep_chosen_policy(struct operation *operation, struct policy *policy_take, const char *files,
                        struct error *error)
{
    struct publication publication = {
        .operation = operation, .policy = policy_take, .files = files, .is_rollback = true};
    const char *version = arena_text(operation->arena, policy_version(policy_take));
    bool changed;
    return publish_or_destroy(&publication, policy_take, version, &changed, error);
}

static bool reevaluate_row(struct operation *operation, struct request_row *request,
                           struct error *error)
{
    const char *version = policy_version(operation->operations->policy);
    bool is_current = request->policy != NULL && strcmp(request->policy, version) == 0;
    return is_current || reevaluate_request(operation, request, error);
}

bool reevaluate_more(struct operation *operation, size_t limit, size_t *out_done,
                     bool *out_has_more, struct error *error)
{
    int64_t cursor;
    *out_done = 0;
    *out_has_more = false;
    if (operation->operations->policy == NULL) {
        return true;
    }
    if (!store_get_number(operation->store, "reevaluation_cursor", &cursor, error)) {
        return false;
    }
    if (cursor == 0) {
        return true;
    }
    struct request_row *requests;
    size_t count;
    if (!store_list_pending(operation->store, NULL, cursor - 1, limit, operation->arena, &requests,
                            &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!reevaluate_row(operation, &requests[i], error)) {
            return false;
        }
    }
    *out_done = count;
    *out_has_more = count > 0 && count == limit;
    cursor = *out_has_more ? requests[count - 1].row + 1 : 0;
    if (*out_has_more) {
        operation_note_due(operation, operation->now);
    }
    return store_set_number(operation->store, "reevaluation_cursor", cursor, error);
}
