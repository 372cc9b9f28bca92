#include "http/pipe.h"

#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"

bool cba_pipe_make(struct cba_pipe *pipe) {
    pipe->bytes = malloc(CBA_PIPE_ROOM);
    return pipe->bytes != NULL;
}

void cba_pipe_free(struct cba_pipe *pipe) {
    if (pipe->bytes != NULL) {
        cba_wipe(pipe->bytes, CBA_PIPE_ROOM);
        free(pipe->bytes);
        pipe->bytes = NULL;
    }
}

size_t cba_pipe_room(const struct cba_pipe *pipe) {
    return pipe->bytes != NULL ? CBA_PIPE_ROOM - pipe->length : 0;
}

void cba_pipe_put(struct cba_pipe *pipe, const char *bytes, size_t length) {
    if (pipe->start + pipe->length + length > CBA_PIPE_ROOM) {
        memmove(pipe->bytes, pipe->bytes + pipe->start, pipe->length);
        pipe->start = 0;
    }
    memcpy(pipe->bytes + pipe->start + pipe->length, bytes, length);
    pipe->length += length;
}

const char *cba_pipe_bytes(const struct cba_pipe *pipe) {
    return pipe->bytes + pipe->start;
}

void cba_pipe_drop(struct cba_pipe *pipe, size_t length) {
    pipe->length -= length;
    pipe->start = pipe->length > 0 ? pipe->start + length : 0;
}
