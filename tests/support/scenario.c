#include "tests/support/scenario.h"

#include "ledger/verify.h"
#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2100-01-01: after any clock that set the rig up. */
static const int64_t first_day = INT64_C(4102444800000);

static const char *const names[CAST_COUNT] = {
    [DANA] = "dana",     [ERIN] = "erin",     [FRED] = "fred",   [GINA] = "gina",
    [HANK] = "hank",     [OLGA] = "olga",     [NORA] = "nora",   [ADA] = "ada",
    [AUDREY] = "audrey", [RUNNER] = "runner", [OTHER] = "other", [PAYMENTS] = "payments",
    [HOST] = "host",
};

const char scenario_policy[] =
    "version: 1\n"
    "defaults:\n"
    "  verdict: require_approval\n"
    "  approval: { groups: [ops], timeout: 1h }\n"
    "rules:\n"
    "  - { name: free, match: { action: \"free.*\" }, verdict: allow }\n"
    "  - { name: never, match: { action: \"never.*\" }, verdict: deny, message: People only. }\n"
    "  - name: two\n"
    "    match: { action: \"two.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { quorum: 2, groups: [ops], timeout: 30m }\n"
    "  - name: both-ops\n"
    "    match: { action: \"both.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h }\n"
    "  - name: both-finance\n"
    "    match: { action: \"both.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [finance], timeout: 40m }\n"
    "  - name: ladder\n"
    "    match: { action: \"ladder.*\" }\n"
    "    verdict: require_approval\n"
    "    approval:\n"
    "      groups: [finance]\n"
    "      timeout: 30m\n"
    "      ladder: [{ after: 0s, to: [finance] }, { after: 10m, to: [leads] }]\n"
    "  - name: self\n"
    "    match: { action: \"self.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h, self_approval: true }\n"
    "  - name: veto\n"
    "    match: { action: \"veto.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], quorum: 2, deny_quorum: 2, timeout: 1h }\n"
    "  - name: critical\n"
    "    match: { action: \"critical.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: critical\n"
    "    approval: { groups: [ops], quorum: 2, deny_quorum: 2, assurance: session, timeout: 1h }\n"
    "  - name: empty\n"
    "    match: { action: \"empty.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [nobody], timeout: 1h }\n"
    "  - name: late\n"
    "    match: { action: \"late.*\" }\n"
    "    verdict: require_approval\n"
    "    approval:\n"
    "      groups: [nobody]\n"
    "      timeout: 1h\n"
    "      ladder: [{ after: 0s, to: [nobody] }, { after: 10m, to: [leads] }]\n"
    "  - name: pay\n"
    "    match: { action: \"pay.*\" }\n"
    "    verdict: allow\n"
    "    grant: { ttl: 60s, claim_within: 10m, audience: [payments-api] }\n"
    "  - name: strict\n"
    "    match: { action: \"strict.*\" }\n"
    "    verdict: allow\n"
    "    grant: { audience: [payments-api], bearer: false }\n";

_Noreturn static void die(const char *doing, const struct error *error)
{
    fprintf(stderr, "scenario: %s: %s: %s: %s (%s)\n", doing, error_kind_name(error->kind),
            error->code == NULL ? "" : error->code, error->message, error->subject);
    abort();
}

static void must(struct scenario *scenario, bool ok, const char *doing)
{
    if (!ok) {
        die(doing, &scenario->error);
    }
}

void pass(struct scenario *scenario, int64_t ms)
{
    scenario->now += ms;
    scenario->boot += ms;
}

/* The hooks as the writer calls them, but for the clock. */
static void begin_batch(struct scenario *scenario)
{
    struct rig *rig = &scenario->rig;
    scenario->error = (struct error){0};
    rig->now = scenario->now;
    atomic_store(&rig->operations->boot_ms, scenario->boot);
    must(scenario, store_begin(rig->store, &scenario->error), "begin");
    rig->hooks.begin(rig->hooks.context, rig->store, rig->now);
    rig->hooks.savepoint(rig->hooks.context);
}

