#include "operations/authorize.h"
#include "operations/people_internal.h"

/* The host is neither: both stay empty. */
bool operation_describe_self(struct operation *operation, struct person_view *out_person,
                             struct caller_row *out_caller, struct error *error)
{
    const struct principal *principal = &operation->principal;
    if (!authorize(operation, OPERATION_DESCRIBE_SELF, NULL, NULL, error)) {
        return false;
    }
    struct person_view view = {0};
    struct caller_row caller = {0};
    if (principal->kind == PRINCIPAL_PERSON) {
        struct person_row person;
        if (!store_read_person(operation->store, principal->tenant, principal->id, operation->arena,
                               &person, error) ||
            !view_person(operation, &person, &view, error)) {
            return false;
        }
    }
    if (principal->kind == PRINCIPAL_CALLER &&
        !store_read_caller(operation->store, principal->tenant, principal->id, operation->arena,
                           &caller, error)) {
        return false;
    }
    *out_person = view;
    *out_caller = caller;
    return true;
}
