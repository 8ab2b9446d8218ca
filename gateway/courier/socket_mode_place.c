#include "courier/socket_mode_internal.h"

#include "base/builder.h"
#include "courier/egress_internal.h"
#include "formats/json.h"
#include <string.h>

enum { OPEN_SECONDS = 20, REPLY_BYTES_MAX = 64 * 1024, URL_BYTES_MAX = 2000 };

static bool fail(struct error *error, const char *reason)
{
    return error_set(error, ERROR_RETRY_LATER, "no_place", NULL, "apps.connections.open: %s",
                     reason);
}

/* `wss://` and a host within slack.com: what holds the socket is believed. */
static bool is_slacks(const char *url)
{
    static const char domain[] = ".slack.com";
    const char *host = url + strlen("wss://");
    if (strncmp(url, "wss://", 6) != 0) {
        return false;
    }
    size_t length = strcspn(host, ":/?#@");
    size_t tail = sizeof domain - 1;
    return host[length] != '@' && length > tail && strncmp(host + length - tail, domain, tail) == 0;
}

static bool is_hopeless(const char *code)
{
    static const char *const codes[] = {
        "not_authed",    "invalid_auth",          "account_inactive", "user_removed_from_team",
        "team_disabled", "forbidden_team",        "token_expired",    "token_revoked",
        "missing_scope", "not_allowed_token_type"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i], code) == 0) {
            return true;
        }
    }
    return false;
}

bool socket_mode_read_place(const char *body, size_t length, long status, bool is_any_host,
                            struct arena *arena, struct socket_mode_place *out, struct error *error)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE = json_parse(body, length, &ignored);
    const struct json *root = document == NULL ? NULL : json_root(document);
    const char *code = json_text(json_member(root, "error"));
    const char *url = json_text(json_member(root, "url"));
    if (json_type(json_member(root, "ok")) != JSON_TYPE_TRUE) {
        out->is_hopeless = code != NULL && is_hopeless(code);
        return fail(error, code != NULL ? arena_printf(arena, "%.80s", code)
                                        : arena_printf(arena, "answered %ld", status));
    }
    if (url == NULL || strlen(url) > URL_BYTES_MAX || (!is_any_host && !is_slacks(url))) {
        return fail(error, "it names an address that is not Slack's");
    }
    out->url = arena_text(arena, url);
    return true;
}

/* ---- the call ---- */

static size_t keep(char *bytes, size_t one, size_t count, void *context)
{
    struct builder *kept = context;
    (void)one;
    builder_append(kept, bytes, count);
    return builder_failed(kept) ? 0 : count;
}

static void set_options(CURL *curl, const struct courier_channel *channel, const char *url,
                        struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, channel->allows_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)OPEN_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
}

static bool ask(CURL *curl, const struct egress *egress, struct builder *kept, struct arena *arena,
                struct socket_mode_place *out, struct error *error)
{
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    out->retry_after_ms = egress_pause_ms(curl);
    if (code != CURLE_OK) {
        return fail(error, egress->was_denied ? "its address is not one this channel may reach"
                                              : curl_easy_strerror(code));
    }
    return socket_mode_read_place(kept->bytes, kept->length, status, egress->channel->allows_http,
                                  arena, out, error);
}

bool socket_mode_find_place(const struct courier_channel *channel, const atomic_bool *must_stop,
                            struct arena *arena, struct socket_mode_place *out, struct error *error)
{
    struct egress egress = {.channel = channel};
    struct builder kept BUILDER_SCOPE;
    CURL *curl = curl_easy_init();
    builder_init(&kept, REPLY_BYTES_MAX);
    if (curl == NULL) {
        return fail(error, "libcurl cannot be used");
    }
    struct curl_slist *headers = curl_slist_append(
        NULL, arena_printf(arena, "Authorization: Bearer %s", channel->app_token));
    set_options(curl, channel, arena_printf(arena, "%sapps.connections.open", channel->channel.url),
                headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &kept);
    egress_stop_when(curl, must_stop);
    egress_guard(&egress, curl, channel->channel.url);
    bool ok = ask(curl, &egress, &kept, arena, out, error);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return ok;
}
