#include "api/api_internal.h"

#include "base/log.h"
#include "formats/text.h"
#include <stdio.h>
#include <string.h>

enum { UTF8_BYTES_MAX = 4 }; /* of one character */

/* The one table from error kind to HTTP status. */
static int status_of_kind(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NONE:
        return 200;
    case ERROR_INVALID:
        return 400;
    case ERROR_UNAUTHENTICATED:
        return 401;
    case ERROR_FORBIDDEN:
        return 403;
    case ERROR_NOT_FOUND:
        return 404;
    case ERROR_CONFLICT:
        return 409;
    case ERROR_LIMIT:
        return 429;
    case ERROR_RETRY_LATER:
        return 503;
    case ERROR_CORRUPT:
    case ERROR_INTERNAL:
        return 500;
    }
    return 500;
}

/* Where a standard demands another status for one code of a kind. */
int api_status(const struct error *error)
{
    static const struct {
        const char *code;
        int status;
    } exceptions[] = {
        {"idempotency_mismatch", 422},   /* draft-ietf-httpapi-idempotency-key-header-07 */
        {"unsupported_media_type", 415}, /* RFC 9110 section 15.5.16 */
        {"method_not_allowed", 405},     /* RFC 9110 section 15.5.6 */
        {"entry_too_long", 413},
        {"expired_denial", 410}, /* ARAP draft 1, error handling */
        {"stopping", 503},       /* the store's queue says so as a limit */
        /* Waiting does not help: Retry-After would make a client of good will ask for ever. */
        {"too_many", 400},
        {"too_many_keys", 409},
        {"too_many_comments", 409},
        {"too_many_edits", 409},
        {"too_many_mints", 409},
        {"too_many_votes", 409},
        {"too_many_watches", 409},
    };
    for (size_t i = 0; error->code != NULL && i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (strcmp(error->code, exceptions[i].code) == 0) {
            return exceptions[i].status;
        }
    }
    return status_of_kind(error->kind);
}

static const char *title_of(int status)
{
    switch (status) {
    case 400:
        return "The request is not of the right form";
    case 401:
        return "No valid credential";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 405:
        return "Method not allowed";
    case 409:
        return "Conflict with what is already so";
    case 410:
        return "No longer there";
    case 413:
        return "Too large";
    case 415:
        return "Unsupported media type";
    case 422:
        return "Idempotency key reused";
    case 429:
        return "Too much or too often";
    case 503:
        return "Not now";
    default:
        return "Something of ours is broken";
    }
}

/* What is ours to mend is logged and not told. */
static bool is_ours(const struct error *error)
{
    return error->kind == ERROR_INTERNAL || error->kind == ERROR_CORRUPT;
}

/* A message may quote what was sent, cut where it became too long or sent as no UTF-8 at all: what
 * is answered is UTF-8 (RFC 8259 section 8.1). */
static void mend(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = 1;
        while (length < UTF8_BYTES_MAX && length < left && !text_is_utf8(text, length)) {
            length++;
        }
        if (!text_is_utf8(text, length)) {
            *text = '?';
            length = 1;
        }
        text += length;
        left -= length;
    }
}

/* ARAP names its problems itself. */
static const char *type_prefix(const char *code)
{
    static const char *const of_arap[] = {"invalid_denial_binding", "expired_denial",
                                          "duplicate_request", "unknown_task",
                                          "invalid_task_state"};
    for (size_t i = 0; i < sizeof of_arap / sizeof of_arap[0]; i++) {
        if (strcmp(code, of_arap[i]) == 0) {
            return "urn:openid:authzen:access-request:error";
        }
    }
    return "urn:countersign:problem";
}

void api_append_problem(struct builder *out, const struct error *unmended, const char *trace)
{
    struct error mended = *unmended;
    const struct error *error = &mended;
    mend(mended.message);
    mend(mended.subject);
    int status = api_status(error);
    const char *code = error->code == NULL ? error_kind_name(error->kind) : error->code;
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code", code);
    canonical_member_text(&writer, "detail",
                          is_ours(error) ? "This is a fault of the gateway; its log has the reason "
                                           "under this instance. Nothing was approved."
                                         : error->message);
    if (!is_ours(error) && error->subject[0] == '/') {
        canonical_name(&writer, "errors");
        canonical_open_array(&writer);
        canonical_open_object(&writer);
        canonical_member_text(&writer, "detail", error->message);
        canonical_member_text(&writer, "pointer", error->subject);
        canonical_close_object(&writer);
        canonical_close_array(&writer);
    }
    canonical_member_text(&writer, "instance", trace);
    canonical_member_integer(&writer, "status", status);
    canonical_member_text(&writer, "title", title_of(status));
    char type[128];
    snprintf(type, sizeof type, "%s:%s", type_prefix(code), code);
    canonical_member_text(&writer, "type", type);
    canonical_close_object(&writer);
}

static size_t add_field(struct http_field *fields, size_t count, const char *name,
                        const char *value)
{
    fields[count] = (struct http_field){.name = name, .value = value};
    return count + 1;
}

static size_t common_fields(struct http_field *fields, const char *type, const char *trace)
{
    size_t count = add_field(fields, 0, "Content-Type", type);
    count = add_field(fields, count, "Cache-Control", "no-store");
    count = add_field(fields, count, "X-Content-Type-Options", "nosniff");
    return add_field(fields, count, "X-Request-ID", trace);
}

