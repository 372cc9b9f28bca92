#include "store/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Reads the open file, if it is an entry of this version. */
static enum cba_folder_status read_entry(struct cba_folder *folder, const char *name, int fd,
                                         char *bytes, size_t *length) {
    struct stat info;
    char start[HEADER_LENGTH];
    if (fstat(fd, &info) != 0) {
        return cba_folder_fail_errno(folder, name);
    }
    if (info.st_size < HEADER_LENGTH || info.st_size > HEADER_LENGTH + CBA_ENTRY_MAX_BYTES ||
        !cba_folder_read(fd, start, sizeof start, 0) || memcmp(start, header, sizeof start) != 0) {
        bool other = cba_folder_is_of_another_version(fd, family, header);
        return cba_folder_fail(folder, name, other ? other_version : damaged);
    }
    *length = (size_t)info.st_size - HEADER_LENGTH;
    if (!cba_folder_read(fd, bytes, *length, HEADER_LENGTH)) {
        return errno != 0 ? cba_folder_fail_errno(folder, name)
                          : cba_folder_fail(folder, name, "was changed while it was read");
    }
    return CBA_FOLDER_DONE;
}

enum cba_folder_status cba_entry_get(struct cba_folder *folder, const char *name,
                                     char bytes[CBA_ENTRY_MAX_BYTES], size_t *length) {
    int fd = -1;
    enum cba_folder_status status = cba_folder_open(folder, false);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = cba_folder_open_file(folder, name, &fd);
    close(folder->directory);
    if (status == CBA_FOLDER_DONE) {
        status = read_entry(folder, name, fd, bytes, length);
        close(fd);
    }
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* An entry of another release is not replaced: the two releases would replace each other's. */
static bool is_of_another_version(const struct cba_folder *folder, const char *name) {
    int fd = openat(folder->directory, name, O_RDONLY | CBA_FOLDER_SAFE_OPEN);
    if (fd < 0) {
        return false;
    }
    bool is_other = cba_folder_is_of_another_version(fd, family, header);
    close(fd);
    return is_other;
}

/* Waits while another process writes the entry. NOTHING when it has: its entry is as good. */
static enum cba_folder_status wait_for_claim(struct cba_folder *folder, const char *name,
                                             struct cba_claim *claim) {
    struct stat first, now;
    for (unsigned i = 0; i < LOOKS; i++) {
        enum cba_folder_status status = cba_claim_take(folder, name, claim);
        if (status != CBA_FOLDER_NOTHING) {
            return status;
        }
        if (fstatat(folder->directory, claim->file, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
            (i > 0 && now.st_ino != first.st_ino)) {
            return CBA_FOLDER_NOTHING;
        }
        first = now;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return cba_folder_fail(
        folder, claim->file,
        "is held by another process, which may be stopped; the entry was not stored");
}

static enum cba_folder_status replace_entry(struct cba_folder *folder, const char *name,
                                            const char *bytes, size_t length) {
    struct cba_claim claim;
    enum cba_folder_status status = wait_for_claim(folder, name, &claim);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    if (!cba_folder_write(claim.descriptor, header, HEADER_LENGTH, 0) ||
        !cba_folder_write(claim.descriptor, bytes, length, HEADER_LENGTH) ||
        !cba_folder_sync(claim.descriptor)) {
        status = cba_folder_fail_errno(folder, claim.file);
    } else {
        status = cba_claim_publish(folder, &claim, name);
    }
    if (status == CBA_FOLDER_NOTHING) {
        status =
            cba_folder_fail(folder, claim.file,
                            "was taken over, because this process was stopped; its entry was not "
                            "stored");
    }
    cba_claim_give_up(folder, &claim);
    return status;
}

enum cba_folder_status cba_entry_put(struct cba_folder *folder, const char *name, const char *bytes,
                                     size_t length) {
    if (length > CBA_ENTRY_MAX_BYTES) {
        return cba_folder_fail(folder, name, "would be larger than an entry can be");
    }
    enum cba_folder_status status = cba_folder_open(folder, true);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = cba_folder_find(folder, name);
    if (status == CBA_FOLDER_DONE && is_of_another_version(folder, name)) {
        status = cba_folder_fail(folder, name, other_version);
    }
    if (status != CBA_FOLDER_FAULT) {
        status = replace_entry(folder, name, bytes, length);
    }
    if (status == CBA_FOLDER_DONE && !cba_folder_sync(folder->directory)) {
        status = cba_folder_fail_open(folder);
    }
    if (status == CBA_FOLDER_DONE) {
        cba_sweep(folder);
    }
    close(folder->directory);
    return status;
}

/* ---- deleting ---------------------------------------------------------------------------- */

/* The claim of a dead process holds a token, too. One that is being written is left alone. */
static enum cba_folder_status remove_leftover(struct cba_folder *folder, const char *name) {
    char file[CBA_FOLDER_FILE_SIZE];
    struct cba_claim claim;
    (void)snprintf(file, sizeof file, "%s" CBA_CLAIM_SUFFIX, name);
    enum cba_folder_status status = cba_folder_find(folder, file);
    if (status == CBA_FOLDER_DONE) {
        status = cba_claim_take(folder, name, &claim);
    }
    if (status == CBA_FOLDER_DONE) {
        cba_claim_give_up(folder, &claim);
    }
    return status;
}

static enum cba_folder_status remove_entry(struct cba_folder *folder, const char *name) {
    enum cba_folder_status status = cba_folder_find(folder, name);
    if (status == CBA_FOLDER_DONE && unlinkat(folder->directory, name, 0) != 0 && errno != ENOENT) {
        return cba_folder_fail_errno(folder, name);
    }
    return status == CBA_FOLDER_FAULT ? status : remove_leftover(folder, name);
}

enum cba_folder_status cba_entry_delete(struct cba_folder *folder, const char *name) {
    enum cba_folder_status status = cba_folder_open(folder, false);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    status = remove_entry(folder, name);
    if (status != CBA_FOLDER_FAULT && !cba_folder_sync(folder->directory)) {
        status = cba_folder_fail_open(folder);
    }
    close(folder->directory);
    return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
}
