/* This process's standard files. */
#ifndef CBA_PROCESS_H
#define CBA_PROCESS_H

#include <stddef.h>

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed: a file that is opened later
 * cannot become the standard output by accident. Writing to a descriptor opened so fails. */
void cba_take_standard_files(void);

/* Writes all of it; 0, or the errno. A reader that is gone is EPIPE, no signal. */
int cba_write(int fd, const char *bytes, size_t length);

#endif
