#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    CLAIMS_TRIED = 16,
    CLAIM_LONGEST = 2, /* seconds; a process that holds a claim for longer is taken for stopped */
};

/* Checks the open file and locks it. NOTHING when another process has the lock. */
static enum cba_folder_status check_and_lock(struct cba_folder *folder,
                                             const struct cba_claim *claim) {
    enum cba_folder_status status = cba_folder_check_file(folder, claim->file, claim->descriptor);
    if (status != CBA_FOLDER_DONE || cba_folder_lock(claim->descriptor, LOCK_EX)) {
        return status;
    }
    return errno == EWOULDBLOCK ? CBA_FOLDER_NOTHING : cba_folder_fail_errno(folder, claim->file);
}

static bool is_still(const struct cba_folder *folder, const struct cba_claim *claim) {
    return cba_folder_is_still(folder, claim->file, claim->descriptor);
}

/* By the clock that dates files. A date in the future means that the clock was put back since. */
static bool is_old_claim(int fd) {
    struct stat info;
    double age = fstat(fd, &info) == 0 ? difftime(time(NULL), info.st_mtime) : 0;
    return age > CLAIM_LONGEST || age < -CLAIM_LONGEST;
}

/* Empties the file and dates the claim. A umask may have removed the owner's own rights. */
static bool begin_claim(int fd) {
    return ftruncate(fd, 0) == 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 && futimens(fd, NULL) == 0;
}

/* Tries to claim the open file: DONE, or NOTHING when another process has it. `again` becomes true
 * when the name may lead to another file by now, which is then to be tried. */
static enum cba_folder_status try_claim(struct cba_folder *folder, const struct cba_claim *claim,
                                        bool *again) {
    enum cba_folder_status status = check_and_lock(folder, claim);
    bool still = is_still(folder, claim);
    if (status == CBA_FOLDER_DONE && still) {
        return begin_claim(claim->descriptor) ? status : cba_folder_fail_errno(folder, claim->file);
    }
    if (status == CBA_FOLDER_NOTHING && still && is_old_claim(claim->descriptor)) {
        /* cba_claim_publish tells the one that lost it. */
        unlinkat(folder->directory, claim->file, 0);
        cba_folder_fail(folder, claim->file, "was held by a stopped process; it was taken over");
        still = false;
    }
    *again = status != CBA_FOLDER_FAULT && !still;
    return status;
}

enum cba_folder_status cba_claim_take(struct cba_folder *folder, const char *file,
                                      struct cba_claim *claim) {
    (void)snprintf(claim->file, sizeof claim->file, "%s" CBA_CLAIM_SUFFIX, file);
    for (unsigned i = 0; i < CLAIMS_TRIED; i++) {
        bool again = false;
        cba_folder_clear(folder, claim->file);
        claim->descriptor = openat(folder->directory, claim->file,
                                   O_RDWR | O_CREAT | CBA_FOLDER_SAFE_OPEN, S_IRUSR | S_IWUSR);
        if (claim->descriptor < 0) {
            return cba_folder_fail_errno(folder, claim->file);
        }
        enum cba_folder_status status = try_claim(folder, claim, &again);
        if (status != CBA_FOLDER_DONE || again) {
            close(claim->descriptor);
        }
        if (!again) {
            return status;
        }
    }
    return CBA_FOLDER_NOTHING;
}

enum cba_folder_status cba_claim_publish(struct cba_folder *folder, const struct cba_claim *claim,
                                         const char *file) {
    if (is_still(folder, claim)) {
        if (renameat(folder->directory, claim->file, folder->directory, file) == 0) {
            return CBA_FOLDER_DONE;
        }
        if (errno != ENOENT) {
            return cba_folder_fail_errno(folder, claim->file);
        }
    }
    return cba_folder_is_still(folder, file, claim->descriptor) ? CBA_FOLDER_DONE
                                                                : CBA_FOLDER_NOTHING;
}

void cba_claim_give_up(const struct cba_folder *folder, const struct cba_claim *claim) {
    if (is_still(folder, claim)) {
        unlinkat(folder->directory, claim->file, 0);
    }
    close(claim->descriptor);
}
