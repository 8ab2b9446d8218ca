#include "api/api_internal.h"

#include "api/policies_internal.h"
#include "base/log.h"
#include <string.h>

/* POST /v1/policies/replay: lines of JSON. How far it has come, after each step on the reader's
 * thread; then every changed decision, loosened ones first; the summary is the last line, so that
 * who misses it knows that the answer is not whole. */

static const char *const members[] = {"files", "version", "since", NULL};

static const int64_t SINCE_MS_DEFAULT = 7LL * 24 * 3600 * 1000;

struct replay_call {
    struct policy_choice choice;
    int64_t since_ms;
    struct replay replay;
    bool is_done;    /* all requests were looked at */
    bool is_reading; /* a step runs */
    bool is_waiting; /* the client has to take what is queued first */
    bool is_gone;
    size_t written[REPLAY_CHANGE_COUNT]; /* changed decisions sent */
};

bool api_read_replay(struct api_call *call, struct error *error)
{
    struct replay_call *replay = ARENA_NEW(call->arena, struct replay_call);
    const struct json *body = api_read_body(call, members, error);
    call->input = replay;
    replay->since_ms = SINCE_MS_DEFAULT;
    return body != NULL && api_take_policy(call, body, &replay->choice, error) &&
           api_take_duration(call, body, "since", &replay->since_ms, error);
}

bool api_look_replay(struct api_call *call, struct error *error)
{
    struct replay_call *replay = call->input;
    return api_look_policy(call, &replay->choice, error);
}

bool api_work_replay(struct api_call *call, struct error *error)
{
    struct replay_call *replay = call->input;
    return api_compile_policy(call, &replay->choice, error);
}

bool api_run_replay(struct api_call *call, struct error *error)
{
    struct replay_call *replay = call->input;
    if (replay->replay.arena == NULL) {
        replay_begin(&replay->replay, replay->choice.policy,
                     call->operation.now - replay->since_ms);
    }
    return operation_replay_policy(&call->operation, &replay->replay, &replay->is_done, error);
}

void api_drop_replay(struct api_call *call)
{
    struct replay_call *replay = call->input;
    if (replay != NULL) {
        replay_end(&replay->replay);
        policy_destroy(replay->choice.policy);
    }
}

/* Each step is an operation of its own: who is disabled meanwhile sees no more. Its arena is its
 * own, so that memory does not grow with the requests looked at. */
static bool run_step(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    struct arena *scratch ARENA_SCOPE = arena_create();
    bool ok = operation_begin(&call->operation, call->api->options.operations, store, scratch, now,
                              &call->credential, error) &&
              api_run_replay(call, error);
    call->operation = (struct operation){0};
    return ok;
}

static void go_on(struct api_call *call);

static void step_is_done(struct store_job *job, bool ok, const struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    struct replay_call *replay = call->input;
    replay->is_reading = false;
    if (replay->is_gone) {
        api_end_call(call);
        return;
    }
    if (!ok) {
        log_error(LOG_LEVEL_WARN, "replay_cut_short", error);
        http_stream_abort(call->exchange);
        api_end_call(call);
        return;
    }
    go_on(call);
}

static void on_gone(void *context)
{
    struct api_call *call = context;
    struct replay_call *replay = call->input;
    replay->is_gone = true;
    if (!replay->is_reading) {
        api_end_call(call);
    }
}

static void ask_for_step(struct api_call *call)
{
    struct replay_call *replay = call->input;
    struct error error = {0};
    call->job.run = run_step;
    call->job.done = step_is_done;
    replay->is_reading = store_reader_submit(call->api->options.reader, &call->job, &error);
    if (!replay->is_reading) {
        http_stream_abort(call->exchange);
        api_end_call(call);
    }
}

/* ---- the lines ---- */

static const char *const change_names[REPLAY_CHANGE_COUNT] = {
    [REPLAY_LOOSENED] = "loosened",
    [REPLAY_TIGHTENED] = "tightened",
};

static void write_counts(struct canonical_writer *writer, const struct replay *replay)
{
    canonical_member_integer(writer, "looked_at", replay->looked_at);
    canonical_member_integer(writer, "loosened", replay->changed[REPLAY_LOOSENED]);
}

static void write_progress(struct builder *out, const struct replay *replay)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "kind", "progress");
    write_counts(&writer, replay);
    api_write_time(&writer, "reached_at", replay->reached_at);
    canonical_member_integer(&writer, "tightened", replay->changed[REPLAY_TIGHTENED]);
    canonical_close_object(&writer);
    builder_char(out, '\n');
}

