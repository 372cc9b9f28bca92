#include "http/transfer.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "http/bodies.h"
#include "http/libcurl.h"
#include "http/proxy.h"
#include "http/sockets.h"
#include "http/tls_errors.h"
#include "system/maker.h"
#include "system/sigpipe.h"
#include "json/credentials.h"

struct cba_engine {
    CURLM *multi;
    struct cba_sockets sockets;
    struct cba_maker maker;
    size_t references;
    bool raises_sigpipe;      /* its libcurl, when the other side has gone */
    struct cba_sigpipe guard; /* of the step that goes on */
    struct cba_tls_errors tls_errors;
    size_t under_way;          /* transfers in the multi handle */
    bool has_new;              /* one of them that no step has moved yet */
    struct cba_transfer *idle; /* these hold no reference */
    size_t idle_count;
};

struct cba_transfer {
    struct cba_engine *engine;
    struct cba_transfer *next_idle;
    CURL *easy;
    bool added; /* to the engine's multi handle */
    struct cba_borrowed borrowed;
    unsigned long settings; /* which settings `easy` is set up for */
    bool set_up;
    long body_length, timeout_ms; /* as `easy` has been told them; 0: not yet */
    struct cba_bodies bodies;
    size_t header_bytes;
    bool overflow;
    bool enough;    /* of the body is there: its status says all */
    bool no_memory; /* for a large answer */
    enum cba_way way;
    long connect_timeout_ms;
    struct cba_result result;
    char error[CURL_ERROR_SIZE];
};

/* ---- engine -------------------------------------------------------------------------------- */

/* As many as a batch may have under way (many.lua). libcurl's own limit is four for each transfer
 * that is under way, and while there are more, each transfer that ends closes one. */
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
    cba_tls_errors_find(&engine->tls_errors);
    return engine;
}

bool cba_engine_is_ours(const struct cba_engine *engine) {
    return cba_maker_is_us(&engine->maker);
}

/* Gives up the easy handle with all that was set on it. Never curl_easy_reset: that cannot say that
 * it ran out of memory, and then leaves a handle without some of its defaults. */
static void drop_handle(struct cba_transfer *transfer) {
    curl_easy_cleanup(transfer->easy); /* before what it points to goes; NULL is fine */
    transfer->easy = NULL;
    transfer->settings = 0;
    transfer->body_length = transfer->timeout_ms = 0;
    cba_borrowed_free(&transfer->borrowed);
}

static void transfer_destroy(struct cba_transfer *transfer) {
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    drop_handle(transfer);
    cba_sigpipe_release(&guard);
    cba_bodies_free(&transfer->bodies);
    free(transfer);
}

void cba_engine_release(struct cba_engine *engine) {
    if (engine == NULL || --engine->references > 0) {
        return;
    }
    if (!cba_engine_is_ours(engine)) {
        return; /* abandoned: closing the parent's connections would say goodbye in its name */
    }
    while (engine->idle != NULL) {
        struct cba_transfer *transfer = engine->idle;
        engine->idle = transfer->next_idle;
        transfer_destroy(transfer);
    }
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    cba_tls_errors_hold(&engine->tls_errors);
    curl_multi_cleanup(engine->multi);
    cba_tls_errors_release(&engine->tls_errors);
    cba_sigpipe_release(&guard);
    cba_maker_forget(&engine->maker);
    cba_sockets_free(&engine->sockets);
    free(engine);
}

/* ---- libcurl's callbacks ------------------------------------------------------------------- */

/* A token, if there is one, comes with one of 200 to 299. */
enum { SUCCESS_FIRST = 200, SUCCESS_LAST = 299 };

static long status_of(const struct cba_transfer *transfer) {
    long status = 0;
    return curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status
                                                                                          : 0;
}

/* The status decides first: of a body that cannot be a token reply no more than is shown is kept,
 * and nothing of one that is compressed. */
