#include "formats/canonical.h"
#include "formats/text.h"
#include "operations/notice_internal.h"
#include <string.h>

/* What a round-up says: how many wait, the riskiest by line, when the first of them expires, and
 * where the list is. Nothing can be decided on it. */

enum { LINES_MAX = 5 };

struct summary {
    int total, pending;
    int ended[ROUNDUP_STATES_MAX + 1]; /* by enum request_state */
    int risk;                          /* of those that wait, the highest */
    int64_t timeout_at;                /* the earliest; 0: none waits */
};

static bool summarize(struct operation *operation, const struct roundup_row *roundup,
                      struct summary *out, struct error *error)
{
    struct roundup_tally *tallies;
    size_t count;
    if (!store_tally_roundup(operation->store, roundup->tenant, roundup->id, operation->arena,
                             &tallies, &count, error)) {
        return false;
    }
    *out = (struct summary){.risk = POLICY_RISK_LOW};
    for (size_t i = 0; i < count; i++) {
        out->total += tallies[i].count;
        if (tallies[i].state == REQUEST_PENDING) {
            out->pending = tallies[i].count;
            out->risk = tallies[i].risk;
            out->timeout_at = tallies[i].timeout_at;
        } else if (tallies[i].state > 0 && tallies[i].state <= ROUNDUP_STATES_MAX) {
            out->ended[tallies[i].state] = tallies[i].count;
        }
    }
    return true;
}

static void write_fact(struct canonical_writer *writer, const char *name, const char *value)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "name", name);
    canonical_member_text(writer, "value", value);
    canonical_close_object(writer);
}

static const char *ended_text(struct operation *operation, const struct summary *summary)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int state = 1; state <= ROUNDUP_STATES_MAX; state++) {
        if (summary->ended[state] > 0) {
            builder_printf(&text, "%s%d %s", text.length == 0 ? "" : ", ", summary->ended[state],
                           request_state_name((enum request_state)state));
        }
    }
    return arena_copy(operation->arena, text.bytes, text.length);
}

/* Whoever is asked no more, or is disabled, is named nothing more: only counted. */
static bool reader_may_know(struct operation *operation, const struct roundup_row *roundup,
                            const struct request_row *request, bool *out, struct error *error)
{
    struct person_row reader;
    bool is_one_person =
        strncmp(roundup->recipient, "per_", 4) == 0 && strchr(roundup->recipient, '@') == NULL;
    *out = !is_one_person;
    if (*out) {
        return true;
    }
    if (!store_read_person(operation->store, roundup->tenant, roundup->recipient, operation->arena,
                           &reader, error)) {
        return false;
    }
    return !reader.is_enabled || may_read(operation, &reader, request, out, error);
}

static bool write_lines(struct operation *operation, struct canonical_writer *writer,
                        const struct roundup_row *roundup, const struct summary *summary,
                        struct error *error)
{
    struct card_row *cards;
    size_t count;
    struct request_row request;
    int written = 0;
    if (!store_list_riskiest(operation->store, roundup->tenant, roundup->id, REQUEST_PENDING,
                             LINES_MAX, operation->arena, &cards, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!store_read_request(operation->store, roundup->tenant, cards[i].request,
                                operation->arena, &request, error)) {
            return false;
        }
        bool may_know = false;
        if (!reader_may_know(operation, roundup, &request, &may_know, error)) {
            return false;
        }
        if (!may_know) {
            continue;
        }
        written++;
        write_fact(writer,
                   arena_printf(operation->arena, "Risk %s",
                                policy_risk_name((enum policy_risk)request.risk)),
                   arena_printf(operation->arena, "%s on %s, asked by %s", request.action_name,
                                request.resource_key, request.agent_name));
    }
    if (summary->pending > written) {
        write_fact(writer, "And more",
                   arena_printf(operation->arena, "%d", summary->pending - written));
    }
    return true;
}

static bool write_show(struct operation *operation, struct canonical_writer *writer,
                       const struct roundup_row *roundup, const struct summary *summary,
                       struct error *error)
{
    canonical_name(writer, "show");
    canonical_open_array(writer);
    bool ok = write_lines(operation, writer, roundup, summary, error);
    if (summary->total > summary->pending) {
        write_fact(writer, "Ended",
                   arena_printf(operation->arena, "%d of %d: %s", summary->total - summary->pending,
                                summary->total, ended_text(operation, summary)));
    }
    canonical_close_array(writer);
    return ok;
}

static const char *what(struct operation *operation, const struct summary *summary)
{
    if (summary->pending > 0) {
        return arena_printf(operation->arena, "%d request%s", summary->pending,
                            summary->pending == 1 ? " waits" : "s wait");
    }
    return summary->total == 0
               ? "each is told on its own by now"
               : arena_printf(operation->arena, "all %d have ended", summary->total);
}

static void write_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    if (wall_ms != 0) {
        text_write_time(wall_ms, text);
        canonical_member_text(writer, name, text);
    }
}

/* The members that a card must have and a round-up has not are empty. */
static bool write_roundup(struct operation *operation, struct canonical_writer *writer,
                          const struct roundup_row *roundup, const struct summary *summary,
                          struct error *error)
{
    bool is_open = summary->pending > 0;
    canonical_open_object(writer);
    canonical_member_text(writer, "action", what(operation, summary));
    canonical_member_text(writer, "agent", "");
    canonical_member_bool(writer, "decides", false);
    canonical_member_text(writer, "digest", "");
    write_time(writer, "ended_at", is_open ? 0 : operation->now);
    canonical_member_text(
        writer, "link",
        arena_printf(operation->arena, "%s/", operation->operations->options.issuer));
    canonical_member_text(writer, "moment", card_moment_name(CARD_ROUNDUP));
    canonical_member_text(writer, "nonce", "");
    canonical_member_text(writer, "request", roundup->id);
    canonical_member_text(writer, "resource", "the list of what waits");
    canonical_member_integer(writer, "revision", 1);
    canonical_member_text(writer, "risk", policy_risk_name((enum policy_risk)summary->risk));
    bool ok = write_show(operation, writer, roundup, summary, error);
    canonical_member_text(writer, "state", is_open ? "pending" : "closed");
    canonical_member_text(writer, "subject", "");
    write_time(writer, "timeout_at", is_open ? summary->timeout_at : 0);
    canonical_member_text(writer, "why_not",
                          "Nothing can be decided here: open the list to decide each.");
    canonical_close_object(writer);
    return ok;
}

bool compose_roundup(struct operation *operation, const struct roundup_row *roundup,
                     const char **out, int *out_pending, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    struct summary summary;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    if (!summarize(operation, roundup, &summary, error) ||
        !write_roundup(operation, &writer, roundup, &summary, error)) {
        return false;
    }
    *out = arena_copy(operation->arena, text.bytes, text.length);
    *out_pending = summary.pending;
    return true;
}
