#ifndef CLI_OWN_CHANNELS_H
#define CLI_OWN_CHANNELS_H

#include "clients/cli/cli.h"

/* `countersign channels mine`: shows, or sets with --mute and --quiet; the exit status. */
int cli_own_channels(struct cli_connection *connection, const struct cli_arguments *arguments);

#endif
