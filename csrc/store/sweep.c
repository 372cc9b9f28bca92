#include "store/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "secret/seal.h"
#include "store/claim.h"
#include "store/lease.h"

enum {
    MOST_NAMES = 1000,      /* looked at in one sweep */
    KEPT = (7 + 1) * 86400, /* seconds: the longest life of a token, and a day for wrong clocks */
};

static const char family[] = "corebank-auth ";

struct item {
    const char *file;
    char claim[CBA_FOLDER_FILE_SIZE]; /* that who replaces the file takes */
    bool is_entry;
};

/* Whether a name is one of ours: of an entry, a lease, or the claim of either. */
static bool read_name(const char *file, struct item *item) {
    const char *suffix = file + CBA_ENTRY_NAME_LENGTH;
    if (strspn(file, "0123456789abcdef") != CBA_ENTRY_NAME_LENGTH) {
        return false;
    }
    bool lease = strcmp(suffix, CBA_LEASE_SUFFIX) == 0 ||
                 strcmp(suffix, CBA_LEASE_SUFFIX CBA_CLAIM_SUFFIX) == 0;
    item->file = file;
    item->is_entry = *suffix == '\0';
    (void)snprintf(item->claim, sizeof item->claim, "%.*s%s", CBA_ENTRY_NAME_LENGTH, file,
                   lease ? CBA_LEASE_SUFFIX CBA_CLAIM_SUFFIX : CBA_CLAIM_SUFFIX);
    return lease || item->is_entry || strcmp(suffix, CBA_CLAIM_SUFFIX) == 0;
}

static bool is_old(int directory, const char *file) {
    struct stat info;
    return fstatat(directory, file, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
           info.st_uid == geteuid() && difftime(time(NULL), info.st_mtime) > KEPT;
}

/* Whether the file is of our format and not locked. An entry is never empty; a lease that was given
 * back is. */
static bool is_ours(int directory, const struct item *item) {
    char start[sizeof family - 1];
    int fd = openat(directory, item->file, O_RDONLY | CBA_FOLDER_SAFE_OPEN);
    if (fd < 0) {
        return false;
    }
    ssize_t length = pread(fd, start, sizeof start, 0);
    bool ours = length >= 0 && memcmp(start, family, (size_t)length) == 0 &&
                (!item->is_entry || length == sizeof start) && cba_folder_lock(fd, LOCK_SH);
    close(fd);
    return ours;
}

/* Takes the claim, so that no process replaces the file meanwhile, and looks again whether it is
 * old. */
static void remove_item(const char *path, int directory, const struct item *item) {
    struct cba_folder folder = {.path = path};
    int fd = -1;
    if (cba_claim_take(&folder, directory, item->claim, &fd) != CBA_FOLDER_DONE) {
        return;
    }
    if (is_old(directory, item->file)) {
        unlinkat(directory, item->file, 0);
    }
    cba_claim_give_up(directory, item->claim, fd);
    close(fd);
}

void cba_sweep(const char *path, int directory) {
    struct item item;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    if (names == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    const struct dirent *entry = readdir(names);
    for (unsigned i = 0; entry != NULL && i < MOST_NAMES; i++) {
        if (read_name(entry->d_name, &item) && is_old(directory, item.file) &&
            is_ours(directory, &item)) {
            remove_item(path, directory, &item);
        }
        entry = readdir(names);
    }
    closedir(names);
}
