#include "store/lease.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/claim.h"

/* The line in the file: this, the end in milliseconds, a space, the owner. All ends have the same
 * length, so that one write over the same bytes renews a lease. */
static const char header[] = "corebank-auth lease 1 ";
static const char family[] = "corebank-auth lease ";

enum {
    HEADER_LENGTH = sizeof header - 1,
    END_DIGITS = 15,
    CLOCK_SLACK = 60, /* seconds by which the clock may be put back during a lease */
    LINE_SIZE = HEADER_LENGTH + END_DIGITS + 1 + CBA_LEASE_MAX_OWNER + 2,
};

static void name_file(const char *name, char file[CBA_FOLDER_FILE_SIZE]) {
    (void)snprintf(file, CBA_FOLDER_FILE_SIZE, "%s" CBA_LEASE_SUFFIX, name);
}

static bool write_line(int fd, const struct cba_lease_wish *wish) {
    char line[LINE_SIZE];
    double longest = wish->now + CBA_LEASE_LONGEST;
    double ends = wish->ends < longest ? wish->ends : longest;
    int length = snprintf(line, sizeof line, "%s%0*" PRId64 " %.*s\n", header, END_DIGITS,
                          (int64_t)(ends * 1000), CBA_LEASE_MAX_OWNER, wish->owner);
    return length > 0 && cba_folder_write(fd, line, (size_t)length, 0);
}

/* Reads the end from the open file; false when there is none in our format. */
static bool read_end(int fd, double *ends) {
    char start[HEADER_LENGTH + END_DIGITS + 1];
    double milliseconds = 0;
    if (!cba_folder_read(fd, start, sizeof start, 0) || memcmp(start, header, HEADER_LENGTH) != 0 ||
        start[sizeof start - 1] != ' ') {
        return false;
    }
    for (const char *digit = start + HEADER_LENGTH; *digit != ' '; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        milliseconds = milliseconds * 10 + (*digit - '0');
    }
    *ends = milliseconds / 1000;
    return true;
}

/* DONE when the lease in the open file may be taken. */
static enum cba_folder_status judge(struct cba_folder *folder, const char *file, int fd,
                                    const struct cba_lease_wish *wish) {
    double ends = 0;
    if (!read_end(fd, &ends)) {
        /* Nobody's: it has been given back, or is damaged, as after a loss of power. */
        return cba_folder_is_of_another_version(fd, family, header)
                   ? cba_folder_fail(folder, file, "is of another version; remove it")
                   : CBA_FOLDER_DONE;
    }
    if (ends <= wish->now || ends > wish->now + CBA_LEASE_LONGEST + CLOCK_SLACK) {
        return CBA_FOLDER_DONE;
    }
    /* The owner holds the exclusive lock. This asks for a shared one, so that two processes that
     * look do not take each other for the owner. */
    bool is_free = !wish->patient && cba_folder_lock(fd, LOCK_SH);
    return is_free ? CBA_FOLDER_DONE : CBA_FOLDER_NOTHING;
}

static enum cba_folder_status find_free(struct cba_folder *folder, const char *file,
                                        const struct cba_lease_wish *wish) {
    int fd = -1;
    enum cba_folder_status status = cba_folder_open_file(folder, file, &fd);
    if (status == CBA_FOLDER_FAULT && cba_folder_clear(folder, file)) {
        folder->fault[0] = '\0';
        status = CBA_FOLDER_NOTHING;
    }
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    status = judge(folder, file, fd, wish);
    close(fd);
    return status;
}

static enum cba_folder_status take_in(struct cba_folder *folder, const struct cba_lease_wish *wish,
                                      struct cba_lease *lease) {
    char file[CBA_FOLDER_FILE_SIZE];
    struct cba_claim claim;
    name_file(wish->name, file);
    enum cba_folder_status status = find_free(folder, file, wish);
    if (status == CBA_FOLDER_DONE) { /* who does not get the lease writes nothing */
        status = cba_claim_take(folder, file, &claim);
    }
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = find_free(folder, file, wish); /* now the claim keeps others from taking the lease */
    if (status == CBA_FOLDER_DONE) {
        status = write_line(claim.descriptor, wish) ? cba_claim_publish(folder, &claim, file)
                                                    : cba_folder_fail_errno(folder, claim.file);
    }
    if (status == CBA_FOLDER_DONE && !cba_folder_is_still(folder, file, claim.descriptor)) {
        status = CBA_FOLDER_NOTHING;
    }
    if (status != CBA_FOLDER_DONE) {
        cba_claim_give_up(folder, &claim);
        return status;
    }
    lease->descriptor = claim.descriptor;
    lease->owner = getpid();
    return status;
}

enum cba_folder_status cba_lease_take(struct cba_lease *lease, struct cba_folder *folder,
                                      const struct cba_lease_wish *wish) {
    enum cba_folder_status status = cba_folder_open(folder, true);
    if (status == CBA_FOLDER_DONE) {
        status = take_in(folder, wish, lease);
        close(folder->directory);
    }
    return status;
}

enum cba_folder_status cba_lease_renew(struct cba_lease *lease, struct cba_folder *folder,
                                       const struct cba_lease_wish *wish) {
    char file[CBA_FOLDER_FILE_SIZE];
    if (lease->descriptor < 0 || lease->owner != getpid()) {
        return CBA_FOLDER_NOTHING;
    }
    enum cba_folder_status status = cba_folder_open(folder, false);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    name_file(wish->name, file);
    if (!write_line(lease->descriptor, wish)) {
        status = cba_folder_fail_errno(folder, file);
    } else if (!cba_folder_is_still(folder, file, lease->descriptor)) {
        status = CBA_FOLDER_NOTHING;
    }
    close(folder->directory);
    return status;
}

void cba_lease_release(struct cba_lease *lease) {
    if (lease->descriptor >= 0 && lease->owner == getpid() &&
        ftruncate(lease->descriptor, 0) != 0) {
        /* Then it counts until its end. */
    }
    cba_lease_close(lease);
}

void cba_lease_close(struct cba_lease *lease) {
    int fd = lease->descriptor;
    lease->descriptor = -1;
    if (fd >= 0) {
        close(fd);
    }
}
