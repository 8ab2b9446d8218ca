#include "ledger/entry.h"

#include "base/check.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include "ledger/entry_internal.h"
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[LEDGER_ENTRY_TYPE_COUNT] = {
    [LEDGER_REQUEST_SUBMITTED] = "request.submitted",
    [LEDGER_POLICY_DECIDED] = "policy.decided",
    [LEDGER_REQUIREMENTS_GROWN] = "requirements.grown",
    [LEDGER_RUNG_REACHED] = "rung.reached",
    [LEDGER_REQUEST_VIEWED] = "request.viewed",
    [LEDGER_REQUEST_STRANDED] = "request.stranded",
    [LEDGER_REQUEST_WATCHED] = "request.watched",
    [LEDGER_REQUEST_COMMENTED] = "request.commented",
    [LEDGER_REQUEST_EDITED] = "request.edited",
    [LEDGER_VOTE] = "vote",
    [LEDGER_VOTE_LATE] = "vote.late",
    [LEDGER_VOTE_UNCOUNTED] = "vote.uncounted",
    [LEDGER_REQUEST_APPROVED] = "request.approved",
    [LEDGER_REQUEST_DENIED] = "request.denied",
    [LEDGER_REQUEST_EXPIRED] = "request.expired",
    [LEDGER_REQUEST_CANCELLED] = "request.cancelled",
    [LEDGER_EVALUATED] = "evaluated",
    [LEDGER_GRANT_ISSUED] = "grant.issued",
    [LEDGER_GRANT_MINTED] = "grant.minted",
    [LEDGER_GRANT_REDEEMED] = "grant.redeemed",
    [LEDGER_GRANT_REFUSED] = "grant.refused",
    [LEDGER_GRANT_REVOKED] = "grant.revoked",
    [LEDGER_GRANT_LAPSED] = "grant.lapsed",
    [LEDGER_EFFECT_REPORTED] = "effect.reported",
    [LEDGER_EFFECT_UNKNOWN] = "effect.unknown",
    [LEDGER_EFFECT_RESOLVED] = "effect.resolved",
    [LEDGER_NOTICE_SENT] = "notice.sent",
    [LEDGER_NOTICE_FAILED] = "notice.failed",
    [LEDGER_NOTICE_DEAD] = "notice.dead",
    [LEDGER_NOTICE_GATHERED] = "notice.gathered",
    [LEDGER_POLICY_PUBLISHED] = "policy.published",
    [LEDGER_TENANT_ADDED] = "tenant.added",
    [LEDGER_PERSON_ADDED] = "person.added",
    [LEDGER_PERSON_CHANGED] = "person.changed",
    [LEDGER_PERSON_DISABLED] = "person.disabled",
    [LEDGER_GROUP_CHANGED] = "group.changed",
    [LEDGER_AGENT_ADDED] = "agent.added",
    [LEDGER_AGENT_CHANGED] = "agent.changed",
    [LEDGER_AGENT_DISABLED] = "agent.disabled",
    [LEDGER_CALLER_ADDED] = "caller.added",
    [LEDGER_CALLER_CHANGED] = "caller.changed",
    [LEDGER_CALLER_DISABLED] = "caller.disabled",
    [LEDGER_CHANNEL_CHANGED] = "channel.changed",
    [LEDGER_KEY_ADDED] = "key.added",
    [LEDGER_KEY_DISABLED] = "key.disabled",
    [LEDGER_KEY_CONFIRMED] = "key.confirmed",
    [LEDGER_CHANGE_PROPOSED] = "change.proposed",
    [LEDGER_CHANGE_CONFIRMED] = "change.confirmed",
    [LEDGER_CHANGE_WITHDRAWN] = "change.withdrawn",
    [LEDGER_TOKEN_ADDED] = "token.added",
    [LEDGER_TOKEN_DISABLED] = "token.disabled",
    [LEDGER_SIGNIN] = "signin",
    [LEDGER_REFUSALS_NOTED] = "refusals.noted",
    [LEDGER_FREEZE] = "freeze",
    [LEDGER_THAW] = "thaw",
    [LEDGER_GATEWAY_STARTED] = "gateway.started",
    [LEDGER_GATEWAY_STOPPED] = "gateway.stopped",
    [LEDGER_CLOCK_STEPPED] = "clock.stepped",
    [LEDGER_EPOCH_BEGUN] = "epoch.begun",
    [LEDGER_RECOVERED] = "recovered",
    [LEDGER_ERASED] = "erased",
    [LEDGER_CHECKPOINT_POLICY] = "checkpoint.policy",
};

