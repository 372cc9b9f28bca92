/* What nobody needs any more in a folder of entries and leases: what changed secrets leave behind.
 *
 * A token is written when it is issued and lives for 7 days at most, a lease is far shorter: a file
 * that was written longer ago holds neither. Only what is certainly ours goes: the name is one of a
 * keyed hash, the file regular, the user's and of our format, and nobody has it locked. */
#ifndef CBA_SWEEP_H
#define CBA_SWEEP_H

/* Looks at so many names at most. What cannot be removed stays: there is no fault. */
void cba_sweep(const char *path, int directory);

#endif
