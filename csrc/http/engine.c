#include "http/engine.h"

#include <stdlib.h>

#include "http/libcurl.h"
#include "http/openssl_queue.h"
#include "http/setopt.h"
#include "http/sockets.h"
#include "system/maker.h"
#include "system/sigpipe.h"

struct cba_engine {
    CURLM *multi;
    struct cba_sockets sockets;
    struct cba_maker maker;
    size_t references;
    bool raises_sigpipe; /* its libcurl, when the other side has gone */
    unsigned guards;     /* entered and not left */
    struct cba_sigpipe sigpipe;
    struct cba_openssl_queue openssl_queue;
    size_t added;            /* handles in `multi` */
    bool has_new;            /* one of them that no step has moved yet */
    struct cba_handle *kept; /* the one used last is the first; those not set up are the last */
    size_t kept_count;
};

/* ---- its life ------------------------------------------------------------------------------ */

/* As many as a batch may have in flight (many.lua). libcurl's own limit is four for each transfer
 * in flight, and while there are more, each transfer that ends closes one. */
enum { CONNECTIONS_KEPT = 256 };

struct cba_engine *cba_engine_new(void) {
    if (!cba_libcurl_start()) {
        return NULL;
    }
    struct cba_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return NULL;
    }
    engine->multi = curl_multi_init();
    if (engine->multi == NULL || curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS,
                                                   (long)CONNECTIONS_KEPT) != CURLM_OK) {
        curl_multi_cleanup(engine->multi); /* NULL is fine */
        free(engine);
        return NULL;
    }
    cba_maker_note(&engine->maker);
    engine->references = 1;
    engine->raises_sigpipe = cba_libcurl_raises_sigpipe();
    cba_openssl_queue_find(&engine->openssl_queue);
    return engine;
}

bool cba_engine_is_ours(const struct cba_engine *engine) {
    return cba_maker_is_us(&engine->maker);
}

struct cba_engine *cba_engine_hold(struct cba_engine *engine) {
    engine->references++;
    return engine;
}

/* Around what may write to a connection, if only a goodbye. */
static void enter(struct cba_engine *engine) {
    if (engine->guards++ > 0) {
        return;
    }
    if (engine->raises_sigpipe) {
        cba_sigpipe_hold(&engine->sigpipe);
    }
    cba_openssl_queue_hold(&engine->openssl_queue);
}

static void leave(struct cba_engine *engine) {
    if (--engine->guards > 0) {
        return;
    }
    cba_openssl_queue_release(&engine->openssl_queue);
    cba_sigpipe_release(&engine->sigpipe);
}

/* Gives up the easy handle with all that was set on it. Never curl_easy_reset: that cannot say that
 * it ran out of memory, and then leaves a handle without some of its defaults. */
static void strip(struct cba_handle *handle) {
    curl_easy_cleanup(handle->easy); /* before what it borrows; NULL is fine, here and below */
    cba_request_free(&handle->borrowed);
    cba_endpoint_release(handle->endpoint);
    handle->easy = NULL;
    handle->endpoint = NULL;
    handle->traits = 0;
    handle->error[0] = '\0';
}

static void destroy(struct cba_handle *handle) {
    strip(handle);
    cba_bodies_free(&handle->bodies);
    free(handle);
}

static struct cba_handle *unlink_kept(struct cba_engine *engine, struct cba_handle **link) {
    struct cba_handle *handle = *link;
    *link = handle->next;
    engine->kept_count--;
    return handle;
}

/* In a child: closing the parent's connections would say goodbye in its name. */
static void abandon(struct cba_engine *engine) {
    while (engine->kept != NULL) {
        cba_handle_abandon(unlink_kept(engine, &engine->kept));
    }
}

void cba_engine_release(struct cba_engine *engine) {
    if (engine == NULL || --engine->references > 0) {
        return;
    }
    if (!cba_engine_is_ours(engine)) {
        abandon(engine);
        return;
    }
    enter(engine);
    while (engine->kept != NULL) {
        destroy(unlink_kept(engine, &engine->kept));
    }
    curl_multi_cleanup(engine->multi);
    leave(engine);
    cba_maker_forget(&engine->maker);
    cba_sockets_free(&engine->sockets);
    free(engine);
}

/* ---- handles ------------------------------------------------------------------------------- */

static struct cba_handle *handle_new(void) {
    struct cba_handle *handle = calloc(1, sizeof *handle);
    if (handle != NULL && !cba_bodies_make(&handle->bodies)) {
        free(handle);
        return NULL;
    }
    return handle;
}

/* Where the first is linked that is set up for an endpoint, or with NULL for none; else the last.
 */
static struct cba_handle **find_kept(struct cba_engine *engine,
                                     const struct cba_endpoint *endpoint) {
    struct cba_handle **link = &engine->kept;
    while (*link != NULL && (*link)->endpoint != endpoint && (*link)->next != NULL) {
        link = &(*link)->next;
    }
    return link;
}

struct cba_handle *cba_engine_take(struct cba_engine *engine, const struct cba_endpoint *endpoint) {
    struct cba_handle **link = find_kept(engine, endpoint), *handle = *link;
    bool is_of_another = handle != NULL && handle->endpoint != endpoint && handle->endpoint != NULL;
    if (handle == NULL || (is_of_another && engine->kept_count < CBA_HANDLES_KEPT_MAX)) {
        return handle_new();
    }
    unlink_kept(engine, link);
    if (is_of_another) {
        enter(engine);
        strip(handle);
        leave(engine);
    }
    return handle;
}

/* A resolver has a thread of its own, which inherits what is held back, or sends in this one: not
 * by libcurl's hand, and a name server may hang up, too. */
