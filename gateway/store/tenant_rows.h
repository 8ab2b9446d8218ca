#ifndef STORE_TENANT_ROWS_H
#define STORE_TENANT_ROWS_H

/* Tenants: who shares this gateway without knowing of each other. `default` is always there. */

#include "identity/principal.h"
#include "store/store.h"

struct tenant_row {
    char name[NAME_BYTES];
    int64_t created_at; /* 0: with the store */
};
/* CONFLICT `name_taken`. */
bool store_insert_tenant(struct store *store, const struct tenant_row *tenant,
                         struct error *error) MUST_CHECK;
bool store_find_tenant(struct store *store, const char *name, bool *out_found,
                       struct error *error) MUST_CHECK;
bool store_count_tenants(struct store *store, int64_t *out_count, struct error *error) MUST_CHECK;
/* In the order of their names. */
bool store_list_tenants(struct store *store, struct arena *arena, struct tenant_row **out,
                        size_t *out_count, struct error *error) MUST_CHECK;

#endif
