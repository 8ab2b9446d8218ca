#include "base/check.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include "operations/past_counts.h"
#include "operations/policy_operations.h"
#include "operations/request_internal.h"
#include <string.h>

enum { ROWS_A_STEP = STORE_PAGE_MAX, RULES_NAMED_MAX = 5 };

static const int64_t LATEST = (INT64_C(1) << 48) - 1; /* of an id */

/* How far back the counts that rules read begin. */
static int64_t widest_window(const struct policy *policy)
{
    size_t count;
    const int64_t *windows = policy_windows(policy, &count);
    return count == 0 ? POLICY_WINDOW_MS_MAX : windows[count - 1];
}

void replay_begin(struct replay *replay, const struct policy *policy, int64_t since_at)
{
    size_t kind_count;
    const unsigned *kinds = policy_history_kinds(policy, &kind_count);
    int64_t from_at = since_at < 0 ? 0 : since_at;
    *replay = (struct replay){.policy = policy, .since_at = since_at, .arena = arena_create()};
    if (kind_count > 0) {
        int64_t window = widest_window(policy);
        replay->counts = past_counts_create(kinds, kind_count);
        from_at = from_at > window ? from_at - window : 0;
    }
    crypto_first_id("req", from_at < LATEST ? from_at : LATEST, replay->after_id);
    for (size_t i = 0; i < REPLAY_CHANGE_COUNT; i++) {
        replay->kept[i] =
            arena_array(replay->arena, REPLAY_KEPT_MAX, sizeof(struct replay_decision));
    }
}

void replay_end(struct replay *replay)
{
    past_counts_destroy(replay->counts);
    arena_destroy(replay->arena);
    *replay = (struct replay){0};
}

/* One stored request under the other policy. */
struct trial {
    const struct request_row *request;
    const struct past_row *past;
    const struct past_counts *counts; /* or NULL */
    struct policy_decision decision;
    const char *rules[RULES_NAMED_MAX];
    size_t rule_count;
    bool lacked_history;
};

static void note_rule(void *context, const char *rule, bool has_matched)
{
    struct trial *trial = context;
    if (has_matched && trial->rule_count < RULES_NAMED_MAX) {
        trial->rules[trial->rule_count++] = rule;
    }
}

static bool count(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                  int64_t *out_count)
{
    struct trial *trial = context;
    bool is_known = trial->counts != NULL &&
                    past_counts_read(trial->counts, trial->past, parts, past, window_ms, out_count);
    trial->lacked_history = trial->lacked_history || !is_known;
    return is_known;
}

static void decide(const struct replay *replay, struct trial *trial, struct arena *scratch)
{
    struct policy_history history = {
        .count = count, .context = trial, .denials = trial->request->near_denials};
    struct policy_input input = policy_input_of(trial->request);
    input.history = &history;
    policy_decide(replay->policy, &input, scratch, note_rule, trial, &trial->decision);
}

/* What policy itself said then: the row's verdict may be stricter, for an open effect. False where
 * policy was not asked. */
static bool read_verdict(const struct request_row *request, enum policy_verdict *out)
{
    struct error error = {0};
    if (request->explanation == NULL) {
        return false;
    }
    struct json_document *document JSON_SCOPE =
        json_parse(request->explanation, strlen(request->explanation), &error);
    const char *verdict =
        document == NULL ? NULL : json_text(json_member(json_root(document), "verdict"));
    return verdict != NULL && policy_verdict_read(verdict, out);
}

static int64_t count_people(const struct policy_requirement *requirements, size_t count)
{
    int64_t people = 0;
    for (size_t i = 0; i < count; i++) {
        people += requirements[i].quorum;
    }
    return people;
}

static bool read_people(const struct request_row *request, struct arena *scratch,
                        int64_t *out_people, struct error *error)
{
    struct policy_requirement *requirements;
    size_t count;
    *out_people = 0;
    if (request->requirements == NULL) {
        return true;
    }
    if (!policy_requirements_read(request->requirements, strlen(request->requirements), scratch,
                                  &requirements, &count, error)) {
        return false;
    }
    *out_people = count_people(requirements, count);
    return true;
}

/* Stricter is a lower verdict; between two that ask people, more people, or a higher risk, which
 * asks for a better proof. */
