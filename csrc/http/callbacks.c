#include "http/in_flight.h"

#include "http/setopt.h"

static long info_long(const struct cba_transfer *transfer, CURLINFO what) {
    long value = 0;
    return curl_easy_getinfo(transfer->handle->easy, what, &value) == CURLE_OK ? value : 0;
}

long cba_callbacks_status(const struct cba_transfer *transfer) {
    return info_long(transfer, CURLINFO_RESPONSE_CODE);
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* The status decides first: of a refusal no more is kept than is asked for, and nothing of a body
 * that is compressed when nobody asked for that. */
static size_t take_body(char *bytes, size_t one, size_t count, void *owner) {
    struct cba_transfer *transfer = owner;
    struct cba_bodies *bodies = &transfer->handle->bodies;
    size_t length = one * count;
    bool is_unwanted = transfer->result.answer.is_compressed &&
                       (transfer->handle->traits & CBA_REQUEST_DECODES) == 0;
    bool is_success = cba_is_success(cba_callbacks_status(transfer));
    transfer->result.begun = true;
    transfer->result.is_withheld = is_unwanted;
    if (transfer->flow.is_streamed && is_success && !is_unwanted) {
        return cba_flow_receive(&transfer->flow, bytes, length);
    }
    cba_flow_note_answer(&transfer->flow);
    size_t limit = is_unwanted ? 0 : is_success ? transfer->answer_max : transfer->refusal_max;
    size_t room = limit > bodies->answer_length ? limit - bodies->answer_length : 0;
    if (length > room && is_success && !is_unwanted) {
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
    cba_flow_note_answer(&transfer->flow);
    bool was_whole = transfer->result.answer.is_whole;
    cba_answer_take_line(&transfer->result.answer, line, length);
    bool is_trailer = was_whole && transfer->result.answer.is_whole;
    if (transfer->keeps_headers && !is_trailer &&
        !cba_header_lines_add(&transfer->lines, line, length)) {
        transfer->no_memory = true;
        return 0;
    }
    return length;
}

/* ---- the request --------------------------------------------------------------------------- */

bool cba_callbacks_may_be_done(const struct cba_transfer *transfer) {
    bool has_left = info_long(transfer, CURLINFO_REQUEST_SIZE) > transfer->sent_before;
    return transfer->has_left || (has_left && !transfer->is_shut);
}

#if LIBCURL_VERSION_NUM >= 0x075000

/* On HTTP/2 libcurl does it five times in a row, and also when the server refused the stream. Once
 * is enough for a connection that had died; what comes then is the caller's policy. */
static bool may_send_again(struct cba_transfer *transfer) {
    enum { TRIES_ON_HTTP2 = 2 };
    bool is_http2 = (transfer->handle->traits & CBA_REQUEST_HTTP2) != 0;
    transfer->has_left = cba_callbacks_may_be_done(transfer);
    return !(transfer->is_once && transfer->has_left) &&
           (!is_http2 || transfer->tries < TRIES_ON_HTTP2);
}

/* Before each request, also the one that libcurl sends again because a kept connection was dead:
 * the token is of the last one. libcurl takes its own times after it has sent, and a process may
 * stand still in between. Of a kept connection that is unclean see sockets.h. The type is
 * libcurl's. NOLINTNEXTLINE(readability-non-const-parameter) */
static int before_request(void *owner, char *address, char *own_address, int port, int own_port) {
    (void)address, (void)own_address, (void)port;
    struct cba_transfer *transfer = owner;
    if (transfer->tries > 0 && !may_send_again(transfer)) {
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->tries++;
    transfer->sent_before = info_long(transfer, CURLINFO_REQUEST_SIZE);
    transfer->is_shut = false;
    transfer->result.sent = cba_clock_now();
    long opened = 0;
    if (curl_easy_getinfo(transfer->handle->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK &&
        opened == 0) {
        transfer->is_shut = cba_engine_refuse_unclean(transfer->engine, own_port);
    }
    return CURL_PREREQFUNC_OK;
}

#endif

/* ---- setting them -------------------------------------------------------------------------- */

void cba_callbacks_set(struct cba_transfer *transfer, const struct cba_request *request) {
    struct cba_failure *failure = &transfer->result.failure;
    CURL *easy = transfer->handle->easy;
    transfer->is_once = request->once;
    transfer->keeps_headers = request->keep_headers;
    transfer->answer_max = request->answer_max;
    transfer->refusal_max = request->refusal_max;
    CBA_SET(CURLOPT_PRIVATE, transfer);
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
