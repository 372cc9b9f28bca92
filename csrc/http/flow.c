#include "http/flow.h"

#include <string.h>

#include "http/setopt.h"

/* Of what arrives at once and is decoded, libcurl keeps up to 64 MiB while a transfer is paused,
 * and fails beyond that: gzip makes up to a thousand bytes of one. */
enum { LARGE_BUFFER = 16384 };

bool cba_flow_make(struct cba_flow *flow, const struct cba_request *request,
                   struct cba_limits *limits) {
    flow->limits = limits;
    flow->is_streamed = request->stream;
    flow->is_uploaded = request->upload;
    flow->size = request->size;
    return (!flow->is_streamed || cba_pipe_make(&flow->answer)) &&
           (!flow->is_uploaded || cba_pipe_make(&flow->upload));
}

void cba_flow_free(struct cba_flow *flow) {
    cba_pipe_free(&flow->answer);
    cba_pipe_free(&flow->upload);
}

/* ---- libcurl's side ------------------------------------------------------------------------ */

static size_t send_upload(char *buffer, size_t one, size_t count, void *owner) {
    struct cba_flow *flow = owner;
    size_t wanted = one * count;
    size_t length = flow->upload.length < wanted ? flow->upload.length : wanted;
    bool is_over = flow->has_ended && length == 0;
    flow->is_asked_for = true;
    if (is_over && flow->is_short) {
        return CURL_READFUNC_ABORT;
    }
    if (length == 0 && !is_over) {
        flow->upload_is_paused = true;
        length = CURL_READFUNC_PAUSE;
    } else {
        memcpy(buffer, cba_pipe_bytes(&flow->upload), length);
        cba_pipe_drop(&flow->upload, length);
        flow->sent += (long long)length;
    }
    bool is_waited_for = is_over || flow->sent == flow->size;
    cba_limits_note(flow->limits, flow->has_begun || !is_waited_for);
    return length;
}

void cba_flow_set(struct cba_flow *flow, void *easy, struct cba_failure *failure) {
    CBA_SET_BUFFER_SIZE(LARGE_BUFFER);
    if (flow->is_uploaded) {
        CBA_SET(CURLOPT_UPLOAD, 1L);
        CBA_SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)flow->size);
        CBA_SET(CURLOPT_READFUNCTION, send_upload);
        CBA_SET(CURLOPT_READDATA, flow);
    }
}

size_t cba_flow_receive(struct cba_flow *flow, const char *bytes, size_t length) {
    cba_flow_note_answer(flow);
    if (length > cba_pipe_room(&flow->answer)) {
        flow->answer_is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    cba_pipe_put(&flow->answer, bytes, length);
    return length;
}

void cba_flow_note_answer(struct cba_flow *flow) {
    flow->has_begun = true;
    cba_limits_note(flow->limits, true);
}

/* ---- Lua's side ---------------------------------------------------------------------------- */

bool cba_flow_is_paused(const struct cba_flow *flow) {
    return flow->answer_is_paused || flow->upload_is_paused;
}

bool cba_flow_may_go_on(struct cba_flow *flow) {
    bool is_due = (flow->answer_is_paused && flow->answer.length == 0) ||
                  (flow->upload_is_paused && (flow->upload.length > 0 || flow->has_ended));
    if (is_due) {
        flow->answer_is_paused = flow->upload_is_paused = false;
        cba_limits_note(flow->limits, true);
    }
    return is_due;
}

size_t cba_flow_give(struct cba_flow *flow, const char *bytes, size_t length) {
    size_t room = cba_pipe_room(&flow->upload);
    size_t taken = length < room ? length : room;
    cba_pipe_put(&flow->upload, bytes, taken);
    flow->given += (long long)taken;
    return taken;
}

void cba_flow_end(struct cba_flow *flow) {
    flow->has_ended = true;
    flow->is_short = flow->size != CBA_SIZE_UNKNOWN && flow->given < flow->size;
}