static size_t body_limit(const struct cba_transfer *transfer) {
    long status = status_of(transfer);
    if (transfer->result.answer.is_compressed) {
        return 0;
    }
    return status >= SUCCESS_FIRST && status <= SUCCESS_LAST ? CBA_BODY_MAX : CBA_BODY_SHOWN;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *owner) {
    struct cba_transfer *transfer = owner;
    size_t length = one * count;
    size_t limit = body_limit(transfer);
    size_t room = cba_bodies_room(&transfer->bodies, limit);
    transfer->result.begun = true;
    if (length > room && limit == CBA_BODY_MAX) {
        transfer->overflow = true;
        return 0;
    }
    transfer->enough = length > room;
    if (!cba_bodies_take(&transfer->bodies, bytes, transfer->enough ? room : length)) {
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
    if (transfer->header_bytes > CBA_HEADERS_MAX) {
        transfer->overflow = true;
        return 0;
    }
    cba_answer_take_line(&transfer->result.answer, line, length);
    return length;
}

/* A resolver has a thread of its own, which inherits what is held back, or sends in this one: not
 * by libcurl's hand, and a name server may hang up, too. */
static int before_resolving(void *resolver, void *reserved, void *owner) {
    (void)resolver, (void)reserved;
    struct cba_engine *engine = ((struct cba_transfer *)owner)->engine;
    if (!engine->guard.held) {
        cba_sigpipe_hold(&engine->guard);
    }
    return 0;
}

/* Before each request, also the one that libcurl sends again because a kept connection was dead:
 * the token is of the last one. libcurl takes its own times after it has sent, and a process may
 * stand still in between. Says yes to any; see sockets.h. The type is libcurl's.
 * NOLINTNEXTLINE(readability-non-const-parameter) */
static int before_request(void *owner, char *address, char *own_address, int port, int own_port) {
    (void)address, (void)own_address, (void)port;
    struct cba_transfer *transfer = owner;
    transfer->result.sent = cba_clock_now();
    long opened = 0;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK &&
        opened == 0) {
        cba_sockets_refuse_unclean(&transfer->engine->sockets, own_port);
    }
    return CURL_PREREQFUNC_OK;
}

/* ---- starting ------------------------------------------------------------------------------ */

static struct cba_transfer *take_idle(struct cba_engine *engine, unsigned long settings) {
    struct cba_transfer **link = &engine->idle;
    while (*link != NULL && ((*link)->settings != settings || settings == 0)) {
        link = &(*link)->next_idle;
    }
    if (*link == NULL) {
        link = &engine->idle;
    }
    struct cba_transfer *transfer = *link;
    if (transfer != NULL) {
        *link = transfer->next_idle;
        engine->idle_count--;
    }
    return transfer;
}

static struct cba_transfer *transfer_make(void) {
    struct cba_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        return NULL;
    }
    if (!cba_bodies_make(&transfer->bodies)) {
        free(transfer);
        return NULL;
    }
    return transfer;
}

struct cba_transfer *cba_transfer_new(struct cba_engine *engine, unsigned long settings) {
    struct cba_transfer *transfer = take_idle(engine, settings);
    if (transfer == NULL) {
        transfer = transfer_make();
    }
    if (transfer == NULL) {
        return NULL;
    }
    transfer->set_up = settings != 0 && transfer->settings == settings;
    if (!transfer->set_up) {
        drop_handle(transfer);
        transfer->settings = settings;
    }
    transfer->engine = engine;
    engine->references++;
    cba_failure_clear(&transfer->result.failure);
    transfer->result.begun = false;
    cba_answer_clear(&transfer->result.answer);
    return transfer;
}

bool cba_transfer_is_set_up(const struct cba_transfer *transfer) {
    return transfer->set_up;
}

static bool set_own_options(struct cba_transfer *transfer) {
    CURL *easy = transfer->easy;
    char *request = cba_bodies_request(&transfer->bodies);
    struct cba_sockets *sockets = &transfer->engine->sockets;
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, cba_sockets_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, before_resolving) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, transfer) == CURLE_OK;
}

void cba_transfer_set_up(struct cba_transfer *transfer, const struct cba_request *request) {
    struct cba_failure *failure = &transfer->result.failure;
    const char *variable;
    transfer->way = cba_proxy_way(cba_proxy_of(request, &variable));
    transfer->connect_timeout_ms = request->connect_timeout_ms;
    transfer->easy = curl_easy_init();
    failure->outcome = CBA_NO_MEMORY;
    if (transfer->easy != NULL && set_own_options(transfer)) {
        cba_request_apply(request, transfer->easy, &transfer->borrowed, failure);
    }
    transfer->set_up = failure->outcome == CBA_PENDING;
}

