/* The folders above a folder of the user's: whether anybody else may put another one in its place.
 *
 * Who may rename what is in a folder is its owner, and whoever may write in it, unless it has the
 * sticky bit. A store below such a folder can be swapped: older entries come back, or none are
 * found. So each folder on the way is looked at, from the root on. Then nobody else can change
 * what the path leads to, and it can be used as it is. */
#ifndef CBA_PARENTS_H
#define CBA_PARENTS_H

#include <stdbool.h>

#include "store/folder.h"

/* Looks at all folders above `folder->path`, and writes the path without the symbolic links on the
 * way; what is there at its end is not looked at. With `make`, folders that are missing are made,
 * for the user alone, the last one too; else it is NOTHING when one is missing. */
enum cba_folder_status cba_parents_walk(struct cba_folder *folder, bool make,
                                        char real[CBA_FOLDER_MAX_PATH]);

#endif
