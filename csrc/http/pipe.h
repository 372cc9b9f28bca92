/* Bytes on their way between Lua and libcurl, at most so many at a time. The memory is wiped when
 * it is freed: bodies may hold secrets. */
#ifndef CBA_PIPE_H
#define CBA_PIPE_H

#include <stdbool.h>
#include <stddef.h>

enum { CBA_PIPE_ROOM = 128 * 1024 };

/* All zeros: without memory, which is as full. */
struct cba_pipe {
    char *bytes;
    size_t start, length;
};

/* False when out of memory. */
bool cba_pipe_make(struct cba_pipe *pipe);
void cba_pipe_free(struct cba_pipe *pipe);

/* How many more bytes it takes. */
size_t cba_pipe_room(const struct cba_pipe *pipe);

/* Adds bytes; there is room for them. */
void cba_pipe_put(struct cba_pipe *pipe, const char *bytes, size_t length);

/* The first bytes, which are all that it holds; and drops so many of them. */
const char *cba_pipe_bytes(const struct cba_pipe *pipe);
void cba_pipe_drop(struct cba_pipe *pipe, size_t length);

#endif
