#include "http/bodies.h"

#include <string.h>

#include "secret/secret.h"

enum {
    REQUEST_USUAL = 2048, /* credentials fit */
    ANSWER_USUAL = 4096,
    GROWTH = 16, /* of an answer's room: moving it costs more than memory that stays empty */
};

/* Both in one piece; what is larger than usual gets a piece of its own. The system locks no more
 * than a few MiB for a process, and a batch has hundreds of these. */
struct cba_body_room {
    char request[REQUEST_USUAL];
    char answer[ANSWER_USUAL + 1];
};

bool cba_bodies_make(struct cba_bodies *bodies) {
    memset(bodies, 0, sizeof *bodies);
    bodies->room = cba_guarded_new(sizeof *bodies->room);
    if (bodies->room == NULL) {
        return false;
    }
    bodies->room->answer[0] = '\0';
    bodies->answer_room = ANSWER_USUAL;
    return true;
}

void cba_bodies_free(struct cba_bodies *bodies) {
    cba_guarded_free(bodies->large_request); /* NULL is fine */
    cba_guarded_free(bodies->large_answer);
    cba_guarded_free(bodies->room);
}

/* ---- the request --------------------------------------------------------------------------- */

char *cba_bodies_make_request(struct cba_bodies *bodies, size_t size) {
    if (size > REQUEST_USUAL) {
        bodies->large_request = cba_guarded_new(size);
        return bodies->large_request;
    }
    bodies->request_size = size;
    return bodies->room->request;
}

void cba_bodies_forget_request(struct cba_bodies *bodies) {
    cba_guarded_free(bodies->large_request);
    bodies->large_request = NULL;
    cba_wipe(bodies->room->request, bodies->request_size);
    bodies->request_size = 0;
}

/* ---- the answer ---------------------------------------------------------------------------- */

char *cba_bodies_answer(const struct cba_bodies *bodies) {
    return bodies->large_answer != NULL ? bodies->large_answer : bodies->room->answer;
}

static bool make_room(struct cba_bodies *bodies, size_t wanted, size_t limit) {
    size_t room = bodies->answer_room * GROWTH;
    room = room < limit ? room : limit;
    room = room > wanted ? room : wanted;
    char *large = cba_guarded_new(room + 1);
    if (large == NULL) {
        return false;
    }
    size_t length = bodies->answer_length;
    memcpy(large, cba_bodies_answer(bodies), length);
    cba_bodies_forget_answer(bodies);
    bodies->large_answer = large;
    bodies->answer_length = length;
    bodies->answer_room = room;
    return true;
}

bool cba_bodies_take(struct cba_bodies *bodies, const char *bytes, size_t length, size_t limit) {
    size_t all = bodies->answer_length + length;
    if (all > bodies->answer_room && !make_room(bodies, all, limit)) {
        return false;
    }
    char *answer = cba_bodies_answer(bodies);
    memcpy(answer + bodies->answer_length, bytes, length);
    answer[all] = '\0';
    bodies->answer_length = all;
    return true;
}

void cba_bodies_forget_answer(struct cba_bodies *bodies) {
    cba_guarded_free(bodies->large_answer);
    bodies->large_answer = NULL;
    bodies->answer_room = ANSWER_USUAL;
    size_t used = bodies->answer_length < ANSWER_USUAL ? bodies->answer_length : ANSWER_USUAL;
    cba_wipe(bodies->room->answer, used);
    bodies->answer_length = 0;
}