char *cba_transfer_request_body(struct cba_transfer *transfer) {
    /* all of it, until it is said how much */
    cba_bodies_note_written(&transfer->bodies, CBA_JSON_CREDENTIALS_MAX);
    return cba_bodies_request(&transfer->bodies);
}

/* ---- ending -------------------------------------------------------------------------------- */

static void leave_multi(struct cba_transfer *transfer) {
    if (transfer->added) {
        /* Cannot fail for a handle that is in. */
        curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
        transfer->added = false;
        transfer->engine->under_way--;
    }
}

/* Without an answer. */
static void give_up(struct cba_transfer *transfer, enum cba_outcome outcome) {
    transfer->result.failure.outcome = outcome;
    cba_bodies_forget_request(&transfer->bodies);
    cba_bodies_forget_response(&transfer->bodies);
}

/* Of a line beyond its own limit libcurl says that it is out of memory, and of one that is no HTTP
 * that it does not know the protocol; it may be the first. */
static bool has_begun(const struct cba_transfer *transfer, CURLcode code) {
    long sent = 0;
    return transfer->result.begun ||
           ((code == CURLE_OUT_OF_MEMORY || code == CURLE_UNSUPPORTED_PROTOCOL) &&
            curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK &&
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
    return transfer->result.begun && status_of(transfer) > SUCCESS_LAST && (is_whole || is_refused);
}

static void finish(struct cba_transfer *transfer, CURLcode code) {
    struct cba_result *result = &transfer->result;
    bool decided = status_decides(transfer, code);
    result->begun = has_begun(transfer, code);
    result->is_cut = code != CURLE_OK;
    struct cba_evidence evidence = {
        .easy = transfer->easy,
        .error = transfer->error,
        .begun = result->begun,
        .overflow = transfer->overflow && !decided,
        .way = transfer->way,
        .connect_limited = transfer->connect_timeout_ms < transfer->timeout_ms,
    };
    cba_outcome_judge(&result->failure, decided ? CURLE_OK : (int)code, &evidence);
    result->status = status_of(transfer);
    if (result->failure.outcome == CBA_ANSWERED && !result->answer.is_whole && !decided) {
        result->failure.outcome = CBA_NETWORK; /* libcurl takes the end of the connection for its */
    }
    if (transfer->no_memory) {
        result->failure.outcome = CBA_NO_MEMORY;
    }
    if (result->failure.outcome != CBA_ANSWERED) {
        cba_bodies_forget_response(&transfer->bodies);
    }
    leave_multi(transfer);
    cba_bodies_forget_request(&transfer->bodies);
}

/* ---- moving on ----------------------------------------------------------------------------- */

static void collect_finished(struct cba_engine *engine) {
    CURLMsg *message;
    int left = 1;
    while (left > 0 && (message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        struct cba_transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer) ==
                CURLE_OK &&
            transfer != NULL) {
            finish(transfer, code); /* invalidates `message` */
        }
    }
}

bool cba_transfer_is_done(struct cba_transfer *transfer) {
    if (transfer->result.failure.outcome == CBA_PENDING && !cba_engine_is_ours(transfer->engine)) {
        give_up(transfer, CBA_NETWORK); /* the parent's connection: not ours to read */
    }
    return transfer->result.failure.outcome != CBA_PENDING;
}

/* Moves all on; true when this one, which was not done, is done. */
static bool move_on(struct cba_transfer *transfer) {
    struct cba_engine *engine = transfer->engine;
    if (engine->raises_sigpipe) {
        cba_sigpipe_hold(&engine->guard);
    }
    int running;
    engine->has_new = false;
    cba_tls_errors_hold(&engine->tls_errors);
    CURLMcode code = curl_multi_perform(engine->multi, &running);
    collect_finished(engine);
    if (code != CURLM_OK && transfer->result.failure.outcome == CBA_PENDING) {
        leave_multi(transfer);
        give_up(transfer, code == CURLM_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_NETWORK);
    }
    cba_tls_errors_release(&engine->tls_errors);
    cba_sigpipe_release(&engine->guard);
    return transfer->result.failure.outcome != CBA_PENDING;
}

