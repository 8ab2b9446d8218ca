#ifndef IDENTITY_SPIFFE_H
#define IDENTITY_SPIFFE_H

/*
 * SPIFFE: names of workloads (spiffe://<trust domain>/<path>) and the rules a certificate must keep
 * to be an X.509-SVID. Pure: whether the chain leads to the trust domain's bundle is found out in
 * crypto/x509.h, from the same certificate.
 */

#include "base/error.h"
#include "crypto/x509.h"
#include <stddef.h>
#include <stdint.h>

enum { SPIFFE_ID_BYTES = 2049, TRUST_DOMAIN_BYTES = 256 };

struct spiffe_id {
    char text[SPIFFE_ID_BYTES];
    char trust_domain[TRUST_DOMAIN_BYTES];
    size_t path_at; /* where in `text` the path begins: at its '/' */
};

/* SPIFFE-ID section 2: lower-case scheme and trust domain, no port, user, query, fragment or
 * percent-encoding; a path of whole segments, none of them `.` or `..`. An id without a path names
 * no workload and is refused. False, and nothing written, for anything else. */
bool spiffe_read_id(const char *text, size_t length, struct spiffe_id *out) MUST_CHECK;
bool spiffe_is_trust_domain(const char *text);

/* X.509-SVID sections 2, 4 and 5.2, and the validity at `now`. UNAUTHENTICATED, the code says which
 * rule: `svid_uri_count`, `svid_id`, `svid_is_ca`, `svid_key_usage`, `svid_extended_usage`,
 * `svid_subject`, `svid_not_yet_valid`, `svid_expired`. */
bool spiffe_judge_leaf(const struct x509_facts *facts, int64_t now, struct spiffe_id *out,
                       struct error *error) MUST_CHECK;

#endif