const char *ledger_entry_type_name(enum ledger_entry_type type)
{
    CHECK(type > LEDGER_ENTRY_TYPE_NONE && type < LEDGER_ENTRY_TYPE_COUNT);
    return NAMES[type];
}

enum ledger_entry_type ledger_entry_type_find(const char *name, size_t length)
{
    for (int i = LEDGER_ENTRY_TYPE_NONE + 1; i < LEDGER_ENTRY_TYPE_COUNT; i++) {
        /* The last byte differs more often than the first. */
        if (length > 0 && strlen(NAMES[i]) == length && NAMES[i][length - 1] == name[length - 1] &&
            memcmp(NAMES[i], name, length) == 0) {
            return (enum ledger_entry_type)i;
        }
    }
    return LEDGER_ENTRY_TYPE_NONE;
}

static void write_actor(struct canonical_writer *writer, const struct ledger_actor *actor)
{
    canonical_name(writer, "actor");
    canonical_open_object(writer);
    canonical_member_text(writer, "assurance", actor->assurance);
    canonical_member_text(writer, "id", actor->id);
    canonical_member_text(writer, "kind", actor->kind);
    canonical_member_text(writer, "via", actor->via);
    canonical_close_object(writer);
}

static void write_entry(struct builder *out, const struct ledger_entry *entry)
{
    char at[TIME_TEXT_BYTES];
    text_write_time(entry->at_ms, at);
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    write_actor(&writer, &entry->actor);
    canonical_member_text(&writer, "at", at);
    canonical_member_raw(&writer, "data", entry->data == NULL ? "{}" : entry->data,
                         entry->data == NULL ? 2 : entry->data_length);
    canonical_member_text(&writer, "digest", entry->digest);
    canonical_member_text(&writer, "grant", entry->grant);
    canonical_member_text(&writer, "policy", entry->policy);
    canonical_member_text(&writer, "request", entry->request);
    canonical_member_integer(&writer, "seq", (int64_t)entry->seq);
    canonical_member_text(&writer, "tenant", entry->tenant);
    canonical_member_text(&writer, "type", ledger_entry_type_name(entry->type));
    canonical_member_integer(&writer, "v", 1);
    canonical_close_object(&writer);
}

/* Takes back what was appended since. */
static bool undo(struct builder *out, size_t length)
{
    out->length = length;
    out->bytes[length] = '\0';
    return false;
}

bool ledger_entry_append(struct builder *out, const struct ledger_entry *entry, struct error *error)
{
    size_t before = out->length;
    write_entry(out, entry);
    if (builder_failed(out) || out->length - before > LEDGER_ENTRY_BYTES_MAX) {
        return undo(out, before) || error_set(error, ERROR_LIMIT, "entry_too_long", entry->request,
                                              "An entry of the ledger may have %d bytes at most.",
                                              LEDGER_ENTRY_BYTES_MAX);
    }
    struct span bytes = {.bytes = out->bytes + before, .length = out->length - before};
    struct entry_view view;
    const char *problem;
    if (!entry_read(&view, bytes, &problem)) {
        return undo(out, before) ||
               error_set(error, ERROR_INTERNAL, "entry_malformed", entry->request, "%s", problem);
    }
    return true;
}

/* The members of an entry, in their order. */
enum member { ACTOR, AT, DATA, DIGEST, GRANT, POLICY, REQUEST, SEQ, TENANT, TYPE, VERSION };
enum { MEMBER_COUNT = VERSION + 1 };
static const char *const MEMBERS[MEMBER_COUNT] = {
    "\"actor\":",   "\"at\":",  "\"data\":",   "\"digest\":", "\"grant\":", "\"policy\":",
    "\"request\":", "\"seq\":", "\"tenant\":", "\"type\":",   "\"v\":"};

