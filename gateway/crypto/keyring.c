#include "crypto/keyring.h"

#include "base/check.h"
#include "base/memory.h"
#include "crypto/crypto_internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ring_key {
    struct signer *signer;
    int64_t signs_from; /* milliseconds; whole seconds */
    char *path;
    bool is_dropped; /* kept until the ring closes: somebody may hold it */
};

struct keyring {
    char *folder;
    struct ring_key keys[KEYRING_KEYS_MAX];
    size_t count;
};

struct keyring_draft {
    struct signer *signer;
    int64_t signs_from;
    char *draft_path;
    char *path;
};

static const struct {
    const char *name;
    enum signer_kind kind;
} kinds[] = {{"ES256", SIGNER_ES256}, {"RS256", SIGNER_RS256}};

static const char *kind_name(enum signer_kind kind)
{
    return kind == SIGNER_RS256 ? "RS256" : "ES256";
}

static bool fail(const char *path, const char *what, struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "key_file", path, "cannot %s `%s`: %s", what, path,
                     strerror(errno));
}

static char *path_in(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = memory_zeroed(1, size);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* A folder that others can write is one where they can put a key of theirs. */
static bool open_folder(const char *folder, struct error *error)
{
    struct stat facts;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return fail(folder, "make the folder", error);
    }
    if (lstat(folder, &facts) != 0) {
        return fail(folder, "look at", error);
    }
    if (!S_ISDIR(facts.st_mode) || (facts.st_mode & 077) != 0 || facts.st_uid != geteuid()) {
        return error_set(error, ERROR_INVALID, "key_file_open_to_others", folder,
                         "`%s` must be a folder of this user alone: chmod 700 it, and look whether "
                         "its keys are yours",
                         folder);
    }
    return true;
}

/* `ES256-1795737600.pem`: false for any other name. */
static bool read_name(const char *name, enum signer_kind *out_kind, int64_t *out_from)
{
    const char *dash = strchr(name, '-');
    for (size_t i = 0; dash != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].name);
        if ((size_t)(dash - name) != length || memcmp(name, kinds[i].name, length) != 0) {
            continue;
        }
        size_t digits = strspn(dash + 1, "0123456789");
        if (digits == 0 || digits > 12 || strcmp(dash + 1 + digits, ".pem") != 0) {
            return false;
        }
        *out_kind = kinds[i].kind;
        *out_from = strtoll(dash + 1, NULL, 10) * 1000;
        return true;
    }
    return false;
}

static bool add_key(struct keyring *ring, struct signer *signer, int64_t signs_from,
                    const char *path, struct error *error)
{
    if (ring->count == KEYRING_KEYS_MAX) {
        return error_set(error, ERROR_LIMIT, "too_many_keys", path,
                         "there are %d signing keys, the most there may be: remove files of keys "
                         "that were replaced more than a day ago",
                         KEYRING_KEYS_MAX);
    }
    ring->keys[ring->count++] =
        (struct ring_key){.signer = signer, .signs_from = signs_from, .path = memory_text(path)};
    return true;
}

static bool open_key(struct keyring *ring, const char *path, enum signer_kind kind,
                     int64_t signs_from, bool create, struct error *error)
{
    struct signer *signer = signer_open(path, kind, create, error);
    if (signer == NULL) {
        return false;
    }
    if (!add_key(ring, signer, signs_from, path, error)) {
        signer_close(signer);
        return false;
    }
    return true;
}

static bool open_file(struct keyring *ring, const char *name, struct error *error)
{
    enum signer_kind kind;
    int64_t signs_from;
    char *path MEMORY_SCOPE = path_in(ring->folder, name);
    if (strncmp(name, "draft-", 6) == 0) {
        return unlink(path) == 0 || fail(path, "remove", error);
    }
    /* Names of others (a backup, a note) are left alone. */
    return !read_name(name, &kind, &signs_from) ||
           open_key(ring, path, kind, signs_from, false, error);
}

static bool open_files(struct keyring *ring, struct error *error)
{
    DIR *folder = opendir(ring->folder);
    if (folder == NULL) {
        return fail(ring->folder, "read", error);
    }
    bool ok = true;
    for (struct dirent *file = readdir(folder); ok && file != NULL; file = readdir(folder)) {
        ok = open_file(ring, file->d_name, error);
    }
    closedir(folder);
    return ok;
}

struct keyring *keyring_open(const char *folder, const char *first_es256, struct error *error)
{
    struct keyring *ring = memory_zeroed(1, sizeof *ring);
    ring->folder = memory_text(folder);
    if (!open_folder(folder, error) ||
        (first_es256 != NULL && !open_key(ring, first_es256, SIGNER_ES256, 0, true, error)) ||
        !open_files(ring, error)) {
        keyring_close(ring);
        return NULL;
    }
    return ring;
}

void keyring_close(struct keyring *ring)
{
    if (ring == NULL) {
        return;
    }
    for (size_t i = 0; i < ring->count; i++) {
        signer_close(ring->keys[i].signer);
        free(ring->keys[i].path);
    }
    free(ring->folder);
    free(ring);
}

/* Of this kind: the newest whose time has come, else the one whose time comes first. */
static const struct ring_key *find_current(const struct keyring *ring, enum signer_kind kind,
                                           int64_t now)
{
    const struct ring_key *current = NULL;
    const struct ring_key *next = NULL;
    for (size_t i = 0; i < ring->count; i++) {
        const struct ring_key *key = &ring->keys[i];
        if (key->is_dropped || signer_kind(key->signer) != kind) {
            continue;
        }
        if (key->signs_from > now) {
            next = next == NULL || key->signs_from < next->signs_from ? key : next;
        } else if (current == NULL || key->signs_from >= current->signs_from) {
            current = key;
        }
    }
    return current != NULL ? current : next;
}

