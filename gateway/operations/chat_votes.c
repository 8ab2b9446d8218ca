#include "operations/authorize.h"
#include "operations/chat_operations.h"
#include "operations/notice_internal.h"
#include <string.h>

/* A stale card answers with what happened: its outcome as any card of the request says it now. */
static bool tell_outcome(struct operation *operation, const struct chat_press *press,
                         const struct request_row *request, struct chat_answer *out,
                         struct error *error)
{
    const struct operations_channel *channel =
        find_channel(operation->operations, press->channels[0]);
    const char *json = NULL;
    struct card card;
    if (!request_is_final(request->state) || channel == NULL) {
        out->text = "This card is of an earlier revision: nothing was decided. Open the request to "
                    "see what is asked now.";
        return true;
    }
    if (!compose_card(operation, channel, request, &(struct card_reader){.recipient = ""},
                      CARD_ENDED, &json, error) ||
        !card_read(json, strlen(json), operation->arena, &card, error)) {
        return false;
    }
    out->text = arena_printf(operation->arena, "This has ended already. %s",
                             card_outcome(&card, operation->arena));
    return true;
}

static bool find_card(struct operation *operation, const struct chat_press *press,
                      const struct request_row *request, bool *out_found, struct error *error)
{
    *out_found = false;
    for (size_t i = 0; i < press->channel_count && !*out_found; i++) {
        struct card_row card;
        struct error missing = {0};
        *out_found = operation_find_card(operation, press->channels[i], request->tenant,
                                         request->id, press->nonce, &card, &missing);
        if (!*out_found && missing.kind != ERROR_NOT_FOUND) {
            return error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
        }
    }
    return true;
}

static const char *say_result(struct operation *operation, const struct vote_result *result,
                              bool approves)
{
    const char *said = approves ? "approval" : "denial";
    if (result->outcome == VOTE_UNCHANGED) {
        return arena_printf(operation->arena, "You had said so before: your %s counts.", said);
    }
    if (result->state != REQUEST_PENDING) {
        return arena_printf(operation->arena, "Your %s was the last that was needed: %s.", said,
                            request_state_name(result->state));
    }
    return result->missing > 0 && approves
               ? arena_printf(operation->arena, "Your approval counts. People still needed: %u.",
                              result->missing)
               : arena_printf(operation->arena, "Your %s counts.", said);
}

static bool vote(struct operation *operation, const struct chat_press *press,
                 const struct request_row *request, struct chat_answer *out, struct error *error)
{
    struct vote_input input = {.request = request->id,
                               .revision = request->revision,
                               .digest = request->digest,
                               .approves = press->approves,
                               .reason = press->reason};
    struct vote_result result;
    struct request_row now;
    if (!operation_cast_vote(operation, &input, &result, error)) {
        return false;
    }
    if (result.outcome == VOTE_LATE) {
        return store_read_request(operation->store, request->tenant, request->id, operation->arena,
                                  &now, error) &&
               tell_outcome(operation, press, &now, out, error);
    }
    out->text = say_result(operation, &result, press->approves);
    return true;
}

bool operation_press_by_chat(struct operation *operation, const struct chat_press *press,
                             struct chat_answer *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts standing;
    bool is_card = false;
    bool is_first = true;
    *out = (struct chat_answer){0};
    if (operation->principal.kind != PRINCIPAL_PERSON) {
        return error_set(error, ERROR_FORBIDDEN, "not_linked", NULL,
                         "This account is linked to nobody at Countersign.");
    }
    if (!find_request(operation, press->request, &request, &standing, error) ||
        !authorize(operation, OPERATION_CAST_VOTE, &standing, press->request, error) ||
        !find_card(operation, press, &request, &is_card, error)) {
        return false;
    }
    out->was_current = is_card && !request_is_final(request.state);
    if (!is_card || (press->is_only_begun && !out->was_current)) {
        return tell_outcome(operation, press, &request, out, error);
    }
    if (press->is_only_begun) {
        return true;
    }
    if (!operation_use_key(operation, press->key, &press->body, &is_first, error)) {
        return false;
    }
    if (!is_first) {
        out->text = "This was pressed before, and is not carried out twice.";
        return true;
    }
    return vote(operation, press, &request, out, error);
}
