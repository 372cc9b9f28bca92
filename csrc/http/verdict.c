#include "http/in_flight.h"

#include "http/setopt.h"

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
    return transfer->result.begun && cba_callbacks_status(transfer) > CBA_SUCCESS_LAST &&
           (is_whole || is_refused);
}

/* What became of the request, whatever became of the answer. */
static enum cba_sent how_far(const struct cba_transfer *transfer) {
    bool has_status = transfer->result.begun && cba_callbacks_status(transfer) >= CBA_SUCCESS_FIRST;
    return has_status                            ? CBA_SENT
           : cba_callbacks_may_be_done(transfer) ? CBA_SENT_MAYBE
                                                 : CBA_NOT_SENT;
}

/* The next request on its connection: see sockets.h. */
static void note_version(struct cba_transfer *transfer) {
    long port = 0;
    CURL *easy = transfer->handle->easy;
    struct cba_result *result = &transfer->result;
    if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &result->http_version) != CURLE_OK) {
        result->http_version = CURL_HTTP_VERSION_NONE;
    }
    if (result->begun && result->http_version <= CURL_HTTP_VERSION_1_1 &&
        curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port) == CURLE_OK) {
        cba_engine_note_http1(transfer->engine, (int)port);
    }
}

void cba_verdict(struct cba_transfer *transfer, int curl_code) {
    CURLcode code = (CURLcode)curl_code;
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
    result->status = cba_callbacks_status(transfer);
    if (result->failure.outcome == CBA_ANSWERED && !result->answer.is_whole && !decided) {
        result->failure.outcome = CBA_NETWORK; /* libcurl takes the end of the connection for its */
    }
    if (transfer->no_memory) {
        result->failure.outcome = CBA_NO_MEMORY;
    }
    result->how_far = how_far(transfer);
    note_version(transfer);
}
