#ifndef NOTIFIERS_ROUNDUP_H
#define NOTIFIERS_ROUNDUP_H

/*
 * When many prompts leave for one destination as one message. The first few leave on their own and
 * at once; those beyond `over` within `within_ms` are gathered until that time is over and leave
 * together, and so does what comes due all at once (after an outage, or a quiet night). High and
 * critical risk is never gathered and never waits. Pure: the clock is an argument.
 */

#include <stdbool.h>
#include <stdint.h>

/* As a channel is configured; `over` 0: never. */
struct roundup_rule {
    int over;
    int64_t within_ms;
};

/* One prompt that may leave now, and what else there is for its destination. */
struct roundup_facts {
    bool is_risky;           /* high or critical */
    bool was_gathering;      /* its time of waiting is over */
    int64_t timeout_at;      /* of the request */
    int64_t told;            /* prompts sent on their own within the time before now */
    int64_t roundups;        /* round-ups made within it */
    int64_t due;             /* prompts that may leave now, this one among them */
    int64_t gathering_until; /* when those that are being gathered leave; 0: none are */
};

enum roundup_step {
    ROUNDUP_ALONE = 0, /* it leaves on its own */
    ROUNDUP_WAIT,      /* it is gathered until `*out_until` */
    ROUNDUP_LEAVE,     /* with all that is due or gathered there */
};

enum roundup_step roundup_judge(const struct roundup_rule *rule, const struct roundup_facts *facts,
                                int64_t now, int64_t *out_until);

#endif
