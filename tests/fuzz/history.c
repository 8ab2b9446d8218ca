/* Counts that rules read, from bytes: what is read is in order, is written as it was read, and
 * counting in it stays within bounds. */

#include "requests/history.h"
#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    static struct request_history history;
    struct error error = {0};
    if (!request_history_read((const char *)bytes, length, &history, &error)) {
        CHECK(error.kind == ERROR_CORRUPT);
        return 0;
    }
    for (size_t i = 0; i < history.span_count; i++) {
        CHECK(history.spans[i].since_at <= history.spans[i].until_at);
        CHECK(i == 0 || history.spans[i].since_at >= history.spans[i - 1].until_at);
    }
    struct builder text;
    builder_init(&text, 0);
    request_history_append(&history, &text);
    static struct request_history again;
    CHECK(request_history_read(text.bytes, text.length, &again, &error));
    CHECK(again.span_count == history.span_count && again.pending == history.pending);
    builder_finish(&text);
    int64_t now = history.span_count == 0 ? 1 : history.spans[history.span_count - 1].until_at;
    int64_t before = request_history_count(&history, POLICY_PAST_DENIED, now, now, 0);
    request_history_note(&history, POLICY_PAST_DENIED, now, now);
    CHECK(history.span_count <= REQUEST_HISTORY_SPANS_MAX);
    CHECK(request_history_count(&history, POLICY_PAST_DENIED, now, now, 0) > before ||
          before >= UINT32_MAX);
    return 0;
}
