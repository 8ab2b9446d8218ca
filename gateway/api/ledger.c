#include "api/api_internal.h"

#include "base/log.h"
#include <stdlib.h>
#include <string.h>

static const char *const consistency_parameters[] = {"from", "to", NULL};
static const char *const export_parameters[] = {"epoch", "from", NULL};

/* ---- timeline and receipts ---- */

struct timeline_answer {
    struct entry_row *entries;
    size_t count;
};

bool api_run_timeline(struct api_call *call, struct error *error)
{
    struct timeline_answer *answer = ARENA_NEW(call->arena, struct timeline_answer);
    call->result = answer;
    return operation_read_timeline(&call->operation, call->path_values[0], &answer->entries,
                                   &answer->count, error);
}

void api_answer_timeline(struct api_call *call)
{
    const struct timeline_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "entries");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        canonical_raw(&writer, answer->entries[i].bytes, answer->entries[i].length);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_receipt(struct api_call *call, struct error *error)
{
    const char **proof = ARENA_NEW(call->arena, const char *);
    call->result = proof;
    return operation_read_receipt(&call->operation, call->path_values[0], proof, error);
}

void api_answer_receipt(struct api_call *call)
{
    const char *const *proof = call->result;
    api_answer_text(call, 200, "text/plain; charset=utf-8", *proof, strlen(*proof));
    api_end_call(call);
}

/* ---- head and consistency ---- */

bool api_run_checkpoint(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct ledger_head);
    return operation_read_head(&call->operation, call->result, error);
}

void api_answer_checkpoint(struct api_call *call)
{
    const struct ledger_head *head = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_time(&writer, "at", head->at);
    canonical_member_text(&writer, "checkpoint", head->checkpoint);
    canonical_member_integer(&writer, "epoch", head->epoch);
    canonical_member_text(&writer, "origin", head->origin);
    canonical_member_integer(&writer, "size", head->size);
    canonical_member_text(&writer, "vkey", head->vkey);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

struct consistency_input {
    int64_t from, to;
};

bool api_read_consistency(struct api_call *call, struct error *error)
{
    struct consistency_input *input = ARENA_NEW(call->arena, struct consistency_input);
    call->input = input;
    return api_only_parameters(call, consistency_parameters, error) &&
           api_take_number(call, "from", 0, &input->from, error) &&
           api_take_number(call, "to", 0, &input->to, error);
}

bool api_run_consistency(struct api_call *call, struct error *error)
{
    const struct consistency_input *input = call->input;
    const char **text = ARENA_NEW(call->arena, const char *);
    call->result = text;
    return operation_read_consistency(&call->operation, input->from, input->to, text, error);
}

void api_answer_consistency(struct api_call *call)
{
    const char *const *text = call->result;
    api_answer_text(call, 200, "text/plain; charset=utf-8", *text, strlen(*text));
    api_end_call(call);
}

/* ---- export: pieces from the reader thread, written as the client takes them ---- */

struct export_call {
    struct export_cursor cursor;
    struct builder piece;
    bool is_done;
    bool is_begun;   /* the head was sent */
    bool is_reading; /* a piece is being read */
    bool is_waiting; /* the client has to take what is queued first */
    bool is_gone;
};

bool api_read_export(struct api_call *call, struct error *error)
{
    struct export_call *export = ARENA_NEW(call->arena, struct export_call);
    call->input = export;
    builder_init(&export->piece, 0);
    return api_only_parameters(call, export_parameters, error) &&
           api_take_number(call, "epoch", 0, &export->cursor.epoch, error) &&
           api_take_number(call, "from", 0, &export->cursor.seq, error);
}

void api_drop_export(struct api_call *call)
{
    struct export_call *export = call->input;
    if (export != NULL) {
        builder_finish(&export->piece);
    }
}

bool api_run_export(struct api_call *call, struct error *error)
{
    struct export_call *export = call->input;
    builder_clear(&export->piece);
    return operation_export_ledger(&call->operation, &export->cursor, &export->piece,
                                   API_EXPORT_PIECE_BYTES, &export->is_done, error);
}

static bool read_piece(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    /* Each piece is an operation of its own: a credential disabled meanwhile ends the export. */
    return operation_begin(&call->operation, call->api->options.operations, store, call->arena, now,
                           &call->credential, error) &&
           api_run_export(call, error);
}

static void continue_export(struct api_call *call);

static void piece_is_read(struct store_job *job, bool ok, const struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    struct export_call *export = call->input;
    export->is_reading = false;
    if (export->is_gone) {
        api_end_call(call);
        return;
    }
    if (!ok) {
        log_error(LOG_LEVEL_WARN, "export_cut_short", error);
        if (export->is_begun) {
            http_stream_abort(call->exchange);
        } else {
            api_answer_error(call, error);
        }
        api_end_call(call);
        return;
    }
    continue_export(call);
}

static void on_export_gone(void *context)
{
    struct api_call *call = context;
    struct export_call *export = call->input;
    export->is_gone = true;
    if (!export->is_reading) {
        api_end_call(call);
    }
}

static void ask_for_piece(struct api_call *call)
{
    struct export_call *export = call->input;
    struct error error = {0};
    call->job.run = read_piece;
    call->job.done = piece_is_read;
    export->is_reading = store_reader_submit(call->api->options.reader, &call->job, &error);
    if (!export->is_reading) {
        http_stream_abort(call->exchange);
        api_end_call(call);
    }
}

static void on_export_writable(void *context)
{
    struct api_call *call = context;
    struct export_call *export = call->input;
    if (export->is_waiting) {
        export->is_waiting = false;
        ask_for_piece(call);
    }
}

static void begin_stream(struct api_call *call)
{
    struct export_call *export = call->input;
    const struct http_field fields[] = {{"Content-Type", "application/jsonl"},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {"X-Request-ID", call->trace}};
    export->is_begun = true;
    http_set_context(call->exchange, call);
    http_stream_begin(call->exchange, 200, fields, 4, on_export_writable, on_export_gone);
}

/* Writes the piece at hand; then ends, waits for the client, or reads on. */
static void continue_export(struct api_call *call)
{
    struct export_call *export = call->input;
    if (!export->is_begun) {
        begin_stream(call);
    }
    bool takes_more = http_stream_write(call->exchange, export->piece.bytes, export->piece.length);
    if (export->is_done) {
        http_stream_end(call->exchange);
        api_end_call(call);
    } else if (takes_more) {
        ask_for_piece(call);
    } else {
        export->is_waiting = true;
    }
}

void api_answer_export(struct api_call *call)
{
    continue_export(call);
}
