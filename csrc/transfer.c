#include "transfer.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "secret.h"
#include "sigpipe.h"

struct cba_engine {
    CURLM *multi;
    pid_t pid;
    size_t references;
    struct cba_transfer *idle; /* these hold no reference */
    size_t idle_count;
};

/* Both bodies in one piece of guarded memory. */
struct bodies {
    char request[CBA_JSON_CREDENTIALS_MAX];
    char response[CBA_BODY_MAX + 1];
};

struct cba_transfer {
    struct cba_engine *engine;
    struct cba_transfer *next_idle;
    CURL *easy;
    bool added; /* to the engine's multi handle */
    struct curl_slist *headers;
    struct bodies *bodies;
    size_t request_length, response_length;
    size_t header_bytes;
    bool overflow;
    bool proxy_given;
    struct cba_result result;
    char error[CURL_ERROR_SIZE];
};

/* ---- the one-time initialisation --------------------------------------------------------------
 */

/* The only mutable global. Never undone: a host may have other users of libcurl, and the module is
 * linked so that it stays loaded. A failed attempt may be repeated. */
static bool start_libcurl(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool started;
    pthread_mutex_lock(&lock);
    if (!started) {
        started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }
    bool ok = started;
    pthread_mutex_unlock(&lock);
    return ok;
}

const char *cba_transfer_library(void) {
    return curl_version();
}

bool cba_transfer_resolves_asynchronously(void) {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

/* ---- engine -----------------------------------------------------------------------------------
 */

struct cba_engine *cba_engine_new(void) {
    if (!start_libcurl()) {
        return NULL;
    }
    struct cba_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return NULL;
    }
    engine->multi = curl_multi_init();
    if (engine->multi == NULL) {
        free(engine);
        return NULL;
    }
    engine->pid = getpid();
    engine->references = 1;
    return engine;
}

bool cba_engine_is_ours(const struct cba_engine *engine) {
    return engine->pid == getpid();
}

static void transfer_destroy(struct cba_transfer *transfer) {
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    curl_easy_cleanup(transfer->easy);
    cba_sigpipe_release(&guard);
    cba_guarded_free(transfer->bodies);
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
    curl_multi_cleanup(engine->multi);
    cba_sigpipe_release(&guard);
    free(engine);
}

/* ---- libcurl's callbacks ----------------------------------------------------------------------
 */

static curl_socket_t open_socket(void *unused, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    (void)unused;
    (void)purpose;
#ifdef SOCK_CLOEXEC
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
#endif
}

static size_t take_body(char *bytes, size_t one, size_t count, void *owner) {
    struct cba_transfer *transfer = owner;
    size_t length = one * count;
    transfer->result.begun = true;
    if (length > CBA_BODY_MAX - transfer->response_length) {
        transfer->overflow = true;
        return 0;
    }
    memcpy(transfer->bodies->response + transfer->response_length, bytes, length);
    transfer->response_length += length;
    return length;
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

/* ---- starting ---------------------------------------------------------------------------------
 */

static struct cba_transfer *transfer_make(void) {
    struct cba_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        return NULL;
    }
    transfer->bodies = cba_guarded_new(sizeof *transfer->bodies);
    if (transfer->bodies == NULL) {
        transfer_destroy(transfer);
        return NULL;
    }
    return transfer;
}

struct cba_transfer *cba_transfer_new(struct cba_engine *engine) {
    struct cba_transfer *transfer = engine->idle;
    if (transfer != NULL) {
        engine->idle = transfer->next_idle;
        engine->idle_count--;
    } else {
        transfer = transfer_make();
        if (transfer == NULL) {
            return NULL;
        }
    }
    /* A new handle each time: curl_easy_reset cannot say that it ran out of memory, and then leaves
     * a handle without some of its defaults, broken for every later call. What is worth keeping,
     * connections and addresses, is kept by the multi handle. */
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        transfer_destroy(transfer);
        return NULL;
    }
    transfer->engine = engine;
    engine->references++;
    memset(&transfer->result, 0, sizeof transfer->result);
    cba_answer_clear(&transfer->result.answer);
    transfer->bodies->response[0] = '\0';
    return transfer;
}

