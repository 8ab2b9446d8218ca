#include "formats/json.h"
#include "operations/request_internal.h"
#include <string.h>

enum {
    /* The subject, the agent's owner then and now. */
    PARTIES_MAX = 16,
    ENTRIES_MAX = 10000, /* of one request: votes are bounded in cast_vote.c, rungs by policy */
};

bool has_party(const struct ledger_texts *parties, const char *id)
{
    for (size_t i = 0; i < parties->count; i++) {
        if (strcmp(parties->items[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static void add_party(const char **items, struct ledger_texts *parties, const char *id)
{
    if (id[0] != '\0' && parties->count < PARTIES_MAX && !has_party(parties, id)) {
        items[parties->count++] = id;
    }
}

static void add_named_parties(struct operation *operation, const char **items,
                              struct ledger_texts *parties, const char *named)
{
    char *rest = arena_text(operation->arena, named == NULL ? "" : named);
    char *id;
    while ((id = strsep(&rest, " ")) != NULL) {
        add_party(items, parties, id);
    }
}

bool is_high_risk(const struct request_row *request)
{
    return request->risk == POLICY_RISK_HIGH || request->risk == POLICY_RISK_CRITICAL;
}

struct binding bind_stored(const struct request_row *request)
{
    return (struct binding){
        .tenant = request->tenant,
        .agent = request->agent_name,
        .subject = request->subject,
        .action = request->action,
        .resource = request->resource,
        .context = request->context,
        .audience = request->audience,
    };
}

bool find_parties(struct operation *operation, const struct request_row *request,
                  struct ledger_texts *out, struct error *error)
{
    const char **items = arena_array(operation->arena, PARTIES_MAX, sizeof *items);
    *out = (struct ledger_texts){.items = items};
    add_named_parties(operation, items, out, request->parties);
    char *subject = arena_alloc(operation->arena, ID_BYTES);
    if (!store_find_person_by_subject(operation->store, request->tenant, request->subject_key,
                                      subject, error)) {
        return false;
    }
    add_party(items, out, subject);
    struct agent_row *agent = ARENA_NEW(operation->arena, struct agent_row);
    if (!store_read_agent(operation->store, request->tenant, request->agent, operation->arena,
                          agent, error)) {
        return false;
    }
    add_party(items, out, agent->owner);
    return true;
}

bool load_person_facts(struct operation *operation, const char *tenant, const char *id,
                       const struct ledger_texts *parties, struct approvals_person *out,
                       struct error *error)
{
    struct person_row person;
    struct error missing = {0};
    *out = (struct approvals_person){.id = id, .is_excluded = has_party(parties, id)};
    if (!store_read_person(operation->store, tenant, id, operation->arena, &person, &missing)) {
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, id, "%s", missing.message);
    }
    out->is_enabled = person.is_enabled;
    const char **groups;
    if (!store_list_groups_of(operation->store, tenant, person.id, operation->arena, &groups,
                              &out->group_count, error)) {
        return false;
    }
    out->groups = groups;
    return true;
}

static bool is_current(const struct request_case *request, size_t vote)
{
    return request->votes[vote].revision == request->request->revision &&
           !request->votes[vote].is_late && !request->is_uncounted[vote];
}

static bool read_uncounted_person(const struct entry_row *entry, char out[ID_BYTES],
                                  struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(entry->bytes, entry->length, error);
    const char *person = json_text(json_member(json_member(json_root(document), "data"), "person"));
    if (person == NULL || strlen(person) >= ID_BYTES) {
        return error_set(error, ERROR_CORRUPT, "entry_malformed", entry->request,
                         "entry %lld does not say whose vote it takes back", (long long)entry->seq);
    }
    memcpy(out, person, strlen(person) + 1);
    return true;
}

/* Each entry `vote` is one row of the votes that came in time, in the same order. */
static size_t skip_votes_until(const struct request_case *request, size_t vote, size_t in_time)
{
    while (vote < request->vote_count && in_time > 0) {
        in_time -= request->votes[vote++].is_late ? 0 : 1;
    }
    return vote;
}

static void take_back(struct request_case *request, const char *person, size_t vote_entries)
{
    size_t end = skip_votes_until(request, 0, vote_entries);
    for (size_t i = 0; i < end; i++) {
        if (strcmp(request->votes[i].person, person) == 0) {
            request->is_uncounted[i] = true;
        }
    }
}

/* A vote that was taken back counts no more, even when its person returns: the ledger says so, and
 * whoever verifies it reads it that way. */
static bool mark_uncounted(struct operation *operation, struct request_case *request,
                           struct error *error)
{
    struct entry_row *entries;
    size_t count;
    request->is_uncounted = arena_array(operation->arena, request->vote_count, sizeof(bool));
    if (request->vote_count == 0) {
        return true;
    }
    if (!store_list_request_entries(operation->store, request->request->tenant,
                                    request->request->id, ENTRIES_MAX, operation->arena, &entries,
                                    &count, error)) {
        return false;
    }
    size_t vote_entries = 0;
    for (size_t i = 0; i < count; i++) {
        char person[ID_BYTES];
        if (strcmp(entries[i].type, ledger_entry_type_name(LEDGER_VOTE)) == 0) {
            vote_entries++;
        }
        if (strcmp(entries[i].type, ledger_entry_type_name(LEDGER_VOTE_UNCOUNTED)) != 0) {
            continue;
        }
        if (!read_uncounted_person(&entries[i], person, error)) {
            return false;
        }
        take_back(request, person, vote_entries);
    }
    return true;
}

/* The newest vote of each person on the current revision. */
static void pick_current_votes(struct operation *operation, struct request_case *request)
{
    struct approvals_vote *votes =
        arena_array(operation->arena, request->vote_count, sizeof *votes);
    size_t count = 0;
    for (size_t i = 0; i < request->vote_count; i++) {
        const struct vote_row *vote = &request->votes[i];
        if (!is_current(request, i)) {
            continue;
        }
        size_t place = 0;
        while (place < count && strcmp(votes[place].person, vote->person) != 0) {
            place++;
        }
        votes[place] = (struct approvals_vote){
            .person = vote->person, .approves = vote->approves, .assurance = vote->assurance};
        count += place == count ? 1 : 0;
    }
    request->facts.votes = votes;
    request->facts.vote_count = count;
}

static bool load_people(struct operation *operation, struct request_case *request,
                        const char *person, struct error *error)
{
    const struct approvals_case *facts = &request->facts;
    struct ledger_texts parties;
    if (!find_parties(operation, request->request, &parties, error)) {
        return false;
    }
    struct approvals_person *people =
        arena_array(operation->arena, facts->vote_count + 1, sizeof *people);
    size_t count = 0;
    for (; count < facts->vote_count; count++) {
        const char *voter = facts->votes[count].person;
        if (!load_person_facts(operation, request->request->tenant, voter, &parties, &people[count],
                               error)) {
            return false;
        }
        if (person != NULL && strcmp(voter, person) == 0) {
            request->self = &people[count];
        }
    }
    if (person != NULL && request->self == NULL) {
        if (!load_person_facts(operation, request->request->tenant, person, &parties,
                               &people[count], error)) {
            return false;
        }
        request->self = &people[count++];
    }
    request->facts.people = people;
    request->facts.person_count = count;
    return true;
}

bool load_requirements(struct operation *operation, const struct request_row *request,
                       struct approvals_case *facts, struct error *error)
{
    if (request->requirements == NULL) {
        return true;
    }
    struct policy_requirement *requirements;
    if (!policy_requirements_read(request->requirements, strlen(request->requirements),
                                  operation->arena, &requirements, &facts->requirement_count,
                                  error)) {
        return false;
    }
    facts->requirements = requirements;
    return true;
}

bool load_request_case(struct operation *operation, struct request_row *request, const char *person,
                       struct request_case *out, struct error *error)
{
    *out = (struct request_case){
        .request = request,
        .facts = {.allows_self_approval = request->allows_self_approval,
                  .is_high = is_high_risk(request),
                  .editor = request->editor,
                  .asked_at = request->asked_at,
                  .now = request->ended_at != 0 ? request->ended_at : operation->now},
    };
    if (!load_requirements(operation, request, &out->facts, error) ||
        !store_list_votes(operation->store, request->tenant, request->id, operation->arena,
                          &out->votes, &out->vote_count, error) ||
        !mark_uncounted(operation, out, error)) {
        return false;
    }
    pick_current_votes(operation, out);
    return load_people(operation, out, person, error);
}

const struct vote_row *current_vote_of(const struct request_case *request, const char *person)
{
    const struct vote_row *current = NULL;
    for (size_t i = 0; i < request->vote_count; i++) {
        const struct vote_row *vote = &request->votes[i];
        if (is_current(request, i) && strcmp(vote->person, person) == 0) {
            current = vote;
        }
    }
    return current;
}

static const struct approvals_person *find_voter(const struct request_case *request,
                                                 const char *person)
{
    for (size_t i = 0; i < request->facts.person_count; i++) {
        if (strcmp(request->facts.people[i].id, person) == 0) {
            return &request->facts.people[i];
        }
    }
    return NULL;
}

/* NULL while the vote counts, or where it never did anything that must be taken back. */
static const char *why_uncounted(const struct request_case *request,
                                 const struct approvals_vote *vote)
{
    const struct approvals_person *voter = find_voter(request, vote->person);
    enum assurance needed;
    if (voter == NULL || !voter->is_enabled) {
        return "disabled";
    }
    enum approvals_permission permission =
        approvals_may_vote(&request->facts, voter, vote->approves, vote->assurance, &needed);
    return permission == APPROVALS_MAY_NOT_KNOW ? "left_groups" : NULL;
}

bool record_uncounted(struct operation *operation, const struct request_case *request,
                      const char *person, struct error *error)
{
    for (size_t i = 0; i < request->facts.vote_count; i++) {
        const struct approvals_vote *vote = &request->facts.votes[i];
        const char *reason = why_uncounted(request, vote);
        if (reason == NULL || (person != NULL && strcmp(vote->person, person) != 0)) {
            continue;
        }
        struct builder data BUILDER_SCOPE;
        builder_init(&data, 0);
        ledger_data_uncounted(&data, vote->person, reason);
        struct record record = {.type = LEDGER_VOTE_UNCOUNTED,
                                .tenant = request->request->tenant,
                                .request = request->request->id,
                                .data = &data,
                                .is_by_gateway = true};
        if (!record_entry(operation, &record, error)) {
            return false;
        }
    }
    return true;
}