struct operation *scenario_begin(struct scenario *scenario, enum cast who)
{
    struct rig *rig = &scenario->rig;
    begin_batch(scenario);
    must(scenario,
         operation_begin(&scenario->operation, rig->operations, rig->store, scenario->arena,
                         rig->now, &scenario->cast[who], &scenario->error),
         "authenticate");
    return &scenario->operation;
}

struct operation *scenario_begin_system(struct scenario *scenario)
{
    struct rig *rig = &scenario->rig;
    begin_batch(scenario);
    operation_begin_system(&scenario->operation, rig->operations, rig->store, scenario->arena,
                           rig->now);
    return &scenario->operation;
}

void scenario_commit(struct scenario *scenario)
{
    struct rig *rig = &scenario->rig;
    void *context = rig->hooks.context;
    must(scenario,
         rig->hooks.finish(context, rig->store, rig->now, &scenario->error) &&
             store_commit(rig->store, &scenario->error) &&
             rig->hooks.write_mark(context, &scenario->error),
         "commit");
}

void scenario_undo(struct scenario *scenario)
{
    store_roll_back(scenario->rig.store);
    scenario->rig.hooks.abort(scenario->rig.hooks.context);
}

bool scenario_settle(struct scenario *scenario, bool ok)
{
    if (ok) {
        scenario_commit(scenario);
    } else {
        scenario_undo(scenario);
    }
    return ok;
}

void scenario_publish(struct scenario *scenario, const char *yaml)
{
    struct policy_file file = {.name = "rules.yaml", .bytes = yaml, .length = strlen(yaml)};
    struct policy *policy = policy_compile(&file, 1, &scenario->error);
    bool changed;
    must(scenario, policy != NULL, "compile");
    struct operation *operation = scenario_begin_system(scenario);
    must(scenario, operation_publish_policy(operation, policy, "{}", &changed, &scenario->error),
         "publish");
    scenario_commit(scenario);
}

static struct credential add_key(struct scenario *scenario, enum credential_kind kind,
                                 const char *owner)
{
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input input = {.kind = kind, .owner = owner};
    must(scenario,
         operation_add_credential(scenario_begin(scenario, HOST), &input, &row, secret,
                                  &scenario->error),
         "add credential");
    scenario_commit(scenario);
    return (struct credential){.kind = kind, .hash = crypto_sha256(secret, strlen(secret))};
}

static void add_person(struct scenario *scenario, enum cast who, const char *group)
{
    struct person_view view;
    struct person_input input = {.name = names[who],
                                 .is_admin = who == ADA,
                                 .is_auditor = who == AUDREY,
                                 .groups = &group,
                                 .group_count = group == NULL ? 0 : 1};
    must(scenario,
         operation_add_person(scenario_begin(scenario, HOST), &input, &view, &scenario->error),
         "add person");
    scenario_commit(scenario);
    scenario->cast[who] = add_key(scenario, CREDENTIAL_TOKEN, names[who]);
}

static void add_agent(struct scenario *scenario, const char *name, const char *owner)
{
    struct agent_row agent;
    must(scenario,
         operation_add_agent(scenario_begin(scenario, HOST), name, owner, &agent, &scenario->error),
         "add agent");
    scenario_commit(scenario);
}

static void add_caller(struct scenario *scenario, enum cast who, size_t agent_count,
                       const char *audience)
{
    static const char *const agents[] = {"bot", "crane"};
    static const char *const subjects[] = {"user/*"};
    struct caller_row caller;
    struct caller_input input = {.name = names[who],
                                 .agents = agents,
                                 .agent_count = agent_count,
                                 .subjects = subjects,
                                 .subject_count = 1,
                                 .audiences = &audience,
                                 .audience_count = audience == NULL ? 0 : 1};
    must(scenario,
         operation_add_caller(scenario_begin(scenario, HOST), &input, &caller, &scenario->error),
         "add caller");
    scenario_commit(scenario);
    scenario->cast[who] = add_key(scenario, CREDENTIAL_API_KEY, names[who]);
}