static int compare_strictness(const struct replay_decision *decision)
{
    if (decision->was != decision->is) {
        return decision->is > decision->was ? 1 : -1;
    }
    if (decision->is != POLICY_REQUIRE_APPROVAL) {
        return 0;
    }
    if (decision->was_people != decision->is_people) {
        return decision->is_people < decision->was_people ? 1 : -1;
    }
    return decision->was_risk == decision->is_risk  ? 0
           : decision->is_risk < decision->was_risk ? 1
                                                    : -1;
}

static const char *name_rules(const struct trial *trial, struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &text);
    canonical_open_array(&writer);
    for (size_t i = 0; i < trial->rule_count; i++) {
        canonical_string(&writer, trial->rules[i]);
    }
    canonical_close_array(&writer);
    return arena_copy(arena, text.bytes, text.length);
}

static void keep(struct replay *replay, enum replay_change change, const struct trial *trial,
                 struct replay_decision *decision)
{
    const struct request_row *request = trial->request;
    replay->changed[change]++;
    if (replay->kept_count[change] == REPLAY_KEPT_MAX) {
        return;
    }
    memcpy(decision->request, request->id, sizeof decision->request);
    decision->at = request->created_at;
    decision->agent = arena_text(replay->arena, request->agent_name);
    decision->action = arena_text(replay->arena, request->action_name);
    decision->resource = arena_text(replay->arena, request->resource_key);
    decision->rules = name_rules(trial, replay->arena);
    replay->kept[change][replay->kept_count[change]++] = *decision;
}

static bool look_at(struct replay *replay, const struct request_row *request,
                    const struct past_row *past, struct arena *scratch, struct error *error)
{
    struct trial trial = {.request = request, .past = past, .counts = replay->counts};
    struct replay_decision decision = {0};
    replay->looked_at++;
    if (!read_verdict(request, &decision.was)) {
        replay->unjudged++;
        return true;
    }
    decide(replay, &trial, scratch);
    replay->without_history += trial.lacked_history ? 1 : 0;
    decision.is = trial.decision.verdict;
    decision.was_risk = (enum policy_risk)request->risk;
    decision.is_risk = trial.decision.risk;
    decision.is_people =
        count_people(trial.decision.requirements, trial.decision.requirement_count);
    if (!read_people(request, scratch, &decision.was_people, error)) {
        return false;
    }
    int looser = compare_strictness(&decision);
    if (looser != 0) {
        keep(replay, looser > 0 ? REPLAY_LOOSENED : REPLAY_TIGHTENED, &trial, &decision);
    }
    return true;
}

/* The past beside the requests: what became of each and of its grant. */
static bool read_past(struct operation *operation, const struct replay *replay, size_t wanted,
                      struct arena *scratch, struct past_row **out, struct error *error)
{
    size_t count = 0;
    *out = NULL;
    if (replay->counts == NULL || wanted == 0) {
        return true;
    }
    if (!store_list_past_after(operation->store, operation->principal.tenant, replay->after_id,
                               wanted, scratch, out, &count, error)) {
        return false;
    }
    CHECK(count == wanted); /* one read transaction */
    return true;
}

bool operation_replay_policy(struct operation *operation, struct replay *replay, bool *out_done,
                             struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct request_row *rows;
    struct past_row *pasts;
    size_t count;
    if (!operation_may_read_policies(operation, error) ||
        !store_list_requests_after(operation->store, operation->principal.tenant, replay->after_id,
                                   ROWS_A_STEP, scratch, &rows, &count, error) ||
        !read_past(operation, replay, count, scratch, &pasts, error)) {
        return false;
    }
    *out_done = count < ROWS_A_STEP;
    for (size_t i = 0; i < count; i++) {
        const struct past_row *past = pasts == NULL ? NULL : &pasts[i];
        if ((rows[i].created_at >= replay->since_at &&
             !look_at(replay, &rows[i], past, scratch, error)) ||
            (past != NULL && !past_counts_add(replay->counts, past, error))) {
            return false;
        }
        memcpy(replay->after_id, rows[i].id, sizeof replay->after_id);
        replay->reached_at = rows[i].created_at;
    }
    return true;
}
