/* How fast the store thread alone can be: everything a submission, a vote and a redemption write,
 * in batches as the writer makes them, beside bare INSERTs of the same bytes into tables without
 * indexes. Prints `name value unit` lines.
 *
 *   bench/store [SUBMISSIONS]
 */

#include "base/memory.h"
#include "crypto/crypto.h"
#include "store/engine_internal.h"
#include "store/grant_rows.h"
#include "store/ledger_rows.h"
#include "store/request_rows.h"
#include "store/writer.h"

#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES_EACH = 4, SUBMISSIONS_DEFAULT = 100000, CHECKPOINT_PAGES = 8000 };

static char folder[] = "bench-store-XXXXXX";
static int64_t ticks = 1700000000000;
static int64_t next_seq;

static const char payload[] =
    "{\"name\":\"payments.refund\",\"properties\":{\"account\":\"DE02120300000000202051\","
    "\"amount\":"
    "\"129.90\",\"currency\":\"EUR\",\"invoice\":\"2026-004217\",\"note\":\"goods returned, see "
    "ticket; the customer asked for the money back to the account it came from\"}}";
static const char entry_text[] =
    "{\"actor\":{\"id\":\"cal_01hf7m0000000000000000000\",\"kind\":\"caller\",\"via\":\"api_key\"},"
    "\"at\":1700000000000,\"data\":{\"action\":\"payments.refund\",\"agent\":\"billing-batch\","
    "\"resource\":\"invoice/2026-004217\",\"subject\":\"user/dana@example.com\"},\"digest\":"
    "\"90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872\",\"request\":"
    "\"req_01hf7m0000000000000000000\",\"seq\":123456,\"tenant\":\"main\",\"type\":"
    "\"request.submitted\",\"v\":1}";

static double read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Elapsed time depends on the disk and on who else is busy; CPU time tells what the code costs. */
struct stopwatch {
    double elapsed;
    double cpu;
};

