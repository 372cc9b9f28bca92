#include "http/transfer.h"

#include <stdlib.h>

#include "http/proxy.h"
#include "http/setopt.h"

struct cba_transfer {
    struct cba_engine *engine;
    struct cba_endpoint *endpoint;
    struct cba_handle *handle;
    bool is_added;   /* to the engine */
    bool is_private; /* nobody else may use the handle */
    size_t answer_max, refusal_max;
    size_t header_bytes;
    bool overflow;
    bool enough;    /* of the body is there: its status says all */
    bool no_memory; /* for a large answer */
    enum cba_way way;
    bool connect_limited; /* a connection has less time than the whole */
    struct cba_result result;
};

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

/* ---- libcurl's callbacks ------------------------------------------------------------------- */

static long status_of(const struct cba_transfer *transfer) {
    long status = 0;
    return curl_easy_getinfo(transfer->handle->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK
               ? status
               : 0;
}

/* The status decides first: of a refusal no more is kept than is asked for, and nothing of a body
 * that is compressed. */
static size_t take_body(char *bytes, size_t one, size_t count, void *owner) {
    struct cba_transfer *transfer = owner;
    struct cba_bodies *bodies = &transfer->handle->bodies;
    size_t length = one * count;
    bool is_compressed = transfer->result.answer.is_compressed;
    bool is_success = cba_is_success(status_of(transfer));
    size_t limit = is_compressed ? 0 : is_success ? transfer->answer_max : transfer->refusal_max;
    size_t room = limit > bodies->answer_length ? limit - bodies->answer_length : 0;
    transfer->result.begun = true;
    if (length > room && is_success && !is_compressed) {
        transfer->overflow = true;
        return 0;
    }
    transfer->enough = length > room;
    if (!cba_bodies_take(bodies, bytes, transfer->enough ? room : length, limit)) {
        transfer->no_memory = true;
        return 0;
    }
    return transfer->enough ? 0 : length;
}

static size_t take_header(char *line, size_t one, size_t count, void *owner) {
    struct cba_transfer *transfer = owner;
    size_t length = one * count;
    transfer->result.begun = true;
    transfer->header_bytes += length;
    if (transfer->header_bytes > CBA_ANSWER_HEADERS_MAX) {
        transfer->overflow = true;
        return 0;
    }
    cba_answer_take_line(&transfer->result.answer, line, length);
    return length;
}

#if LIBCURL_VERSION_NUM >= 0x075000

/* Before each request, also the one that libcurl sends again because a kept connection was dead:
 * the token is of the last one. libcurl takes its own times after it has sent, and a process may
 * stand still in between. Says yes to any; see sockets.h. The type is libcurl's.
 * NOLINTNEXTLINE(readability-non-const-parameter) */
static int before_request(void *owner, char *address, char *own_address, int port, int own_port) {
    (void)address, (void)own_address, (void)port;
    struct cba_transfer *transfer = owner;
    transfer->result.sent = cba_clock_now();
    long opened = 0;
    if (curl_easy_getinfo(transfer->handle->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK &&
        opened == 0) {
        cba_engine_refuse_unclean(transfer->engine, own_port);
    }
    return CURL_PREREQFUNC_OK;
}

#endif

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

/* Of a line beyond its own limit libcurl says that it is out of memory, and of one that is no HTTP
 * that it does not know the protocol, or that the reply is weird; it may be the first. */
static bool has_begun(const struct cba_transfer *transfer, CURLcode code) {
    long sent = 0;
    return transfer->result.begun ||
           ((code == CURLE_OUT_OF_MEMORY || code == CURLE_UNSUPPORTED_PROTOCOL ||
             code == CURLE_WEIRD_SERVER_REPLY) &&
            curl_easy_getinfo(transfer->handle->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK &&
            sent > 0);
}

/* Whether there is an answer, however its transfer ended: a denial whose page breaks off, or is too
 * large, is one. A header that breaks off tells nothing for certain; one that is malformed, or too
 * large by our own limit or libcurl's, began with its status. */
static bool status_decides(const struct cba_transfer *transfer, CURLcode code) {
    enum { CODE_TOO_LARGE = 100 }; /* 8.6; before that it was out of memory */
    if (transfer->enough) {
        return true;
    }
    bool is_whole = transfer->result.answer.is_whole;
    bool is_refused = transfer->overflow || code == CURLE_OUT_OF_MEMORY ||
                      (int)code == CODE_TOO_LARGE || code == CURLE_WEIRD_SERVER_REPLY;
    return transfer->result.begun && status_of(transfer) > CBA_SUCCESS_LAST &&
           (is_whole || is_refused);
}

static void judge(struct cba_transfer *transfer, CURLcode code) {
    struct cba_result *result = &transfer->result;
    bool decided = status_decides(transfer, code);
    result->begun = has_begun(transfer, code);
    result->is_cut = code != CURLE_OK;
    struct cba_evidence evidence = {
        .easy = transfer->handle->easy,
        .error = transfer->handle->error,
        .begun = result->begun,
        .overflow = transfer->overflow && !decided,
        .way = transfer->way,
        .connect_limited = transfer->connect_limited,
    };
    cba_outcome_judge(&result->failure, decided ? CURLE_OK : (int)code, &evidence);
    result->status = status_of(transfer);
    if (result->failure.outcome == CBA_ANSWERED && !result->answer.is_whole && !decided) {
        result->failure.outcome = CBA_NETWORK; /* libcurl takes the end of the connection for its */
    }
    if (transfer->no_memory) {
        result->failure.outcome = CBA_NO_MEMORY;
    }
}

static void leave_engine(struct cba_transfer *transfer) {
    if (transfer->is_added) {
        cba_engine_remove(transfer->engine, transfer->handle);
        transfer->is_added = false;
    }
}

static void finish(void *owner, int code) {
    struct cba_transfer *transfer = owner;
    judge(transfer, (CURLcode)code);
    if (transfer->result.failure.outcome != CBA_ANSWERED) {
        cba_bodies_forget_answer(&transfer->handle->bodies);
    }
    leave_engine(transfer);
    cba_bodies_forget_request(&transfer->handle->bodies);
}

/* ---- moving on ----------------------------------------------------------------------------- */

bool cba_transfer_is_done(struct cba_transfer *transfer) {
    if (is_pending(transfer) && !cba_engine_is_ours(transfer->engine)) {
        give_up(transfer, CBA_NETWORK); /* the parent's connection: not ours to read */
    }
    return !is_pending(transfer);
}

/* Moves all on; true when this one, which was not done, is done. */
static bool move_on(struct cba_transfer *transfer) {
    enum cba_outcome outcome = cba_engine_step(transfer->engine, finish);
    if (outcome != CBA_PENDING && is_pending(transfer)) {
        leave_engine(transfer);
        give_up(transfer, outcome);
    }
    return !is_pending(transfer);
}

bool cba_transfer_step(struct cba_transfer *transfer) {
    return cba_transfer_is_done(transfer) || move_on(transfer);
}

bool cba_transfer_wait(struct cba_transfer *transfer, double seconds) {
    if (cba_transfer_is_done(transfer) ||
        (cba_engine_has_new(transfer->engine) && move_on(transfer))) {
        return true;
    }
    if (seconds > 0) {
        cba_engine_poll(transfer->engine, seconds);
    }
    return move_on(transfer);
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
    transfer->answer_max = request->answer_max;
    transfer->refusal_max = request->refusal_max;
    if (handle->endpoint == NULL) {
        cba_engine_set_up(transfer->engine, handle, transfer->endpoint, failure);
    }
    if (!is_pending(transfer)) {
        return;
    }
    CURL *easy = handle->easy;
    cba_request_set(easy, settings, request, proxy, &handle->headers, failure);
    CBA_SET(CURLOPT_PRIVATE, transfer);
    CBA_SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    CBA_SET(CURLOPT_WRITEFUNCTION, take_body);
    CBA_SET(CURLOPT_WRITEDATA, transfer);
    CBA_SET(CURLOPT_HEADERFUNCTION, take_header);
    CBA_SET(CURLOPT_HEADERDATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075000
    CBA_SET(CURLOPT_PREREQFUNCTION, before_request);
    CBA_SET(CURLOPT_PREREQDATA, transfer);
#else
    /* No connection is kept (request.c), and the time to connect counts as the token's. */
    transfer->result.sent = cba_clock_now();
#endif
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

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer) {
    return &transfer->result;
}

char *cba_transfer_answer_body(const struct cba_transfer *transfer, size_t *length) {
    *length = transfer->handle->bodies.answer_length;
    return cba_bodies_answer(&transfer->handle->bodies);
}

/* A handle that served well stays set up; one that failed in any way is not trusted again. */
static bool serves_again(const struct cba_transfer *transfer) {
    const struct cba_result *result = &transfer->result;
    return result->failure.outcome == CBA_ANSWERED && !result->is_cut && !transfer->is_private &&
           !cba_endpoint_is_closed(transfer->endpoint);
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
    cba_endpoint_release(transfer->endpoint);
    cba_engine_release(transfer->engine);
    free(transfer);
}
