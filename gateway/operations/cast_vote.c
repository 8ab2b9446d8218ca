#include "operations/attention_internal.h"
#include "operations/prove_vote_internal.h"
#include <string.h>

/* Of one person on one revision: a mind may be changed, a ledger not be filled. */
enum { VOTES_OF_PERSON_MAX = 20 };

struct attention {
    int64_t dwell_ms; /* -1: it was never said to be shown */
    bool is_quick;
    bool is_retyped;
    bool is_over_budget;
};

struct voting {
    struct operation *operation;
    const struct vote_input *input;
    struct request_row request;
    struct authorize_facts standing;
    struct request_case loaded;
    bool is_frozen;
    struct ledger_proof proof;  /* when the input has a passkey */
    struct attention attention; /* how much of it went into the vote */
    struct vote_result *out;
};

static bool vote_late(struct voting *voting, struct error *error);
static bool vote_in_time(struct voting *voting, struct error *error);

static bool load(struct voting *voting, struct error *error)
{
    return load_request_case(voting->operation, &voting->request, voting->operation->principal.id,
                             &voting->loaded, error);
}

static bool answer(struct voting *voting, enum vote_outcome outcome, unsigned missing)
{
    voting->out->outcome = outcome;
    voting->out->state = voting->request.state;
    voting->out->reason = voting->request.reason;
    voting->out->missing = voting->request.state == REQUEST_PENDING ? missing : 0;
    return true;
}

bool operation_cast_vote(struct operation *operation, const struct vote_input *input,
                         struct vote_result *out, struct error *error)
{
    struct voting voting = {.operation = operation, .input = input, .out = out};
    *out = (struct vote_result){0};
    if (!find_request(operation, input->request, &voting.request, &voting.standing, error) ||
        !authorize(operation, OPERATION_CAST_VOTE, &voting.standing, input->request, error) ||
        !check_shown(operation, &voting.request, input->revision, &input->digest, error) ||
        !advance_request(operation, &voting.request, &voting.is_frozen, error)) {
        return false;
    }
    /* A policy published since may ask for more, or deny: the vote is counted under the one in
     * force. */
    if (voting.request.state == REQUEST_PENDING &&
        !reevaluate_request(operation, &voting.request, error)) {
        return false;
    }
    if (!load(&voting, error) ||
        (input->passkey != NULL && !prove_vote(operation, &voting.request, input->approves,
                                               input->passkey, &voting.proof, error))) {
        return false;
    }
    return request_is_final(voting.request.state) ? vote_late(&voting, error)
                                                  : vote_in_time(&voting, error);
}

static bool check_eligibility(const struct voting *voting, bool approves, struct error *error)
{
    enum assurance needed;
    enum approvals_permission permission =
        approvals_may_vote(&voting->loaded.facts, voting->loaded.self, approves,
                           voting->operation->principal.assurance, &needed);
    return permission == APPROVALS_MAY ||
           refuse_permission(&voting->request, permission, needed, error);
}

static void count_vote(struct metrics *metrics, const struct vote_row *vote)
{
    metrics_add(metrics, METRIC_VOTES, 1);
    metrics_add(metrics, METRIC_VOTES_QUICK, vote->is_quick ? 1 : 0);
    metrics_add(metrics, METRIC_VOTES_OVER_BUDGET, vote->is_over_budget ? 1 : 0);
}

/* What the vote's entry says of the care that went into it. Nothing of it refuses a vote but a
 * challenge that was not met. */
static bool weigh_attention(struct voting *voting, struct error *error)
{
    struct operation *operation = voting->operation;
    const struct request_row *request = &voting->request;
    struct attention *attention = &voting->attention;
    int64_t limit = operation->operations->options.votes_per_hour;
    int64_t viewed_at;
    int64_t used;
    if (!store_find_view(operation->store, request->tenant, request->id, request->revision,
                         operation->principal.id, &viewed_at, error) ||
        !count_own_votes(operation, &used, error) ||
        (voting->input->approves &&
         !check_retyped(request, voting->input->retyped, &attention->is_retyped, error))) {
        return false;
    }
    attention->dwell_ms = viewed_at == 0 ? -1 : operation->now - viewed_at;
    if (viewed_at != 0 && attention->dwell_ms < 0) {
        attention->dwell_ms = 0; /* the clock stepped back meanwhile */
    }
    attention->is_quick =
        voting->input->approves && attention->dwell_ms < dwell_needed_ms(operation, request);
    attention->is_over_budget = limit > 0 && used >= limit;
    return true;
}

