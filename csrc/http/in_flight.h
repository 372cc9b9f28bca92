/* A transfer from the inside, for the three files that share the work: transfer.c moves it on,
 * callbacks.c is what libcurl calls meanwhile, and verdict.c says how it ended. */
#ifndef CBA_IN_FLIGHT_H
#define CBA_IN_FLIGHT_H

#include "http/engine.h"
#include "http/flow.h"
#include "http/header_lines.h"
#include "http/transfer.h"

struct cba_transfer {
    struct cba_engine *engine;
    struct cba_endpoint *endpoint;
    struct cba_handle *handle;
    bool is_added;   /* to the engine */
    bool is_private; /* nobody else may use the handle */
    bool is_once;    /* libcurl may not send it again */
    bool keeps_headers;
    size_t answer_max, refusal_max;
    size_t header_bytes;
    bool overflow;
    bool enough;    /* of the body is there: its status says all */
    bool no_memory; /* for a large answer */
    enum cba_way way;
    bool connect_limited; /* a connection has less time than the whole */

    /* What libcurl has sent. It sends a request again when a kept connection turns out to be dead.
     */
    unsigned tries;
    long sent_before; /* bytes, at the start of the last try */
    bool is_shut;     /* we shut its connection down before the last try */
    bool has_left;    /* bytes of an earlier try have left */

    struct cba_flow flow;
    struct cba_limits limits;
    struct cba_header_lines lines;
    struct cba_result result;
};

/* ---- callbacks.c --------------------------------------------------------------------------- */

/* Sets on the handle what libcurl calls. */
void cba_callbacks_set(struct cba_transfer *transfer, const struct cba_request *request);

/* Whether bytes of the request have left, the last try counted, and may have been acted upon. */
bool cba_callbacks_may_be_done(const struct cba_transfer *transfer);

/* libcurl's last status, or 0. */
long cba_callbacks_status(const struct cba_transfer *transfer);

/* ---- verdict.c ----------------------------------------------------------------------------- */

/* How it ended, by libcurl's code. */
void cba_verdict(struct cba_transfer *transfer, int curl_code);

#endif
