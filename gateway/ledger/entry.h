#ifndef LEDGER_ENTRY_H
#define LEDGER_ENTRY_H

/*
 * One entry: a fact that cannot be taken back, as canonical JSON (RFC 8785)
 *
 *   {"actor":{"assurance"?,"id","kind","via"?},"at","data":{…},"digest"?,"grant"?,"policy"?,
 *    "request"?,"seq","tenant","type","v":1}
 *
 * `seq` is the entry's leaf index in the tree of its epoch; which epoch is said by the origin of
 * the log (export.h). `at` is RFC 3339 UTC with milliseconds and never decreases within a log: the
 * `now` of an operation, for its rules and its entries alike, is never before the `at` last
 * written. Entries hold integers and texts only, member names are printable ASCII, nesting is at
 * most 16. The members of `data` are written and described by entry_data.h, and checked by
 * verify.h. Never put a secret, an argument or free text of a person into an entry: it can never be
 * removed.
 */

#include "base/builder.h"
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* tlog-tiles frames an entry with 16 bits of length. */
enum { LEDGER_ENTRY_BYTES_MAX = 65535, LEDGER_ENTRY_DEPTH_MAX = 16 };

/* Every kind of fact; names are in the table of entry.c. New ones go before the count, in any
 * order: the name is what is stored. */
enum ledger_entry_type {
    LEDGER_ENTRY_TYPE_NONE = 0,
    /* the life of a request */
    LEDGER_REQUEST_SUBMITTED,  /* request.submitted */
    LEDGER_POLICY_DECIDED,     /* policy.decided */
    LEDGER_REQUIREMENTS_GROWN, /* requirements.grown */
    LEDGER_RUNG_REACHED,       /* rung.reached */
    LEDGER_REQUEST_VIEWED,     /* request.viewed */
    LEDGER_REQUEST_STRANDED,   /* request.stranded */
    LEDGER_REQUEST_WATCHED,    /* request.watched */
    LEDGER_REQUEST_COMMENTED,  /* request.commented */
    LEDGER_REQUEST_EDITED,     /* request.edited */
    LEDGER_VOTE,               /* vote */
    LEDGER_VOTE_LATE,          /* vote.late */
    LEDGER_VOTE_UNCOUNTED,     /* vote.uncounted */
    LEDGER_REQUEST_APPROVED,   /* request.approved */
    LEDGER_REQUEST_DENIED,     /* request.denied */
    LEDGER_REQUEST_EXPIRED,    /* request.expired */
    LEDGER_REQUEST_CANCELLED,  /* request.cancelled */
    LEDGER_EVALUATED,          /* evaluated: an AuthZEN evaluation that is no request */
    /* the life of its grant */
    LEDGER_GRANT_ISSUED,    /* grant.issued */
    LEDGER_GRANT_MINTED,    /* grant.minted */
    LEDGER_GRANT_REDEEMED,  /* grant.redeemed */
    LEDGER_GRANT_REFUSED,   /* grant.refused */
    LEDGER_GRANT_REVOKED,   /* grant.revoked */
    LEDGER_GRANT_LAPSED,    /* grant.lapsed */
    LEDGER_EFFECT_REPORTED, /* effect.reported */
    LEDGER_EFFECT_UNKNOWN,  /* effect.unknown */
    LEDGER_EFFECT_RESOLVED, /* effect.resolved */
    /* notices */
    LEDGER_NOTICE_SENT,     /* notice.sent */
    LEDGER_NOTICE_FAILED,   /* notice.failed */
    LEDGER_NOTICE_DEAD,     /* notice.dead */
    LEDGER_NOTICE_GATHERED, /* notice.gathered: it leaves in the round-up that `reason` names */
    /* what governs */
    LEDGER_POLICY_PUBLISHED, /* policy.published */
    LEDGER_TENANT_ADDED,     /* tenant.added: the first entry of the tenant */
    LEDGER_PERSON_ADDED,     /* person.added */
    LEDGER_PERSON_CHANGED,   /* person.changed */
    LEDGER_PERSON_DISABLED,  /* person.disabled */
    LEDGER_GROUP_CHANGED,    /* group.changed */
    LEDGER_AGENT_ADDED,      /* agent.added */
    LEDGER_AGENT_CHANGED,    /* agent.changed */
    LEDGER_AGENT_DISABLED,   /* agent.disabled */
    LEDGER_CALLER_ADDED,     /* caller.added */
    LEDGER_CALLER_CHANGED,   /* caller.changed */
    LEDGER_CALLER_DISABLED,  /* caller.disabled */
    LEDGER_CHANNEL_CHANGED,  /* channel.changed */
    LEDGER_KEY_ADDED,        /* key.added: API keys, passkeys, signing keys */
    LEDGER_KEY_DISABLED,     /* key.disabled */
    LEDGER_KEY_CONFIRMED,    /* key.confirmed: a passkey serves votes before its time */
    LEDGER_CHANGE_PROPOSED,  /* change.proposed: another admin has to make it too */
    LEDGER_CHANGE_CONFIRMED, /* change.confirmed: another did */
    LEDGER_CHANGE_WITHDRAWN, /* change.withdrawn */
    LEDGER_TOKEN_ADDED,      /* token.added: personal tokens */
    LEDGER_TOKEN_DISABLED,   /* token.disabled */
    LEDGER_SIGNIN,           /* signin */
    LEDGER_REFUSALS_NOTED,   /* refusals.noted: unauthenticated noise of one source and minute */
    LEDGER_FREEZE,           /* freeze */
    LEDGER_THAW,             /* thaw */
    /* the gateway and its log */
    LEDGER_GATEWAY_STARTED,   /* gateway.started */
    LEDGER_GATEWAY_STOPPED,   /* gateway.stopped */
    LEDGER_CLOCK_STEPPED,     /* clock.stepped */
    LEDGER_EPOCH_BEGUN,       /* epoch.begun: first entry of every epoch after the first */
    LEDGER_RECOVERED,         /* recovered */
    LEDGER_ERASED,            /* erased: arguments and salts older than the retention time */
    LEDGER_CHECKPOINT_POLICY, /* checkpoint.policy */
    LEDGER_ENTRY_TYPE_COUNT,
};

