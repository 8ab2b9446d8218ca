#include "operations/tenant_operations.h"

#include "base/check.h"
#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/people_internal.h"
#include <string.h>

/* The entry is the first of the tenant: its auditors begin with it. */
static bool record_tenant(struct operation *operation, const struct tenant_row *tenant,
                          struct error *error)
{
    const char *changed[] = {"name"};
    struct ledger_texts texts = {.items = changed, .count = 1};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_changed(&data, tenant->name, NULL, texts);
    struct record record = {.type = LEDGER_TENANT_ADDED, .tenant = tenant->name, .data = &data};
    return record_entry(operation, &record, error);
}

bool operation_add_tenant(struct operation *operation, const char *name, struct tenant_row *out,
                          struct error *error)
{
    struct tenant_row tenant = {.created_at = operation->now};
    int64_t count = 0;
    if (!authorize(operation, OPERATION_ADD_TENANT, NULL, name, error) ||
        !check_name(name, "a tenant", error) ||
        !store_count_tenants(operation->store, &count, error) ||
        !check_count((size_t)count + 1, TENANTS_MAX, "tenants", error)) {
        return false;
    }
    memcpy(tenant.name, name, strlen(name) + 1);
    *out = tenant;
    return store_insert_tenant(operation->store, &tenant, error) &&
           record_tenant(operation, &tenant, error);
}

bool operation_list_tenants(struct operation *operation, struct tenant_row **out, size_t *out_count,
                            struct error *error)
{
    return authorize(operation, OPERATION_LIST_TENANTS, NULL, NULL, error) &&
           store_list_tenants(operation->store, operation->arena, out, out_count, error);
}

void operation_enter_tenant(struct operation *operation, const char *name)
{
    struct principal *principal = &operation->principal;
    CHECK(strlen(name) < sizeof principal->tenant);
    if (principal->kind == PRINCIPAL_NONE) {
        memcpy(principal->tenant, name, strlen(name) + 1);
    }
}
