/* A folder of the user's own in which processes share small files.
 *
 * Nothing is opened by its path but the folder; all else is relative to it, follows no symbolic
 * link and waits for nobody. A folder or a file that anybody else may touch is left as it is: that
 * is a fault, which says what is wrong and what to do. */
#ifndef CBA_FOLDER_H
#define CBA_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CBA_FOLDER_MAX_PATH = 1024,
    CBA_FOLDER_MAX_NAME = 80,
    CBA_FOLDER_FILE_SIZE = CBA_FOLDER_MAX_NAME + 16, /* a name, our suffix, a NUL */
    CBA_FOLDER_FAULT_SIZE = 2560,                    /* two paths and some words */
};

struct cba_folder {
    const char *path; /* absolute, without a slash at its end; the caller keeps it */
    char fault[CBA_FOLDER_FAULT_SIZE]; /* one line, after CBA_FOLDER_FAULT; "" at first */
};

enum cba_folder_status {
    CBA_FOLDER_DONE,
    CBA_FOLDER_NOTHING, /* there is none; or somebody else has it */
    CBA_FOLDER_FAULT,
    CBA_FOLDER_NO_MEMORY,
};

/* Whether it has digits, small letters and dashes only: nothing that means anything in a path. */
bool cba_folder_is_name(const char *name);

/* Opens the folder itself, if it is the user's alone and nobody else can put another one in its
 * place (parents.h). With `make`, it is made when it is missing, and so are those above it; else
 * that is NOTHING. */
enum cba_folder_status cba_folder_open(struct cba_folder *folder, bool make, int *directory);

/* Opens a file for reading, if it is a regular one and the user's alone; NOTHING when there is
 * none. */
enum cba_folder_status cba_folder_open_file(struct cba_folder *folder, int directory,
                                            const char *file, int *descriptor);

/* Whether there is something that may be replaced and removed, whatever is in it: a regular file of
 * the user's, or a symbolic link, which is not followed. NOTHING when there is nothing. */
enum cba_folder_status cba_folder_find(struct cba_folder *folder, int directory, const char *file);

/* Removes a claim or a lease of the user's that nobody can use: a symbolic link, or a file whose
 * mode is not that of ours, as after a chmod -R. Returns whether there was one. */
bool cba_folder_clear(int directory, const char *file);

/* Makes a file that others may claim, too, and locks it; what a dead process left under that name
 * is emptied and used again, or removed if it cannot be used (cba_folder_clear). Who has claimed a
 * name has it until the file is published, given up or closed; to all others it is NOTHING. A
 * process that stands still has it for 2 to 3 seconds: then it is taken over, which `fault` tells
 * beside DONE. */
enum cba_folder_status cba_folder_claim(struct cba_folder *folder, int directory, const char *file,
                                        int *descriptor);

/* Renames a file that was claimed and is whole. NOTHING when the claim was taken over. Whoever is
 * stopped right before the rename may publish the next one's file in place of its own: that one
 * finds its file where it belongs, and this one does not (cba_folder_is_still). */
enum cba_folder_status cba_folder_publish(struct cba_folder *folder, int directory,
                                          const char *claim, const char *file, int descriptor);

/* Removes a file that was claimed, if it has not been taken over. */
void cba_folder_give_up(int directory, const char *claim, int descriptor);

/* Whether the name still leads to the file that is open. */
bool cba_folder_is_still(int directory, const char *file, int descriptor);

/* Exactly so many bytes from there on; false with errno, which is 0 when there are fewer to read.
 * No SIGXFSZ comes of a limit on the size of files. */
bool cba_folder_read(int descriptor, char *bytes, size_t length, size_t offset);
bool cba_folder_write(int descriptor, const char *bytes, size_t length, size_t offset);

/* True also where the file system cannot do it. */
bool cba_folder_sync(int descriptor);

/* All return CBA_FOLDER_FAULT, having said why: of a file in the folder, of the folder itself or of
 * any other path. */
enum cba_folder_status cba_folder_fail(struct cba_folder *folder, const char *file,
                                       const char *reason);
enum cba_folder_status cba_folder_fail_errno(struct cba_folder *folder, const char *file);
enum cba_folder_status cba_folder_fail_open(struct cba_folder *folder);
enum cba_folder_status cba_folder_fail_at(struct cba_folder *folder, const char *path,
                                          const char *reason);

#endif
