#include "formats/canonical.h"
#include "formats/text.h"
#include "identity/proof.h"
#include "operations/request_internal.h"
#include <string.h>

/*
 * Four identities: the caller, proven; the agent and the subject it names, believed as far as its
 * registration goes; the redeemer, later. What goes beyond the registration is refused, or, where
 * the registration says so, kept and marked unverified wherever it is shown.
 */

static bool refuse_agent(const char *name, struct error *error)
{
    return error_set(error, ERROR_FORBIDDEN, "agent_not_registered", name,
                     "this caller does not speak for the agent, or the agent is disabled: an admin "
                     "registers it");
}

static bool speaks_for(const struct caller_row *caller, const char *agent)
{
    for (size_t i = 0; i < caller->agent_count; i++) {
        if (strcmp(caller->agents[i], agent) == 0) {
            return true;
        }
    }
    return false;
}

/* The agent this workload is, when its credential says so; else the one named, or the only one. */
static bool choose_agent(const struct operation *operation, const char *named, const char **out,
                         struct error *error)
{
    const struct caller_row *caller = operation->caller;
    const char *proven = operation->proof == NULL ? "" : operation->proof->agent;
    if (proven[0] != '\0') {
        *out = proven;
        return true;
    }
    if (named == NULL && caller->agent_count > 1) {
        return error_set(error, ERROR_INVALID, "agent_ambiguous", "/agent",
                         "this caller speaks for %zu agents: name the one that asks",
                         caller->agent_count);
    }
    if (named == NULL && caller->agent_count == 0) {
        return refuse_agent(NULL, error);
    }
    *out = named == NULL ? caller->agents[0] : named;
    return true;
}

/* An agent nobody registered has no owner and cannot be frozen: it is never kept. */
static bool find_agent(struct operation *operation, const char *named, struct request_row *request,
                       bool *out_is_verified, struct error *error)
{
    const struct caller_row *caller = operation->caller;
    const char *wanted = NULL;
    struct agent_row agent;
    struct error missing = {0};
    if (!choose_agent(operation, named, &wanted, error)) {
        return false;
    }
    if (!store_read_agent(operation->store, caller->tenant, wanted, operation->arena, &agent,
                          &missing)) {
        return missing.kind == ERROR_NOT_FOUND ? refuse_agent(named, error)
                                               : hide_missing(&missing, named, error);
    }
    bool is_another = operation->proof != NULL && operation->proof->agent[0] != '\0' &&
                      named != NULL && strcmp(named, agent.name) != 0 &&
                      strcmp(named, agent.id) != 0;
    *out_is_verified = speaks_for(caller, agent.id);
    if (!agent.is_enabled || is_another || (!*out_is_verified && !caller->keeps_unverified)) {
        return refuse_agent(named, error);
    }
    memcpy(request->agent, agent.id, sizeof agent.id);
    memcpy(request->agent_name, agent.name, sizeof agent.name);
    return true;
}

static bool check_subject(const struct caller_row *caller, const char *subject_key,
                          bool *out_is_verified, struct error *error)
{
    if (strlen(subject_key) >= SUBJECT_BYTES) {
        return error_set(error, ERROR_INVALID, "subject_too_long", "/subject",
                         "type and id of the subject may have %d bytes together",
                         SUBJECT_BYTES - 2);
    }
    *out_is_verified = false;
    for (size_t i = 0; !*out_is_verified && i < caller->subject_count; i++) {
        *out_is_verified = text_matches_glob(caller->subjects[i], subject_key, '/');
    }
    return *out_is_verified || caller->keeps_unverified ||
           error_set(error, ERROR_FORBIDDEN, "subject_not_registered", subject_key,
                     "this caller may not act for this subject: an admin registers whom it may act "
                     "for");
}

static const char *act_text(struct operation *operation)
{
    const struct proof *proof = operation->proof;
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    if (proof == NULL || proof->act_count == 0) {
        return "";
    }
    canonical_begin(&writer, &text);
    canonical_open_array(&writer);
    for (size_t i = 0; i < proof->act_count; i++) {
        canonical_string(&writer, proof->act[i]);
    }
    canonical_close_array(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

bool find_parties_of_call(struct operation *operation, const struct submit_input *input,
                          struct request_row *request, struct error *error)
{
    bool has_agent = false;
    bool has_subject = false;
    if (!find_agent(operation, input->agent, request, &has_agent, error) ||
        !check_subject(operation->caller, input->subject_key, &has_subject, error)) {
        return false;
    }
    request->unverified =
        has_agent ? (has_subject ? "" : "subject") : (has_subject ? "agent" : "agent subject");
    request->identity =
        operation->proof == NULL ? "" : arena_text(operation->arena, operation->proof->id);
    request->act = act_text(operation);
    request->confirmation = operation->confirmation;
    return true;
}

static struct ledger_texts unverified_texts(const char *unverified)
{
    static const char *const both[] = {"agent", "subject"};
    bool has_agent = strncmp(unverified, "agent", 5) == 0;
    bool has_subject = strstr(unverified, "subject") != NULL;
    return (struct ledger_texts){.items = has_agent ? both : both + 1,
                                 .count = (size_t)has_agent + (size_t)has_subject};
}

void name_asker(struct operation *operation, const struct request_row *request,
                struct ledger_submitted *out)
{
    const struct proof *proof = operation->proof;
    out->identity = request->identity[0] == '\0' ? NULL : request->identity;
    out->unverified = unverified_texts(request->unverified);
    if (proof != NULL && proof->act_count > 0) {
        const char **actors = arena_array(operation->arena, proof->act_count, sizeof *actors);
        for (size_t i = 0; i < proof->act_count; i++) {
            actors[i] = proof->act[i];
        }
        out->act = (struct ledger_texts){.items = actors, .count = proof->act_count};
    }
}
