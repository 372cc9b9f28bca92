/* Checks the folders above the store's folder, so that no other user can replace the store.
 *
 * The owner of a folder can rename what is in the folder. Everybody who may write to the folder can
 * do the same, unless it has the sticky bit. Such a user could replace a store below it: older
 * entries would come back, or entries would be missing. So each folder of the path is checked, from
 * the root on. After the check no other user can change where the path leads. */
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