static void write_side(struct canonical_writer *writer, const char *name,
                       enum policy_verdict verdict, enum policy_risk risk, int64_t people)
{
    canonical_name(writer, name);
    canonical_open_object(writer);
    canonical_member_integer(writer, "people", people);
    canonical_member_text(writer, "risk", policy_risk_name(risk));
    canonical_member_text(writer, "verdict", policy_verdict_name(verdict));
    canonical_close_object(writer);
}

static void write_decision(struct builder *out, const struct replay_decision *decision,
                           enum replay_change change)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "action", decision->action);
    canonical_member_text(&writer, "agent", decision->agent);
    api_write_time(&writer, "at", decision->at);
    canonical_member_text(&writer, "change", change_names[change]);
    write_side(&writer, "is", decision->is, decision->is_risk, decision->is_people);
    canonical_member_text(&writer, "kind", "changed");
    canonical_member_text(&writer, "request", decision->request);
    canonical_member_text(&writer, "resource", decision->resource);
    canonical_member_raw(&writer, "rules", decision->rules, strlen(decision->rules));
    write_side(&writer, "was", decision->was, decision->was_risk, decision->was_people);
    canonical_close_object(&writer);
    builder_char(out, '\n');
}

static void write_summary(struct builder *out, const struct replay_call *call)
{
    const struct replay *replay = &call->replay;
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "kind", "summary");
    write_counts(&writer, replay);
    api_write_time(&writer, "since", replay->since_at);
    canonical_member_integer(&writer, "tightened", replay->changed[REPLAY_TIGHTENED]);
    canonical_member_integer(&writer, "unjudged", replay->unjudged);
    canonical_member_integer(
        &writer, "unlisted",
        replay->changed[REPLAY_LOOSENED] + replay->changed[REPLAY_TIGHTENED] -
            (int64_t)(replay->kept_count[REPLAY_LOOSENED] + replay->kept_count[REPLAY_TIGHTENED]));
    canonical_member_text(&writer, "version", policy_version(call->choice.policy));
    canonical_member_integer(&writer, "without_history", replay->without_history);
    canonical_close_object(&writer);
    builder_char(out, '\n');
}

/* The next of the changed decisions, about API_EXPORT_PIECE_BYTES; false when none is left. */
static bool write_changed(struct builder *out, struct replay_call *replay)
{
    for (size_t change = 0; change < REPLAY_CHANGE_COUNT; change++) {
        while (replay->written[change] < replay->replay.kept_count[change]) {
            size_t next = replay->written[change]++;
            write_decision(out, &replay->replay.kept[change][next], (enum replay_change)change);
            if (out->length >= API_EXPORT_PIECE_BYTES) {
                return true;
            }
        }
    }
    return false;
}

/* ---- the stream ---- */

static void on_writable(void *context)
{
    struct api_call *call = context;
    struct replay_call *replay = call->input;
    if (replay->is_waiting) {
        replay->is_waiting = false;
        go_on(call);
    }
}

static void begin_stream(struct api_call *call)
{
    const struct http_field fields[] = {{"Content-Type", "application/jsonl"},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {"X-Request-ID", call->trace}};
    http_set_context(call->exchange, call);
    http_stream_begin(call->exchange, 200, fields, sizeof fields / sizeof *fields, on_writable,
                      on_gone);
}

/* Writes what was found, as much as the client takes; true when it ended. */
static bool write_found(struct api_call *call)
{
    struct replay_call *replay = call->input;
    bool has_more = true;
    bool takes_more = true;
    while (has_more && takes_more) {
        struct builder piece BUILDER_SCOPE;
        builder_init(&piece, 0);
        has_more = write_changed(&piece, replay);
        if (!has_more) {
            write_summary(&piece, replay);
        }
        takes_more = http_stream_write(call->exchange, piece.bytes, piece.length);
    }
    replay->is_waiting = has_more;
    return !has_more;
}

static bool write_how_far(struct api_call *call)
{
    const struct replay_call *replay = call->input;
    struct builder line BUILDER_SCOPE;
    builder_init(&line, 0);
    write_progress(&line, &replay->replay);
    return http_stream_write(call->exchange, line.bytes, line.length);
}

static void go_on(struct api_call *call)
{
    struct replay_call *replay = call->input;
    if (!replay->is_done) {
        replay->is_waiting = !write_how_far(call);
        if (!replay->is_waiting) {
            ask_for_step(call);
        }
        return;
    }
    if (write_found(call)) {
        http_stream_end(call->exchange);
        api_end_call(call);
    }
}

void api_answer_replay(struct api_call *call)
{
    begin_stream(call);
    go_on(call);
}
