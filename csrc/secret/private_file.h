/* Reads a file that only its user should read, with a secret or with request headers.
 *
 * A file that every user may read or change is refused. A file on a read-only mount is accepted:
 * containers have such mounts, and their users cannot choose the mode. */
#ifndef CBA_PRIVATE_FILE_H
#define CBA_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "secret/secret.h"

struct cba_private_file {
    const char *path;
    size_t most;   /* bytes; a larger file is refused, 0: any size */
    bool any_mode; /* also a file that is open to every user */
    bool stream;   /* also a pipe, to its end, and "-", the standard input */
    bool is_file;  /* result: it can be read again under this path */
};

/* Reads up to `size` bytes. Returns CBA_SECRET_OK, or why there are none. */
enum cba_secret_status cba_private_file_read(struct cba_private_file *file, char *buffer,
                                             size_t size, size_t *length);

#endif
