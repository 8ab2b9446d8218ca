#ifndef COUNTERSIGN_API_ROUTES_INTERNAL_H
#define COUNTERSIGN_API_ROUTES_INTERNAL_H

#include "api/api_internal.h"

/* The tables that routes.c lists: routes_AREA.c each. Order does not matter, in a table or among
 * them: a path matches one pattern at most per method. Kept beside docs/openapi.yaml by a test. */
extern const struct api_area api_requests_area;
extern const struct api_area api_standards_area;
extern const struct api_area api_channels_area;
extern const struct api_area api_accounts_area;
extern const struct api_area api_people_area;
extern const struct api_area api_running_area;

#endif
