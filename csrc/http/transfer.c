#include "http/transfer.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "http/in_flight.h"
#include "http/proxy.h"
#include "http/setopt.h"

struct cba_transfer *cba_transfer_new(struct cba_engine *engine, struct cba_endpoint *endpoint) {
    struct cba_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        return NULL;
    }
    transfer->handle = cba_engine_take(engine, endpoint);
    if (transfer->handle == NULL) {
        free(transfer);
        return NULL;
    }
    transfer->engine = cba_engine_hold(engine);
    transfer->endpoint = cba_endpoint_hold(endpoint);
    cba_answer_clear(&transfer->result.answer);
    return transfer;
}

char *cba_transfer_make_body(struct cba_transfer *transfer, size_t size) {
    return cba_bodies_make_request(&transfer->handle->bodies, size);
}

/* ---- ending -------------------------------------------------------------------------------- */

static bool is_pending(const struct cba_transfer *transfer) {
    return transfer->result.failure.outcome == CBA_PENDING;
}

/* Without an answer. */
static void give_up(struct cba_transfer *transfer, enum cba_outcome outcome) {
    transfer->result.failure.outcome = outcome;
    cba_bodies_forget_request(&transfer->handle->bodies);
    cba_bodies_forget_answer(&transfer->handle->bodies);
}

/* A connection of HTTP/2 on which a request did not come to its end may be dead. It is closed,
 * unless others are under way on it. Of HTTP/1 libcurl closes it itself. */
static void leave_engine(struct cba_transfer *transfer) {
    if (transfer->is_added) {
        if (is_pending(transfer)) {
            (void)curl_easy_setopt(transfer->handle->easy, CURLOPT_FORBID_REUSE, 1L);
        }
        cba_engine_remove(transfer->engine, transfer->handle);
        transfer->is_added = false;
    }
}

static void finish(void *owner, int code) {
    struct cba_transfer *transfer = owner;
    cba_verdict(transfer, code);
    if (transfer->result.failure.outcome != CBA_ANSWERED) {
        cba_bodies_forget_answer(&transfer->handle->bodies);
    }
    leave_engine(transfer);
    cba_bodies_forget_request(&transfer->handle->bodies);
}

/* ---- moving on ----------------------------------------------------------------------------- */

/* Seconds until a limit is over; what waits for Lua does not count. */
static double time_left(struct cba_transfer *transfer) {
    if (cba_flow_is_paused(&transfer->flow)) {
        cba_limits_note(&transfer->limits, true);
    }
    return cba_limits_left(&transfer->limits);
}

/* Ends it when a limit is over that libcurl does not know. */
static void look_at_limits(struct cba_transfer *transfer) {
    if (!is_pending(transfer) || time_left(transfer) > 0) {
        return;
    }
    (void)curl_easy_setopt(transfer->handle->easy, CURLOPT_FORBID_REUSE, 1L);
    finish(transfer, CURLE_OPERATION_TIMEDOUT);
    transfer->result.idle_limited =
        transfer->result.failure.outcome == CBA_TIMEOUT && transfer->limits.is_moving;
}

static bool is_over(struct cba_transfer *transfer) {
    if (is_pending(transfer) && !cba_engine_is_ours(transfer->engine)) {
        give_up(transfer, CBA_NETWORK); /* the parent's connection: not ours to read */
    }
    return !is_pending(transfer);
}

/* Moves all on; true when this one, which was not done, is done. Limits are looked at after that:
 * the program may not have come here for a while. */
static bool move_on(struct cba_transfer *transfer) {
    enum cba_outcome outcome = cba_engine_step(transfer->engine, finish);
    if (outcome != CBA_PENDING && is_pending(transfer)) {
        leave_engine(transfer);
        give_up(transfer, outcome);
    }
    look_at_limits(transfer);
    return !is_pending(transfer);
}

/* A limit that is over counts after a step: what has come may wait in the system's buffers. */
bool cba_transfer_is_done(struct cba_transfer *transfer) {
    return is_over(transfer) || (time_left(transfer) <= 0 && move_on(transfer));
}

bool cba_transfer_step(struct cba_transfer *transfer) {
    return is_over(transfer) || move_on(transfer);
}

bool cba_transfer_wait(struct cba_transfer *transfer, double seconds) {
    if (is_over(transfer)) {
        return true;
    }
    if (cba_engine_has_new(transfer->engine)) {
        return move_on(transfer); /* who waits looks first: another may be done now, or ready */
    }
    seconds = fmin(seconds, time_left(transfer));
    if (seconds > 0) {
        cba_engine_poll(transfer->engine, seconds);
    }
    return move_on(transfer);
}

/* ---- pieces -------------------------------------------------------------------------------- */

/* What waited for Lua goes on when it need not wait any longer. */
static void go_on(struct cba_transfer *transfer) {
    if (transfer->is_added && cba_engine_is_ours(transfer->engine) &&
        cba_flow_may_go_on(&transfer->flow)) {
        cba_engine_go_on(transfer->engine, transfer->handle);
    }
}

const char *cba_transfer_piece(const struct cba_transfer *transfer, size_t *length) {
    *length = transfer->flow.answer.length;
    return *length > 0 ? cba_pipe_bytes(&transfer->flow.answer) : NULL;
}