static bool record_vote(struct voting *voting, bool is_late, struct error *error)
{
    struct operation *operation = voting->operation;
    const struct request_row *request = &voting->request;
    struct vote_row vote = {
        .revision = request->revision,
        .digest = request->digest,
        .approves = voting->input->approves,
        .is_late = is_late,
        .assurance = operation->principal.assurance,
        .via = operation_via(operation),
        .reason = operation_bounded_text(operation, voting->input->reason),
        .at = operation->now,
        .dwell_ms = voting->attention.dwell_ms,
        .is_quick = voting->attention.is_quick,
        .is_retyped = voting->attention.is_retyped,
        .is_over_budget = voting->attention.is_over_budget,
    };
    crypto_make_id("vot", operation->now, vote.id);
    memcpy(vote.request, request->id, sizeof vote.request);
    memcpy(vote.person, operation->principal.id, sizeof vote.person);
    memcpy(vote.person_name, operation->principal.name, sizeof vote.person_name);
    memcpy(voting->out->vote, vote.id, sizeof vote.id);
    bool is_proved = voting->input->passkey != NULL;
    struct ledger_vote entry = {.is_approve = vote.approves,
                                .revision = vote.revision,
                                .was_shown = vote.dwell_ms >= 0,
                                .dwell_ms = vote.dwell_ms,
                                .is_quick = vote.is_quick,
                                .is_retyped = vote.is_retyped,
                                .is_over_budget = vote.is_over_budget,
                                .proof = is_proved ? &voting->proof : NULL};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_vote(&data, &entry);
    struct record record = {
        .type = is_late ? LEDGER_VOTE_LATE : LEDGER_VOTE,
        .tenant = request->tenant,
        .request = request->id,
        .policy = is_proved ? operations_policy_version(operation->operations) : NULL,
        .digest = &request->digest,
        .data = &data,
    };
    count_vote(operation->operations->options.metrics, &vote);
    return store_insert_vote(operation->store, request->tenant, &vote, error) &&
           record_entry(operation, &record, error);
}

/* The last word of this person, late or not. */
static const struct vote_row *last_vote(const struct voting *voting, bool is_late)
{
    const struct vote_row *last = NULL;
    for (size_t i = 0; i < voting->loaded.vote_count; i++) {
        const struct vote_row *vote = &voting->loaded.votes[i];
        if (vote->is_late == is_late &&
            strcmp(vote->person, voting->operation->principal.id) == 0) {
            last = vote;
        }
    }
    return last;
}

static size_t count_votes_of_self(const struct voting *voting)
{
    size_t count = 0;
    for (size_t i = 0; i < voting->loaded.vote_count; i++) {
        const struct vote_row *vote = &voting->loaded.votes[i];
        bool is_own = strcmp(vote->person, voting->operation->principal.id) == 0;
        count += is_own && vote->revision == voting->request.revision ? 1 : 0;
    }
    return count;
}

static bool check_vote_count(const struct voting *voting, struct error *error)
{
    return count_votes_of_self(voting) < VOTES_OF_PERSON_MAX ||
           error_set(error, ERROR_LIMIT, "too_many_votes", voting->request.id,
                     "you have voted %d times on this request, the most there may be",
                     VOTES_OF_PERSON_MAX);
}

/* Recorded, changes nothing; the same late vote again is not even recorded. */
static bool vote_late(struct voting *voting, struct error *error)
{
    const struct request_transition *transition;
    const struct vote_row *last = last_vote(voting, true);
    if (!check_eligibility(voting, voting->input->approves, error) ||
        !find_transition(&voting->request, REQUEST_VOTED_LATE, &transition, error)) {
        return false;
    }
    if (last != NULL && last->approves == voting->input->approves) {
        memcpy(voting->out->vote, last->id, sizeof last->id);
        return answer(voting, VOTE_LATE, 0);
    }
    voting->attention.dwell_ms = -1;
    return check_vote_count(voting, error) && record_vote(voting, true, error) &&
           answer(voting, VOTE_LATE, 0);
}

