/* Entries: bytes under a name, in a folder.
 *
 * An entry is one file, NAME: a line that names the format, then the bytes. It is written as
 * NAME.new and then renamed. So a reader gets either the old bytes or the new ones, even if the
 * writer dies, and a dead writer leaves at most the file NAME.new. A damaged file is an error for a
 * reader, and the next entry replaces the file: no other program uses such names, which are keyed
 * hashes. A file that belongs to another user, is not regular, or is of another version is never
 * replaced. */
#ifndef CBA_ENTRY_H
#define CBA_ENTRY_H

#include <stddef.h>

#include "store/folder.h"

/* More than the longest sealed text, and the line before a copy in a layered store. */
enum { CBA_ENTRY_MAX_BYTES = 130 * 1024 };

enum cba_folder_status cba_entry_get(struct cba_folder *folder, const char *name,
                                     char bytes[CBA_ENTRY_MAX_BYTES], size_t *length);

/* Replaces an entry, makes the folder if it is missing, and sweeps it (sweep.h). DONE also when
 * another process writes the same entry meanwhile: its entry is as good. A fault when that takes
 * more than half a second. */
enum cba_folder_status cba_entry_put(struct cba_folder *folder, const char *name, const char *bytes,
                                     size_t length);

/* Removes the entry, and the claim of a dead process. DONE also when there was none. */
enum cba_folder_status cba_entry_delete(struct cba_folder *folder, const char *name);

#endif
