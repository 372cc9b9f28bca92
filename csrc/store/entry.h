/* Bytes under a name, in a folder.
 *
 * An entry is one file, NAME: a line that tells the format, then the bytes. It is written as
 * NAME.new and renamed, so that a reader has the old bytes or the new ones, whoever dies when, and
 * no more than that one file is left behind. Names are ours (a keyed hash): what is damaged under
 * one is a fault to a reader, and the next entry takes its place. What is not the user's, no file,
 * or of another version is never replaced. */
#ifndef CBA_ENTRY_H
#define CBA_ENTRY_H

#include <stddef.h>

#include "store/folder.h"

enum { CBA_ENTRY_MAX_BYTES = 129 * 1024 }; /* the longest sealed text, and some */

/* The caller frees the bytes. */
enum cba_folder_status cba_entry_get(struct cba_folder *folder, const char *name, char **bytes,
                                     size_t *length);

/* Replaces an entry, and makes the folder if need be; then sweeps it (sweep.h). When somebody else
 * writes the same entry at this moment, theirs is as good, unless it takes them half a second. */
enum cba_folder_status cba_entry_put(struct cba_folder *folder, const char *name, const char *bytes,
                                     size_t length);

/* Removes whatever file of the user's it is, and what a process that died was writing. DONE, too,
 * when there was none. */
enum cba_folder_status cba_entry_delete(struct cba_folder *folder, const char *name);

#endif
