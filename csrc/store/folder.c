#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/parents.h"
#include "text/invisible.h"

#define INNER "corebank-auth" /* the folder within the given one that messages advise */

/* ---- faults ------------------------------------------------------------------------------ */

/* The fault is `path`, then each of `parts` up to a NULL. */
static enum cba_folder_status describe(struct cba_folder *folder, const char *path,
                                       const char *const *parts) {
    size_t used = 0;
    for (const char *part = path; part != NULL && used < sizeof folder->fault; part = *parts++) {
        int more = snprintf(folder->fault + used, sizeof folder->fault - used, "%s", part);
        used += more > 0 ? (size_t)more : 0;
    }
    /* A path may hold line breaks, a log line may not. */
    folder->fault[cba_printable(folder->fault, strlen(folder->fault))] = '\0';
    return CBA_FOLDER_FAULT;
}

enum cba_folder_status cba_folder_fail_at(struct cba_folder *folder, const char *path,
                                          const char *reason) {
    return describe(folder, path, (const char *[]){" ", reason, NULL});
}

enum cba_folder_status cba_folder_fail(struct cba_folder *folder, const char *file,
                                       const char *reason) {
    return describe(folder, folder->path, (const char *[]){"/", file, " ", reason, NULL});
}

enum cba_folder_status cba_folder_fail_errno(struct cba_folder *folder, const char *file) {
    switch (errno) {
        case ELOOP: /* what O_NOFOLLOW gives; FreeBSD has EMLINK */
        case EMLINK:
            return cba_folder_fail(folder, file, "is a symbolic link; remove it");
        case ENXIO: /* a socket */
        case EISDIR:
            return cba_folder_fail(folder, file, "is not a regular file; remove it");
        default:
            return describe(folder, folder->path,
                            (const char *[]){"/", file, ": ", strerror(errno), NULL});
    }
}

enum cba_folder_status cba_folder_fail_open(struct cba_folder *folder) {
    bool hopeless = errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT;
    return describe(
        folder, folder->path,
        (const char *[]){": ", strerror(errno), hopeless ? "; name another folder" : "", NULL});
}

/* ---- the folder -------------------------------------------------------------------------- */

bool cba_folder_is_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= CBA_FOLDER_MAX_NAME &&
           strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz-") == length;
}

/* Whether a store in INNER within the given folder would work. */
static bool inner_would_do(const char *path) {
    struct cba_folder inner;
    struct stat info;
    char name[CBA_FOLDER_MAX_PATH], real[CBA_FOLDER_MAX_PATH];
    int length = snprintf(name, sizeof name, "%s/%s", path, INNER);
    if (length < 0 || (size_t)length >= sizeof name) {
        return false;
    }
    inner.path = name;
    inner.fault[0] = '\0';
    if (cba_parents_walk(&inner, false, real) == CBA_FOLDER_DONE) {
        return lstat(real, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
               (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    }
    return inner.fault[0] == '\0' && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* Says what is wrong with the given folder, and what to do: `mend` it, or name another one. */
static enum cba_folder_status refuse(struct cba_folder *folder, const char *reason,
                                     const char *mend) {
    bool inner = inner_would_do(folder->path);
    return describe(folder, folder->path,
                    (const char *[]){" ", reason, "; ", mend, "name ",
                                     inner ? folder->path : "another folder",
                                     inner ? "/" INNER : "", NULL});
}

static enum cba_folder_status check_folder(struct cba_folder *folder, int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return cba_folder_fail_open(folder);
    }
    if (info.st_uid != geteuid()) {
        return refuse(folder, "belongs to another user", "");
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return refuse(folder, "is open to other users", "chmod 700 it, or ");
    }
    return CBA_FOLDER_DONE;
}

enum cba_folder_status cba_folder_open(struct cba_folder *folder, bool make) {
    char real[CBA_FOLDER_MAX_PATH];
    enum cba_folder_status status = cba_parents_walk(folder, make, real);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    int fd = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EMLINK)) {
        struct stat info;
        bool link = lstat(real, &info) == 0 && S_ISLNK(info.st_mode);
        return refuse(folder, link ? "is a symbolic link" : "is not a folder", "");
    }
    if (fd < 0) {
        return errno == ENOENT && !make ? CBA_FOLDER_NOTHING : cba_folder_fail_open(folder);
    }
    status = check_folder(folder, fd);
    if (status != CBA_FOLDER_DONE) {
        close(fd);
        return status;
    }
    folder->directory = fd;
    return CBA_FOLDER_DONE;
}

