#include "store/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/claim.h"
#include "store/sweep.h"

static const char family[] = "corebank-auth ";
static const char header[] = "corebank-auth 1\n";

static const char damaged[] =
    "is damaged, or not an entry of corebank-auth; the next entry takes its place";
static const char other_version[] = "is of another version; remove it";

enum {
    HEADER_LENGTH = sizeof header - 1,
    LOOKS = 500,            /* while another process writes the same entry: half a second */
    PAUSE_NS = 1000 * 1000, /* between two looks */
};

/* Checks an entry's first line. `length` becomes the number of bytes after it. */
static enum cba_folder_status check_entry(struct cba_folder *folder, const char *name, int fd,
                                          size_t *length) {
    struct stat info;
    char start[HEADER_LENGTH];
    if (fstat(fd, &info) != 0) {
        return cba_folder_fail_errno(folder, name);
    }
    if (info.st_size > HEADER_LENGTH + CBA_ENTRY_MAX_BYTES) {
        return cba_folder_fail(folder, name, damaged);
    }
    if (info.st_size >= HEADER_LENGTH && cba_folder_read(fd, start, sizeof start, 0) &&
        memcmp(start, header, sizeof start) == 0) {
        *length = (size_t)info.st_size - HEADER_LENGTH;
        return CBA_FOLDER_DONE;
    }
    bool other = cba_folder_is_of_another_version(fd, family, header);
    return cba_folder_fail(folder, name, other ? other_version : damaged);
}

static enum cba_folder_status open_entry(struct cba_folder *folder, int directory, const char *name,
                                         int *descriptor, size_t *length) {
    int fd = -1;
    enum cba_folder_status status = cba_folder_open_file(folder, directory, name, &fd);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = check_entry(folder, name, fd, length);
    if (status != CBA_FOLDER_DONE) {
        close(fd);
        return status;
    }
    *descriptor = fd;
    return CBA_FOLDER_DONE;
}

static enum cba_folder_status read_entry(struct cba_folder *folder, const char *name, int fd,
                                         char **bytes, size_t length) {
    char *buffer = malloc(length + 1); /* an entry may be empty */
    if (buffer == NULL) {
        return CBA_FOLDER_NO_MEMORY;
    }
    if (!cba_folder_read(fd, buffer, length, HEADER_LENGTH)) {
        free(buffer);
        return errno != 0 ? cba_folder_fail_errno(folder, name)
                          : cba_folder_fail(folder, name, "was changed while it was read");
    }
    *bytes = buffer;
    return CBA_FOLDER_DONE;
}

