/* HTTP POSTs of credentials, by libcurl's multi interface. libcurl never calls Lua: its callbacks
 * fill buffers, and whoever started a transfer asks for it with step and wait.
 *
 * One engine (a multi handle with its kept connections) serves one Lua state in one process. An
 * engine remembers the process that made it; a forked child abandons what it inherited, because two
 * processes writing on one TLS connection hand each other's answers out.
 */
#ifndef CBA_TRANSFER_H
#define CBA_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "http/answer.h"
#include "http/outcome.h"
#include "http/request.h"
#include "system/clock.h"
#include "json/reply.h"

enum {
    CBA_HEADERS_MAX = 64 * 1024, /* all of an answer's header lines together */
    CBA_IDLE_TRANSFERS_MAX = 32, /* kept for reuse */
};

struct cba_engine;
struct cba_transfer;

struct cba_result {
    long status;
    bool begun;                 /* at least a line of an answer arrived */
    bool is_cut;                /* its body was longer than what is kept, or broke off */
    struct cba_moment sent;     /* before the first byte of the request */
    struct cba_failure failure; /* outcome CBA_ANSWERED: none, there is a status */
    struct cba_answer answer;
};

/* NULL when out of memory or when libcurl cannot be started. */
struct cba_engine *cba_engine_new(void);
bool cba_engine_is_ours(const struct cba_engine *engine);
void cba_engine_release(struct cba_engine *engine);

/* A transfer to be set up and started, or NULL when out of memory. It holds a reference to its
 * engine. One that was set up for the same `settings` before is preferred; 0 is never the same. */
struct cba_transfer *cba_transfer_new(struct cba_engine *engine, unsigned long settings);

/* Whether it is set up already, because it served the same settings before. */
bool cba_transfer_is_set_up(const struct cba_transfer *transfer);

/* Failures show as the result's outcome. */
void cba_transfer_set_up(struct cba_transfer *transfer, const struct cba_request *request);

/* Where to put the request body before starting: CBA_JSON_CREDENTIALS_MAX bytes. */
char *cba_transfer_request_body(struct cba_transfer *transfer);

/* Starts; failures show as the result's outcome, at once or later. One that is alone in its engine
 * sets off at once, and may be done; others do so with the next step. */
void cba_transfer_start(struct cba_transfer *transfer, size_t body_length, long timeout_ms);

/* Ends the transfer at whatever point it is, wipes both bodies, keeps what may serve again. */
void cba_transfer_release(struct cba_transfer *transfer);

/* Does what can be done without waiting, for every transfer of the engine; true when this one is
 * done. */
bool cba_transfer_step(struct cba_transfer *transfer);

/* Whether the last step of any of the engine's transfers brought this one to its end. Does nothing.
 */
bool cba_transfer_is_done(struct cba_transfer *transfer);

/* The same, after waiting for activity on any of the engine's transfers, at most `seconds`; those
 * that are new set off before. */
bool cba_transfer_wait(struct cba_transfer *transfer, double seconds);

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer);

/* The answer's body, NUL-terminated, in memory that is wiped on release; empty after a failure. */
char *cba_transfer_response_body(struct cba_transfer *transfer, size_t *length);

#endif
