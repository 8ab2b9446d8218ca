#ifndef OPERATIONS_BLIND_INTERNAL_H
#define OPERATIONS_BLIND_INTERNAL_H

#include "operations/live_operations.h"

/* Fills in who has voted and who may ever be asked, of a request whose votes are hidden. */
bool list_blind_facts(struct operation *operation, struct request_row *request,
                      struct request_summary *out, struct error *error) MUST_CHECK;

#endif
