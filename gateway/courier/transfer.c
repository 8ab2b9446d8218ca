#include "courier/transfer.h"

#include "base/builder.h"
#include "base/memory.h"
#include "courier/egress_internal.h"
#include "courier/mail_threads.h"
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_SECONDS = 5,
    TOTAL_SECONDS = 20,
    MAIL_SECONDS = 40, /* a mail server may look at a letter for long; a lease is 60 */
    FAREWELL_SECONDS = 2,
    REPLY_BYTES_MAX = 64 * 1024,
    KEPT_BYTES_MAX = 512 * 1024,
    SCOPES_BYTES_MAX = 4096
};

struct transfer {
    struct transfer *next, *previous;
    struct transfers *transfers;
    const struct courier_channel *channel;
    void *owner;
    CURL *curl;
    struct curl_slist *headers;
    struct builder kept; /* what was answered, up to `reply_max` bytes */
    size_t reply_max;
    bool is_cut;
    bool needs_all; /* a piece of what was asked for is a failure */
    struct egress egress;
    bool is_mail;
    bool is_read_whole; /* the letter, to its end */
    const char *letter; /* of a mail, owned; read by libcurl as it goes */
    size_t letter_length, letter_read;
    struct curl_slist *recipients;
};

struct transfers {
    CURLM *multi;
    struct mail_threads *mail; /* letters go there, all else by `multi` */
    struct transfer *first;
    atomic_int count;
    void (*on_done)(void *context, void *owner, const struct transfer_result *result);
    void *context;
};

static void wake(void *context)
{
    transfers_wake(context);
}

struct transfers *transfers_create(void (*on_done)(void *context, void *owner,
                                                   const struct transfer_result *result),
                                   void *context, struct error *error)
{
    struct transfers *transfers = memory_zeroed(1, sizeof *transfers);
    transfers->on_done = on_done;
    transfers->context = context;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    transfers->multi = curl_multi_init();
    if (transfers->multi == NULL) {
        error_set(error, ERROR_INTERNAL, "curl_unusable", NULL, "libcurl cannot be started");
        free(transfers);
        return NULL;
    }
    transfers->mail = mail_threads_create(wake, transfers);
    return transfers;
}

static void free_transfer(struct transfer *transfer)
{
    struct transfers *transfers = transfer->transfers;
    if (transfer->previous != NULL) {
        transfer->previous->next = transfer->next;
    } else {
        transfers->first = transfer->next;
    }
    if (transfer->next != NULL) {
        transfer->next->previous = transfer->previous;
    }
    atomic_fetch_sub(&transfers->count, 1);
    curl_multi_remove_handle(transfers->multi, transfer->curl);
    curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->recipients);
    free((void *)transfer->letter);
    builder_finish(&transfer->kept);
    free(transfer);
}

void transfers_destroy(struct transfers *transfers, void (*on_cut)(void *context, void *owner))
{
    mail_threads_destroy(transfers->mail);
    while (transfers->first != NULL) {
        if (on_cut != NULL) {
            on_cut(transfers->context, transfers->first->owner);
        }
        free_transfer(transfers->first);
    }
    curl_multi_cleanup(transfers->multi);
    free(transfers);
}

/* One that says too much is heard no further; what it said until then is its answer. */
static size_t keep_reply(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t room = transfer->reply_max - transfer->kept.length;
    (void)one;
    transfer->is_cut = count > room;
    builder_append(&transfer->kept, bytes, transfer->is_cut ? room : count);
    return transfer->is_cut ? 0 : count;
}

/* Once the letter has arrived whole and is answered, there is nothing more to be learnt. */
static void hurry_farewell(struct transfer *transfer)
{
    if (transfer->is_read_whole) {
        curl_easy_setopt(transfer->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)FAREWELL_SECONDS);
    }
}

/* A mail server's answers come as header lines: the last one counts, but for the farewell. */
static size_t keep_mail_line(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    (void)one;
    if (count < 3 || strncmp(bytes, "221", 3) != 0) {
        builder_clear(&transfer->kept);
        builder_append(&transfer->kept, bytes, count);
        hurry_farewell(transfer);
    }
    return count;
}

static size_t read_letter(char *out, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t left = transfer->letter_length - transfer->letter_read;
    size_t bytes = left < one * count ? left : one * count;
    memcpy(out, transfer->letter + transfer->letter_read, bytes);
    transfer->letter_read += bytes;
    transfer->is_read_whole = bytes == 0;
    return bytes;
}

static void set_options(struct transfer *transfer, const char *url)
{
    CURL *curl = transfer->curl;
    const struct courier_channel *channel = transfer->channel;
    curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, channel->allows_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_reply);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    egress_guard(&transfer->egress, curl, url);
    /* The address check runs when a socket opens: another channel's open connection must not be
     * used. */
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
}

static struct transfer *create(struct transfers *transfers, const struct courier_channel *channel,
                               size_t reply_max, void *owner)
{
    struct transfer *transfer = memory_zeroed(1, sizeof *transfer);
    transfer->transfers = transfers;
    transfer->channel = channel;
    transfer->egress.channel = channel;
    transfer->owner = owner;
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL) {
        free(transfer);
        return NULL;
    }
    builder_init(&transfer->kept, reply_max);
    transfer->reply_max = reply_max;
    return transfer;
}

static bool perform(struct transfers *transfers, struct transfer *transfer)
{
    return transfer->is_mail ? mail_threads_start(transfers->mail, transfer->curl)
                             : curl_multi_add_handle(transfers->multi, transfer->curl) == CURLM_OK;
}

static bool start(struct transfers *transfers, struct transfer *transfer)
{
    transfer->next = transfers->first;
    if (transfer->next != NULL) {
        transfer->next->previous = transfer;
    }
    transfers->first = transfer;
    atomic_fetch_add(&transfers->count, 1);
    if (!perform(transfers, transfer)) {
        free_transfer(transfer);
        return false;
    }
    return true;
}