void cba_transfer_drop_piece(struct cba_transfer *transfer) {
    cba_pipe_drop(&transfer->flow.answer, transfer->flow.answer.length);
    go_on(transfer);
}

bool cba_transfer_is_wanting(const struct cba_transfer *transfer) {
    const struct cba_flow *flow = &transfer->flow;
    return is_pending(transfer) && flow->is_asked_for && !flow->has_ended &&
           cba_pipe_room(&flow->upload) > 0;
}

bool cba_transfer_is_ready(const struct cba_transfer *transfer) {
    return cba_transfer_is_wanting(transfer) || transfer->flow.answer.length > 0;
}

size_t cba_transfer_give(struct cba_transfer *transfer, const char *bytes, size_t length) {
    if (!is_pending(transfer)) {
        return length; /* nobody wants them: the answer has come, or will not */
    }
    size_t taken = cba_flow_give(&transfer->flow, bytes, length);
    go_on(transfer);
    return taken;
}

void cba_transfer_end_upload(struct cba_transfer *transfer) {
    cba_flow_end(&transfer->flow);
    go_on(transfer);
}

bool cba_transfer_is_upload(const struct cba_transfer *transfer, long long *left) {
    const struct cba_flow *flow = &transfer->flow;
    *left = flow->size == CBA_SIZE_UNKNOWN ? LLONG_MAX : flow->size - flow->given;
    return flow->is_uploaded && !flow->has_ended;
}

/* ---- starting ------------------------------------------------------------------------------ */

/* The failure's outcome stays CBA_PENDING, or says why it cannot be. */
static void set_up(struct cba_transfer *transfer, const struct cba_request *request,
                   long timeout_ms) {
    const struct cba_settings *settings = cba_endpoint_settings(transfer->endpoint);
    struct cba_failure *failure = &transfer->result.failure;
    struct cba_handle *handle = transfer->handle;
    const char *variable, *proxy = cba_proxy_of(settings, request->url, &variable);
    transfer->way = cba_proxy_way(proxy);
    transfer->is_private = cba_request_is_private(settings, proxy);
    transfer->connect_limited = settings->connect_timeout_ms < timeout_ms;
    if (!cba_flow_make(&transfer->flow, request, &transfer->limits)) {
        failure->outcome = CBA_NO_MEMORY;
    }
    if (is_pending(transfer) && handle->endpoint == NULL) {
        cba_engine_set_up(transfer->engine, handle, transfer->endpoint, failure);
    }
    if (!is_pending(transfer)) {
        return;
    }
    CURL *easy = handle->easy;
    unsigned traits = cba_request_traits(settings, request, proxy);
    cba_request_set_traits(easy, traits, traits ^ handle->traits, failure);
    handle->traits = traits;
    cba_request_set(easy, settings, request, proxy, &handle->borrowed, failure);
    if (request->idle > 0 || (traits & CBA_REQUEST_HTTP2) != 0) {
        cba_limits_set(&transfer->limits, (double)timeout_ms / 1000, request->idle);
        timeout_ms = 0; /* libcurl's: none */
    }
    CBA_SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    cba_callbacks_set(transfer, request);
    if (request->stream || request->upload) {
        cba_flow_set(&transfer->flow, easy, failure);
    }
}

void cba_transfer_start(struct cba_transfer *transfer, const struct cba_request *request,
                        long timeout_ms) {
    set_up(transfer, request, timeout_ms);
    transfer->is_added = is_pending(transfer) && cba_engine_add(transfer->engine, transfer->handle);
    if (is_pending(transfer) && !transfer->is_added) {
        transfer->result.failure.outcome = CBA_NO_MEMORY;
    }
    if (!is_pending(transfer)) {
        cba_bodies_forget_request(&transfer->handle->bodies);
    } else if (cba_engine_is_alone(transfer->engine)) {
        move_on(transfer); /* at once, and of many one step moves all that are new */
    }
}

/* ---- what came of it ----------------------------------------------------------------------- */

const struct cba_header_lines *cba_transfer_headers(const struct cba_transfer *transfer) {
    return &transfer->lines;
}

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer) {
    return &transfer->result;
}

char *cba_transfer_answer_body(const struct cba_transfer *transfer, size_t *length) {
    *length = transfer->handle->bodies.answer_length;
    return cba_bodies_answer(&transfer->handle->bodies);
}

/* A handle that served well stays set up; one that failed in any way is not trusted again, and one
 * that took or gave pieces has other settings. */
static bool serves_again(const struct cba_transfer *transfer) {
    const struct cba_result *result = &transfer->result;
    const struct cba_flow *flow = &transfer->flow;
    return !flow->is_streamed && !flow->is_uploaded && result->failure.outcome == CBA_ANSWERED &&
           !result->is_cut && !transfer->is_private && !cba_endpoint_is_closed(transfer->endpoint);
}

void cba_transfer_release(struct cba_transfer *transfer) {
    if (transfer == NULL) {
        return;
    }
    if (cba_engine_is_ours(transfer->engine)) {
        leave_engine(transfer);
        cba_engine_give_back(transfer->engine, transfer->handle, serves_again(transfer));
    } else {
        cba_handle_abandon(transfer->handle);
    }
    cba_flow_free(&transfer->flow);
    cba_header_lines_free(&transfer->lines);
    cba_endpoint_release(transfer->endpoint);
    cba_engine_release(transfer->engine);
    free(transfer);
}
