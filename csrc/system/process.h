/* This process's standard files: opening and writing them. And exec. */
#ifndef CBA_PROCESS_H
#define CBA_PROCESS_H

#include <stddef.h>

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed: a file that is opened later
 * cannot become the standard output by accident. Writing to a descriptor opened so fails. */
void cba_take_standard_files(void);

/* Writes all of it; 0, or the errno. A reader that is gone is EPIPE, no signal. */
int cba_write(int fd, const char *bytes, size_t length);

/* Becomes the program, which is looked for in PATH unless its name has a slash. Ignored signals
 * stay ignored, as with env and nohup; handlers end with this program. Returns only on failure: the
 * errno that says why. */
int cba_become(char *const words[]);

#endif