/* ---- files ------------------------------------------------------------------------------- */

/* A symbolic link passes: what has been opened is none. */
static enum cba_folder_status check_kind(struct cba_folder *folder, const char *file,
                                         const struct stat *info) {
    if (!S_ISREG(info->st_mode) && !S_ISLNK(info->st_mode)) {
        return cba_folder_fail(folder, file, "is not a regular file; remove it");
    }
    if (info->st_uid != geteuid()) {
        return cba_folder_fail(folder, file, "belongs to another user; remove it");
    }
    return CBA_FOLDER_DONE;
}

enum cba_folder_status cba_folder_check_file(struct cba_folder *folder, const char *file, int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return cba_folder_fail_errno(folder, file);
    }
    enum cba_folder_status status = check_kind(folder, file, &info);
    if (status == CBA_FOLDER_DONE && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return cba_folder_fail(folder, file, "is open to other users; chmod 600 or remove it");
    }
    return status;
}

enum cba_folder_status cba_folder_find(struct cba_folder *folder, const char *file) {
    struct stat info;
    if (fstatat(folder->directory, file, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? CBA_FOLDER_NOTHING : cba_folder_fail_errno(folder, file);
    }
    return check_kind(folder, file, &info);
}

bool cba_folder_clear(const struct cba_folder *folder, const char *file) {
    static const mode_t needed = S_IRUSR | S_IWUSR, barred = S_IRWXG | S_IRWXO;
    struct stat info;
    if (fstatat(folder->directory, file, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        info.st_uid != geteuid()) {
        return false;
    }
    bool usable = (info.st_mode & (needed | barred)) == needed;
    bool ours = S_ISLNK(info.st_mode) || (S_ISREG(info.st_mode) && !usable);
    return ours && unlinkat(folder->directory, file, 0) == 0;
}

enum cba_folder_status cba_folder_open_file(struct cba_folder *folder, const char *file,
                                            int *descriptor) {
    int fd = openat(folder->directory, file, O_RDONLY | CBA_FOLDER_SAFE_OPEN);
    if (fd < 0) {
        return errno == ENOENT ? CBA_FOLDER_NOTHING : cba_folder_fail_errno(folder, file);
    }
    enum cba_folder_status status = cba_folder_check_file(folder, file, fd);
    if (status != CBA_FOLDER_DONE) {
        close(fd);
        return status;
    }
    *descriptor = fd;
    return CBA_FOLDER_DONE;
}

bool cba_folder_is_still(const struct cba_folder *folder, const char *file, int fd) {
    struct stat open_file, named_file;
    return fstat(fd, &open_file) == 0 &&
           fstatat(folder->directory, file, &named_file, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

bool cba_folder_lock(int descriptor, int kind) {
    int status;
    do {
        status = flock(descriptor, kind | LOCK_NB);
    } while (status != 0 && errno == EINTR);
    return status == 0;
}

bool cba_folder_write(int descriptor, const char *bytes, size_t length, size_t offset) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        offset + length > limit.rlim_cur) {
        errno = EFBIG; /* the write itself would raise SIGXFSZ */
        return false;
    }
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(descriptor, bytes + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool cba_folder_read(int descriptor, char *bytes, size_t length, size_t offset) {
    errno = 0;
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(descriptor, bytes + done, length - done, (off_t)(offset + done));
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool cba_folder_is_of_another_version(int descriptor, const char *family, const char *header) {
    char start[CBA_FOLDER_HEADER_SIZE];
    return cba_folder_read(descriptor, start, strlen(header), 0) &&
           memcmp(start, family, strlen(family)) == 0 && memcmp(start, header, strlen(header)) != 0;
}

bool cba_folder_sync(int descriptor) {
    int status;
    do {
        status = fsync(descriptor);
    } while (status != 0 && errno == EINTR);
    return status == 0 || errno == EINVAL || errno == ENOTSUP;
}
