/* The mark: two slots written in turn, each with a sequence number and a checksum, so that a torn
 * write leaves the former one. Each has a disk block of its own, as one block is written at once.
 */

#include "store/store.h"

#include "base/memory.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SLOT_COUNT = 2,
    SLOT_SPACING = 4096,
    MARK_FILE_BYTES = SLOT_COUNT * SLOT_SPACING,
    SLOT_BYTES = 512, /* the smallest sector */
};

static const char magic[8] = {'c', 's', '-', 'm', 'a', 'r', 'k', '1'};

/* On the disk; numbers are little-endian. The rest of a slot is zero. */
struct slot {
    char magic[8];
    uint64_t sequence; /* 0: holds nothing yet */
    uint64_t epoch;
    uint64_t entries;
    uint64_t fence_number;
    uint64_t wall_at;
    unsigned char root[SHA256_BYTES];
    unsigned char checksum[SHA256_BYTES]; /* of all before */
};
_Static_assert(sizeof(struct slot) == 48 + 2 * SHA256_BYTES, "a slot has no padding");

struct store_mark_file {
    int file;
    uint64_t sequence; /* of the newest slot */
    char *path;
};

static struct sha256 checksum_of(const struct slot *slot)
{
    return crypto_sha256(slot, offsetof(struct slot, checksum));
}

static struct slot pack(uint64_t sequence, const struct store_mark *mark)
{
    struct slot slot = {
        .sequence = htole64(sequence),
        .epoch = htole64((uint64_t)mark->epoch),
        .entries = htole64((uint64_t)mark->entries),
        .fence_number = htole64((uint64_t)mark->fence_number),
        .wall_at = htole64((uint64_t)mark->wall_at),
    };
    memcpy(slot.magic, magic, sizeof magic);
    memcpy(slot.root, mark->root.bytes, SHA256_BYTES);
    struct sha256 checksum = checksum_of(&slot);
    memcpy(slot.checksum, checksum.bytes, SHA256_BYTES);
    return slot;
}

static bool unpack(const struct slot *slot, uint64_t *out_sequence, struct store_mark *out)
{
    struct sha256 checksum = checksum_of(slot);
    if (memcmp(slot->magic, magic, sizeof magic) != 0 ||
        !crypto_equal(checksum.bytes, slot->checksum, SHA256_BYTES)) {
        return false;
    }
    *out_sequence = le64toh(slot->sequence);
    *out = (struct store_mark){
        .epoch = (int64_t)le64toh(slot->epoch),
        .entries = (int64_t)le64toh(slot->entries),
        .fence_number = (int64_t)le64toh(slot->fence_number),
        .wall_at = (int64_t)le64toh(slot->wall_at),
    };
    memcpy(out->root.bytes, slot->root, SHA256_BYTES);
    return true;
}

static bool fail(const char *path, const char *what, struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "mark_failed", path, "cannot %s the mark `%s`: %s",
                     what, path, strerror(errno));
}

static bool write_slot(int file, const char *path, uint64_t sequence, const struct store_mark *mark,
                       struct error *error)
{
    unsigned char bytes[SLOT_BYTES] = {0};
    struct slot slot = pack(sequence, mark);
    memcpy(bytes, &slot, sizeof slot);
    off_t place = (off_t)(sequence % SLOT_COUNT) * SLOT_SPACING;
    if (pwrite(file, bytes, sizeof bytes, place) != (ssize_t)sizeof bytes) {
        return fail(path, "write", error);
    }
    return fdatasync(file) == 0 || fail(path, "write", error);
}

static bool sync_folder(const char *path, struct error *error)
{
    char *copy MEMORY_SCOPE = memory_text(path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return fail(path, "keep", error);
    }
    bool is_synced = fsync(folder) == 0;
    (void)close(folder);
    return is_synced || fail(path, "keep", error);
}

/* A file whose one slot says that there is nothing yet, so that its first real write may tear. */
static bool fill_new(int file, const char *path, struct error *error)
{
    struct store_mark nothing = {0};
    int cause = posix_fallocate(file, 0, MARK_FILE_BYTES);
    if (cause != 0) {
        errno = cause;
        return fail(path, "make", error);
    }
    if (!write_slot(file, path, 0, &nothing, error)) {
        return false;
    }
    return fsync(file) == 0 || fail(path, "make", error);
}

/* Made under another name, so that a mark that exists is always whole. */
static bool make(const char *path, struct error *error)
{
    size_t bytes = strlen(path) + sizeof ".new";
    char *temporary MEMORY_SCOPE = memory_zeroed(bytes, 1);
    (void)snprintf(temporary, bytes, "%s.new", path);
    int file = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return fail(path, "make", error);
    }
    bool is_filled = fill_new(file, path, error);
    (void)close(file);
    if (!is_filled) {
        return false;
    }
    if (rename(temporary, path) != 0) {
        return fail(path, "make", error);
    }
    return sync_folder(path, error);
}

static bool is_missing(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 ? errno == ENOENT : status.st_size == 0;
}

/* The newest slot that holds. */
static bool read_newest(struct store_mark_file *mark_file, struct store_mark *out,
                        struct error *error)
{
    bool is_found = false;
    for (int i = 0; i < SLOT_COUNT; i++) {
        struct slot slot;
        struct store_mark mark;
        uint64_t sequence = 0;
        if (pread(mark_file->file, &slot, sizeof slot, (off_t)i * SLOT_SPACING) !=
                (ssize_t)sizeof slot ||
            !unpack(&slot, &sequence, &mark)) {
            continue;
        }
        if (!is_found || sequence > mark_file->sequence) {
            mark_file->sequence = sequence;
            *out = mark;
            is_found = true;
        }
    }
    if (!is_found) {
        return error_set(
            error, ERROR_CORRUPT, "mark_corrupt", mark_file->path,
            "the mark `%s` is damaged, so that a restored store could not be told from a "
            "current one: put a sound copy of the mark back",
            mark_file->path);
    }
    return true;
}

struct store_mark_file *store_mark_open(const char *path, struct store_mark *out_mark,
                                        bool *out_found, struct error *error)
{
    if (is_missing(path) && !make(path, error)) {
        return NULL;
    }
    struct store_mark_file *mark_file = memory_zeroed(1, sizeof *mark_file);
    struct store_mark mark = {0};
    mark_file->path = memory_text(path);
    mark_file->file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (mark_file->file < 0) {
        (void)fail(path, "open", error);
        store_mark_close(mark_file);
        return NULL;
    }
    if (!read_newest(mark_file, &mark, error)) {
        store_mark_close(mark_file);
        return NULL;
    }
    *out_mark = mark;
    *out_found = mark_file->sequence > 0;
    return mark_file;
}

bool store_mark_write(struct store_mark_file *file, const struct store_mark *mark,
                      struct error *error)
{
    bool is_first = file->sequence == 0;
    /* A write that fails is repeated in the same slot: the other one is known to hold. */
    if (!write_slot(file->file, file->path, file->sequence + 1, mark, error)) {
        return false;
    }
    file->sequence++;
    /* The first mark goes to both, so that damage to one slot can never look like "nothing yet". */
    return !is_first || store_mark_write(file, mark, error);
}

void store_mark_close(struct store_mark_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->file >= 0) {
        (void)close(file->file);
    }
    free(file->path);
    free(file);
}