static const char *seconds_to_wait(const struct error *error)
{
    if (error->code != NULL && strcmp(error->code, "too_many_attempts") == 0) {
        return error->subject;
    }
    return error->code != NULL && strcmp(error->code, "too_many_failures") == 0 ? "60" : "1";
}

/* draft-ietf-httpapi-ratelimit-headers-10: the one policy there is, a burst of a second. */
struct rate_fields {
    char policy[64];
    char limit[64];
};

static size_t add_rate_fields(struct http_field *fields, size_t count, const struct error *error,
                              struct rate_fields *texts)
{
    if (error->code == NULL || strcmp(error->code, "rate_limited") != 0) {
        return count;
    }
    snprintf(texts->policy, sizeof texts->policy, "\"requests\";q=%.20s;w=1", error->subject);
    snprintf(texts->limit, sizeof texts->limit, "\"requests\";r=0;t=1");
    count = add_field(fields, count, "RateLimit-Policy", texts->policy);
    return add_field(fields, count, "RateLimit", texts->limit);
}

static void log_ours(const struct error *error, const char *trace)
{
    if (is_ours(error)) {
        LOG(LOG_LEVEL_ERROR, "request_failed", LOG_TEXT("instance", trace),
            LOG_TEXT("kind", error_kind_name(error->kind)), LOG_TEXT("code", error->code),
            LOG_TEXT("message", error->message));
    }
}

/* RFC 9449 section 8.2: also with what went well, so that nobody is refused for an old one. */
static size_t add_nonce(struct http_field *fields, size_t count, const char *nonce)
{
    return nonce == NULL ? count : add_field(fields, count, "DPoP-Nonce", nonce);
}

static void answer_problem(struct http_exchange *exchange, const struct error *error,
                           const char *trace, const char *nonce)
{
    struct http_field fields[API_FIELDS_MAX + 6];
    struct builder body BUILDER_SCOPE;
    struct rate_fields rate;
    builder_init(&body, 0);
    int status = api_status(error);
    log_ours(error, trace);
    api_append_problem(&body, error, trace);
    size_t count = common_fields(fields, "application/problem+json", trace);
    count = add_nonce(fields, count, nonce);
    if (status == 401 && error->code != NULL && strcmp(error->code, API_USE_NONCE) == 0) {
        count = add_field(fields, count, "WWW-Authenticate", "DPoP error=\"" API_USE_NONCE "\"");
    } else if (status == 401) {
        count = add_field(fields, count, "WWW-Authenticate", "Bearer realm=\"countersign\"");
    } else if (status == 405) {
        count = add_field(fields, count, "Allow", error->subject);
    } else if (status == 429) {
        count = add_field(fields, count, "Retry-After", seconds_to_wait(error));
        count = add_rate_fields(fields, count, error, &rate);
    } else if (status == 503) {
        count = add_field(fields, count, "Retry-After", "2");
    }
    http_answer(exchange, status, fields, count, body.bytes, body.length);
}

static void answer_oauth_error(struct api_call *call, const struct error *error)
{
    struct http_field fields[API_FIELDS_MAX + 6];
    struct builder body BUILDER_SCOPE;
    struct rate_fields rate;
    int status = api_oauth_status(error);
    builder_init(&body, 0);
    log_ours(error, call->trace);
    api_append_oauth_error(&body, error);
    size_t count = common_fields(fields, "application/json", call->trace);
    count = add_nonce(fields, count, api_nonce(call));
    if (status == 401) {
        count = add_field(fields, count, "WWW-Authenticate", "Basic realm=\"countersign\"");
    } else if (status == 429) {
        count = add_field(fields, count, "Retry-After", seconds_to_wait(error));
        count = add_rate_fields(fields, count, error, &rate);
    } else if (status == 503) {
        count = add_field(fields, count, "Retry-After", "2");
    }
    http_answer(call->exchange, status, fields, count, body.bytes, body.length);
}

void api_answer_error(struct api_call *call, const struct error *error)
{
    if (call->exchange != NULL && call->route->dialect == API_DIALECT_OAUTH) {
        answer_oauth_error(call, error);
        return;
    }
    /* A parked client may have left while its last read was under way. */
    if (call->exchange != NULL) {
        answer_problem(call->exchange, error, call->trace, api_nonce(call));
    }
}

void api_bare_answer(struct http_exchange *exchange, const struct error *error, const char *trace)
{
    answer_problem(exchange, error, trace, NULL);
}

void api_answer_json(struct api_call *call, int status, const struct builder *body,
                     const struct http_field *extra, size_t extra_count)
{
    struct http_field fields[API_FIELDS_MAX + 6];
    size_t count = common_fields(fields, "application/json", call->trace);
    count = add_nonce(fields, count, api_nonce(call));
    for (size_t i = 0; i < extra_count && i < API_FIELDS_MAX; i++) {
        fields[count++] = extra[i];
    }
    http_answer(call->exchange, status, fields, count, body->bytes, body->length);
}

void api_answer_text(struct api_call *call, int status, const char *type, const char *bytes,
                     size_t length)
{
    struct http_field fields[API_FIELDS_MAX + 6];
    size_t count = common_fields(fields, type, call->trace);
    count = add_nonce(fields, count, api_nonce(call));
    http_answer(call->exchange, status, fields, count, bytes, length);
}
