#include "operations/request_internal.h"

static bool uncount_on(struct operation *operation, struct request_row *request, const char *person,
                       struct arena *scratch, struct error *error)
{
    struct operation aside = *operation;
    struct request_case loaded;
    bool is_frozen;
    bool is_stranded_now = false;
    aside.arena = scratch;
    if (!settle_request(&aside, request, &is_frozen, error) ||
        !load_request_case(&aside, request, NULL, &loaded, error) ||
        !record_uncounted(&aside, &loaded, person, error) ||
        !settle_stranded(&aside, request, &is_stranded_now, error)) {
        return false;
    }
    if (is_stranded_now) {
        operation_change_note(operation, request);
    }
    if (current_vote_of(&loaded, person) != NULL) {
        operation_vote_note(operation, request);
    }
    return true;
}

/* Every pending request of the tenant is looked at, in pieces that give their memory back: how many
 * are pending is bounded by the callers' limits. */
bool uncount_votes_of(struct operation *operation, const char *tenant, const char *person,
                      struct error *error)
{
    int64_t after_row = 0;
    for (size_t count = OPERATIONS_BATCH_MAX; count == OPERATIONS_BATCH_MAX;) {
        struct arena *scratch ARENA_SCOPE = arena_create();
        struct request_row *requests;
        if (!store_list_pending(operation->store, tenant, after_row, OPERATIONS_BATCH_MAX, scratch,
                                &requests, &count, error)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!uncount_on(operation, &requests[i], person, scratch, error)) {
                return false;
            }
            after_row = requests[i].row;
        }
    }
    return true;
}
