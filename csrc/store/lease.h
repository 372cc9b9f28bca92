/* Leases of names, in a folder: one owner at a time, among all processes of the user.
 *
 * A lease is one file, NAME.lease, with its end and its owner in it; empty, it has been given back.
 * Its owner holds the lock of the file, which the kernel ends with the process. A lease is taken by
 * renaming a file that is whole and locked over the old one, and NAME.lease.new is claimed by who
 * does that: there is never a lease that cannot be read, nor one that two may take.
 *
 * Times are in seconds since the epoch, by the caller's clock. */
#ifndef CBA_LEASE_H
#define CBA_LEASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/folder.h"

enum {
    CBA_LEASE_LONGEST = 900, /* seconds; an end further ahead is a clock that has been set */
    CBA_LEASE_MAX_OWNER = 80,
};

/* A child that was forked shares the lock with the owner, but is not the owner. */
struct cba_lease {
    int descriptor; /* -1: none */
    pid_t owner;
};

struct cba_lease_wish {
    const char *name;
    const char *owner; /* printable */
    double now, ends;
    bool patient; /* a lease that its owner could not give back counts until its end */
};

/* Takes the lease if nobody has it; NOTHING when somebody has. */
enum cba_folder_status cba_lease_take(struct cba_lease *lease, struct cba_folder *folder,
                                      const struct cba_lease_wish *wish);

/* Gives a lease that has not ended another end; NOTHING when it is somebody else's by now. */
enum cba_folder_status cba_lease_renew(struct cba_lease *lease, struct cba_folder *folder,
                                       const struct cba_lease_wish *wish);

/* Gives it back, if it is this process's. */
void cba_lease_release(struct cba_lease *lease);

/* Only lets go of it: it is then the lease of an owner who died. */
void cba_lease_close(struct cba_lease *lease);

#endif
