#include "http/bodies.h"

#include <string.h>

#include "secret/secret.h"
#include "json/credentials.h"

/* Both in one piece; a response of more than the usual size moves into a piece of its own. The
 * system locks no more than a few MiB for a process, and a batch has hundreds of these. */
struct cba_body_room {
    char request[CBA_JSON_CREDENTIALS_MAX];
    char response[CBA_BODY_USUAL + 1];
};

bool cba_bodies_make(struct cba_bodies *bodies) {
    memset(bodies, 0, sizeof *bodies);
    bodies->room = cba_guarded_new(sizeof *bodies->room);
    if (bodies->room == NULL) {
        return false;
    }
    bodies->room->response[0] = '\0';
    return true;
}

void cba_bodies_free(struct cba_bodies *bodies) {
    cba_guarded_free(bodies->large_response);
    cba_guarded_free(bodies->room);
}

/* ---- the request --------------------------------------------------------------------------- */

char *cba_bodies_request(const struct cba_bodies *bodies) {
    return bodies->room->request;
}

void cba_bodies_note_written(struct cba_bodies *bodies, size_t length) {
    bodies->request_written = length;
}

void cba_bodies_forget_request(struct cba_bodies *bodies) {
    cba_wipe(bodies->room->request, bodies->request_written);
    bodies->request_written = 0;
}

/* ---- the response -------------------------------------------------------------------------- */

char *cba_bodies_response(const struct cba_bodies *bodies) {
    return bodies->large_response != NULL ? bodies->large_response : bodies->room->response;
}

size_t cba_bodies_room(const struct cba_bodies *bodies, size_t limit) {
    return limit > bodies->response_length ? limit - bodies->response_length : 0;
}

static bool move_to_large(struct cba_bodies *bodies) {
    char *large = cba_guarded_new(CBA_BODY_MAX + 1);
    if (large == NULL) {
        return false;
    }
    memcpy(large, bodies->room->response, bodies->response_length);
    cba_wipe(bodies->room->response, bodies->response_length);
    bodies->large_response = large;
    return true;
}

bool cba_bodies_take(struct cba_bodies *bodies, const char *bytes, size_t length) {
    size_t all = bodies->response_length + length;
    if (all > CBA_BODY_USUAL && bodies->large_response == NULL && !move_to_large(bodies)) {
        return false;
    }
    char *response = cba_bodies_response(bodies);
    memcpy(response + bodies->response_length, bytes, length);
    response[all] = '\0';
    bodies->response_length = all;
    return true;
}

/* Its large piece is given back, too. */
void cba_bodies_forget_response(struct cba_bodies *bodies) {
    cba_wipe(cba_bodies_response(bodies), bodies->response_length);
    bodies->response_length = 0;
    cba_guarded_free(bodies->large_response);
    bodies->large_response = NULL;
}