void scenario_start(struct scenario *scenario, const char *yaml)
{
    static const char *const groups[] = {
        [DANA] = "ops",   [ERIN] = "ops", [FRED] = "ops", [GINA] = "finance",
        [HANK] = "leads", [OLGA] = "ops", [AUDREY] = NULL};
    *scenario = (struct scenario){.now = first_day, .boot = HOUR};
    scenario->arena = arena_create();
    scenario->cast[HOST] = (struct credential){.kind = CREDENTIAL_HOST};
    rig_make(&scenario->rig);
    rig_open(&scenario->rig);
    for (enum cast who = DANA; who <= AUDREY; who++) {
        add_person(scenario, who, groups[who]);
    }
    add_agent(scenario, "bot", "olga");
    add_agent(scenario, "crane", NULL);
    add_caller(scenario, RUNNER, 1, NULL);
    add_caller(scenario, PAYMENTS, 0, "payments-api");
    add_caller(scenario, OTHER, 2, "payments-api");
    scenario_publish(scenario, yaml == NULL ? scenario_policy : yaml);
    pass(scenario, SECOND);
}

struct lines {
    const char *at;
    const char *end;
};

static bool next_line(void *context, const char **out_line, size_t *out_length, struct error *error)
{
    struct lines *lines = context;
    (void)error;
    if (lines->at == lines->end) {
        return false;
    }
    const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    *out_line = lines->at;
    *out_length = (size_t)(newline - lines->at);
    lines->at = newline + 1;
    return true;
}

/* An export ends with what is signed: the newest entries get their checkpoint now. */
static void sign_head(struct scenario *scenario)
{
    scenario->rig.operations->watch.covered_tick -= HOUR;
    scenario_begin_system(scenario);
    scenario_commit(scenario);
}

void scenario_verify(struct scenario *scenario)
{
    struct rig *rig = &scenario->rig;
    sign_head(scenario);
    struct builder export BUILDER_SCOPE;
    builder_init(&export, 0);
    struct export_cursor cursor = {0};
    for (bool done = false; !done;) {
        must(scenario,
             operation_export_ledger(scenario_begin(scenario, HOST), &cursor, &export, 1 << 20,
                                     &done, &scenario->error),
             "export");
        scenario_undo(scenario);
    }
    struct note_key key;
    must(scenario, note_key_of_signer(&key, RIG_ORIGIN, rig->ledger_signer, &scenario->error),
         "key");
    struct lines lines = {.at = export.bytes, .end = export.bytes + export.length};
    struct ledger_verify_options options = {.keys = &key, .key_count = 1};
    struct ledger_verify_report report;
    must(scenario, ledger_verify(&options, next_line, &lines, &report, &scenario->error), "verify");
    if (!report.is_good || report.size != rig->operations->tree.size) {
        fprintf(stderr, "scenario: the ledger does not hold up: %s (%s) at line %llu: %s\n%s\n",
                report.finding == NULL ? "" : report.finding, report.subject,
                (unsigned long long)report.line, report.message, export.bytes);
        abort();
    }
}

void scenario_end(struct scenario *scenario)
{
    scenario_verify(scenario);
    rig_remove(&scenario->rig);
    arena_destroy(scenario->arena);
}

void scenario_restart(struct scenario *scenario)
{
    rig_close(&scenario->rig);
    rig_open(&scenario->rig);
    scenario->boot = 0; /* another process, which remembers nothing */
    scenario_publish(scenario, scenario_policy);
}

