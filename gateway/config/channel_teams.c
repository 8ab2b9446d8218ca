#include "config/channel_internal.h"

/* Teams by a Workflow: an address that is a secret, and nothing comes back. */

static const char *const teams_keys[] = {"url", "url_file", "allow_http", NULL};

const struct channel_kind channel_teams = {"teams", teams_keys, channel_read_url};
