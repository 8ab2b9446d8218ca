#include "store_fixture.h"

#include "base/check.h"
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store_options store_fixture_options(const struct store_fixture *fixture)
{
    return (struct store_options){.path = fixture->path,
                                  .ballast_path = fixture->ballast,
                                  .ballast_bytes = fixture->ballast_bytes};
}

void store_fixture_open(struct store_fixture *fixture)
{
    struct store_options options = store_fixture_options(fixture);
    fixture->store = store_open(&options, &fixture->error);
    if (fixture->store == NULL) {
        fprintf(stderr, "cannot open the store: %s\n", fixture->error.message);
    }
    CHECK(fixture->store != NULL);
}

void store_fixture_close(struct store_fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

void store_fixture_reopen(struct store_fixture *fixture)
{
    store_fixture_close(fixture);
    store_fixture_open(fixture);
}

/* Memory, where there is some to write to: most tests are about rows and not about disks. */
const char *store_fixture_place(void)
{
    const char *place = getenv("TMPDIR");
    if (access("/dev/shm", W_OK) == 0) {
        return "/dev/shm";
    }
    return place == NULL ? "/tmp" : place;
}

void store_fixture_init(struct store_fixture *fixture)
{
    store_fixture_init_at(fixture, store_fixture_place());
}

void store_fixture_init_at(struct store_fixture *fixture, const char *place)
{
    *fixture = (struct store_fixture){.ballast_bytes = fixture->ballast_bytes};
    snprintf(fixture->folder, sizeof fixture->folder, "%s/countersign-store-XXXXXX", place);
    CHECK(mkdtemp(fixture->folder) != NULL);
    snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    snprintf(fixture->ballast, sizeof fixture->ballast, "%s/ballast", fixture->folder);
    fixture->arena = arena_create();
    store_fixture_open(fixture);
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            CHECK(unlinkat(dirfd(folder), entry->d_name, 0) == 0);
        }
    }
    closedir(folder);
    CHECK(rmdir(path) == 0);
}

void store_fixture_finish(struct store_fixture *fixture)
{
    store_fixture_close(fixture);
    arena_destroy(fixture->arena);
    remove_folder(fixture->folder);
}

int store_fixture_sql(const struct store_fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;
    CHECK(sqlite3_open(fixture->path, &database) == SQLITE_OK);
    sqlite3_extended_result_codes(database, 1);
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    sqlite3_close(database);
    return code;
}

int64_t store_fixture_number(const struct store_fixture *fixture, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    CHECK(sqlite3_open_v2(fixture->path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    CHECK(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

struct sha256 sample_hash(unsigned char fill)
{
    struct sha256 hash;
    memset(hash.bytes, fill, sizeof hash.bytes);
    return hash;
}

struct request_row sample_request(const char *id)
{
    struct request_row request = {
        .tenant = "main",
        .caller = "cal_1",
        .caller_name = "runner",
        .agent = "agt_1",
        .agent_name = "billing-batch",
        .state = REQUEST_PENDING,
        .reason = REASON_NONE,
        .version = 1,
        .revision = 1,
        .risk = 2,
        .verdict = 1,
        .subject = "{\"id\":\"dana@example.com\",\"type\":\"user\"}",
        .subject_key = "user/dana@example.com",
        .action = "{\"name\":\"payments.refund\",\"properties\":{\"amount\":100}}",
        .action_name = "payments.refund",
        .resource = "{\"id\":\"42\",\"type\":\"invoice\"}",
        .resource_key = "invoice/42",
        .context = "{\"ticket\":\"T-1\"}",
        .audience = "payments-api",
        .why = "the customer asked for it",
        .trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        .salt = "AAAAAAAAAAAAAAAAAAAAAA",
        .digest = sample_hash(1),
        .match_key = sample_hash(2),
        .effect_key = sample_hash(3),
        .near_key = sample_hash(4),
        .requirements = "[{\"quorum\":2}]",
        .grant_settings = "{\"ttl\":60}",
        .explanation = "{\"rules\":[]}",
        .message = "refunds need a person",
        .policy = "00ff",
        .allows_self_approval = true,
        .parties = "per_1 per_2",
        .history_read = "3 0 3600000 2;",
        .near_denials = 3,
        .created_at = 1001,
        .asked_at = 1002,
        .settled_at = 1003,
        .timeout_at = 9001,
        .due_at = 5001,
        .ended_at = 0,
        .ended_by = "",
        .grant = "",
    };
    snprintf(request.id, sizeof request.id, "%s", id);
    return request;
}

struct grant_row sample_grant(const char *id, const char *request)
{
    struct grant_row grant = {
        .tenant = "main",
        .caller = "cal_1",
        .agent = "agt_1",
        .state = GRANT_ISSUED,
        .version = 1,
        .epoch = 1,
        .digest = sample_hash(1),
        .effect_key = sample_hash(3),
        .audience = "payments-api",
        .is_bearer = true,
        .ttl_ms = 60000,
        .issued_at = 2001,
        .claim_until = 902001,
        .mint_count = 1,
        .token = "jti_1",
        .token_issued_at = 2002,
        .token_expires_at = 62002,
        .effect_due_at = 0,
        .due_at = 902001,
    };
    snprintf(grant.id, sizeof grant.id, "%s", id);
    snprintf(grant.request, sizeof grant.request, "%s", request);
    return grant;
}

struct vote_row sample_vote(const char *id, const char *request)
{
    struct vote_row vote = {
        .person = "per_1",
        .person_name = "dana",
        .revision = 1,
        .digest = sample_hash(1),
        .approves = true,
        .is_late = false,
        .assurance = ASSURANCE_SESSION,
        .via = "token",
        .reason = "looks right",
        .at = 3001,
    };
    snprintf(vote.id, sizeof vote.id, "%s", id);
    snprintf(vote.request, sizeof vote.request, "%s", request);
    return vote;
}

struct entry_row sample_entry(int64_t seq)
{
    return (struct entry_row){
        .epoch = 1,
        .seq = seq,
        .at = 1000 + seq,
        .tenant = "main",
        .type = "request.submitted",
        .request = "req_1",
        .grant = NULL,
        .bytes = "{\"type\":\"request.submitted\",\"v\":1}",
        .length = sizeof "{\"type\":\"request.submitted\",\"v\":1}" - 1,
        .leaf = sample_hash((unsigned char)seq),
    };
}

struct notice_row sample_notice(const char *id)
{
    struct notice_row notice = {
        .tenant = "main",
        .channel = "ops",
        .event = "request.pending",
        .request = "req_1",
        .recipient = "",
        .line = "",
        .payload = "{\"request\":\"req_1\"}",
        .attempts = 0,
        .created_at = 1001,
        .due_at = 1002,
        .leased_until = 0,
        .fence = 0,
        .state = "waiting",
        .last_error = NULL,
    };
    snprintf(notice.id, sizeof notice.id, "%s", id);
    return notice;
}