const char *person_id(struct scenario *scenario, enum cast who)
{
    struct person_row person;
    must(scenario,
         store_read_person(scenario->rig.store, "default", names[who], scenario->arena, &person,
                           &scenario->error),
         "read person");
    return arena_text(scenario->arena, person.id);
}

static const char *action_name(const struct ask *ask)
{
    return ask->action == NULL ? "ops.run" : ask->action;
}

static const char *action_text(struct scenario *scenario, const struct ask *ask)
{
    return ask->args == NULL ? arena_printf(scenario->arena, "{\"name\":\"%s\"}", action_name(ask))
                             : arena_printf(scenario->arena, "{\"name\":\"%s\",\"properties\":%s}",
                                            action_name(ask), ask->args);
}

static const char resource_text[] = "{\"id\":\"4711\",\"type\":\"order\"}";

bool try_submit(struct scenario *scenario, enum cast who, const struct ask *ask,
                struct submit_result *out)
{
    const char *subject = ask->subject == NULL ? "sam" : ask->subject;
    struct operation *operation = scenario_begin(scenario, who);
    struct submit_input input = {
        .agent = ask->agent,
        .subject = arena_printf(scenario->arena, "{\"id\":\"%s\",\"type\":\"user\"}", subject),
        .subject_key = arena_printf(scenario->arena, "user/%s", subject),
        .action = action_text(scenario, ask),
        .action_name = action_name(ask),
        .resource = resource_text,
        .resource_key = "order/4711",
        .context = ask->context == NULL ? "{}" : ask->context,
        .audience = ask->audience,
        .idempotency_key = ask->key,
        .expires_in_ms = ask->expires_in_ms,
    };
    input.body = crypto_sha256(input.action, strlen(input.action));
    return scenario_settle(scenario,
                           operation_submit_request(operation, &input, out, &scenario->error));
}

struct submit_result submit(struct scenario *scenario, enum cast who, const struct ask *ask)
{
    struct submit_result result;
    must(scenario, try_submit(scenario, who, ask, &result), "submit");
    return result;
}

bool try_read(struct scenario *scenario, enum cast who, const char *request, bool mints,
              struct request_view *out)
{
    struct operation *operation = scenario_begin(scenario, who);
    return scenario_settle(
        scenario, operation_read_request(operation, request, mints, out, &scenario->error));
}

struct request_view look(struct scenario *scenario, const char *request)
{
    struct request_view view;
    must(scenario, try_read(scenario, HOST, request, false, &view), "read");
    return view;
}

struct grant_claims mint(struct scenario *scenario, const char *request)
{
    struct request_view view;
    struct request_view seen = look(scenario, request);
    enum cast holder = strcmp(seen.request.caller_name, "other") == 0 ? OTHER : RUNNER;
    must(scenario, try_read(scenario, holder, request, true, &view), "mint");
    if (!view.has_token) {
        die("mint", &(struct error){.code = "no_token", .message = "there was no token"});
    }
    return view.token;
}

bool try_vote(struct scenario *scenario, enum cast who, const char *request, bool approves,
              struct vote_result *out)
{
    struct request_row row;
    struct operation *operation = scenario_begin(scenario, who);
    must(scenario,
         store_read_request(scenario->rig.store, "default", request, scenario->arena, &row,
                            &scenario->error),
         "read");
    struct vote_input input = {
        .request = request, .revision = row.revision, .digest = row.digest, .approves = approves};
    return scenario_settle(scenario, operation_cast_vote(operation, &input, out, &scenario->error));
}

struct vote_result vote(struct scenario *scenario, enum cast who, const char *request,
                        bool approves)
{
    struct vote_result result;
    must(scenario, try_vote(scenario, who, request, approves, &result), "vote");
    return result;
}

bool try_cancel(struct scenario *scenario, enum cast who, const char *request,
                struct cancel_result *out)
{
    struct operation *operation = scenario_begin(scenario, who);
    return scenario_settle(
        scenario, operation_cancel_request(operation, request, NULL, out, &scenario->error));
}

