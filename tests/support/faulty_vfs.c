#include "tests/support/faulty_vfs.h"

#include "base/check.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>

static sqlite3_vfs *real;
static sqlite3_vfs faulty;
static struct faulty_plan plan;
static atomic_int left; /* operations before it strikes; below 0: struck */
static atomic_bool is_armed;
static atomic_bool has_struck;

struct faulty_file {
    sqlite3_file base;
    /* The real file follows. */
};

static sqlite3_file *real_file(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct faulty_file *)(void *)file + 1);
}

static bool strikes(enum faulty_operation operation)
{
    if (!atomic_load(&is_armed) || plan.operation != operation) {
        return false;
    }
    int place = atomic_fetch_sub(&left, 1);
    bool does = place == 1 || (place < 1 && plan.forever);
    if (does) {
        atomic_store(&has_struck, true);
    }
    return does;
}

static int on_close(sqlite3_file *file)
{
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int on_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 place)
{
    return real_file(file)->pMethods->xRead(real_file(file), bytes, count, place);
}

static int on_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 place)
{
    bool fails = strikes(FAULTY_WRITE);
    if (fails && !plan.is_done) {
        return plan.code;
    }
    int code = real_file(file)->pMethods->xWrite(real_file(file), bytes, count, place);
    return fails ? plan.code : code;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (strikes(FAULTY_TRUNCATE)) {
        return plan.code;
    }
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    if (strikes(FAULTY_SYNC)) {
        return plan.code;
    }
    return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int on_check_lock(sqlite3_file *file, int *out)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int on_control(sqlite3_file *file, int operation, void *argument)
{
    return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

static int on_sector_size(sqlite3_file *file)
{
    return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extends, void volatile **out)
{
    return real_file(file)->pMethods->xShmMap(real_file(file), page, size, extends, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_file(file)->pMethods->xShmLock(real_file(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int on_shm_unmap(sqlite3_file *file, int deletes)
{
    return real_file(file)->pMethods->xShmUnmap(real_file(file), deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    file->pMethods = NULL;
    int code = real->xOpen(real, name, real_file(file), flags, out);
    if (real_file(file)->pMethods != NULL) {
        file->pMethods = &methods;
    }
    return code;
}

void faulty_vfs_install(void)
{
    real = sqlite3_vfs_find(NULL);
    CHECK(real != NULL);
    faulty = *real;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + real->szOsFile;
    faulty.pNext = NULL;
    faulty.xOpen = on_open;
    CHECK(sqlite3_vfs_register(&faulty, 1) == SQLITE_OK);
}

void faulty_vfs_arm(struct faulty_plan new_plan)
{
    plan = new_plan;
    atomic_store(&left, plan.nth);
    atomic_store(&is_armed, true);
}

bool faulty_vfs_has_struck(void)
{
    return atomic_load(&has_struck);
}
