#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include "courier/socket_mode.h"
#include <stdlib.h>
#include <string.h>

/* One app's socket brings what is pressed on any of its channels, and Slack lets it have ten: its
 * channels share the one of the first among them. */

struct sockets {
    const struct courier_options *options;
    struct socket_mode **modes; /* by channel; NULL where there is none */
};

static bool has_one(const struct sockets *sockets, size_t channel)
{
    const struct courier_channel *own = &sockets->options->channels[channel];
    for (size_t i = 0; i < channel; i++) {
        const struct courier_channel *other = &sockets->options->channels[i];
        if (sockets->modes[i] != NULL && strcmp(other->app_token, own->app_token) == 0 &&
            strcmp(other->channel.url, own->channel.url) == 0) {
            return true;
        }
    }
    return false;
}

/* One that cannot be started is logged: the gateway works without it. */
struct sockets *sockets_start(const struct courier_options *options)
{
    struct sockets *sockets = memory_zeroed(1, sizeof *sockets);
    sockets->options = options;
    sockets->modes = memory_zeroed(options->channel_count + 1, sizeof(void *));
    for (size_t i = 0; i < options->channel_count; i++) {
        struct error error = {0};
        struct socket_mode_options own = {.channel = &options->channels[i],
                                          .take = options->take_envelope,
                                          .context = options->context};
        if (own.channel->app_token == NULL || own.take == NULL || has_one(sockets, i)) {
            continue;
        }
        sockets->modes[i] = socket_mode_start(&own, &error);
        if (sockets->modes[i] == NULL) {
            log_error(LOG_LEVEL_ERROR, "socket_mode_not_started", &error);
        }
    }
    return sockets;
}

void sockets_acknowledge(struct sockets *sockets, const char *channel, const char *id,
                         const char *response)
{
    for (size_t i = 0; i < sockets->options->channel_count; i++) {
        if (sockets->modes[i] != NULL &&
            strcmp(sockets->options->channels[i].channel.name, channel) == 0) {
            socket_mode_acknowledge(sockets->modes[i], id, response);
        }
    }
}

void sockets_stop(struct sockets *sockets)
{
    if (sockets == NULL) {
        return;
    }
    for (size_t i = 0; i < sockets->options->channel_count; i++) {
        socket_mode_stop(sockets->modes[i]);
    }
    free(sockets->modes);
    free(sockets);
}
