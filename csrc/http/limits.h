/* Time limits that libcurl does not know. A request has one of these:
 *
 * - libcurl's own limit of the whole; then nothing is done here;
 * - the same limit, kept here, for a request over HTTP/2: libcurl would keep the connection after
 * it was over, and give it to the next request, which would wait for a dead server as well;
 * - with bodies in pieces and `idle`, none of the whole: it takes as long as it takes. While a body
 *   moves, `idle` is the longest time in which no byte of it moves, and the time in which Lua is
 *   waited for does not count. `seconds` is the limit of the rest: from the start to the first byte
 *   of the upload, and from its last byte to the first byte of the answer; without an upload, from
 *   the start to the first byte of the answer. */
#ifndef CBA_LIMITS_H
#define CBA_LIMITS_H

#include <stdbool.h>

/* All zeros: libcurl's own. */
struct cba_limits {
    double seconds, idle; /* `seconds` 0: libcurl's own; `idle` 0: of the whole */
    double since;         /* when what is limited began, on the boot clock */
    bool is_moving;       /* a body: `idle` counts */
};

/* From now on. `idle` may be 0. */
void cba_limits_set(struct cba_limits *limits, double seconds, double idle);

/* With `idle`: something has moved, or may move again after a pause; and whether a body is moving
 * from now on, or waited for. */
void cba_limits_note(struct cba_limits *limits, bool is_moving);

/* Seconds until a limit is over, 0 or less when it is; HUGE_VAL where none counts. */
double cba_limits_left(const struct cba_limits *limits);

#endif
