/* A transfer's two bodies: the request's, with the credentials, and the answer's, with the token.
 * They are in guarded memory, and wiped when they are of no more use. */
#ifndef CBA_BODIES_H
#define CBA_BODIES_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CBA_BODY_MAX = 64 * 1024, /* of an answer; MAXFILESIZE does not stop a chunked one on 7.88 */
    CBA_BODY_USUAL = 4096,    /* there is room for so much from the start */
    CBA_BODY_SHOWN = 4096,    /* of a body that is no token reply, at most */
};

struct cba_bodies {
    struct cba_body_room *room;
    size_t request_written;
    char *large_response; /* in place of the one in `room`, when there is one */
    size_t response_length;
};

/* False when out of memory. */
bool cba_bodies_make(struct cba_bodies *bodies);

/* Wipes both; takes nothing from whoever has a copy of them, such as the process that forked. */
void cba_bodies_free(struct cba_bodies *bodies);

/* Where to put the request, CBA_JSON_CREDENTIALS_MAX bytes; and how much of it is to be wiped. */
char *cba_bodies_request(const struct cba_bodies *bodies);
void cba_bodies_note_written(struct cba_bodies *bodies, size_t length);

/* How many bytes the response may still grow by, when it may have `limit` of them. */
size_t cba_bodies_room(const struct cba_bodies *bodies, size_t limit);

/* Adds so many to the response, for which there is room in CBA_BODY_MAX; false when out of memory.
 */
bool cba_bodies_take(struct cba_bodies *bodies, const char *bytes, size_t length);

/* NUL-terminated. */
char *cba_bodies_response(const struct cba_bodies *bodies);

void cba_bodies_forget_request(struct cba_bodies *bodies);
void cba_bodies_forget_response(struct cba_bodies *bodies);

#endif
