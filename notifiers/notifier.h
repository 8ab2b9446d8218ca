#ifndef NOTIFIERS_NOTIFIER_H
#define NOTIFIERS_NOTIFIER_H

/*
 * What one notice looks like on one kind of channel, and what an answer to it means. Pure: no
 * sockets, no clock; the courier carries. A kind of channel is a struct notifier, found by its name
 * in the one table of notifier.c.
 *
 * There are two sorts of kinds. A webhook is told events, thin and frozen when they happened. The
 * others show cards (card.h), composed from the request as it is when the notice leaves; where a
 * kind `changes` cards, the address that `judge` read from the answer to the first is given back
 * with each later one.
 */

#include "base/arena.h"
#include "base/error.h"
#include "notifiers/template/template.h"
#include <stddef.h>
#include <stdint.h>

enum {
    NOTIFIER_SECRETS_MAX = 2,
    NOTIFIER_HEADERS_MAX = 8,
    NOTIFIER_ATTEMPTS_MAX = 10,
    NOTIFIER_ADDRESS_BYTES_MAX = 2000, /* JSON: where a card is */
};

/* A signing secret; two while one replaces the other. */
struct notifier_secret {
    unsigned char bytes[64];
    size_t length;   /* 24 to 64; 32 of a private key */
    bool is_private; /* an Ed25519 key's seed: signs `v1a` */
};

/* One configured destination. Members that its kind does not use are NULL. */
struct notifier_channel {
    const char *name;
    const char *kind; /* "webhook", "mail", "template", … */
    const char *url;
    struct notifier_secret secrets[NOTIFIER_SECRETS_MAX]; /* of a webhook */
    size_t secret_count;
    const char *secret;   /* the one line of `secret_file`: a password or a token */
    const char *user;     /* whose password it is; NULL: nobody's */
    const char *from;     /* mail: sender */
    const char *template; /* JSON; of kind template */
    size_t template_length;
    struct template_option
        options[TEMPLATE_OPTIONS_MAX]; /* what the kind or the template asks for */
    size_t option_count;
};

struct notifier_notice {
    const char *id;      /* ntc_…: the same on every attempt */
    const char *payload; /* JSON: an event, or a card */
    const char *to;      /* a mail address, an account of the kind's, or of a bot the service URL
                            that was said last; NULL: the whole channel */
    const char *address; /* JSON: where the card that this changes is; NULL: it is new */
    const char *token;   /* what read_token gave; NULL for kinds that need none */
    const char *place;   /* what NOTIFIER_ASKS_ADDRESS found for `to`; NULL: it was not asked */
    bool is_test;
    bool is_account; /* the payload is for the owner of an account (account_notice.h) */
};

struct notifier_message {
    const char *url;
    const char *headers[NOTIFIER_HEADERS_MAX + 1]; /* whole lines, NULL-terminated */
    const char *body;
    size_t length;
    bool is_put;               /* PUT instead of POST */
    bool is_get;               /* GET instead, without a body */
    bool is_mail;              /* by SMTP, from `from` to `to` */
    const char *from, *to;     /* addresses, mail_is_address */
    const char *user, *secret; /* who signs in to the mail server; NULL: nobody */
};

/* What came back: a status of HTTP or SMTP, or 0 when none did. */
struct notifier_reply {
    long status;
    int64_t retry_after_ms; /* of a Retry-After, 0 when none */
    const char *body;       /* at most 64 KiB, of whatever bytes; never NULL */
    size_t length;
    const char *scopes; /* what X-OAuth-Scopes says; NULL when there is none */
};

/* What a kind asks its service before it says or believes something. */
enum notifier_asks {
    NOTIFIER_ASKS_NOTHING = 0,
    NOTIFIER_ASKS_PLACE,   /* may cards stand in this place? */
    NOTIFIER_ASKS_PERSON,  /* may this account decide? */
    NOTIFIER_ASKS_ADDRESS, /* where is this account told? */
    NOTIFIER_ASKS_RIGHTS,  /* may the gateway do all that it needs? */
    NOTIFIER_ASKS_COUNT,
};
enum { NOTIFIER_INQUIRIES_MAX = 2, NOTIFIER_VALUE_BYTES = 64, NOTIFIER_REASON_BYTES = 256 };
struct notifier_inquiry {
    enum notifier_asks asks;
    const char *about; /* an id of the kind's; "" of the app itself */
};

/* Zero is not known, and whoever gets it waits or refuses. */
enum notifier_known {
    NOTIFIER_UNKNOWN = 0,
    NOTIFIER_GOOD,
    NOTIFIER_BAD,
    NOTIFIER_UNANSWERED, /* it was asked, and the service said nothing of use */
};
struct notifier_standing {
    enum notifier_known known;
    char value[NOTIFIER_VALUE_BYTES];   /* of an address */
    char reason[NOTIFIER_REASON_BYTES]; /* unless good: what is wrong, for people */
    const char *problem;    /* of a bad one that is the operator's to mend: what to do; static */
    int64_t retry_after_ms; /* of one unanswered: not before; 0: when one likes */
};