static int before_resolving(void *resolver, void *reserved, void *owner) {
    (void)resolver, (void)reserved;
    struct cba_engine *engine = owner;
    if (!engine->sigpipe.held) {
        cba_sigpipe_hold(&engine->sigpipe);
    }
    return 0;
}

void cba_engine_set_up(struct cba_engine *engine, struct cba_handle *handle,
                       struct cba_endpoint *endpoint, struct cba_failure *failure) {
    CURL *easy = handle->easy = curl_easy_init();
    handle->endpoint = cba_endpoint_hold(endpoint);
    if (easy == NULL) {
        failure->outcome = CBA_NO_MEMORY;
        return;
    }
    CBA_SET(CURLOPT_ERRORBUFFER, handle->error);
    CBA_SET(CURLOPT_OPENSOCKETDATA, &engine->sockets);
    CBA_SET(CURLOPT_CLOSESOCKETFUNCTION, cba_sockets_close);
    CBA_SET(CURLOPT_CLOSESOCKETDATA, &engine->sockets);
    CBA_SET(CURLOPT_RESOLVER_START_FUNCTION, before_resolving);
    CBA_SET(CURLOPT_RESOLVER_START_DATA, engine);
    cba_endpoint_apply(cba_endpoint_settings(endpoint), easy, failure);
}

/* Takes from a handle what it borrows for a request, which may be secret; false when it cannot. */
static bool forget_headers(struct cba_handle *handle) {
    if (curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL) != CURLE_OK) {
        return false;
    }
    cba_request_free_headers(&handle->borrowed);
    return true;
}

void cba_engine_give_back(struct cba_engine *engine, struct cba_handle *handle, bool stays_set_up) {
    struct cba_handle **link = &engine->kept;
    cba_bodies_forget_request(&handle->bodies);
    cba_bodies_forget_answer(&handle->bodies);
    enter(engine);
    if (!stays_set_up || !forget_headers(handle)) {
        strip(handle);
        while (*link != NULL) { /* to the end: it goes before those that are set up */
            link = &(*link)->next;
        }
    }
    handle->next = *link;
    *link = handle;
    if (++engine->kept_count > CBA_HANDLES_KEPT_MAX) {
        destroy(unlink_kept(engine, find_kept(engine, NULL)));
    }
    leave(engine);
}

void cba_handle_abandon(struct cba_handle *handle) {
    cba_bodies_free(&handle->bodies); /* the parent keeps its own, here and below */
    cba_request_free(&handle->borrowed);
    cba_endpoint_release(handle->endpoint);
    free(handle);
}

void cba_engine_forget(struct cba_engine *engine, const struct cba_endpoint *endpoint) {
    struct cba_handle **link = find_kept(engine, endpoint);
    while (*link != NULL && (*link)->endpoint == endpoint) {
        cba_engine_give_back(engine, unlink_kept(engine, link), false);
        link = find_kept(engine, endpoint);
    }
}

/* ---- what is in flight --------------------------------------------------------------------- */

/* At a time, for one transfer: RFC 8305 has an address of either family tried. */
enum { SOCKETS_OPENING = 2 };

bool cba_engine_add(struct cba_engine *engine, struct cba_handle *handle) {
    /* The handle is ours and in no multi handle: nothing but memory can be missing. */
    if (!cba_sockets_reserve(&engine->sockets, SOCKETS_OPENING * (engine->added + 1)) ||
        curl_multi_add_handle(engine->multi, handle->easy) != CURLM_OK) {
        return false;
    }
    engine->added++;
    engine->has_new = true;
    return true;
}

void cba_engine_remove(struct cba_engine *engine, struct cba_handle *handle) {
    enter(engine);
    curl_multi_remove_handle(engine->multi, handle->easy); /* cannot fail for one that is in */
    leave(engine);
    engine->added--;
}

bool cba_engine_is_alone(const struct cba_engine *engine) {
    return engine->added == 1;
}

void cba_engine_go_on(struct cba_engine *engine, struct cba_handle *handle) {
    enter(engine);
    (void)curl_easy_pause(handle->easy, CURLPAUSE_CONT); /* a failure shows at the next step */
    leave(engine);
}

static void collect_finished(struct cba_engine *engine, void (*finish)(void *owner, int code)) {
    CURLMsg *message;
    int left = 1;
    while (left > 0 && (message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        char *owner = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner) == CURLE_OK &&
            owner != NULL) {
            finish(owner, (int)code); /* invalidates `message` */
        }
    }
}

enum cba_outcome cba_engine_step(struct cba_engine *engine, void (*finish)(void *owner, int code)) {
    int running;
    engine->has_new = false;
    enter(engine);
    CURLMcode code = curl_multi_perform(engine->multi, &running);
    collect_finished(engine, finish);
    leave(engine);
    return code == CURLM_OK              ? CBA_PENDING
           : code == CURLM_OUT_OF_MEMORY ? CBA_NO_MEMORY
                                         : CBA_NETWORK;
}

void cba_engine_poll(struct cba_engine *engine, double seconds) {
    static const double longest = 60;
    int milliseconds = (int)((seconds < longest ? seconds : longest) * 1000) + 1;
    /* Early return on a signal is wanted: a Lua hook can run then. Other failures show at the next
     * step. */
    (void)curl_multi_poll(engine->multi, NULL, 0, milliseconds, NULL);
}

bool cba_engine_has_new(const struct cba_engine *engine) {
    return engine->has_new;
}

bool cba_engine_refuse_unclean(struct cba_engine *engine, int port) {
    return cba_sockets_refuse_unclean(&engine->sockets, port);
}

void cba_engine_note_http1(struct cba_engine *engine, int port) {
    cba_sockets_note_http1(&engine->sockets, port);
}
