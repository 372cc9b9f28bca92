/* Removes old files from a folder of entries and leases: those that changed secrets leave behind.
 *
 * A token is written when it is issued and lives for 7 days at most, and a lease is far shorter: an
 * older file holds neither. A file is removed only when it is certainly ours: its name is that of a
 * keyed hash, and it is regular, the user's, of our format and not locked. */
#ifndef CBA_SWEEP_H
#define CBA_SWEEP_H

/* Looks at 1,000 names at most. A file that cannot be removed stays, which is no fault. */
void cba_sweep(const char *path, int directory);

#endif