const struct signer *keyring_signer(const struct keyring *ring, enum signer_kind kind, int64_t now)
{
    const struct ring_key *key = find_current(ring, kind, now);
    return key == NULL ? NULL : key->signer;
}

/* Not dropped, and not replaced for longer than anything that it signed lives. */
static bool is_published(const struct keyring *ring, const struct ring_key *key, int64_t now)
{
    const struct ring_key *current = find_current(ring, signer_kind(key->signer), now);
    return !key->is_dropped &&
           (key == current || key->signs_from > now || now - current->signs_from < KEYRING_KEEP_MS);
}

/* ---- one more ---- */

bool keyring_has_room(const struct keyring *ring)
{
    return ring->count < KEYRING_KEYS_MAX;
}

struct keyring_draft *keyring_make_draft(const struct keyring *ring, enum signer_kind kind,
                                         int64_t signs_from, struct error *error)
{
    char name[64];
    char id[ID_BYTES];
    CHECK(kind == SIGNER_ES256 || kind == SIGNER_RS256);
    crypto_make_id("new", 0, id);
    struct keyring_draft *draft = memory_zeroed(1, sizeof *draft);
    draft->signs_from = signs_from - signs_from % 1000;
    snprintf(name, sizeof name, "draft-%s.pem", id);
    draft->draft_path = path_in(ring->folder, name);
    draft->signer = signer_open(draft->draft_path, kind, true, error);
    if (draft->signer == NULL) {
        free(draft->draft_path);
        free(draft);
        return NULL;
    }
    return draft;
}

const char *keyring_draft_key_id(const struct keyring_draft *draft)
{
    return signer_key_id(draft->signer);
}

static bool sync_folder(const char *path, struct error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        close(folder);
    }
    return is_synced || fail(path, "sync", error);
}

static void free_draft(struct keyring_draft *draft)
{
    signer_close(draft->signer);
    free(draft->draft_path);
    free(draft->path);
    free(draft);
}

static void name_draft(const struct keyring *ring, struct keyring_draft *draft)
{
    char name[64];
    snprintf(name, sizeof name, "%s-%lld.pem", kind_name(signer_kind(draft->signer)),
             (long long)(draft->signs_from / 1000));
    free(draft->path);
    draft->path = path_in(ring->folder, name);
}

/* link(2) gives the name only where nothing has it yet. */
static bool name_key(const struct keyring *ring, struct keyring_draft *draft, struct error *error)
{
    for (int i = 0; i <= KEYRING_KEYS_MAX; i++) {
        name_draft(ring, draft);
        if (link(draft->draft_path, draft->path) == 0) {
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
        draft->signs_from += 1000;
    }
    return fail(draft->path, "make", error);
}

bool keyring_take_draft(struct keyring *ring, struct keyring_draft *draft, struct error *error)
{
    bool is_linked = name_key(ring, draft, error);
    bool ok = is_linked && add_key(ring, draft->signer, draft->signs_from, draft->path, error);
    if (ok) {
        draft->signer = NULL;
    } else if (is_linked) {
        unlink(draft->path);
    }
    unlink(draft->draft_path);
    ok = sync_folder(ring->folder, error) && ok;
    free_draft(draft);
    return ok;
}

void keyring_drop_draft(struct keyring *ring, struct keyring_draft *draft)
{
    (void)ring;
    if (draft != NULL) {
        unlink(draft->draft_path);
        free_draft(draft);
    }
}

bool keyring_drop_former(struct keyring *ring, enum signer_kind kind, struct error *error)
{
    const struct ring_key *newest = find_current(ring, kind, INT64_MAX);
    bool ok = true;
    for (size_t i = 0; i < ring->count; i++) {
        struct ring_key *key = &ring->keys[i];
        if (key == newest || key->is_dropped || signer_kind(key->signer) != kind) {
            continue;
        }
        key->is_dropped = true;
        ok = (unlink(key->path) == 0 || errno == ENOENT || fail(key->path, "remove", error)) && ok;
    }
    return sync_folder(ring->folder, error) && ok;
}

/* ---- use ---- */

bool keyring_verify(const struct keyring *ring, int64_t now, const char *typ, const char *token,
                    size_t token_length, struct builder *out_payload, struct error *error)
{
    struct error last = {0};
    /* The current one first: most tokens are its. */
    const struct ring_key *current = find_current(ring, SIGNER_ES256, now);
    if (current != NULL &&
        jws_verify(current->signer, typ, token, token_length, out_payload, &last)) {
        return true;
    }
    for (size_t i = 0; i < ring->count; i++) {
        struct error ignored = {0};
        const struct ring_key *key = &ring->keys[i];
        if (key != current && is_published(ring, key, now) &&
            jws_verify(key->signer, typ, token, token_length, out_payload, &ignored)) {
            return true;
        }
    }
    return error_set(error, ERROR_UNAUTHENTICATED, "invalid_token", NULL, "%s",
                     last.kind != ERROR_NONE ? last.message
                                             : "the token was not made by this gateway");
}

void keyring_append_jwks(const struct keyring *ring, int64_t now, struct builder *out)
{
    bool is_first = true;
    builder_text(out, "{\"keys\":[");
    for (size_t i = 0; i < ring->count; i++) {
        if (is_published(ring, &ring->keys[i], now)) {
            builder_text(out, is_first ? "" : ",");
            signer_append_jwk(ring->keys[i].signer, out);
            is_first = false;
        }
    }
    builder_text(out, "]}");
}
