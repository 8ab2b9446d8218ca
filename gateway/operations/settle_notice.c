#include "formats/text.h"
#include "operations/notice_internal.h"
#include <string.h>

/* Settling: what came of a notice. */

bool record_notice(struct operation *operation, const struct notice_row *notice,
                   enum ledger_entry_type type, const char *reason, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_notice(&data, &(struct ledger_notice){.notice = notice->id,
                                                      .channel = notice->channel,
                                                      .purpose = notice->event,
                                                      .reason = reason,
                                                      .attempt = notice->attempts});
    struct record record = {.type = type,
                            .tenant = notice->tenant,
                            .request = notice->request,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

/* What the other side said, of whatever bytes: as it may stand in the ledger and before people. */
static const char *shown_words(struct operation *operation, const char *words)
{
    struct builder shown BUILDER_SCOPE;
    builder_init(&shown, 0);
    if (words == NULL || words[0] == '\0') {
        return NULL;
    }
    text_append_visible(&shown, words, text_cut(words, NOTICE_ANSWER_BYTES_MAX));
    return arena_copy(operation->arena, shown.bytes, shown.length);
}

/* What stands on the channel now. */
static bool settle_card(struct operation *operation, const struct notice_lease *notice,
                        const struct notice_settlement *settlement, struct error *error)
{
    struct card_row card;
    bool is_found = false;
    if (notice->is_card && notice->row.roundup != NULL) {
        return settle_roundup(operation, notice, settlement, error);
    }
    if (!notice->is_card || notice->row.request == NULL) {
        return true;
    }
    if (!store_find_card(operation->store, notice->row.tenant, notice->row.request,
                         notice->row.channel, notice->row.recipient, operation->arena, &card,
                         &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return true;
    }
    if (settlement->outcome == NOTICE_SENT) {
        card.state = "posted";
        card.address = settlement->address != NULL ? settlement->address : card.address;
        card.revision = notice->revision;
        card.version = notice->is_bare ? -1 : notice->version; /* not all of it is shown */
        card.moment = card_moment_name(moment_of_event(notice->row.event));
        card.changed_at = operation->now;
    } else if (strcmp(card.state, "posting") == 0 && !settlement->may_have_arrived &&
               !notice->may_stand) {
        card.state = "wanted";
        card.told_at = 0;
    } else {
        return true;
    }
    return store_update_card(operation->store, &card, error);
}

static bool defer(struct operation *operation, struct notice_lease *notice,
                  const struct notice_settlement *settlement, struct error *error)
{
    notice->row.due_at = operation->now + settlement->retry_after_ms;
    note_notice_due(operation->operations, notice->row.due_at);
    return store_settle_notice(operation->store, &notice->row, error) &&
           settle_card(operation, notice, settlement, error);
}

/* It stands there and can be changed: the same notice goes again, with the buttons. */
static bool dress(struct operation *operation, struct notice_lease *notice,
                  const struct notice_settlement *settlement, struct error *error)
{
    notice->row.due_at = operation->now;
    note_notice_due(operation->operations, operation->now);
    return store_settle_notice(operation->store, &notice->row, error) &&
           settle_card(operation, notice, settlement, error);
}

static void count(const struct operation *operation, enum notice_outcome outcome)
{
    struct metrics *metrics = operation->operations->options.metrics;
    metrics_add(metrics, outcome == NOTICE_SENT ? METRIC_NOTICES_SENT : METRIC_NOTICES_DEAD, 1);
}

bool operation_settle_notice(struct operation *operation, struct notice_lease *notice,
                             const struct notice_settlement *settlement, struct error *error)
{
    static const enum ledger_entry_type types[] = {LEDGER_NOTICE_FAILED, LEDGER_NOTICE_SENT,
                                                   LEDGER_NOTICE_DEAD};
    static const char *const states[] = {"waiting", "sent", "dead"};
    struct notice_row *row = &notice->row;
    enum notice_outcome outcome = settlement->outcome;
    if (outcome == NOTICE_DEFERRED) {
        return defer(operation, notice, settlement, error);
    }
    if (outcome == NOTICE_SENT && notice->is_bare && settlement->address != NULL) {
        return dress(operation, notice, settlement, error);
    }
    if (outcome == NOTICE_RETRY && strcmp(row->event, NOTICE_TEST_EVENT) == 0) {
        outcome = NOTICE_DEAD; /* a test answers now */
    }
    row->attempts++;
    row->state = states[outcome];
    row->last_error = shown_words(operation, settlement->reason);
    row->settled_at = operation->now;
    row->answer = shown_words(operation, settlement->answer);
    row->due_at = operation->now + (outcome == NOTICE_RETRY ? settlement->retry_after_ms : 0);
    if (!store_settle_notice(operation->store, row, error) ||
        !settle_card(operation, notice, settlement, error) ||
        !record_notice(operation, row, types[outcome], row->last_error, error)) {
        return false;
    }
    if (outcome == NOTICE_RETRY) {
        note_notice_due(operation->operations, row->due_at);
    } else {
        count(operation, outcome);
    }
    if (row->line[0] != '\0') {
        note_notice_due(operation->operations, operation->now); /* the next of its line */
    }
    return true;
}