/* At a time, for one transfer: RFC 8305 has an address of either family tried. */
enum { SOCKETS_OPENING = 2 };

/* Most calls have the numbers of the one before. */
static bool tell(CURL *easy, CURLoption option, long number, long *told) {
    if (*told != number && curl_easy_setopt(easy, option, number) != CURLE_OK) {
        return false;
    }
    *told = number;
    return true;
}

void cba_transfer_start(struct cba_transfer *transfer, size_t body_length, long timeout_ms) {
    CURL *easy = transfer->easy;
    cba_bodies_note_written(&transfer->bodies, body_length);
    if (!transfer->set_up) {
        cba_bodies_forget_request(&transfer->bodies);
        return;
    }
    struct cba_engine *engine = transfer->engine;
    /* Both take any number: nothing but memory can be missing. The handle is ours and in no multi
     * handle, so that is all that adding it can lack, too. */
    if (!cba_sockets_reserve(&engine->sockets, SOCKETS_OPENING * (engine->under_way + 1)) ||
        !tell(easy, CURLOPT_POSTFIELDSIZE, (long)body_length, &transfer->body_length) ||
        !tell(easy, CURLOPT_TIMEOUT_MS, timeout_ms, &transfer->timeout_ms) ||
        curl_multi_add_handle(engine->multi, easy) != CURLM_OK) {
        give_up(transfer, CBA_NO_MEMORY);
        return;
    }
    transfer->added = true;
    engine->has_new = true;
    if (++engine->under_way == 1) {
        move_on(transfer); /* at once, and of many one step moves all that are new */
    }
}

bool cba_transfer_step(struct cba_transfer *transfer) {
    return cba_transfer_is_done(transfer) || move_on(transfer);
}

bool cba_transfer_wait(struct cba_transfer *transfer, double seconds) {
    static const double longest = 60;
    struct cba_engine *engine = transfer->engine;
    if (cba_transfer_is_done(transfer) || (engine->has_new && move_on(transfer))) {
        return true;
    }
    if (seconds > 0) {
        int milliseconds = (int)((seconds < longest ? seconds : longest) * 1000) + 1;
        /* Early return on a signal is wanted: a Lua hook can run then. Other failures show when
         * it is moved on. */
        (void)curl_multi_poll(engine->multi, NULL, 0, milliseconds, NULL);
    }
    return move_on(transfer);
}

/* ---- what came of it ----------------------------------------------------------------------- */

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer) {
    return &transfer->result;
}

char *cba_transfer_response_body(struct cba_transfer *transfer, size_t *length) {
    *length = transfer->bodies.response_length;
    return cba_bodies_response(&transfer->bodies);
}

static void abandon(struct cba_transfer *transfer) {
    cba_bodies_free(&transfer->bodies); /* this process's copy; the parent keeps its own */
    free(transfer);
}

/* A handle that served well stays as it is; one that failed in any way is not trusted again. */
static void retire_handle(struct cba_transfer *transfer) {
    const struct cba_result *result = &transfer->result;
    if (transfer->settings != 0 && result->failure.outcome == CBA_ANSWERED && !result->is_cut) {
        return;
    }
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    cba_tls_errors_hold(&transfer->engine->tls_errors);
    leave_multi(transfer);
    drop_handle(transfer);
    cba_tls_errors_release(&transfer->engine->tls_errors);
    cba_sigpipe_release(&guard);
}

void cba_transfer_release(struct cba_transfer *transfer) {
    if (transfer == NULL) {
        return;
    }
    struct cba_engine *engine = transfer->engine;
    if (!cba_engine_is_ours(engine)) {
        abandon(transfer);
        return;
    }
    retire_handle(transfer);
    cba_bodies_forget_request(&transfer->bodies);
    cba_bodies_forget_response(&transfer->bodies);
    transfer->header_bytes = 0;
    transfer->overflow = transfer->enough = false;
    transfer->no_memory = false;
    transfer->error[0] = '\0';
    if (engine->idle_count < CBA_IDLE_TRANSFERS_MAX) {
        transfer->next_idle = engine->idle;
        engine->idle = transfer;
        engine->idle_count++;
    } else {
        transfer_destroy(transfer);
    }
    cba_engine_release(engine);
}
