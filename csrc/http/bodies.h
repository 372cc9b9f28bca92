/* A transfer's two bodies: the request's, which may hold credentials, and the answer's, which may
 * hold a token. They are in guarded memory, which is wiped as soon as they are not needed. */
#ifndef CBA_BODIES_H
#define CBA_BODIES_H

#include <stdbool.h>
#include <stddef.h>

struct cba_bodies {
    struct cba_body_room *room;
    char *large_request, *large_answer; /* in place of those in `room`, where they are needed */
    size_t request_size;                /* to be wiped */
    size_t answer_length, answer_room;
};

/* False when out of memory. */
bool cba_bodies_make(struct cba_bodies *bodies);

/* Wipes both; takes nothing from whoever has a copy of them, such as the process that forked. */
void cba_bodies_free(struct cba_bodies *bodies);

/* Room for a request of so many bytes; NULL when out of memory. */
char *cba_bodies_make_request(struct cba_bodies *bodies, size_t size);

/* Adds to the answer, which may have `limit` bytes; false when out of memory. */
bool cba_bodies_take(struct cba_bodies *bodies, const char *bytes, size_t length, size_t limit);

/* NUL-terminated. */
char *cba_bodies_answer(const struct cba_bodies *bodies);

void cba_bodies_forget_request(struct cba_bodies *bodies);
void cba_bodies_forget_answer(struct cba_bodies *bodies);

#endif
