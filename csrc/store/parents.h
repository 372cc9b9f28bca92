/* The folders above a folder of the user's: whether another user can replace it.
 *
 * What is in a folder can be renamed by its owner and, unless it has the sticky bit, by whoever may
 * write in it. They could swap a store below it: older entries would come back, or none be found.
 * So each folder of the path is checked, from the root on. Afterwards nobody else can change what
 * the path leads to. */
#ifndef CBA_PARENTS_H
#define CBA_PARENTS_H

#include <stdbool.h>

#include "store/folder.h"

/* Checks all folders above `folder->path`, and writes to `real` the path with its symbolic links
 * resolved; the last one is not checked. When a folder is missing, the last one included: with
 * `make` it is made, for the user alone; else NOTHING. */
enum cba_folder_status cba_parents_walk(struct cba_folder *folder, bool make,
                                        char real[CBA_FOLDER_MAX_PATH]);

#endif
