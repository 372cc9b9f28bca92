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
    char claimed[CBA_FOLDER_FILE_SIZE]; /* the file, or the one that would be replaced by it */
    bool is_entry;
};

/* Whether a name is one of ours: of an entry, a lease, or the claim of either. */
static bool read_name(const char *file, struct item *item) {
    const char *suffix = file + CBA_ENTRY_NAME_LENGTH;
    if (strspn(file, "0123456789abcdef") != CBA_ENTRY_NAME_LENGTH) {
        return false;
    }
    item->file = file;
    item->is_entry = *suffix == '\0';
    if (strncmp(suffix, CBA_LEASE_SUFFIX, strlen(CBA_LEASE_SUFFIX)) == 0) {
        suffix += strlen(CBA_LEASE_SUFFIX);
    }
    (void)snprintf(item->claimed, sizeof item->claimed, "%.*s", (int)(suffix - file), file);
    return *suffix == '\0' || strcmp(suffix, CBA_CLAIM_SUFFIX) == 0;
}

static bool is_old(const struct cba_folder *folder, const char *file) {
    struct stat info;
    return fstatat(folder->directory, file, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
           difftime(time(NULL), info.st_mtime) > KEPT;
}

/* Whether the file is of our format and not locked. An entry is never empty; a lease that was given
 * back is. */
static bool is_ours(const struct cba_folder *folder, const struct item *item) {
    char start[sizeof family - 1];
    int fd = openat(folder->directory, item->file, O_RDONLY | CBA_FOLDER_SAFE_OPEN);
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
static void remove_item(const struct cba_folder *folder, const struct item *item) {
    struct cba_folder own = *folder; /* no fault of the caller's comes from here */
    struct cba_claim claim;
    if (cba_claim_take(&own, item->claimed, &claim) != CBA_FOLDER_DONE) {
        return;
    }
    if (is_old(folder, item->file)) {
        unlinkat(folder->directory, item->file, 0);
    }
    cba_claim_give_up(folder, &claim);
}

void cba_sweep(const struct cba_folder *folder) {
    struct item item;
    int fd = openat(folder->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    if (names == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    const struct dirent *entry;
    for (unsigned i = 0; i < MOST_NAMES && (entry = readdir(names)) != NULL; i++) {
        if (read_name(entry->d_name, &item) && is_old(folder, item.file) &&
            is_ours(folder, &item)) {
            remove_item(folder, &item);
        }
    }
    closedir(names);
}