bool transfers_fetch(struct transfers *transfers, const struct courier_source *source,
                     const char *url, void *owner)
{
    struct transfer *transfer = create(transfers, &source->reach, KEPT_BYTES_MAX, owner);
    if (transfer == NULL) {
        return false;
    }
    transfer->needs_all = true;
    transfer->headers =
        curl_slist_append(NULL, "Accept: application/jwk-set+json, application/json");
    set_options(transfer, url);
    curl_easy_setopt(transfer->curl, CURLOPT_HTTPGET, 1L);
    return start(transfers, transfer);
}

/* TLS is a must unless the channel says otherwise: RFC 8314. */
static void set_mail_options(struct transfer *transfer, const struct notifier_message *message)
{
    CURL *curl = transfer->curl;
    bool may_be_plain = transfer->channel->allows_http;
    transfer->recipients = curl_slist_append(NULL, message->to);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(may_be_plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)MAIL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)TOTAL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, message->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, transfer->recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_letter);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_mail_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    if (message->user != NULL && message->secret != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, message->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, message->secret);
    }
}

static bool add_mail(struct transfers *transfers, struct transfer *transfer,
                     const struct notifier_message *message)
{
    char *letter = memory_zeroed(1, message->length + 1);
    memcpy(letter, message->body, message->length);
    transfer->is_mail = true;
    transfer->letter = letter;
    transfer->letter_length = message->length;
    set_options(transfer, message->url);
    set_mail_options(transfer, message);
    return start(transfers, transfer);
}

bool transfers_add(struct transfers *transfers, const struct courier_channel *channel,
                   const struct notifier_message *message, void *owner)
{
    struct transfer *transfer = create(transfers, channel, REPLY_BYTES_MAX, owner);
    if (transfer == NULL) {
        return false;
    }
    if (message->is_mail) {
        return add_mail(transfers, transfer, message);
    }
    for (const char *const *header = message->headers; *header != NULL; header++) {
        transfer->headers = curl_slist_append(transfer->headers, *header);
    }
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
    set_options(transfer, message->url);
    if (message->is_get) {
        curl_easy_setopt(transfer->curl, CURLOPT_HTTPGET, 1L);
        return start(transfers, transfer);
    }
    curl_easy_setopt(transfer->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message->length);
    curl_easy_setopt(transfer->curl, CURLOPT_COPYPOSTFIELDS, message->body);
    if (message->is_put) {
        curl_easy_setopt(transfer->curl, CURLOPT_CUSTOMREQUEST, "PUT");
    }
    return start(transfers, transfer);
}

static void read_result(const struct transfer *transfer, CURLcode code, struct transfer_result *out)
{
    CURL *curl = transfer->curl;
    curl_off_t uploaded = 0;
    long request_bytes = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
    out->retry_after_ms = egress_pause_ms(curl);
    out->was_sent = uploaded > 0 || (!transfer->is_mail && request_bytes > 0);
    if (code == CURLE_OK ||
        (code == CURLE_WRITE_ERROR && transfer->is_cut && !transfer->needs_all)) {
        out->status = transfer->is_mail && out->status == 221 ? 250 : out->status;
        return;
    }
    /* A mail server that refuses says why in its status; what else fails has none. */
    bool is_refusal = transfer->is_mail && out->status >= 400 && code != CURLE_OPERATION_TIMEDOUT;
    out->status = is_refusal ? out->status : 0;
    out->failure = transfer->egress.was_denied ? "its address is not one this channel may reach"
                   : transfer->is_cut          ? "its answer is longer than 512 KiB"
                                               : curl_easy_strerror(code);
}

/* They die with the handle. */
static void read_scopes(const struct transfer *transfer, struct builder *out)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(transfer->curl, "X-OAuth-Scopes", 0, CURLH_HEADER, -1, &header) ==
        CURLHE_OK) {
        builder_text(out, header->value);
    }
}

static void finish(struct transfers *transfers, CURL *curl, CURLcode code)
{
    char *private = NULL;
    struct transfer_result result = {0};
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private);
    struct transfer *transfer = (struct transfer *)(void *)private;
    void *owner = transfer->owner;
    read_result(transfer, code, &result);
    struct builder scopes BUILDER_SCOPE;
    builder_init(&scopes, SCOPES_BYTES_MAX);
    read_scopes(transfer, &scopes);
    struct builder kept BUILDER_SCOPE = transfer->kept;
    builder_init(&transfer->kept, 0);
    result.body = kept.bytes;
    result.length = kept.length;
    free_transfer(transfer);
    result.scopes = scopes.length > 0 ? scopes.bytes : NULL;
    transfers->on_done(transfers->context, owner, &result);
}

void transfers_run(struct transfers *transfers, int pause_ms)
{
    int running = 0;
    int left = 0;
    CURLcode code = CURLE_OK;
    curl_multi_perform(transfers->multi, &running);
    for (CURL *letter = mail_threads_take(transfers->mail, &code); letter != NULL;
         letter = mail_threads_take(transfers->mail, &code)) {
        finish(transfers, letter, code);
    }
    for (CURLMsg *message = curl_multi_info_read(transfers->multi, &left); message != NULL;
         message = curl_multi_info_read(transfers->multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
            finish(transfers, message->easy_handle, message->data.result);
        }
    }
    curl_multi_poll(transfers->multi, NULL, 0, pause_ms, NULL);
}

void transfers_wake(struct transfers *transfers)
{
    curl_multi_wakeup(transfers->multi);
}

int transfers_count(const struct transfers *transfers)
{
    return atomic_load(&transfers->count);
}