/* The group of the requirement through which the person stands for it. */
static const char *group_of(const struct voting *voting, const struct approvals_assignment *one)
{
    const struct approvals_case *facts = &voting->loaded.facts;
    size_t count;
    const char **asked =
        approvals_groups_asked(&facts->requirements[one->requirement], facts->asked_at, facts->now,
                               voting->operation->arena, &count);
    for (size_t i = 0; i < facts->person_count; i++) {
        const struct approvals_person *person = &facts->people[i];
        for (size_t j = 0; strcmp(person->id, one->person) == 0 && j < person->group_count; j++) {
            for (size_t k = 0; k < count; k++) {
                if (strcmp(person->groups[j], asked[k]) == 0) {
                    return asked[k];
                }
            }
        }
    }
    return NULL;
}

static bool approve(struct voting *voting, const struct approvals_tally *tally, struct error *error)
{
    struct operation *operation = voting->operation;
    struct request_row *request = &voting->request;
    struct ledger_assigned *assigned =
        arena_array(operation->arena, tally->assignment_count, sizeof *assigned);
    struct policy_grant terms;
    struct grant_row grant;
    for (size_t i = 0; i < tally->assignment_count; i++) {
        const struct approvals_assignment *one = &tally->assignments[i];
        assigned[i] = (struct ledger_assigned){.person = one->person,
                                               .group = group_of(voting, one),
                                               .requirement = (int64_t)one->requirement};
    }
    return policy_grant_read(request->grant_settings, strlen(request->grant_settings),
                             operation->arena, &terms, error) &&
           record_uncounted(operation, &voting->loaded, NULL, error) &&
           approve_request(operation, request, REQUEST_REQUIREMENTS_MET, assigned,
                           tally->assignment_count, &terms, false, &grant, error);
}

/* Everyone's votes as of now, this one included. */
static bool count(struct voting *voting, struct error *error)
{
    struct operation *operation = voting->operation;
    if (!load(voting, error)) {
        return false;
    }
    struct approvals_tally tally = approvals_count(&voting->loaded.facts, operation->arena);
    bool ok = true;
    switch (tally.outcome) {
    case APPROVALS_DENIED:
        ok = end_request(operation, &voting->request, REQUEST_DENY_QUORUM_REACHED,
                         operation->principal.id, error);
        break;
    case APPROVALS_MET:
        ok = approve(voting, &tally, error);
        break;
    case APPROVALS_OPEN:
        operation_vote_note(operation, &voting->request);
        break;
    }
    return ok && answer(voting, VOTE_COUNTED, tally.missing);
}

/* Who has seen the others' votes on a critical request may change only to deny. */
static bool check_blind(const struct voting *voting, struct error *error)
{
    const struct vote_row *last = last_vote(voting, false);
    bool softens = last != NULL && last->revision == voting->request.revision && !last->approves &&
                   voting->input->approves;
    return !softens || voting->request.risk != POLICY_RISK_CRITICAL ||
           error_set(error, ERROR_CONFLICT, "denial_stands", voting->request.id,
                     "a denial of a critical request cannot be changed to an approval after its "
                     "person has seen the votes of others");
}

static bool check_not_frozen(const struct voting *voting, struct error *error)
{
    return !voting->is_frozen || !voting->input->approves ||
           error_set(error, ERROR_CONFLICT, "frozen", voting->request.id,
                     "this is frozen: it cannot be approved before it is thawed; it can be denied");
}

/* Nothing is recorded. But a rung or a group may have made enough of the votes there are. */
static bool say_again(struct voting *voting, struct error *error)
{
    struct approvals_tally tally = approvals_count(&voting->loaded.facts, voting->operation->arena);
    if (tally.outcome == APPROVALS_OPEN) {
        return answer(voting, VOTE_UNCHANGED, tally.missing);
    }
    if (!count(voting, error)) {
        return false;
    }
    voting->out->outcome = VOTE_UNCHANGED;
    return true;
}

static bool vote_in_time(struct voting *voting, struct error *error)
{
    const struct operation *operation = voting->operation;
    const struct request_transition *transition;
    const struct vote_row *current = current_vote_of(&voting->loaded, operation->principal.id);
    if (!check_eligibility(voting, voting->input->approves, error) ||
        !check_not_frozen(voting, error) || !check_blind(voting, error)) {
        return false;
    }
    if (current != NULL && current->approves == voting->input->approves &&
        current->assurance >= operation->principal.assurance) {
        memcpy(voting->out->vote, current->id, sizeof current->id);
        return say_again(voting, error);
    }
    return check_vote_count(voting, error) && weigh_attention(voting, error) &&
           find_transition(&voting->request, REQUEST_VOTE_COUNTED, &transition, error) &&
           record_vote(voting, false, error) && count(voting, error);
}
