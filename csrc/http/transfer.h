/* One request and its answer. libcurl never calls Lua: its callbacks fill buffers. The caller that
 * started a transfer runs it with step and wait. */
#ifndef CBA_TRANSFER_H
#define CBA_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "http/answer.h"
#include "http/engine.h"
#include "http/request.h"
#include "system/clock.h"

enum {
    CBA_ANSWER_HEADERS_MAX = 64 * 1024, /* all header lines together */
    CBA_ANSWER_BODY_MAX = 64 * 1024,    /* unless a request says otherwise */
};

struct cba_transfer;

/* Of a request, whatever came of it. */
enum cba_sent {
    CBA_NOT_SENT,   /* no byte has left */
    CBA_SENT_MAYBE, /* some have, and no status came */
    CBA_SENT,       /* a status came */
};

struct cba_result {
    long status;
    long http_version; /* as libcurl numbers them */
    enum cba_sent how_far;
    bool idle_limited;          /* with CBA_TIMEOUT: no byte of a body moved for too long */
    bool begun;                 /* at least a line of an answer arrived */
    bool is_cut;                /* its body was longer than what is kept, or broke off */
    bool is_withheld;           /* it is compressed, which nobody asked for, and nothing is kept */
    struct cba_moment sent;     /* before the first byte of the request */
    struct cba_failure failure; /* outcome CBA_ANSWERED: none, there is a status */
    struct cba_answer answer;
};

/* A transfer to be started, or NULL when out of memory. It refers to its engine and endpoint. */
struct cba_transfer *cba_transfer_new(struct cba_engine *engine, struct cba_endpoint *endpoint);

/* Memory for a request's body, which is wiped when it is of no more use; NULL when out of memory.
 * Before starting, and once. */
char *cba_transfer_make_body(struct cba_transfer *transfer, size_t size);

/* Starts; failures show as the result's outcome, at once or later. One that is alone in its engine
 * is sent at once, and may be done; others are with the next step. Of the request only the body is
 * needed longer than this. */
void cba_transfer_start(struct cba_transfer *transfer, const struct cba_request *request,
                        long timeout_ms);

/* Ends the transfer at whatever point it is and wipes both bodies. NULL is fine. */
void cba_transfer_release(struct cba_transfer *transfer);

/* Does what can be done without waiting, for every transfer of the engine; true when this one is
 * done. */
bool cba_transfer_step(struct cba_transfer *transfer);

/* Whether the last step of any of the engine's transfers brought this one to its end. */
bool cba_transfer_is_done(struct cba_transfer *transfer);

/* Sends what is new, waits for activity on any of the engine's transfers, at most `seconds`, and
 * steps. */
bool cba_transfer_wait(struct cba_transfer *transfer, double seconds);

/* ---- bodies in pieces, see flow.h ---------------------------------------------------------- */

/* What has arrived of a stream, or NULL; and drops it, so that more can come. */
const char *cba_transfer_piece(const struct cba_transfer *transfer, size_t *length);
void cba_transfer_drop_piece(struct cba_transfer *transfer);

/* Whether bytes can be given, and at most how many altogether. */
bool cba_transfer_is_upload(const struct cba_transfer *transfer, long long *left);

/* Whether an upload has room for bytes, and they can leave: not before there is a connection. */
bool cba_transfer_is_wanting(const struct cba_transfer *transfer);

/* Whether a piece can be taken, or given. */
bool cba_transfer_is_ready(const struct cba_transfer *transfer);

/* Gives bytes of an upload; how many were taken: all when it is over. Then ends the upload. */
size_t cba_transfer_give(struct cba_transfer *transfer, const char *bytes, size_t length);
void cba_transfer_end_upload(struct cba_transfer *transfer);

/* ---- what came of it ----------------------------------------------------------------------- */

struct cba_header_lines;

/* All headers of the answer, as far as they have come; none unless the request kept them. */
const struct cba_header_lines *cba_transfer_headers(const struct cba_transfer *transfer);

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer);

/* The answer's body, NUL-terminated, in memory that is wiped on release; empty after a failure. */
char *cba_transfer_answer_body(const struct cba_transfer *transfer, size_t *length);

#endif
