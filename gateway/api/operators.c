#include "api/api_internal.h"

#include <string.h>

/* For operators: is it up, could it decide, what does it count. */

static void answer_line(struct api_call *call, int status, const char *state, const char *why)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "reason", why);
    canonical_member_text(&writer, "status", state);
    canonical_member_text(&writer, "version", COUNTERSIGN_VERSION);
    canonical_close_object(&writer);
    api_answer_json(call, status, &body, NULL, 0);
    api_end_call(call);
}

void api_answer_health(struct api_call *call)
{
    answer_line(call, 200, "up", NULL);
}

void api_answer_ready(struct api_call *call)
{
    const struct api_options *options = &call->api->options;
    const char *why = NULL;
    if (call->api->is_draining) {
        why = "stopping";
    } else if (store_writer_is_full(options->writer)) {
        why = "the store has no room: free some disk space";
    } else if (operations_is_ready(options->operations, &why)) {
        answer_line(call, 200, "ready", NULL);
        return;
    }
    answer_line(call, 503, "not_ready", why);
}

/* Counts say what goes on here: they are for this machine and its scraper, not for the network. */
static bool is_local(const char *peer)
{
    return strcmp(peer, "unix") == 0 || strcmp(peer, "::1") == 0 || strncmp(peer, "127.", 4) == 0;
}

void api_answer_metrics(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!is_local(api_peer(call))) {
        struct error error = {0};
        error_set(&error, ERROR_FORBIDDEN, "not_local", NULL,
                  "metrics are served to this machine only; scrape through a local agent");
        api_answer_error(call, &error);
    } else {
        metrics_append_text(call->api->options.metrics, &body);
        api_answer_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", body.bytes,
                        body.length);
    }
    api_end_call(call);
}