enum notifier_verdict {
    NOTIFIER_RETRY = 0,
    NOTIFIER_SENT,
    NOTIFIER_DEAD,
    NOTIFIER_BAD_TOKEN, /* tried again with a new one */
};

struct notifier_judgement {
    enum notifier_verdict verdict;
    int64_t retry_after_ms; /* of a retry; 0: as the schedule says */
    const char *address;    /* of a card that was posted; NULL: none, or as it was */
    const char *reason; /* what the other side said was wrong: short; NULL: its status says it */
};

/* What is said at once to one person who pressed something; not kept, sent once. */
struct notifier_word {
    const char *method; /* of the kind's own API: "views.open" */
    const char *body;   /* JSON */
    const char *place;  /* JSON: where, as the kind's addresses of cards; NULL: the body says it */
    const char *token;  /* what read_token gave; NULL for kinds that need none */
};

struct notifier {
    const char *kind;
    bool shows_cards;   /* otherwise events */
    bool changes_cards; /* a card that is there can be changed; otherwise each is a new message */
    bool asks_people;   /* each person who is asked is told at an address of their own */
    bool tells_owners;  /* where it tells people, it tells them of changes to their accounts too */
    bool decides;       /* people can approve and deny in it */
    bool calls_back;    /* tells only who asked, where their task said: `to` is a URL */
    /* Everything in `arena`; `now` is this attempt's wall time. */
    bool (*compose)(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error);
    /* `out` is zeroed before. */
    void (*judge)(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out);
    /* Kinds that need a token first (both or neither): the message that asks for one, and what came
     * of it. The courier keeps it until it is over or `judge` says it is bad. */
    bool (*compose_token)(const struct notifier_channel *channel, int64_t now, struct arena *arena,
                          struct notifier_message *out, struct error *error);
    bool (*read_token)(const struct notifier_reply *reply, struct arena *arena,
                       const char **out_token, int64_t *out_lifetime_ms, struct error *error);
    /* Kinds that say something at once to who pressed; NULL for others, who answer the press. */
    bool (*compose_word)(const struct notifier_channel *channel, const struct notifier_word *word,
                         struct arena *arena, struct notifier_message *out, struct error *error);
    /* Kinds that ask first; those that only ask who presses list nothing (NULL). Which answers must
     * be good before this notice may leave; `notice` NULL: what is asked of the channel itself from
     * time to time. */
    size_t (*list_inquiries)(const struct notifier_channel *channel,
                             const struct notifier_notice *notice, struct arena *arena,
                             struct notifier_inquiry out[NOTIFIER_INQUIRIES_MAX]);
    bool (*compose_inquiry)(const struct notifier_channel *channel,
                            const struct notifier_inquiry *inquiry, const char *token,
                            struct arena *arena, struct notifier_message *out, struct error *error);
    /* `out` is zeroed before; never leaves it unknown. */
    void (*read_answer)(const struct notifier_channel *channel,
                        const struct notifier_inquiry *inquiry, const struct notifier_reply *reply,
                        struct notifier_standing *out);
};

const struct notifier *notifier_find(const char *kind); /* NULL when there is none */
/* The name of the `index`th kind; NULL past the last. */
const char *notifier_kind(size_t index);

/* How long after the `attempt`th failure (1 is the first) to try again, moved by up to a tenth by
 * `chance` (0 to 999); 0: never, it is dead. */
int64_t notifier_retry_after_ms(int attempt, unsigned chance);

/* The same for a card, which is worth most while its request waits: sooner at first. */
int64_t notifier_retry_card_after_ms(int attempt, unsigned chance);

/* What a channel's `options` say; NULL when they do not. */
const char *notifier_option(const struct notifier_channel *channel, const char *name);
/* A status of HTTP alone: 2xx is sent, 400, 404, 405, 410, 413 and 422 are dead (no repetition
 * makes them good), the rest is tried again. */
enum notifier_verdict notifier_judge_status(long status);
/* A notifier's judge where the status says all. */
void notifier_judge_by_status(const struct notifier_channel *channel,
                              const struct notifier_notice *notice,
                              const struct notifier_reply *reply, struct arena *arena,
                              struct notifier_judgement *out);

extern const struct notifier webhook_notifier; /* webhook/webhook.c: Standard Webhooks 1.0.0 */
extern const struct notifier task_callback_notifier; /* webhook/task_callback.c */
extern const struct notifier teams_notifier;         /* teams/teams.c: a Teams Workflow */
extern const struct notifier teams_bot_notifier;     /* teams/teams_bot.c: a bot in Teams */
extern const struct notifier slack_notifier;         /* slack/slack.c: Slack's Web API */
extern const struct notifier mail_notifier;          /* mail/mail.c: SMTP */
extern const struct notifier template_notifier;      /* template/template_notifier.c */

/* `whsec_<base64>`, 24 to 64 bytes, or `whsk_<base64>`: an Ed25519 private key, its seed alone or
 * with the public key behind. INVALID `bad_secret`, without quoting it. */
bool webhook_read_secret(const char *text, size_t length, struct notifier_secret *out,
                         struct error *error) MUST_CHECK;

#endif
