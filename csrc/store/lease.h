/* Leases of names, in a folder: one owner at a time, among all processes of the user.
 *
 * A lease is one file, NAME.lease, with its end and its owner. The file of a released lease is
 * empty. The owner holds a lock on the file, which the kernel releases when the process ends. To
 * take a lease, a process claims NAME.lease.new (claim.h), writes this file and renames it to
 * NAME.lease. So a lease can always be read, and two processes never take the same lease.
 *
 * Times are in seconds since the epoch, by the caller's clock. */
#ifndef CBA_LEASE_H
#define CBA_LEASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/folder.h"

#define CBA_LEASE_SUFFIX ".lease"

enum {
    CBA_LEASE_LONGEST = 900, /* seconds; an end further ahead means that the clock was put back */
    CBA_LEASE_MAX_OWNER = 80,
};

/* A forked child shares the lock with the owner, but is not the owner. */
struct cba_lease {
    int descriptor; /* -1: none */
    pid_t owner;
};

struct cba_lease_wish {
    const char *name;
    const char *owner; /* printable */
    double now, ends;
    bool patient; /* the lease of a dead owner counts until its end */
};

/* Takes the lease; NOTHING when it is another owner's. */
enum cba_folder_status cba_lease_take(struct cba_lease *lease, struct cba_folder *folder,
                                      const struct cba_lease_wish *wish);

/* Changes the end of a lease that has not ended; NOTHING when it is another owner's by now. */
enum cba_folder_status cba_lease_renew(struct cba_lease *lease, struct cba_folder *folder,
                                       const struct cba_lease_wish *wish);

/* Gives it back, if this process is the owner. */
void cba_lease_release(struct cba_lease *lease);

/* Closes the file without giving the lease back: to others its owner has died. */
void cba_lease_close(struct cba_lease *lease);

#endif
