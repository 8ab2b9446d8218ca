#ifndef SUPPORT_AUTHORITY_H
#define SUPPORT_AUTHORITY_H

/* A certificate authority of a trust domain, and leaves with one thing wrong at a time. */

#include "base/builder.h"
#include <stdbool.h>
#include <stddef.h>

struct authority;

struct authority_leaf {
    const char *names;     /* subjectAltName as OpenSSL's configuration writes it; NULL: none */
    const char *usage;     /* keyUsage; NULL: none */
    const char *extended;  /* extendedKeyUsage; NULL: none */
    const char *basic;     /* basicConstraints; NULL: none */
    const char *subject;   /* common name; NULL: an empty subject */
    long begins_s, ends_s; /* from now */
};

/* A whole, valid leaf for this SPIFFE ID. */
struct authority_leaf authority_good_leaf(const char *names);

struct authority *authority_create(const char *name, const struct authority *parent);
void authority_destroy(struct authority *authority);
void authority_append_pem(const struct authority *authority, struct builder *out);
/* Appends the DER form of a new leaf; then of this authority when `with_issuer`. */
void authority_append_leaf(const struct authority *authority, const struct authority_leaf *leaf,
                           bool with_issuer, struct builder *out);

#endif
