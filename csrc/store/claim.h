/* Lets one process at a time write a file. A claim is the new file, which a process writes and then
 * renames to the file's name.
 *
 * All processes use the same name for the claim. Its owner holds a lock on the claim. The kernel
 * releases the lock when the process ends. */
#ifndef CBA_CLAIM_H
#define CBA_CLAIM_H

#include "store/folder.h"

#define CBA_CLAIM_SUFFIX ".new" /* after the name of the file that it will replace */

struct cba_claim {
    char file[CBA_FOLDER_FILE_SIZE];
    int descriptor;
};

/* Claims `file`: makes the claim's file, or takes over what a dead process left under that name. It
 * is empty, locked, and the caller's until it is given up or closed; to others it is NOTHING. A
 * process that is stopped keeps its claim for 2 to 3 seconds: then another one takes it over, and
 * gets DONE with a remark in `fault`. */
enum cba_folder_status cba_claim_take(struct cba_folder *folder, const char *file,
                                      struct cba_claim *claim);

/* Renames the claim, which is whole, to `file`. NOTHING when it was taken over. A process that is
 * stopped right before the rename may publish its successor's file instead of its own: the
 * successor then finds its file in place, and this process does not (cba_folder_is_still). */
enum cba_folder_status cba_claim_publish(struct cba_folder *folder, const struct cba_claim *claim,
                                         const char *file);

/* Closes the claim, and removes it unless it was published or taken over. */
void cba_claim_give_up(const struct cba_folder *folder, const struct cba_claim *claim);

#endif
