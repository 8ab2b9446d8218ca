#include "tests/support/rig.h"

#include "base/builder.h"
#include "base/check.h"
#include "base/clock.h"
#include "identity/session.h"
#include "operations/people_operations.h"
#include "tests/support/store_fixture.h"
#include <dirent.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char rig_policy[] = "version: 1\n"
                          "defaults:\n"
                          "  verdict: require_approval\n"
                          "  approval:\n"
                          "    groups: [ops]\n"
                          "    timeout: 1h\n"
                          "rules:\n"
                          "  - name: free\n"
                          "    match: { action: \"free.*\" }\n"
                          "    verdict: allow\n";

_Noreturn static void rig_die(const char *doing, const struct error *error)
{
    fprintf(stderr, "rig: %s: %s: %s (%s)\n", doing, error->code == NULL ? "" : error->code,
            error->message, error->subject);
    abort();
}

void rig_make(struct rig *rig)
{
    static const unsigned char seed[32] = "a fake seed, good for tests only";
    crypto_start();
    *rig = (struct rig){0};
    snprintf(rig->folder, sizeof rig->folder, "%s/countersign-rig-XXXXXX", store_fixture_place());
    if (mkdtemp(rig->folder) == NULL) {
        perror("mkdtemp");
        abort();
    }
    snprintf(rig->store_path, sizeof rig->store_path, "%s/store.db", rig->folder);
    snprintf(rig->mark_path, sizeof rig->mark_path, "%s/mark", rig->folder);
    rig->metrics = metrics_create();
    rig->ledger_signer = signer_from_seed(SIGNER_ED25519, seed);
    rig->match_secret = secret_create(seed, sizeof seed);
}

static void close_store(struct rig *rig)
{
    operations_destroy(rig->operations);
    store_mark_close(rig->mark_file);
    store_close(rig->store);
    rig->operations = NULL;
    rig->mark_file = NULL;
    rig->store = NULL;
}

bool rig_try_open(struct rig *rig, struct error *error)
{
    struct store_mark mark = {0};
    bool mark_found = false;
    rig->store = store_open(&(struct store_options){.path = rig->store_path}, error);
    rig->mark_file =
        rig->store == NULL ? NULL : store_mark_open(rig->mark_path, &mark, &mark_found, error);
    if (rig->mark_file == NULL) {
        close_store(rig);
        return false;
    }
    rig->operations = operations_create(&(struct operations_options){
        .metrics = rig->metrics,
        .ledger_signer = rig->ledger_signer,
        .match_secret = rig->match_secret,
        .mark_file = rig->mark_file,
        .mark = mark,
        .mark_found = mark_found,
        .issuer = "https://gate.example",
        .rp_id = "gate.example",
        .passkey_origin = "https://gate.example",
        .origin = RIG_ORIGIN,
    });
    if (!operations_start(rig->operations, rig->store, clock_wall_ms(), &rig->was_rolled_back,
                          error)) {
        close_store(rig);
        return false;
    }
    operations_fill_hooks(rig->operations, &rig->hooks);
    return true;
}

void rig_open(struct rig *rig)
{
    struct error error = {0};
    if (!rig_try_open(rig, &error)) {
        rig_die("open", &error);
    }
}

void rig_close(struct rig *rig)
{
    struct error error = {0};
    if (!operations_stop(rig->operations, rig->store, clock_wall_ms(), &error)) {
        rig_die("stop", &error);
    }
    close_store(rig);
}

void rig_drop(struct rig *rig)
{
    close_store(rig);
}

void rig_remove(struct rig *rig)
{
    if (rig->store != NULL) {
        close_store(rig);
    }
    DIR *folder = opendir(rig->folder);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", rig->folder, entry->d_name);
        unlink(path);
    }
    closedir(folder);
    rmdir(rig->folder);
    metrics_destroy(rig->metrics);
    signer_close(rig->ledger_signer);
    secret_destroy(rig->match_secret);
}

static void begin_batch(struct rig *rig)
{
    struct error error = {0};
    void *context = rig->hooks.context;
    rig->now = rig->hooks.read_now(context, rig->store);
    if (!store_begin(rig->store, &error)) {
        rig_die("begin", &error);
    }
    rig->hooks.begin(context, rig->store, rig->now);
    rig->hooks.savepoint(context);
    rig->arena = arena_create();
}

