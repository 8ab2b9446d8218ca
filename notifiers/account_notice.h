#ifndef NOTIFIERS_ACCOUNT_NOTICE_H
#define NOTIFIERS_ACCOUNT_NOTICE_H

/*
 * What the owner of an account is told of it, so that whoever took the account over does not stay
 * unnoticed. It holds nothing that acts, no secret, and no text that whoever did it could choose:
 * every word is the gateway's, or a name of its own form (identity_is_name), an id, an address of
 * the network, a time. What is not of such a form is made visible and cut all the same.
 *
 * It is written when it happens, with where it goes, and never composed anew: a later change of the
 * account, of its address above all, changes nothing of what was told of the former.
 */

#include "base/arena.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ACCOUNT_FACTS_MAX = 4,
    ACCOUNT_FACTS_SHOWN_MAX = ACCOUNT_FACTS_MAX + 4,
    ACCOUNT_TEXT_BYTES_MAX = 200, /* one text as shown */
    ACCOUNT_EVENT_BYTES = 40,
};

/* What happened. Zero is none. */
enum account_moment {
    ACCOUNT_SIGNED_IN = 1, /* with a browser that was not seen before */
    ACCOUNT_PASSWORD_CHANGED,
    ACCOUNT_PASSKEY_ADDED,
    ACCOUNT_PASSKEY_CONFIRMED,
    ACCOUNT_PASSKEY_REMOVED,
    ACCOUNT_CODES_ON,
    ACCOUNT_CODES_OFF,
    ACCOUNT_RECOVERY_CODE_USED,
    ACCOUNT_TOKEN_MADE,
    ACCOUNT_CHAT_LINKED,
    ACCOUNT_CHAT_UNLINKED,
    ACCOUNT_ENROLMENT_LINK_MADE,
    ACCOUNT_ADDRESS_CHANGED,
    ACCOUNT_CHANNELS_CHANGED, /* what it is told where, and when it is quiet */
    ACCOUNT_ROLES_CHANGED,
    ACCOUNT_GROUP_JOINED,
    ACCOUNT_GROUP_LEFT,
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
};

/* Who did it, as far as the gateway knows. Zero is nobody in particular. */
enum account_actor {
    ACCOUNT_BY_GATEWAY = 0,
    ACCOUNT_BY_OWNER, /* whoever was signed in as the owner, or has a token of theirs */
    ACCOUNT_BY_PERSON,
    ACCOUNT_BY_HOST,
    ACCOUNT_BY_LINK, /* whoever opened the enrolment link */
    ACCOUNT_BY_CODE, /* whoever entered, at the chat service, a code made in the account */
};

struct account_fact {
    const char *label; /* the gateway's word */
    const char *value;
};

struct account_notice {
    enum account_moment moment;
    enum account_actor actor;
    const char *by;      /* name of the person who did it; NULL when it was none, or the owner */
    const char *account; /* name of the owner */
    const char *issuer;  /* where the gateway is reached */
    int64_t at;
    bool is_last; /* there were so many that no more of this sort are told for now */
    struct account_fact facts[ACCOUNT_FACTS_MAX];
    size_t fact_count;
};

/* "account.passkey_added"; NULL for none. */
const char *account_event(enum account_moment moment);
/* The reverse; 0 for any other event. */
enum account_moment account_moment_of(const char *event);

/* The payload of such a notice. */
const char *account_notice_write(const struct account_notice *notice, struct arena *arena);
/* CORRUPT when it is not of its form. */
bool account_notice_read(const char *json, size_t length, struct arena *arena,
                         struct account_notice *out, struct error *error) MUST_CHECK;

/* "A passkey was added to your account" */
const char *account_heading(enum account_moment moment);
/* "Somebody who was signed in as you" */
const char *account_actor_text(const struct account_notice *notice, struct arena *arena);
/* What it says in order: account, gateway, when, who, then its own facts. */
size_t account_facts(const struct account_notice *notice, struct arena *arena,
                     struct account_fact out[ACCOUNT_FACTS_SHOWN_MAX]);
/* What to do where the owner did not expect it. */
const char *account_advice(const struct account_notice *notice);
/* That it asks for nothing, and cannot be turned off; and where it is the last for now, that. */
const char *account_closing(const struct account_notice *notice, struct arena *arena);

#endif