enum cba_folder_status cba_entry_get(struct cba_folder *folder, const char *name, char **bytes,
                                     size_t *length) {
    int directory = -1, fd = -1;
    enum cba_folder_status status = cba_folder_open(folder, false, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = open_entry(folder, directory, name, &fd, length);
    close(directory);
    if (status == CBA_FOLDER_DONE) {
        status = read_entry(folder, name, fd, bytes, *length);
        close(fd);
    }
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* An entry of another release is not replaced: the two releases would replace each other's. */
static bool is_of_another_version(int directory, const char *name) {
    int fd = openat(directory, name, O_RDONLY | CBA_FOLDER_SAFE_OPEN);
    if (fd < 0) {
        return false;
    }
    bool is_other = cba_folder_is_of_another_version(fd, family, header);
    close(fd);
    return is_other;
}

static void name_claim(const char *name, char file[CBA_FOLDER_FILE_SIZE]) {
    (void)snprintf(file, CBA_FOLDER_FILE_SIZE, "%s" CBA_CLAIM_SUFFIX, name);
}

/* Waits while another process writes the entry. NOTHING when it has: its entry is as good. */
static enum cba_folder_status wait_for_claim(struct cba_folder *folder, int directory,
                                             const char *file, int *descriptor) {
    struct stat first, now;
    for (unsigned i = 0; i < LOOKS; i++) {
        enum cba_folder_status status = cba_claim_take(folder, directory, file, descriptor);
        if (status != CBA_FOLDER_NOTHING) {
            return status;
        }
        if (fstatat(directory, file, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
            (i > 0 && now.st_ino != first.st_ino)) {
            return CBA_FOLDER_NOTHING;
        }
        first = now;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return cba_folder_fail(
        folder, file, "is held by another process that may stand still; the entry was not stored");
}

static enum cba_folder_status replace_entry(struct cba_folder *folder, int directory,
                                            const char *name, const char *bytes, size_t length) {
    char claim[CBA_FOLDER_FILE_SIZE];
    int fd = -1;
    name_claim(name, claim);
    enum cba_folder_status status = wait_for_claim(folder, directory, claim, &fd);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    if (!cba_folder_write(fd, header, HEADER_LENGTH, 0) ||
        !cba_folder_write(fd, bytes, length, HEADER_LENGTH) || !cba_folder_sync(fd)) {
        status = cba_folder_fail_errno(folder, claim);
    } else {
        status = cba_claim_publish(folder, directory, claim, name, fd);
    }
    if (status == CBA_FOLDER_NOTHING) {
        status = cba_folder_fail(folder, claim,
                                 "was taken over, for this process stood still; its entry was not "
                                 "stored");
    }
    cba_claim_give_up(directory, claim, fd);
    close(fd);
    return status;
}

enum cba_folder_status cba_entry_put(struct cba_folder *folder, const char *name, const char *bytes,
                                     size_t length) {
    int directory = -1;
    if (length > CBA_ENTRY_MAX_BYTES) {
        return cba_folder_fail(folder, name, "would be larger than an entry can be");
    }
    enum cba_folder_status status = cba_folder_open(folder, true, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = cba_folder_find(folder, directory, name);
    if (status == CBA_FOLDER_DONE && is_of_another_version(directory, name)) {
        status = cba_folder_fail(folder, name, other_version);
    }
    if (status != CBA_FOLDER_FAULT) {
        status = replace_entry(folder, directory, name, bytes, length);
    }
    if (status == CBA_FOLDER_DONE && !cba_folder_sync(directory)) {
        status = cba_folder_fail_open(folder);
    }
    if (status == CBA_FOLDER_DONE) {
        cba_sweep(folder->path, directory);
    }
    close(directory);
    return status;
}

/* ---- deleting ---------------------------------------------------------------------------- */

/* The claim of a dead process holds a token, too. A process that is writing now is not disturbed.
 */
static enum cba_folder_status remove_leftover(struct cba_folder *folder, int directory,
                                              const char *name) {
    char file[CBA_FOLDER_FILE_SIZE];
    int fd = -1;
    name_claim(name, file);
    enum cba_folder_status status = cba_folder_find(folder, directory, file);
    if (status == CBA_FOLDER_DONE) {
        status = cba_claim_take(folder, directory, file, &fd);
    }
    if (status == CBA_FOLDER_DONE) {
        cba_claim_give_up(directory, file, fd);
        close(fd);
    }
    return status;
}

static enum cba_folder_status remove_entry(struct cba_folder *folder, int directory,
                                           const char *name) {
    enum cba_folder_status status = cba_folder_find(folder, directory, name);
    if (status == CBA_FOLDER_DONE && unlinkat(directory, name, 0) != 0 && errno != ENOENT) {
        return cba_folder_fail_errno(folder, name);
    }
    return status == CBA_FOLDER_FAULT ? status : remove_leftover(folder, directory, name);
}

enum cba_folder_status cba_entry_delete(struct cba_folder *folder, const char *name) {
    int directory = -1;
    enum cba_folder_status status = cba_folder_open(folder, false, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    status = remove_entry(folder, directory, name);
    if (status != CBA_FOLDER_FAULT && !cba_folder_sync(directory)) {
        status = cba_folder_fail_open(folder);
    }
    close(directory);
    return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
}