struct operation *rig_begin(struct rig *rig, const struct credential *credential)
{
    struct error error = {0};
    begin_batch(rig);
    if (!operation_begin(&rig->operation, rig->operations, rig->store, rig->arena, rig->now,
                         credential, &error)) {
        rig_die("authenticate", &error);
    }
    return &rig->operation;
}

struct operation *rig_begin_host(struct rig *rig)
{
    return rig_begin(rig, &(struct credential){.kind = CREDENTIAL_HOST});
}

struct operation *rig_begin_system(struct rig *rig)
{
    begin_batch(rig);
    operation_begin_system(&rig->operation, rig->operations, rig->store, rig->arena, rig->now);
    return &rig->operation;
}

void rig_commit(struct rig *rig)
{
    struct error error = {0};
    if (!rig->hooks.finish(rig->hooks.context, rig->store, rig->now, &error) ||
        !store_commit(rig->store, &error) || !rig->hooks.write_mark(rig->hooks.context, &error)) {
        rig_die("commit", &error);
    }
    arena_destroy(rig->arena);
    rig->arena = NULL;
}

void rig_undo(struct rig *rig)
{
    store_roll_back(rig->store);
    rig->hooks.abort(rig->hooks.context);
    arena_destroy(rig->arena);
    rig->arena = NULL;
}

void rig_publish(struct rig *rig, const char *yaml)
{
    struct error error = {0};
    bool changed;
    struct policy_file file = {.name = "rules.yaml", .bytes = yaml, .length = strlen(yaml)};
    struct policy *policy = policy_compile(&file, 1, &error);
    if (policy == NULL ||
        !operation_publish_policy(rig_begin_system(rig), policy, "{}", &changed, &error)) {
        rig_die("publish", &error);
    }
    rig_commit(rig);
}

static struct credential add_credential(struct rig *rig, enum credential_kind kind,
                                        const char *owner)
{
    struct error error = {0};
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input input = {.kind = kind, .owner = owner};
    if (!operation_add_credential(rig_begin_host(rig), &input, &row, secret, &error)) {
        rig_die("add credential", &error);
    }
    rig_commit(rig);
    return (struct credential){.kind = kind, .hash = crypto_sha256(secret, strlen(secret))};
}

struct credential rig_add_person(struct rig *rig, const char *name, const char *group,
                                 bool is_admin)
{
    struct error error = {0};
    struct person_view view;
    struct person_input input = {
        .name = name, .is_admin = is_admin, .groups = &group, .group_count = group == NULL ? 0 : 1};
    if (!operation_add_person(rig_begin_host(rig), &input, &view, &error)) {
        rig_die("add person", &error);
    }
    rig_commit(rig);
    return add_credential(rig, CREDENTIAL_TOKEN, name);
}

struct credential rig_step_up(struct rig *rig, const char *name)
{
    struct error error = {0};
    struct person_row person;
    char secret[SECRET_TEXT_BYTES];
    crypto_make_secret("css", secret);
    struct credential credential = identity_session_credential(secret);
    struct operation *operation = rig_begin_host(rig);
    struct session_row session = {.created_at = rig->now,
                                  .seen_at = rig->now,
                                  .expires_at = rig->now + 3600000,
                                  .step_up = STEP_UP_PASSKEY,
                                  .stepped_up_at = rig->now};
    crypto_make_id("ses", rig->now, session.id);
    session.hash = credential.hash;
    CHECK(store_read_person(rig->store, "default", name, operation->arena, &person, &error));
    memcpy(session.person, person.id, sizeof session.person);
    memcpy(session.tenant, person.tenant, sizeof session.tenant);
    CHECK(store_insert_session(rig->store, &session, &error));
    rig_commit(rig);
    return credential;
}

struct credential rig_add_caller(struct rig *rig, const char *name)
{
    struct error error = {0};
    struct agent_row agent;
    struct caller_row caller;
    const char *agents[] = {"bot"};
    const char *subjects[] = {"**"};
    struct caller_input input = {
        .name = name, .agents = agents, .agent_count = 1, .subjects = subjects, .subject_count = 1};
    if (!operation_add_agent(rig_begin_host(rig), "bot", NULL, &agent, &error)) {
        rig_die("add agent", &error);
    }
    rig_commit(rig);
    if (!operation_add_caller(rig_begin_host(rig), &input, &caller, &error)) {
        rig_die("add caller", &error);
    }
    rig_commit(rig);
    return add_credential(rig, CREDENTIAL_API_KEY, name);
}

