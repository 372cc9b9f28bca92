/* A folder that belongs to the user, in which the user's processes share small files.
 *
 * Only the folder is opened by its path. Files are opened relative to the folder, without following
 * symbolic links and without waiting. A folder or file that another user may change is not used and
 * not changed. It is reported as a fault: a text that says what is wrong and what to do. */
#ifndef CBA_FOLDER_H
#define CBA_FOLDER_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CBA_FOLDER_MAX_PATH = 1024,
    CBA_FOLDER_MAX_NAME = 80,
    CBA_FOLDER_FILE_SIZE = CBA_FOLDER_MAX_NAME + 16, /* a name, our suffix, a NUL */
    CBA_FOLDER_FAULT_SIZE = 2560,                    /* two paths and some words */
    CBA_FOLDER_HEADER_SIZE = 32,                     /* the longest beginning that tells a format */
    CBA_FOLDER_SAFE_OPEN = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
};

struct cba_folder {
    const char *path; /* absolute, without a slash at its end; the caller keeps it */
    int directory;    /* from cba_folder_open on; the caller closes it */
    char fault[CBA_FOLDER_FAULT_SIZE]; /* one line, after CBA_FOLDER_FAULT; "" at first */
};

enum cba_folder_status {
    CBA_FOLDER_DONE,
    CBA_FOLDER_NOTHING, /* there is none, or another process has it */
    CBA_FOLDER_FAULT,
};

/* Whether it consists of digits, small letters and dashes: nothing that has a meaning in a path. */
bool cba_folder_is_name(const char *name);

/* Opens the folder itself, if only the user has access to it and nobody else can replace it
 * (parents.h). When it is missing: with `make` it is made, and those above it; else NOTHING. */
enum cba_folder_status cba_folder_open(struct cba_folder *folder, bool make);

/* Opens a file for reading, if it is a regular file that only the user has access to; NOTHING when
 * there is none. */
enum cba_folder_status cba_folder_open_file(struct cba_folder *folder, const char *file,
                                            int *descriptor);

/* The same check for an open file. */
enum cba_folder_status cba_folder_check_file(struct cba_folder *folder, const char *file, int fd);

/* DONE when there is something that may be replaced or removed: a regular file of the user's, or a
 * symbolic link, which is not followed. NOTHING when there is nothing. */
enum cba_folder_status cba_folder_find(struct cba_folder *folder, const char *file);

/* Removes a claim or lease of the user's that nobody can use: a symbolic link, or a file with
 * another mode than ours, as after a chmod -R. Returns whether it removed one. */
bool cba_folder_clear(const struct cba_folder *folder, const char *file);

/* Whether the name still leads to the open file. */
bool cba_folder_is_still(const struct cba_folder *folder, const char *file, int descriptor);

/* Locks it by flock(2), LOCK_SH or LOCK_EX, without waiting; false with errno. */
bool cba_folder_lock(int descriptor, int kind);

/* Exactly `length` bytes at `offset`; false with errno, which is 0 when there are fewer to read. A
 * limit on the size of files gives EFBIG, not SIGXFSZ. */
bool cba_folder_read(int descriptor, char *bytes, size_t length, size_t offset);
bool cba_folder_write(int descriptor, const char *bytes, size_t length, size_t offset);

/* Whether another version of corebank-auth wrote the file: it begins with `family`, and not with
 * `header`, which is longer. */
bool cba_folder_is_of_another_version(int descriptor, const char *family, const char *header);

/* True also where the file system does not support it. */
bool cba_folder_sync(int descriptor);

/* Each writes the fault and returns CBA_FOLDER_FAULT: about a file in the folder, about the folder
 * itself, about any other path. */
enum cba_folder_status cba_folder_fail(struct cba_folder *folder, const char *file,
                                       const char *reason);
enum cba_folder_status cba_folder_fail_errno(struct cba_folder *folder, const char *file);
enum cba_folder_status cba_folder_fail_open(struct cba_folder *folder);
enum cba_folder_status cba_folder_fail_at(struct cba_folder *folder, const char *path,
                                          const char *reason);

#endif
