#ifndef TESTS_SUPPORT_AUTHENTICATOR_H
#define TESTS_SUPPORT_AUTHENTICATOR_H

/* A passkey in software: makes a key of one of the three algorithms and answers as a browser with
 * an authenticator would, or, by `struct authenticator_twist`, as one that lies. */

#include "base/builder.h"
#include "crypto/webauthn.h"

struct authenticator;

struct authenticator *authenticator_create(enum webauthn_algorithm algorithm);
void authenticator_destroy(struct authenticator *authenticator); /* accepts NULL */
struct webauthn_bytes authenticator_id(const struct authenticator *authenticator);
struct webauthn_bytes authenticator_key(const struct authenticator *authenticator); /* COSE */

/* What differs from an honest answer; zero: nothing does. */
struct authenticator_twist {
    const char *type;               /* of the client data */
    const char *origin;             /* that the page had */
    const char *rp_id;              /* that was signed */
    const char *more;               /* members put behind those of the client data: ,"a":1 */
    const char *behind;             /* text behind the client data */
    unsigned char cleared, set;     /* flags */
    struct webauthn_bytes trailing; /* bytes behind the authenticator data */
    struct webauthn_bytes key;      /* COSE key to register instead of one's own */
    unsigned count;                 /* sign count; 0: the next */
};

struct authenticator_answer {
    struct builder client_data;
    struct builder data;      /* authenticator data */
    struct builder object;    /* attestation object, of a registration */
    struct builder signature; /* of an assertion */
};
void authenticator_answer_finish(struct authenticator_answer *answer);
#define ANSWER_SCOPE __attribute__((cleanup(authenticator_answer_finish)))

/* Both fill `out`, which the caller finishes. `twist` may be NULL. */
void authenticator_register(struct authenticator *authenticator,
                            const struct webauthn_expected *asked,
                            const struct authenticator_twist *twist,
                            struct authenticator_answer *out);
void authenticator_assert(struct authenticator *authenticator,
                          const struct webauthn_expected *asked,
                          const struct authenticator_twist *twist,
                          struct authenticator_answer *out);
/* The answer as the verifier takes it. */
struct webauthn_assertion authenticator_assertion(const struct authenticator_answer *answer);
struct webauthn_bytes authenticator_bytes(const struct builder *builder);

#endif
