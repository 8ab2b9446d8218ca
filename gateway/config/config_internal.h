#ifndef CONFIG_CONFIG_INTERNAL_H
#define CONFIG_CONFIG_INTERNAL_H

#include "config/config.h"
#include "formats/yaml.h"

/* channels.c: the `channels` list; `list` NULL: none. */
bool config_read_channels(const char *file, const struct yaml_node *list, struct arena *arena,
                          struct config *config, struct error *error) MUST_CHECK;

#endif
