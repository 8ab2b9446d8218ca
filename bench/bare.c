/*
 * The bare pipelines that decisions are measured against: the same HTTP front on the same loop
 * parses the same JSON, a second thread commits rows in groups to SQLite (WAL, FULL) as fast as it
 * can, and the answer goes out after the commit. No authentication, no policy, no life of a
 * request, no ledger tree, no signature.
 *
 *   bare FILE          four rows a request, with one index each
 *   bare FILE same     the rows that a decision leaves behind, in the product's own schema
 *
 * Prints `port N` and serves until standard input ends.
 */

#include "bench/same_rows.h"

#include "base/check.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "formats/json.h"
#include "loop/http.h"
#include "loop/loop.h"
#include "store/engine_internal.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_MAX = 512, EVENTS_EACH = 3, CHECKPOINT_PAGES = 4000, BODY_BYTES_MAX = 2048 };

struct bare_job {
    struct bare_job *next;
    struct http_exchange *exchange;
    int64_t number;
    size_t length;
    char body[BODY_BYTES_MAX];
};

struct bare {
    struct loop *loop;
    struct store *store; /* of the same rows; else NULL */
    sqlite3 *database;
    sqlite3_stmt *begin, *commit, *request, *event;
    pthread_mutex_t mutex;
    pthread_cond_t has_work;
    struct bare_job *queued, **queue_end;
    struct bare_job *finished, **finished_end;
    bool is_stopping;
    int64_t request_number;
    int64_t event_number;
    struct sha256 former; /* each event names the one before it */
};

/* ---- the store ---- */

static void execute(struct bare *bare, const char *sql)
{
    if (sqlite3_exec(bare->database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench/bare: %s: %s\n", sql, sqlite3_errmsg(bare->database));
        exit(1);
    }
}

static sqlite3_stmt *prepare(struct bare *bare, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(bare->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        fprintf(stderr, "bench/bare: %s: %s\n", sql, sqlite3_errmsg(bare->database));
        exit(1);
    }
    return statement;
}

static void step(struct bare *bare, sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE) {
        fprintf(stderr, "bench/bare: %s\n", sqlite3_errmsg(bare->database));
        exit(1);
    }
    sqlite3_reset(statement);
}

