#ifndef TRUST_INTERNAL_H
#define TRUST_INTERNAL_H

#include "trust/trust.h"
#include <pthread.h>
#include <sys/stat.h>

/* What a file looked like when it was last read. */
struct file_stamp {
    struct timespec modified;
    ino_t inode;
    off_t bytes;
};

struct issuer_state {
    struct jwk_set *keys; /* NULL before the first */
    struct file_stamp stamp;
    int64_t taken_tick; /* when the keys came */
    int64_t tried_tick; /* when a fetch was begun last */
    int64_t next_tick;  /* when the next is due */
    int failures;       /* in a row */
    char *found_url;    /* of the keys, as the metadata says; NULL before it came */
    bool is_fetching;
    bool was_tried;
};

struct domain_state {
    struct x509_bundle *bundle;
    struct jwk_set *keys; /* of a bundle in JSON, else NULL */
    struct file_stamp stamp;
};

/* memory.c */
struct remembered {
    struct sha256 hash;
    int64_t generation; /* of what vouched */
    struct proof *proof;
};

struct once {
    unsigned char hash[SHA256_BYTES / 2];
    int64_t until_at; /* 0: free */
};

struct trust {
    struct trust_options options;
    pthread_mutex_t mutex;
    int64_t generation; /* grows with every change of a key or bundle */
    struct issuer_state issuers[TRUST_ISSUERS_MAX];
    struct domain_state domains[TRUST_DOMAINS_MAX];
    struct remembered *remembered; /* TRUST_REMEMBERED */
    struct once *once;             /* TRUST_PROOFS_ONCE_MAX; NULL before the first */
};

/* memory.c: true, and filled, when this hash was proven since the last change and is still good. */
bool trust_recall(struct trust *trust, const struct sha256 *hash, int64_t now, struct proof *out);
void trust_remember(struct trust *trust, const struct sha256 *hash, int64_t generation,
                    const struct proof *proof);
void trust_forget_all(struct trust *trust);

/* trust_file.c */
bool trust_read_file(const char *path, char **out_bytes, size_t *out_length,
                     struct file_stamp *out_stamp, struct error *error) MUST_CHECK;
bool trust_read_bundle(const char *path, const char *bytes, size_t length,
                       struct x509_bundle **out_bundle, struct jwk_set **out_keys,
                       struct error *error) MUST_CHECK;

#endif
