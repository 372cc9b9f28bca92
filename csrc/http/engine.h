/* The multi handle of one Lua state in one process, with its connections and its easy handles.
 *
 * An engine remembers the process that made it. A forked child abandons the engine that it
 * inherited: two processes that use one TLS connection would get each other's answers. */
#ifndef CBA_ENGINE_H
#define CBA_ENGINE_H

#include <curl/curl.h>
#include <stdbool.h>

#include "http/bodies.h"
#include "http/endpoint.h"
#include "http/outcome.h"
#include "http/request.h"

enum { CBA_HANDLES_KEPT_MAX = 32 }; /* for all endpoints together */

struct cba_engine;

/* An easy handle, and the memory that a request and its answer need. */
struct cba_handle {
    CURL *easy;                    /* NULL: to be set up */
    struct cba_endpoint *endpoint; /* a reference to what `easy` is set up for, or NULL */
    unsigned traits;               /* of the last request: see request.h */
    struct cba_borrowed borrowed;  /* by `easy` */
    char error[CURL_ERROR_SIZE];
    struct cba_bodies bodies;
    struct cba_handle *next; /* among those that are kept */
};

/* NULL when out of memory or when libcurl cannot be started. The caller has the first reference. */
struct cba_engine *cba_engine_new(void);
struct cba_engine *cba_engine_hold(struct cba_engine *engine);
void cba_engine_release(struct cba_engine *engine);

/* Whether this process made it. Of all else that is here only hold and release are for others. */
bool cba_engine_is_ours(const struct cba_engine *engine);

/* ---- handles ------------------------------------------------------------------------------- */

/* A handle for a request to an endpoint; NULL when out of memory. One that is kept, set up for the
 * same endpoint, is preferred; another is to be set up. */
struct cba_handle *cba_engine_take(struct cba_engine *engine, const struct cba_endpoint *endpoint);

/* Sets it up for the endpoint. The failure's outcome stays CBA_PENDING, or says why that failed. */
void cba_engine_set_up(struct cba_engine *engine, struct cba_handle *handle,
                       struct cba_endpoint *endpoint, struct cba_failure *failure);

/* Wipes what a handle had for its request, and keeps it. Of one that does not stay set up only the
 * memory is kept. When there are too many, one of those goes, else the one used longest ago. */
void cba_engine_give_back(struct cba_engine *engine, struct cba_handle *handle, bool stays_set_up);

/* For a process that did not make the handle: frees this process's copy of its memory. */
void cba_handle_abandon(struct cba_handle *handle);

/* The endpoint is closed: no kept handle stays set up for it. */
void cba_engine_forget(struct cba_engine *engine, const struct cba_endpoint *endpoint);

/* ---- what is in flight --------------------------------------------------------------------- */

/* Adds a handle whose request is set; false when out of memory. */
bool cba_engine_add(struct cba_engine *engine, struct cba_handle *handle);
void cba_engine_remove(struct cba_engine *engine, struct cba_handle *handle);
bool cba_engine_is_alone(const struct cba_engine *engine); /* one handle is added */

/* A handle that its callbacks have paused goes on. */
void cba_engine_go_on(struct cba_engine *engine, struct cba_handle *handle);

/* Moves all on without waiting. For each handle that has ended it calls `finish`, which removes the
 * handle, with its CURLOPT_PRIVATE and libcurl's code. CBA_PENDING, or why the step failed. */
enum cba_outcome cba_engine_step(struct cba_engine *engine, void (*finish)(void *owner, int code));

/* Waits for activity, at most `seconds`. Returns early on a signal. */
void cba_engine_poll(struct cba_engine *engine, double seconds);

/* Whether something was added since the last step. */
bool cba_engine_has_new(const struct cba_engine *engine);

/* Before a request on a kept connection with that port of ours: see sockets.h. */
bool cba_engine_refuse_unclean(struct cba_engine *engine, int port);

/* A connection with that port of ours has answered by HTTP/1. */
void cba_engine_note_http1(struct cba_engine *engine, int port);

#endif