char *cba_transfer_request_body(struct cba_transfer *transfer) {
    return transfer->bodies->request;
}

static CURLcode append_header(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    *list = longer;
    return CURLE_OK;
}

static CURLcode build_headers(struct cba_transfer *transfer, const struct cba_request *request) {
    CURLcode code = append_header(&transfer->headers, "Content-Type: application/json");
    if (code == CURLE_OK) {
        code = append_header(&transfer->headers, "Accept: application/json");
    }
    if (code == CURLE_OK) {
        /* No 100-continue: it costs a round trip and some servers never answer it. */
        code = append_header(&transfer->headers, "Expect:");
    }
    for (size_t i = 0; code == CURLE_OK && request->headers[i] != NULL; i++) {
        code = append_header(&transfer->headers, request->headers[i]);
    }
    return code;
}

/* Stops at the first option that fails and remembers nothing else: an option that did not take must
 * never be silently missing. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK) {                                                                    \
            code = curl_easy_setopt(easy, option, value);                                          \
        }                                                                                          \
    } while (0)

/* For strings that may be absent: NULL leaves libcurl's own default. */
#define SET_IF_GIVEN(option, value)                                                                \
    do {                                                                                           \
        if ((value) != NULL) {                                                                     \
            SET(option, value);                                                                    \
        }                                                                                          \
    } while (0)

static CURLcode set_http_options(struct cba_transfer *transfer, const struct cba_request *request) {
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* ours to decide: libcurl re-sends the body to any origin */
    SET(CURLOPT_USERAGENT, "corebank-auth/" CBA_VERSION);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_HTTPHEADER, transfer->headers);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, transfer->bodies->request);
    SET(CURLOPT_POSTFIELDSIZE, (long)transfer->request_length);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, transfer);
    return code;
}

static CURLcode set_network_options(struct cba_transfer *transfer,
                                    const struct cba_request *request) {
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, request->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_MAXAGE_CONN, (long)CBA_IDLE_CONNECTION_SECONDS);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver thread that hangs is left behind, not waited for */
#endif
    SET_IF_GIVEN(CURLOPT_PROXY, request->proxy);
    SET_IF_GIVEN(CURLOPT_NOPROXY, request->no_proxy);
    return code;
}

