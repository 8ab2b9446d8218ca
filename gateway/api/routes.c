#include "api/routes_internal.h"

/* Every way in, by area. A path is looked for in all of them (call.c). */
const struct api_area *const api_areas[] = {
    &api_requests_area,  /* /v1/requests, /v1/grants, /v1/ledger, /v1/insights */
    &api_standards_area, /* /oauth, /access, /.well-known, /jwks.json */
    &api_channels_area,  /* /v1/notices, /v1/channels, /v1/people/{}/addresses, /v1/callbacks,
                            /v1/live */
    &api_accounts_area,  /* /v1/session, /v1/passkeys, /v1/totp, /v1/me/..., /v1/setup, /v1/enrol */
    &api_people_area,  /* /v1/me, /v1/people, /v1/groups, /v1/agents, /v1/callers, /v1/credentials,
                          /v1/keys, /v1/tokens, /v1/proposals */
    &api_running_area, /* /v1/freezes, /v1/policies, /v1/tenants, /v1/signing-keys, /v1/recover,
                          /healthz, /readyz, /metrics */
};
const size_t api_area_count = sizeof api_areas / sizeof api_areas[0];