static const char *read_members(struct span bytes, struct span members[MEMBER_COUNT])
{
    const char *at = bytes.bytes;
    const char *end = at + bytes.length;
    char before = '{';
    for (int i = 0; i < MEMBER_COUNT; i++) {
        size_t length = strlen(MEMBERS[i]);
        members[i] = (struct span){0};
        if ((size_t)(end - at) <= length || *at != before ||
            memcmp(at + 1, MEMBERS[i], length) != 0) {
            continue;
        }
        members[i].bytes = at + 1 + length;
        at = scan_value(members[i].bytes, end, LEDGER_ENTRY_DEPTH_MAX - 1);
        if (at == NULL) {
            return "The entry is not canonical JSON.";
        }
        members[i].length = (size_t)(at - members[i].bytes);
        before = ',';
    }
    return end - at == 1 && *at == '}' ? NULL
                                       : "The entry has members it must not have, or in an order "
                                         "that is not canonical, or bytes behind it.";
}

static bool is_text(struct span value)
{
    return value.bytes != NULL && value.bytes[0] == '"';
}

/* A text that may be left out, and is not empty when it is there. */
static bool read_optional(struct span value, struct span *out_text)
{
    *out_text = scan_text(value);
    return value.bytes == NULL || out_text->length > 0;
}

static bool read_actor(struct entry_view *out, struct span actor)
{
    static const char *const names[] = {"assurance", "id", "kind", "via"};
    struct span values[4] = {0};
    if (actor.bytes == NULL || actor.bytes[0] != '{') {
        return false;
    }
    struct scan_walk walk = scan_enter(actor);
    struct span name;
    struct span value;
    while (scan_next_member(&walk, &name, &value)) {
        int i = 0;
        while (i < 4 && !span_is(name, names[i])) {
            i++;
        }
        if (i == 4 || !is_text(value)) {
            return false;
        }
        values[i] = scan_text(value);
    }
    out->actor_assurance = values[0];
    out->actor_id = values[1];
    out->actor_kind = values[2];
    return values[1].bytes != NULL && values[2].length > 0;
}

static bool read_seq(struct span value, uint64_t *out_seq)
{
    int64_t seq;
    if (!scan_integer(value, &seq) || seq < 0) {
        return false;
    }
    *out_seq = (uint64_t)seq;
    return true;
}

static bool is_hash_or_absent(struct span value, struct span *out_text)
{
    return read_optional(value, out_text) && (value.bytes == NULL || scan_is_hash(*out_text));
}

bool entry_read(struct entry_view *out_view, struct span bytes, const char **out_problem)
{
    struct span members[MEMBER_COUNT];
    struct entry_view view = {0};
    *out_problem = bytes.length > LEDGER_ENTRY_BYTES_MAX ? "The entry is longer than 65535 bytes."
                                                         : read_members(bytes, members);
    if (*out_problem != NULL) {
        return false;
    }
    view.at = scan_text(members[AT]);
    view.tenant = scan_text(members[TENANT]);
    view.data = members[DATA];
    struct span type = scan_text(members[TYPE]);
    view.type = type.bytes == NULL ? LEDGER_ENTRY_TYPE_NONE
                                   : ledger_entry_type_find(type.bytes, type.length);
    if (view.type == LEDGER_ENTRY_TYPE_NONE) {
        *out_problem = "The entry has no known type.";
    } else if (!read_seq(members[SEQ], &view.seq)) {
        *out_problem = "The entry has no `seq`, a number from 0.";
    } else if (!read_actor(&view, members[ACTOR])) {
        *out_problem = "The entry has no `actor` with texts `id` and `kind`.";
    } else if (!scan_is_time(view.at)) {
        *out_problem = "The entry has no `at` in UTC with milliseconds.";
    } else if (view.data.bytes == NULL || view.data.bytes[0] != '{') {
        *out_problem = "The entry has no object `data`.";
    } else if (!is_hash_or_absent(members[DIGEST], &view.digest) ||
               !is_hash_or_absent(members[POLICY], &view.policy)) {
        *out_problem = "`digest` and `policy` must be 64 lower-case hex digits.";
    } else if (!read_optional(members[REQUEST], &view.request) ||
               !read_optional(members[GRANT], &view.grant)) {
        *out_problem = "`request` and `grant` must be texts that are not empty.";
    } else if (!is_text(members[TENANT])) {
        *out_problem = "The entry has no text `tenant`.";
    } else if (!span_is(members[VERSION], "1")) {
        *out_problem = "The entry is not of version 1.";
    } else {
        *out_view = view;
        return true;
    }
    return false;
}