static const char *action_text(struct arena *arena, const char *name)
{
    return arena_printf(arena, "{\"name\":\"%s\"}", name);
}

#define RIG_RESOURCE "{\"id\":\"4711\",\"type\":\"order\"}"
#define RIG_SUBJECT  "{\"id\":\"sam\",\"type\":\"user\"}"

void rig_submit(struct rig *rig, const struct credential *caller, const char *action,
                char out_request[ID_BYTES])
{
    rig_submit_for(rig, caller, action, NULL, out_request);
}

void rig_submit_for(struct rig *rig, const struct credential *caller, const char *action,
                    const char *audience, char out_request[ID_BYTES])
{
    struct error error = {0};
    struct submit_result result;
    struct operation *operation = rig_begin(rig, caller);
    struct submit_input input = {
        .subject = RIG_SUBJECT,
        .subject_key = "user/sam",
        .action = action_text(rig->arena, action),
        .action_name = action,
        .resource = RIG_RESOURCE,
        .resource_key = "order/4711",
        .context = "{}",
        .audience = audience,
    };
    if (!operation_submit_request(operation, &input, &result, &error)) {
        rig_die("submit", &error);
    }
    memcpy(out_request, result.request, ID_BYTES);
    rig_commit(rig);
}

void rig_vote(struct rig *rig, const struct credential *person, const char *request, bool approves)
{
    struct error error = {0};
    struct request_row row;
    struct vote_result result;
    struct operation *operation = rig_begin(rig, person);
    if (!store_read_request(rig->store, "default", request, rig->arena, &row, &error)) {
        rig_die("read", &error);
    }
    struct vote_input input = {
        .request = request, .revision = row.revision, .digest = row.digest, .approves = approves};
    if (!operation_cast_vote(operation, &input, &result, &error)) {
        rig_die("vote", &error);
    }
    rig_commit(rig);
}

struct request_view rig_read(struct rig *rig, const struct credential *caller, const char *request)
{
    struct error error = {0};
    struct request_view view;
    if (!operation_read_request(rig_begin(rig, caller), request, true, &view, &error)) {
        rig_die("read", &error);
    }
    rig_commit(rig);
    return view;
}

struct redeem_result rig_redeem(struct rig *rig, const struct credential *caller,
                                const struct grant_claims *claims, const char *action)
{
    struct error error = {0};
    struct redeem_result result;
    struct operation *operation = rig_begin(rig, caller);
    struct redeem_input input = {.claims = *claims,
                                 .has_claims = true,
                                 .action = action_text(rig->arena, action),
                                 .resource = RIG_RESOURCE};
    if (!operation_redeem_grant(operation, &input, &result, &error)) {
        rig_die("redeem", &error);
    }
    rig_commit(rig);
    return result;
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    if (in == NULL) {
        unlink(to);
        return;
    }
    FILE *out = fopen(to, "wb");
    char bytes[65536];
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, in)) > 0) {
        if (fwrite(bytes, 1, length, out) != length) {
            abort();
        }
    }
    fclose(in);
    fclose(out);
}

static void copy_store(struct rig *rig, bool is_back)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char live[128];
        char copy[128];
        snprintf(live, sizeof live, "%s%s", rig->store_path, suffixes[i]);
        snprintf(copy, sizeof copy, "%s/copy%s", rig->folder, suffixes[i]);
        copy_file(is_back ? copy : live, is_back ? live : copy);
    }
}

void rig_save_copy(struct rig *rig)
{
    copy_store(rig, false);
}

void rig_put_copy_back(struct rig *rig)
{
    copy_store(rig, true);
}

/* Returns how many rows it changed. */
static int run_sql(struct rig *rig, const char *sql)
{
    sqlite3 *database = NULL;
    char *message = NULL;
    if (sqlite3_open(rig->store_path, &database) != SQLITE_OK ||
        sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "rig: tamper: %s\n", message == NULL ? "" : message);
        abort();
    }
    int changed = sqlite3_changes(database);
    sqlite3_close(database);
    return changed;
}

void rig_tamper(struct rig *rig, const char *sql)
{
    run_sql(rig, "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger'");
    if (run_sql(rig, sql) == 0) {
        fprintf(stderr, "rig: tamper changed nothing: %s\n", sql);
        abort();
    }
}