static void open_store(struct bare *bare, const char *path)
{
    char pragmas[128];
    CHECK(sqlite3_open_v2(path, &bare->database,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          NULL) == SQLITE_OK);
    execute(bare, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA cache_size = -65536;");
    snprintf(pragmas, sizeof pragmas, "PRAGMA wal_autocheckpoint = %d", CHECKPOINT_PAGES);
    execute(bare, pragmas);
    execute(bare,
            "CREATE TABLE request (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
            " tenant INTEGER, status INTEGER, created INTEGER, expires INTEGER, payload TEXT);"
            "CREATE INDEX request_due ON request (status, expires);"
            "CREATE TABLE event (number INTEGER PRIMARY KEY, request INTEGER, type INTEGER,"
            " at INTEGER, former BLOB, hash BLOB, body TEXT);"
            "CREATE INDEX event_of ON event (request);");
    bare->begin = prepare(bare, "BEGIN IMMEDIATE");
    bare->commit = prepare(bare, "COMMIT");
    bare->request = prepare(bare, "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?)");
    bare->event = prepare(bare, "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)");
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_event(struct bare *bare, int64_t request, int kind, int64_t now)
{
    char body[512];
    int64_t number = ++bare->event_number;
    int length =
        snprintf(body, sizeof body,
                 "{\"seq\":%lld,\"rid\":%lld,\"t\":%d,\"ts\":%lld,\"actor\":\"agent-7731\","
                 "\"data\":\"%0240d\"}",
                 (long long)number, (long long)request, kind, (long long)now, kind);
    struct sha256 former = bare->former;
    bare->former = crypto_sha256(body, (size_t)length);
    sqlite3_bind_int64(bare->event, 1, number);
    sqlite3_bind_int64(bare->event, 2, request);
    sqlite3_bind_int(bare->event, 3, kind);
    sqlite3_bind_int64(bare->event, 4, now);
    sqlite3_bind_blob(bare->event, 5, former.bytes, SHA256_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob(bare->event, 6, bare->former.bytes, SHA256_BYTES, SQLITE_STATIC);
    sqlite3_bind_text(bare->event, 7, body, length, SQLITE_STATIC);
    step(bare, bare->event);
}

static void write_job(struct bare *bare, struct bare_job *job)
{
    char id[32];
    int64_t now = wall_ms();
    job->number = ++bare->request_number;
    snprintf(id, sizeof id, "%012llx%014llx", (unsigned long long)now,
             (unsigned long long)job->number * 2654435761u);
    sqlite3_bind_int64(bare->request, 1, job->number);
    sqlite3_bind_text(bare->request, 2, id, 26, SQLITE_STATIC);
    sqlite3_bind_int64(bare->request, 3, job->number % 100);
    sqlite3_bind_int(bare->request, 4, 1);
    sqlite3_bind_int64(bare->request, 5, now);
    sqlite3_bind_int64(bare->request, 6, now + 300000);
    sqlite3_bind_text(bare->request, 7, job->body, (int)job->length, SQLITE_STATIC);
    step(bare, bare->request);
    for (int kind = 0; kind < EVENTS_EACH; kind++) {
        write_event(bare, job->number, kind, now);
    }
}

static void write_plain(struct bare *bare, struct bare_job *batch)
{
    step(bare, bare->begin);
    for (struct bare_job *job = batch; job != NULL; job = job->next) {
        write_job(bare, job);
    }
    step(bare, bare->commit);
}

static void must(bool ok, const struct error *error)
{
    if (!ok) {
        fprintf(stderr, "bench/bare: %s\n", error->message);
        exit(1);
    }
}

static void write_same(struct bare *bare, struct bare_job *batch)
{
    struct error error = {0};
    int64_t now = wall_ms();
    must(store_begin(bare->store, &error), &error);
    for (struct bare_job *job = batch; job != NULL; job = job->next) {
        job->number = ++bare->request_number;
        must(same_rows_write(bare->store, now, &bare->event_number, job->body, &error), &error);
    }
    must(store_commit(bare->store, &error), &error);
    if (store_log_pages(bare->store) > CHECKPOINT_PAGES) {
        store_checkpoint(bare->store);
    }
}

/* ---- the second thread ---- */

static struct bare_job *take_batch(struct bare *bare)
{
    pthread_mutex_lock(&bare->mutex);
    while (bare->queued == NULL && !bare->is_stopping) {
        pthread_cond_wait(&bare->has_work, &bare->mutex);
    }
    struct bare_job *batch = bare->queued;
    struct bare_job **end = &bare->queued;
    for (int i = 0; i < BATCH_MAX && *end != NULL; i++) {
        end = &(*end)->next;
    }
    struct bare_job *rest = *end;
    *end = NULL;
    bare->queued = rest;
    if (rest == NULL) {
        bare->queue_end = &bare->queued;
    }
    pthread_mutex_unlock(&bare->mutex);
    return batch;
}

static void give_back(struct bare *bare, struct bare_job *batch)
{
    pthread_mutex_lock(&bare->mutex);
    *bare->finished_end = batch;
    while (*bare->finished_end != NULL) {
        bare->finished_end = &(*bare->finished_end)->next;
    }
    pthread_mutex_unlock(&bare->mutex);
    loop_wake(bare->loop);
}

static void *run_writer(void *argument)
{
    struct bare *bare = argument;
    for (;;) {
        struct bare_job *batch = take_batch(bare);
        if (batch == NULL) {
            return NULL;
        }
        if (bare->store != NULL) {
            write_same(bare, batch);
        } else {
            write_plain(bare, batch);
        }
        give_back(bare, batch);
    }
}

/* ---- the loop ---- */

static const struct http_field answer_fields[] = {{"Content-Type", "application/json"}};

static void on_request(void *context, struct http_exchange *exchange)
{
    struct bare *bare = context;
    size_t length;
    struct error error = {0};
    const char *body = http_body(exchange, &length);
    struct json_document *document JSON_SCOPE =
        length >= BODY_BYTES_MAX ? NULL : json_parse(body, length, &error);
    if (document == NULL ||
        json_type(json_member(json_root(document), "action")) == JSON_TYPE_ABSENT) {
        http_answer(exchange, 400, answer_fields, 1, "{}", 2);
        return;
    }
    struct bare_job *job = malloc(sizeof *job);
    CHECK(job != NULL);
    job->next = NULL;
    job->exchange = exchange;
    job->length = length;
    memcpy(job->body, body, length);
    job->body[length] = '\0';
    pthread_mutex_lock(&bare->mutex);
    *bare->queue_end = job;
    bare->queue_end = &job->next;
    pthread_mutex_unlock(&bare->mutex);
    pthread_cond_signal(&bare->has_work);
}

static void on_wake(void *context)
{
    struct bare *bare = context;
    pthread_mutex_lock(&bare->mutex);
    struct bare_job *job = bare->finished;
    bare->finished = NULL;
    bare->finished_end = &bare->finished;
    pthread_mutex_unlock(&bare->mutex);
    while (job != NULL) {
        char body[256];
        struct bare_job *next = job->next;
        int length =
            snprintf(body, sizeof body,
                     "{\"status\":\"approved\",\"rid\":%lld,\"durable\":true,\"final\":true,"
                     "\"by\":\"policy:p-12\",\"ts\":1700000000000}",
                     (long long)job->number);
        http_answer(job->exchange, 201, answer_fields, 1, body, (size_t)length);
        free(job);
        job = next;
    }
}

/* The parent holds the other end of standard input: however it ends, so does this. */
static void *wait_for_end(void *argument)
{
    struct bare *bare = argument;
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    loop_stop(bare->loop);
    return NULL;
}

int main(int count, char **words)
{
    struct bare bare = {.mutex = PTHREAD_MUTEX_INITIALIZER, .has_work = PTHREAD_COND_INITIALIZER};
    struct error error = {0};
    uint16_t port = 0;
    pthread_t writer;
    pthread_t watcher;
    bool is_same = count == 3 && strcmp(words[2], "same") == 0;
    if (count != 2 && !is_same) {
        fprintf(stderr, "bare FILE [same]\n");
        return 64;
    }
    crypto_start();
    bare.queue_end = &bare.queued;
    bare.finished_end = &bare.finished;
    if (is_same) {
        bare.store = store_open(&(struct store_options){.path = words[1]}, &error);
        must(bare.store != NULL, &error);
    } else {
        open_store(&bare, words[1]);
    }
    bare.loop = loop_create(&(struct loop_options){0}, &error);
    CHECK(bare.loop != NULL);
    loop_on_wake(bare.loop, on_wake, &bare);
    struct http_server *server =
        http_server_create(&(struct http_server_options){.loop = bare.loop});
    CHECK(http_listen(server,
                      &(struct http_listener_options){
                          .address = "127.0.0.1", .on_request = on_request, .context = &bare},
                      &port, &error));
    CHECK(pthread_create(&writer, NULL, run_writer, &bare) == 0);
    CHECK(pthread_create(&watcher, NULL, wait_for_end, &bare) == 0);
    printf("port %u\n", port);
    fflush(stdout);
    loop_run(bare.loop);
    _exit(0); /* what is in flight belongs to nobody any more */
}