/* The stored name, a literal; aborts on NONE and COUNT. */
const char *ledger_entry_type_name(enum ledger_entry_type type);
/* NONE when no type has that name. */
enum ledger_entry_type ledger_entry_type_find(const char *name, size_t length);

/* Who did it. `kind` is `person`, `caller`, `host` (the socket on the host), `gateway`
 * (itself) or `unknown`; `via` the door or channel (`api`, `mcp`, `web`, `slack`…);
 * `assurance` is for people: `chat`, `session` or `passkey`. */
struct ledger_actor {
    const char *kind;
    const char *id;
    const char *via;       /* NULL: left out */
    const char *assurance; /* NULL: left out */
};

struct ledger_entry {
    uint64_t seq;
    int64_t at_ms;
    const char *tenant; /* "" for what concerns the whole gateway; never NULL */
    enum ledger_entry_type type;
    const char *request; /* NULL: left out, as the next three */
    const char *grant;
    const char *policy; /* version, 64 lower-case hex digits */
    const char *digest; /* of the request's current revision, 64 lower-case hex digits */
    struct ledger_actor actor;
    const char *data; /* canonical JSON object bytes; NULL is {} */
    size_t data_length;
};

/* Appends the canonical bytes: the leaf of the tree. `data` is checked to be canonical, so that
 * what was written can be verified. LIMIT `entry_too_long` past LEDGER_ENTRY_BYTES_MAX, INTERNAL
 * `entry_malformed` for anything the verifier would refuse. On failure nothing is appended. */
bool ledger_entry_append(struct builder *out, const struct ledger_entry *entry,
                         struct error *error) MUST_CHECK;

#endif