struct redeem_result redeem(struct scenario *scenario, enum cast who,
                            const struct grant_claims *claims, const struct ask *ask)
{
    struct redeem_result result;
    struct operation *operation = scenario_begin(scenario, who);
    struct redeem_input input = {.claims = *claims,
                                 .has_claims = true,
                                 .action = action_text(scenario, ask),
                                 .resource = resource_text};
    must(scenario,
         scenario_settle(scenario,
                         operation_redeem_grant(operation, &input, &result, &scenario->error)),
         "redeem");
    return result;
}

bool try_effect(struct scenario *scenario, enum cast who, const char *grant,
                enum grant_event report, struct effect_result *out)
{
    struct operation *operation = scenario_begin(scenario, who);
    struct effect_input input = {.grant = grant, .report = report};
    return scenario_settle(scenario,
                           operation_report_effect(operation, &input, out, &scenario->error));
}

bool try_revoke(struct scenario *scenario, enum cast who, const char *grant,
                enum grant_state *out_state)
{
    struct operation *operation = scenario_begin(scenario, who);
    return scenario_settle(
        scenario, operation_revoke_grant(operation, grant, "why not", out_state, &scenario->error));
}

bool try_freeze(struct scenario *scenario, enum cast who, enum freeze_scope scope,
                const char *target, struct freeze_row *out)
{
    struct operation *operation = scenario_begin(scenario, who);
    struct freeze_input input = {.scope = scope, .target = target, .reason = "a test"};
    return scenario_settle(scenario, operation_freeze(operation, &input, out, &scenario->error));
}

struct freeze_row freeze(struct scenario *scenario, enum freeze_scope scope, const char *target)
{
    struct freeze_row row;
    must(scenario, try_freeze(scenario, ADA, scope, target, &row), "freeze");
    return row;
}

bool try_thaw(struct scenario *scenario, enum cast who, const char *freeze_id)
{
    struct freeze_row row;
    struct operation *operation = scenario_begin(scenario, who);
    return scenario_settle(scenario, operation_thaw(operation, freeze_id, &row, &scenario->error));
}

int64_t escalate(struct scenario *scenario)
{
    int64_t next = scenario->now;
    for (int turn = 0; next != 0 && next <= scenario->now; turn++) {
        size_t done;
        must(scenario,
             operation_escalate_due(scenario_begin_system(scenario), OPERATIONS_BATCH_MAX, &done,
                                    &next, &scenario->error),
             "escalate");
        scenario_commit(scenario);
        if (turn > 1000) {
            die("escalate", &(struct error){.code = "endless", .message = "it never ends"});
        }
    }
    return next;
}

void set_enabled(struct scenario *scenario, enum cast who, bool is_enabled)
{
    struct person_view view;
    must(scenario,
         operation_enable_person(scenario_begin(scenario, HOST), names[who], is_enabled, &view,
                                 &scenario->error),
         "enable");
    scenario_commit(scenario);
    if (is_enabled) {
        scenario->cast[who] = add_key(scenario, CREDENTIAL_TOKEN, names[who]);
    }
}

void set_member(struct scenario *scenario, enum cast who, const char *group, bool is_member)
{
    must(scenario,
         operation_join_group(scenario_begin(scenario, HOST), group, names[who], is_member,
                              &scenario->error),
         "join");
    scenario_commit(scenario);
}

struct search {
    const char *text;
    size_t count;
};

static bool count_text(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    search->count +=
        memmem(entry->bytes, entry->length, search->text, strlen(search->text)) != NULL;
    return true;
}

size_t count_entries(struct scenario *scenario, const char *text)
{
    struct search search = {.text = text};
    must(scenario,
         store_each_entry(scenario->rig.store, scenario->rig.operations->epoch, 0, 1000000,
                          count_text, &search, &scenario->error),
         "read entries");
    return search.count;
}
