#include "base/memory.h"
#include "crypto/jwk_internal.h"
#include "formats/text.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE_BYTES_MAX = 16 * 1024 };

struct jwk_set {
    atomic_int references;
    size_t count;
    size_t left_out;
    int64_t sequence;
    struct jwk *keys[JWK_SET_KEYS_MAX];
};

static bool refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_INVALID, "bad_key_set", NULL, "this is no JWK set: %s", what);
}

/* An x509-svid key is its certificate (SPIFFE X.509-SVID section 6.2: exactly one in `x5c`); what
 * it says of the key beside it is not read. */
static struct jwk *read_certificate(const struct json *object)
{
    const struct json *chain = json_member(object, "x5c");
    const struct json *first = json_element(chain, 0);
    const char *text = json_text(first);
    if (json_count(chain) != 1 || text == NULL) {
        return NULL;
    }
    struct jwk *key = memory_zeroed(1, sizeof *key);
    key->use = JWK_USE_X509_SVID;
    key->certificate = memory_zeroed(1, CERTIFICATE_BYTES_MAX);
    if (!text_read_base64(text, json_text_length(first), key->certificate, CERTIFICATE_BYTES_MAX,
                          &key->certificate_length)) {
        jwk_destroy(key);
        return NULL;
    }
    return key;
}

static struct jwk *read_key(const struct json *object)
{
    struct error ignored = {0};
    const char *use = json_text(json_member(object, "use"));
    if (use != NULL && strcmp(use, "x509-svid") == 0) {
        return read_certificate(object);
    }
    struct jwk *key = jwk_read(object, &ignored);
    /* SPIFFE bundle section 4.2.2: a jwt-svid key without an id is no key. */
    if (key != NULL && key->use == JWK_USE_JWT_SVID && key->key_id[0] == '\0') {
        jwk_destroy(key);
        return NULL;
    }
    return key;
}

static bool read_set(const struct json *root, struct jwk_set *set, struct error *error)
{
    const struct json *keys = json_member(root, "keys");
    if (json_type(root) != JSON_TYPE_OBJECT || json_type(keys) != JSON_TYPE_ARRAY) {
        return refuse(error, "it needs an object with a list `keys`");
    }
    if (json_count(keys) > JWK_SET_KEYS_MAX) {
        return refuse(error, "100 keys are the most it may have");
    }
    const struct json *sequence = json_member(root, "spiffe_sequence");
    if (sequence != NULL && (!json_integer(sequence, &set->sequence) || set->sequence < 0)) {
        return refuse(error, "`spiffe_sequence` must be a whole number");
    }
    for (size_t i = 0; i < json_count(keys); i++) {
        struct jwk *key = read_key(json_element(keys, i));
        if (key == NULL) {
            set->left_out++;
        } else {
            set->keys[set->count++] = key;
        }
    }
    return true;
}

struct jwk_set *jwk_set_parse(const char *bytes, size_t length, struct error *error)
{
    struct error cause = {0};
    if (length > JWK_SET_BYTES_MAX) {
        refuse(error, "it is longer than 512 KiB");
        return NULL;
    }
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, &cause);
    if (document == NULL) {
        refuse(error, cause.message);
        return NULL;
    }
    struct jwk_set *set = memory_zeroed(1, sizeof *set);
    atomic_init(&set->references, 1);
    if (!read_set(json_root(document), set, error)) {
        jwk_set_unref(set);
        return NULL;
    }
    return set;
}

struct jwk_set *jwk_set_ref(struct jwk_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void jwk_set_unref(struct jwk_set *set)
{
    if (set == NULL || atomic_fetch_sub(&set->references, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        jwk_destroy(set->keys[i]);
    }
    free(set);
}

size_t jwk_set_count(const struct jwk_set *set)
{
    return set->count;
}

size_t jwk_set_left_out(const struct jwk_set *set)
{
    return set->left_out;
}

int64_t jwk_set_sequence(const struct jwk_set *set)
{
    return set->sequence;
}

const struct jwk *jwk_set_next(const struct jwk_set *set, enum jwk_use use, const char *key_id,
                               enum jwk_algorithm algorithm, size_t *cursor)
{
    while (*cursor < set->count) {
        const struct jwk *key = set->keys[(*cursor)++];
        if (key->use == use && jwk_is_for(key, algorithm) &&
            (key_id == NULL || strcmp(key->key_id, key_id) == 0)) {
            return key;
        }
    }
    return NULL;
}

const unsigned char *jwk_set_certificate(const struct jwk_set *set, size_t index,
                                         size_t *out_length)
{
    if (index >= set->count || set->keys[index]->use != JWK_USE_X509_SVID) {
        return NULL;
    }
    *out_length = set->keys[index]->certificate_length;
    return set->keys[index]->certificate;
}
