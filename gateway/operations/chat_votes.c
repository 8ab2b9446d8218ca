#include "formats/json.h"
#include "operations/authorize.h"
#include "operations/chat_operations.h"
#include "operations/notice_internal.h"
#include <string.h>

/* The card that was pressed, or the one of the request that stands where it stood. */
struct pressed {
    const struct operations_channel *channel; /* NULL: no card of the request is known there */
    const char *recipient;
    bool is_current; /* pressed as it is now */
};

static bool show(struct operation *operation, const struct chat_press *press,
                 const struct pressed *pressed, const struct request_row *request,
                 enum card_moment moment, struct chat_answer *out, struct error *error)
{
    struct card_reader reader = {.recipient = pressed->recipient};
    return !press->wants_card || pressed->channel == NULL ||
           compose_card(operation, pressed->channel, request, &reader, moment, &out->card, error);
}

/* Its outcome, as any card of the request says it now. */
static bool say_outcome(struct operation *operation, const struct chat_press *press,
                        const struct request_row *request, struct chat_answer *out,
                        struct error *error)
{
    const struct operations_channel *channel =
        find_channel(operation->operations, press->channels[0]);
    const char *json = NULL;
    struct card card;
    if (channel == NULL) {
        out->text = "This has ended already.";
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

/* The nonce of a card is good where that card stands alone. */
static bool stands_there(const struct card_row *card, const char *place)
{
    struct error ignored = {0};
    struct json_document *address JSON_SCOPE =
        card->address == NULL ? NULL : json_parse(card->address, strlen(card->address), &ignored);
    const struct json *root = address == NULL ? NULL : json_root(address);
    const char *channel = json_text(json_member(root, "channel")); /* of Slack's */
    const char *known =
        channel != NULL ? channel : json_text(json_member(root, "conversation")); /* of Teams' */
    return place == NULL || known == NULL || strcmp(known, place) == 0;
}

/* A stale card answers with what happened. */
static bool tell_outcome(struct operation *operation, const struct chat_press *press,
                         const struct pressed *pressed, const struct request_row *request,
                         struct chat_answer *out, struct error *error)
{
    if (request_is_final(request->state)) {
        return say_outcome(operation, press, request, out, error) &&
               show(operation, press, pressed, request, CARD_ENDED, out, error);
    }
    out->text = "This card is of an earlier revision: nothing was decided. Open the request to "
                "see what is asked now.";
    return show(operation, press, pressed, request, CARD_EDITED, out, error);
}

static bool find_stale(struct operation *operation, const char *channel,
                       const struct request_row *request, struct pressed *out, struct error *error)
{
    struct card_row *cards = NULL;
    size_t count = 0;
    if (!store_list_cards(operation->store, request->tenant, request->id, channel, operation->arena,
                          &cards, &count, error)) {
        return false;
    }
    if (count > 0 && out->channel == NULL) {
        out->channel = find_channel(operation->operations, channel);
        out->recipient = cards[0].recipient;
    }
    return true;
}

static bool find_card(struct operation *operation, const struct chat_press *press,
                      const struct request_row *request, struct pressed *out, struct error *error)
{
    *out = (struct pressed){0};
    for (size_t i = 0; i < press->channel_count && !out->is_current; i++) {
        struct card_row card;
        struct error missing = {0};
        if (operation_find_card(operation, press->channels[i], request->tenant, request->id,
                                press->nonce, &card, &missing)) {
            *out = (struct pressed){find_channel(operation->operations, press->channels[i]),
                                    card.recipient, stands_there(&card, press->place)};
        } else if (missing.kind != ERROR_NOT_FOUND) {
            return error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
        } else if (!find_stale(operation, press->channels[i], request, out, error)) {
            return false;
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
                 const struct pressed *pressed, const struct request_row *request,
                 struct chat_answer *out, struct error *error)
{
    struct vote_input input = {.request = request->id,
                               .revision = request->revision,
                               .digest = request->digest,
                               .approves = press->approves,
                               .reason = press->reason};
    struct vote_result result;
    struct request_row now;
    if (!operation_cast_vote(operation, &input, &result, error) ||
        !store_read_request(operation->store, request->tenant, request->id, operation->arena, &now,
                            error)) {
        return false;
    }
    if (result.outcome == VOTE_LATE) {
        return tell_outcome(operation, press, pressed, &now, out, error);
    }
    out->text = say_result(operation, &result, press->approves);
    return !request_is_final(now.state) ||
           show(operation, press, pressed, &now, CARD_ENDED, out, error);
}

bool operation_press_by_chat(struct operation *operation, const struct chat_press *press,
                             struct chat_answer *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts standing;
    struct pressed pressed;
    bool is_first = true;
    *out = (struct chat_answer){0};
    if (operation->principal.kind != PRINCIPAL_PERSON) {
        return error_set(error, ERROR_FORBIDDEN, "not_linked", NULL,
                         "This account is linked to nobody at Countersign.");
    }
    if (!find_request(operation, press->request, &request, &standing, error) ||
        !authorize(operation, OPERATION_CAST_VOTE, &standing, press->request, error) ||
        !find_card(operation, press, &request, &pressed, error)) {
        return false;
    }
    out->was_current = pressed.is_current && !request_is_final(request.state);
    if (!pressed.is_current || (press->is_only_begun && !out->was_current)) {
        return tell_outcome(operation, press, &pressed, &request, out, error);
    }
    if (press->is_only_begun) {
        return show(operation, press, &pressed, &request, CARD_ASKED, out, error);
    }
    if (!operation_use_key(operation, press->key, &press->body, &is_first, error)) {
        return false;
    }
    if (!is_first) {
        out->text = "This was pressed before, and is not carried out twice.";
        return true;
    }
    return vote(operation, press, &pressed, &request, out, error);
}