static CURLcode set_tls_options(struct cba_transfer *transfer, const struct cba_request *request) {
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION,
        (long)(request->tls13_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    SET_IF_GIVEN(CURLOPT_CAINFO, request->ca_file);
    SET_IF_GIVEN(CURLOPT_CAPATH, request->ca_path);
    SET_IF_GIVEN(CURLOPT_SSLCERT, request->client_cert);
    SET_IF_GIVEN(CURLOPT_SSLKEY, request->client_key);
    SET_IF_GIVEN(CURLOPT_KEYPASSWD, request->client_key_password);
    SET_IF_GIVEN(CURLOPT_PINNEDPUBLICKEY, request->pinned_key);
    /* No resumption: tokens are fetched too rarely for it to pay, and libcurl 7.88 frees a session's
     * host name twice after an allocation that fails while it caches the session. */
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (request->client_cert != NULL) {
        /* libcurl would lend the connection to a call that names the same certificate with another
         * key: what a key opened is for that call alone. */
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return code;
}

#undef SET
#undef SET_IF_GIVEN

void cba_transfer_start(struct cba_transfer *transfer, const struct cba_request *request,
                        size_t body_length) {
    transfer->request_length = body_length;
    transfer->proxy_given = request->proxy != NULL && request->proxy[0] != '\0';
    CURLcode code = build_headers(transfer, request);
    if (code == CURLE_OK) {
        code = set_http_options(transfer, request);
    }
    if (code == CURLE_OK) {
        code = set_network_options(transfer, request);
    }
    if (code == CURLE_OK) {
        code = set_tls_options(transfer, request);
    }
    if (code != CURLE_OK) {
        transfer->result.failure.outcome =
            code == CURLE_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_UNSUPPORTED;
        return;
    }
    if (curl_multi_add_handle(transfer->engine->multi, transfer->easy) != CURLM_OK) {
        transfer->result.failure.outcome =
            CBA_NO_MEMORY; /* the handle is new and not added: what is left */
        return;
    }
    transfer->added = true;
}

/* ---- ending -----------------------------------------------------------------------------------
 */

static void leave_multi(struct cba_transfer *transfer) {
    if (transfer->added) {
        /* Cannot fail for a handle that is in. */
        curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
        transfer->added = false;
    }
}

static void forget_response(struct cba_transfer *transfer) {
    cba_wipe(transfer->bodies->response, transfer->response_length);
    transfer->response_length = 0;
}

static void finish(struct cba_transfer *transfer, CURLcode code) {
    struct cba_result *result = &transfer->result;
    struct cba_evidence evidence = {
        .easy = transfer->easy,
        .error = transfer->error,
        .begun = result->begun,
        .overflow = transfer->overflow,
        .proxy_given = transfer->proxy_given,
    };
    cba_outcome_judge(&result->failure, (int)code, &evidence);
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &result->status) != CURLE_OK ||
        curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME, &result->pretransfer) !=
            CURLE_OK) {
        result->failure.outcome = CBA_NETWORK; /* cannot be: both are documented to succeed */
    }
    if (result->failure.outcome != CBA_ANSWERED) {
        forget_response(transfer);
    }
    transfer->bodies->response[transfer->response_length] = '\0';
    leave_multi(transfer);
}

static void collect_finished(struct cba_engine *engine) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
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

bool cba_transfer_step(struct cba_transfer *transfer) {
    struct cba_engine *engine = transfer->engine;
    if (transfer->result.failure.outcome != CBA_PENDING) {
        return true;
    }
    if (!cba_engine_is_ours(engine)) {
        transfer->result.failure.outcome =
            CBA_NETWORK; /* the parent's connection: not ours to read */
        return true;
    }
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    int running;
    CURLMcode code = curl_multi_perform(engine->multi, &running);
    collect_finished(engine);
    if (code != CURLM_OK && transfer->result.failure.outcome == CBA_PENDING) {
        transfer->result.failure.outcome =
            code == CURLM_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_NETWORK;
        forget_response(transfer);
        leave_multi(transfer);
    }
    cba_sigpipe_release(&guard);
    return transfer->result.failure.outcome != CBA_PENDING;
}

void cba_transfer_wait(struct cba_transfer *transfer, double seconds) {
    static const double longest = 60;
    if (transfer->result.failure.outcome != CBA_PENDING || !cba_engine_is_ours(transfer->engine) ||
        !(seconds > 0)) {
        return;
    }
    int milliseconds = (int)((seconds < longest ? seconds : longest) * 1000) + 1;
    /* Early return on a signal is wanted: a Lua hook can run then. Other failures show in step. */
    (void)curl_multi_poll(transfer->engine->multi, NULL, 0, milliseconds, NULL);
}

const struct cba_result *cba_transfer_result(const struct cba_transfer *transfer) {
    return &transfer->result;
}

char *cba_transfer_response_body(struct cba_transfer *transfer, size_t *length) {
    *length = transfer->response_length;
    return transfer->bodies->response;
}

static void abandon(struct cba_transfer *transfer) {
    cba_guarded_free(transfer->bodies); /* this process's copy; the parent keeps its own */
    free(transfer);
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
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    leave_multi(transfer);
    curl_easy_cleanup(transfer->easy); /* before what it points to goes */
    cba_sigpipe_release(&guard);
    transfer->easy = NULL;
    curl_slist_free_all(transfer->headers);
    cba_wipe(transfer->bodies->request, sizeof transfer->bodies->request);
    forget_response(transfer);
    transfer->headers = NULL;
    transfer->request_length = transfer->header_bytes = 0;
    transfer->overflow = false;
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
