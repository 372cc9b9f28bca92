/* Bodies that come and go in pieces: an answer that is streamed, and a request that is uploaded.
 * Each has a window of memory. When the answer's is full, or the request's is empty, libcurl pauses
 * until Lua has taken bytes or given some. */
#ifndef CBA_FLOW_H
#define CBA_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "http/limits.h"
#include "http/pipe.h"
#include "http/request.h"

/* All zeros: of a request with whole bodies. */
struct cba_flow {
    struct cba_pipe answer, upload;
    struct cba_limits *limits;
    bool is_streamed, is_uploaded;
    bool has_begun;    /* the answer */
    bool is_asked_for; /* the upload: the connection is there, and takes it */
    bool has_ended;    /* the upload: no more bytes are given */
    bool is_short;     /* it ended before its size */
    bool answer_is_paused, upload_is_paused;
    long long size;        /* of the upload, or CBA_SIZE_UNKNOWN */
    long long given, sent; /* bytes of it, by Lua and to libcurl */
};

/* Prepares it for a request that is about to start; false when out of memory. */
bool cba_flow_make(struct cba_flow *flow, const struct cba_request *request,
                   struct cba_limits *limits);
void cba_flow_free(struct cba_flow *flow);

/* ---- libcurl's side ------------------------------------------------------------------------ */

/* Sets what libcurl needs for it on a handle. */
void cba_flow_set(struct cba_flow *flow, void *easy, struct cba_failure *failure);

/* Takes bytes of the answer; what the callback of libcurl has to return. */
size_t cba_flow_receive(struct cba_flow *flow, const char *bytes, size_t length);

/* A byte of an answer has arrived. */
void cba_flow_note_answer(struct cba_flow *flow);

/* ---- Lua's side ---------------------------------------------------------------------------- */

/* Whether libcurl waits for Lua. */
bool cba_flow_is_paused(const struct cba_flow *flow);

/* Whether it does, and has what it waits for: then it is to go on. */
bool cba_flow_may_go_on(struct cba_flow *flow);

/* Gives bytes of the upload; how many were taken. */
size_t cba_flow_give(struct cba_flow *flow, const char *bytes, size_t length);
void cba_flow_end(struct cba_flow *flow);

#endif