static struct stopwatch start_watch(void)
{
    return (struct stopwatch){.elapsed = read_clock(CLOCK_MONOTONIC),
                              .cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Prints the rate and the CPU time each, and returns the CPU time. */
static double print_watch(const char *name, struct stopwatch watch, size_t count)
{
    double elapsed = read_clock(CLOCK_MONOTONIC) - watch.elapsed;
    double cpu = 1e6 * (read_clock(CLOCK_PROCESS_CPUTIME_ID) - watch.cpu) / (double)count;
    printf("store_%s %.0f per_s\n", name, (double)count / elapsed);
    printf("store_%s_cpu %.1f us\n", name, cpu);
    fflush(stdout);
    return cpu;
}

static void must(bool ok, const struct error *error)
{
    if (!ok) {
        fprintf(stderr, "bench/store: %s\n", error->message);
        exit(1);
    }
}

static struct request_row make_request(void)
{
    struct request_row request = {
        .tenant = "main",
        .caller = "cal_01hf7m0000000000000000000",
        .caller_name = "runner",
        .agent = "agt_01hf7m0000000000000000000",
        .agent_name = "billing-batch",
        .state = REQUEST_APPROVED,
        .reason = REASON_POLICY_ALLOW,
        .version = 1,
        .revision = 1,
        .risk = 1,
        .verdict = 2,
        .subject = "{\"id\":\"dana@example.com\",\"type\":\"user\"}",
        .subject_key = "user/dana@example.com",
        .action = payload,
        .action_name = "payments.refund",
        .resource = "{\"id\":\"2026-004217\",\"type\":\"invoice\"}",
        .resource_key = "invoice/2026-004217",
        .context = "{\"ticket\":\"T-100234\"}",
        .audience = "",
        .why = "The customer returned the goods and asked for the money back.",
        .salt = "AAAAAAAAAAAAAAAAAAAAAA",
        .grant_settings = "{\"claim_within\":900000,\"ttl\":60000}",
        .explanation = "{\"rules\":[{\"id\":\"refunds/small\",\"verdict\":\"allow\"}]}",
        .policy = "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872",
        .parties = "per_01hf7m0000000000000000000",
        .created_at = ticks,
        .asked_at = ticks,
        .settled_at = ticks,
        .ended_at = ticks,
        .ended_by = "",
    };
    crypto_make_id("req", ticks, request.id);
    crypto_make_id("grt", ticks, request.grant);
    request.digest = crypto_sha256(request.id, sizeof request.id);
    request.match_key = request.effect_key = request.near_key = request.digest;
    return request;
}

static struct grant_row make_grant(const struct request_row *request)
{
    struct grant_row grant = {
        .tenant = "main",
        .caller = "cal_01hf7m0000000000000000000",
        .agent = "agt_01hf7m0000000000000000000",
        .state = GRANT_ISSUED,
        .version = 1,
        .epoch = 1,
        .digest = request->digest,
        .effect_key = request->effect_key,
        .audience = "",
        .ttl_ms = 60000,
        .issued_at = ticks,
        .claim_until = ticks + 900000,
        .due_at = ticks + 900000,
    };
    memcpy(grant.id, request->grant, sizeof grant.id);
    memcpy(grant.request, request->id, sizeof grant.request);
    return grant;
}

static void insert_entry(struct store *store, const struct request_row *request,
                         struct error *error)
{
    struct entry_row entry = {.epoch = 1,
                              .seq = next_seq++,
                              .at = ticks,
                              .tenant = "main",
                              .type = "request.submitted",
                              .request = request->id,
                              .grant = request->grant,
                              .bytes = entry_text,
                              .length = sizeof entry_text - 1};
    entry.leaf = crypto_sha256_prefixed(0, entry.bytes, entry.length, NULL, 0);
    must(store_insert_entry(store, &entry, error), error);
}

static void submit(struct store *store, char out_grant[ID_BYTES], char out_request[ID_BYTES],
                   struct error *error)
{
    struct request_row request = make_request();
    must(store_insert_request(store, &request, error), error);
    struct grant_row grant = make_grant(&request);
    must(store_insert_grant(store, &grant, error), error);
    struct idempotency_row row = {.body = request.digest};
    memcpy(row.request, request.id, sizeof row.request);
    char key[ID_BYTES];
    crypto_make_id("key", ticks, key);
    must(store_insert_idempotency(store, "main", request.caller, key, &row, ticks, error), error);
    for (int i = 0; i < ENTRIES_EACH; i++) {
        insert_entry(store, &request, error);
    }
    memcpy(out_grant, grant.id, ID_BYTES);
    memcpy(out_request, request.id, ID_BYTES);
}

static void redeem(struct store *store, const char *id, struct arena *arena, struct error *error)
{
    struct grant_row grant;
    struct request_row request;
    must(store_read_grant(store, "main", id, arena, &grant, error), error);
    must(store_read_request(store, "main", grant.request, arena, &request, error), error);
    grant.state = GRANT_REDEEMED;
    grant.fence = (INT64_C(1) << 40) + next_seq;
    grant.due_at = grant.effect_due_at = ticks + 900000;
    must(store_update_grant(store, &grant, error), error);
    must(store_insert_redemption(store, id, grant.fence, ticks, error), error);
    must(store_open_effect(store, "main", &grant.effect_key, id, error), error);
    insert_entry(store, &request, error);
}

static void vote(struct store *store, const char *request_id, struct arena *arena,
                 struct error *error)
{
    struct request_row request;
    struct vote_row *votes;
    size_t count;
    must(store_read_request(store, "main", request_id, arena, &request, error), error);
    must(store_list_votes(store, "main", request_id, arena, &votes, &count, error), error);
    struct vote_row row = {.person = "per_01hf7m0000000000000000000",
                           .person_name = "dana",
                           .revision = 1,
                           .digest = request.digest,
                           .approves = true,
                           .assurance = ASSURANCE_SESSION,
                           .via = "session",
                           .at = ticks};
    crypto_make_id("vot", ticks, row.id);
    memcpy(row.request, request_id, ID_BYTES);
    must(store_insert_vote(store, "main", &row, error), error);
    must(store_update_request(store, &request, error), error);
    insert_entry(store, &request, error);
}

/* The same texts, no key but the row's number, no index. */
static double run_bare(const char *name, size_t count, size_t batch)
{
    char path[64];
    sqlite3 *database;
    sqlite3_stmt *wide;
    sqlite3_stmt *narrow;
    snprintf(path, sizeof path, "%s/bare-%zu.db", folder, batch);
    sqlite3_open_v2(path, &database,
                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_exec(database,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                 "PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536;"
                 "CREATE TABLE wide (a INTEGER PRIMARY KEY, b TEXT) STRICT;"
                 "CREATE TABLE narrow (a INTEGER PRIMARY KEY, b TEXT) STRICT;",
                 NULL, NULL, NULL);
    sqlite3_prepare_v2(database, "INSERT INTO wide (b) VALUES (?)", -1, &wide, NULL);
    sqlite3_prepare_v2(database, "INSERT INTO narrow (b) VALUES (?)", -1, &narrow, NULL);
    char text[1700];
    memset(text, 'x', sizeof text);
    struct stopwatch watch = start_watch();
    for (size_t i = 0; i < count; i += batch) {
        sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (size_t j = 0; j < batch; j++) {
            /* A request with its grant and key is about 1.7 kB, an entry 0.5 kB. */
            sqlite3_bind_text(wide, 1, text, sizeof text, SQLITE_STATIC);
            sqlite3_step(wide);
            sqlite3_reset(wide);
            for (int k = 0; k < ENTRIES_EACH; k++) {
                sqlite3_bind_text(narrow, 1, entry_text, sizeof entry_text - 1, SQLITE_STATIC);
                sqlite3_step(narrow);
                sqlite3_reset(narrow);
            }
        }
        if (sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
            fprintf(stderr, "bench/store: %s\n", sqlite3_errmsg(database));
            exit(1);
        }
    }
    double cpu = print_watch(name, watch, count);
    sqlite3_finalize(wide);
    sqlite3_finalize(narrow);
    sqlite3_close(database);
    return cpu;
}

enum kind { SUBMIT, REDEEM, VOTE };

struct run {
    struct store *store;
    char (*grants)[ID_BYTES];
    char (*requests)[ID_BYTES];
};

static void run_one(struct run *run, enum kind kind, size_t number, struct arena *arena,
                    struct error *error)
{
    switch (kind) {
    case SUBMIT:
        submit(run->store, run->grants[number], run->requests[number], error);
        break;
    case REDEEM:
        redeem(run->store, run->grants[number], arena, error);
        break;
    case VOTE:
        vote(run->store, run->requests[number], arena, error);
        break;
    }
}

static double run_store(const char *name, struct run *run, enum kind kind, size_t count,
                        size_t batch)
{
    struct error error = {0};
    struct stopwatch watch = start_watch();
    for (size_t i = 0; i < count; i += batch) {
        struct arena *arena ARENA_SCOPE = arena_create();
        ticks++;
        must(store_begin(run->store, &error), &error);
        for (size_t j = 0; j < batch; j++) {
            must(store_savepoint(run->store, &error), &error);
            run_one(run, kind, i + j, arena, &error);
            must(store_release(run->store, &error), &error);
        }
        must(store_commit(run->store, &error), &error);
        if (store_log_pages(run->store) > CHECKPOINT_PAGES) {
            store_checkpoint(run->store);
        }
    }
    return print_watch(name, watch, count);
}

/* Jobs through the writer: as many wait as a batch holds, as when connections wait for their
 * answers. */
struct bench_job {
    struct store_job job;
    struct run *run;
    size_t number;
};

static size_t done_count;

static bool run_job(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct bench_job *bench = (struct bench_job *)(void *)job;
    (void)store;
    ticks = now;
    run_one(bench->run, SUBMIT, bench->number, NULL, error);
    return true;
}

static void on_done(struct store_job *job, bool ok, const struct error *error)
{
    (void)job;
    must(ok, error);
    done_count++;
}

static int64_t read_now(void *context, struct store *store)
{
    (void)context;
    (void)store;
    return ticks + 1;
}

static void on_begin(void *context, struct store *store, int64_t now)
{
    (void)context;
    (void)store;
    (void)now;
}

static bool on_finish(void *context, struct store *store, int64_t now, struct error *error)
{
    on_begin(context, store, now);
    (void)error;
    return true;
}

static void on_nothing(void *context)
{
    (void)context;
}

static bool on_mark(void *context, struct error *error)
{
    (void)context;
    (void)error;
    return true;
}

static void on_wake(void *context)
{
    sem_post(context);
}

static void run_writer(const char *name, struct run *run, size_t count, size_t waiting)
{
    struct error error = {0};
    sem_t results;
    sem_init(&results, 0, 0);
    struct store_writer_options options = {.store = run->store,
                                           .read_now = read_now,
                                           .begin = on_begin,
                                           .finish = on_finish,
                                           .abort = on_nothing,
                                           .savepoint = on_nothing,
                                           .rollback = on_nothing,
                                           .write_mark = on_mark,
                                           .wake = on_wake,
                                           .wake_context = &results};
    struct store_writer *writer = store_writer_start(&options, &error);
    must(writer != NULL, &error);
    struct bench_job *jobs = memory_zeroed(count, sizeof *jobs);
    size_t submitted = 0;
    struct stopwatch watch = start_watch();
    for (done_count = 0; done_count < count;) {
        for (; submitted < count && submitted - done_count < waiting; submitted++) {
            jobs[submitted] = (struct bench_job){
                .job = {.run = run_job, .done = on_done}, .run = run, .number = submitted};
            must(store_writer_submit(writer, &jobs[submitted].job, &error), &error);
        }
        sem_wait(&results);
        store_writer_deliver(writer);
    }
    (void)print_watch(name, watch, count);
    store_writer_destroy(writer);
    sem_destroy(&results);
    free(jobs);
}

static void remove_folder(void)
{
    static const char *const names[] = {"store.db",      "store.db-wal", "store.db-shm",
                                        "store.db.lock", "bare-64.db",   "bare-64.db-wal",
                                        "bare-64.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : SUBMISSIONS_DEFAULT;
    struct error error = {0};
    char path[64];
    count -= count % 256;
    if (count == 0 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "bench/store: cannot make a folder here, or nothing to do\n");
        return 1;
    }
    atexit(remove_folder);
    crypto_start();
    snprintf(path, sizeof path, "%s/store.db", folder);
    struct store_options options = {.path = path};
    struct run run = {.store = store_open(&options, &error),
                      .grants = memory_zeroed(count, ID_BYTES),
                      .requests = memory_zeroed(count, ID_BYTES)};
    must(run.store != NULL, &error);
    double bare = run_bare("bare_insert_64", count, 64);
    (void)run_store("submit_1", &run, SUBMIT, count / 16, 1);
    (void)run_store("submit_256", &run, SUBMIT, count, 256);
    double submit_cpu = run_store("submit_64", &run, SUBMIT, count, 64);
    printf("store_submit_64_cpu_to_bare %.1f ratio\n", submit_cpu / bare);
    run_writer("submit_writer_256", &run, count, 256);
    (void)run_store("redeem_64", &run, REDEEM, count, 64);
    (void)run_store("vote_64", &run, VOTE, count, 64);
    store_close(run.store);
    struct stopwatch watch = start_watch();
    run.store = store_open(&options, &error);
    must(run.store != NULL, &error);
    printf("store_open %.1f ms\n", 1e3 * (read_clock(CLOCK_MONOTONIC) - watch.elapsed));
    store_close(run.store);
    free(run.grants);
    free(run.requests);
    return 0;
}
