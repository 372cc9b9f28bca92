/* Removes old files from a folder of entries and leases. They remain after a change of the secret.
 *
 * A token is written when it is issued and is valid for 7 days at most, and a lease is far shorter.
 * So an older file has no valid token and no lease. A file is removed only if it is certainly ours:
 * its name has the form of a keyed hash, and the file is regular, belongs to the user, has our
 * format and is not locked. */
#ifndef CBA_SWEEP_H
#define CBA_SWEEP_H

#include "store/folder.h"

/* Looks at 1,000 names of an open folder at most. A file that cannot be removed stays, which is no
 * fault. */
void cba_sweep(const struct cba_folder *folder);

#endif
