#ifndef CONFIG_CONFIG_INTERNAL_H
#define CONFIG_CONFIG_INTERNAL_H

#include "config/config.h"
#include "formats/yaml.h"

/* channels.c: the `channels` list; `list` NULL: none. */
bool config_read_channels(const char *file, const struct yaml_node *list, struct arena *arena,
                          struct config *config, struct error *error) MUST_CHECK;

/* What a destination may reach, for channels and key sets alike. */
bool config_check_url(const char *file, const struct yaml_node *node,
                      const struct courier_channel *channel, const char *key,
                      struct error *error) MUST_CHECK;
bool config_read_networks(const char *file, const struct yaml_node *node, struct arena *arena,
                          struct courier_channel *out, struct error *error) MUST_CHECK;

/* proxy.c: `proxy` or `proxy_file` of a channel or an issuer; then those of the whole gateway, with
 * `no_proxy`, for all that said nothing of their own. */
bool config_read_own_proxy(const char *file, const struct yaml_node *node, struct arena *arena,
                           struct courier_channel *out, struct error *error) MUST_CHECK;
bool config_read_proxy(const char *file, const struct yaml_node *root, struct arena *arena,
                       struct config *config, struct error *error) MUST_CHECK;

/* identity.c: the `identity` section; NULL: API keys alone. */
bool config_read_identity(const char *file, const struct yaml_node *section, struct arena *arena,
                          struct config *config, struct error *error) MUST_CHECK;

/* passkeys.c: reads `passkeys`; and when the issuer is known, what follows from it: where passkeys
 * are used and which host they belong to. */
bool config_read_passkeys(const char *file, const struct yaml_node *node, struct config *config,
                          struct error *error) MUST_CHECK;
bool config_settle_passkeys(const char *file, struct arena *arena, struct config *config,
                            struct error *error) MUST_CHECK;

/* exchange.c: the `exchange` list; `list` NULL: none. */
bool config_read_exchange(const char *file, const struct yaml_node *list, struct config *config,
                          struct error *error) MUST_CHECK;

#endif
