#ifndef TESTS_SUPPORT_FAULTY_VFS_H
#define TESTS_SUPPORT_FAULTY_VFS_H

/* A SQLite file system that passes everything on to the system's, until the nth write, sync or
 * truncation after faulty_vfs_arm, which fails: once, or with all that follow. */

#include <stdbool.h>

enum faulty_operation { FAULTY_WRITE = 1, FAULTY_SYNC, FAULTY_TRUNCATE };

struct faulty_plan {
    enum faulty_operation operation;
    int nth;      /* 1 is the next one */
    bool forever; /* and every one after it */
    int code;     /* what SQLite is told: SQLITE_FULL, SQLITE_IOERR_FSYNC… */
    bool is_done; /* it is done all the same, as when a sync fails after the bytes went out */
};

void faulty_vfs_install(void); /* the default from here on */
void faulty_vfs_arm(struct faulty_plan plan);
bool faulty_vfs_has_struck(void);

#endif
