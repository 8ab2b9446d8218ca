#ifndef OPERATIONS_TENANT_OPERATIONS_H
#define OPERATIONS_TENANT_OPERATIONS_H

/* Who shares this gateway. Host only: a tenant's own people know of no other. */

#include "operations/operation.h"
#include "store/tenant_rows.h"

enum { TENANTS_MAX = 1000 };

/* INVALID `bad_name`, CONFLICT `name_taken`, LIMIT `too_many`. */
bool operation_add_tenant(struct operation *operation, const char *name, struct tenant_row *out,
                          struct error *error) MUST_CHECK;
/* In the order of their names; serves from a read-only store. */
bool operation_list_tenants(struct operation *operation, struct tenant_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK;

/* Signing in: who is nobody yet says of which tenant they are; nobody else is asked. Whether there
 * is such a tenant does not show. */
void operation_enter_tenant(struct operation *operation, const char *name);

#endif
