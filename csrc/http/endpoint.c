#include "http/endpoint.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "http/setopt.h"
#include "http/sockets.h"
#include "secret/secret.h"

/* ---- the copy ------------------------------------------------------------------------------ */

/* One block: this, the list of header lines, and the characters of all strings. */
struct cba_endpoint {
    size_t references, size;
    bool is_closed;
    struct cba_settings settings;
    const char *headers[];
};

/* Copies a string to `at` in a block; returns where the next one goes. Without a block it only
 * measures, and so does lay_out. */
static size_t put(const char **string, char *block, size_t at) {
    size_t size = *string != NULL ? strlen(*string) + 1 : 0;
    if (block != NULL && size > 0) {
        *string = memcpy(block + at, *string, size);
    }
    return at + size;
}

/* Copies all strings into a block, and lists the header lines there. Returns their size. */
static size_t lay_out(struct cba_settings *settings, const char **headers, char *block) {
    const char **strings[] = {
        &settings->ca_file,    &settings->ca_path, &settings->client_cert,   &settings->client_key,
        &settings->pinned_key, &settings->proxy,   &settings->proxy_ca_file, &settings->no_proxy,
    };
    size_t at = 0;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        at = put(strings[i], block, at);
    }
    for (size_t i = 0; settings->headers != NULL && settings->headers[i] != NULL; i++) {
        const char *line = settings->headers[i];
        at = put(&line, block, at);
        if (block != NULL) {
            headers[i] = line;
        }
    }
    return at;
}

struct cba_endpoint *cba_endpoint_new(const struct cba_settings *settings) {
    struct cba_settings copy = *settings;
    size_t lines = 0;
    while (settings->headers != NULL && settings->headers[lines] != NULL) {
        lines++;
    }
    size_t list_size = sizeof(struct cba_endpoint) + (lines + 1) * sizeof(char *);
    size_t size = list_size + lay_out(&copy, NULL, NULL);
    struct cba_endpoint *endpoint = calloc(1, size);
    if (endpoint == NULL) {
        return NULL;
    }
    endpoint->references = 1;
    endpoint->size = size;
    endpoint->settings = *settings;
    lay_out(&endpoint->settings, endpoint->headers, (char *)endpoint + list_size);
    endpoint->settings.headers = endpoint->headers;
    if (settings->client_key_password != NULL) {
        endpoint->settings.client_key_password = cba_secret_copy(settings->client_key_password);
        if (endpoint->settings.client_key_password == NULL) {
            cba_endpoint_release(endpoint); /* which wipes it */
            return NULL;
        }
    }
    return endpoint;
}

struct cba_endpoint *cba_endpoint_hold(struct cba_endpoint *endpoint) {
    endpoint->references++;
    return endpoint;
}

void cba_endpoint_release(struct cba_endpoint *endpoint) {
    if (endpoint == NULL || --endpoint->references > 0) {
        return;
    }
    cba_secret_free((struct cba_secret *)endpoint->settings.client_key_password);
    cba_wipe(endpoint, endpoint->size);
    free(endpoint);
}

void cba_endpoint_close(struct cba_endpoint *endpoint) {
    if (endpoint != NULL) {
        endpoint->is_closed = true;
        cba_endpoint_release(endpoint);
    }
}

bool cba_endpoint_is_closed(const struct cba_endpoint *endpoint) {
    return endpoint->is_closed;
}

const struct cba_settings *cba_endpoint_settings(const struct cba_endpoint *endpoint) {
    return &endpoint->settings;
}

/* ---- what libcurl is told ------------------------------------------------------------------ */

enum {
    RESOLVED_SECONDS = 1, /* a bank that moves is followed at the next refresh */
    IDLE_CONNECTION_SECONDS = 10,
};

static void set_http_options(CURL *easy, struct cba_failure *failure) {
#if LIBCURL_VERSION_NUM >= 0x075500
    CBA_SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    CBA_SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    CBA_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    CBA_SET(CURLOPT_FOLLOWLOCATION, 0L); /* libcurl would send the body again, to any origin */
    CBA_SET(CURLOPT_HTTP_CONTENT_DECODING, 0L); /* unless a request asks for an encoding */
    CBA_SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    CBA_SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_network_options(CURL *easy, const struct cba_settings *settings,
                                struct cba_failure *failure) {
    CBA_SET(CURLOPT_NOSIGNAL, 1L);
    /* The least there is: a call's two buffers live as long as it, and what they hold is small. */
    CBA_SET(CURLOPT_BUFFERSIZE, (long)CBA_BUFFER_USUAL);
    CBA_SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    CBA_SET(CURLOPT_CONNECTTIMEOUT_MS, settings->connect_timeout_ms);
    /* It counts whole seconds, and one that is as old is young enough. */
    CBA_SET(CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_SECONDS - 1L);
    CBA_SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)RESOLVED_SECONDS);
    CBA_SET(CURLOPT_OPENSOCKETFUNCTION, cba_sockets_open);
#if LIBCURL_VERSION_NUM >= 0x075700
    CBA_SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver thread that hangs is left, not waited for */
#endif
}

/* What the caller gives is all that is trusted: to a file libcurl would add its own folder, and to
 * a folder its own file, unless it is told that there is none. */
static void set_trust(CURL *easy, const struct cba_settings *settings,
                      struct cba_failure *failure) {
    if (settings->ca_file == NULL && settings->ca_path == NULL) {
        return;
    }
    CBA_SET(CURLOPT_CAINFO, settings->ca_file);
    if (settings->ca_path != NULL) {
        CBA_SET(CURLOPT_CAPATH, settings->ca_path);
    } else {
        CBA_SET_IF_BUILT_IN(CURLOPT_CAPATH, NULL); /* some TLS libraries know no folders */
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A file that is replaced counts at the next connection. */
    CBA_SET_IF_BUILT_IN(CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
}

static void set_tls_options(CURL *easy, const struct cba_settings *settings,
                            struct cba_failure *failure) {
    CBA_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    CBA_SET(CURLOPT_SSL_VERIFYHOST, 2L);
    CBA_SET(CURLOPT_SSLVERSION,
            (long)(settings->tls13_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    if (settings->pinned_key != NULL) {
        CBA_SET(CURLOPT_PINNEDPUBLICKEY, settings->pinned_key);
    }
    /* No resumption: tokens are fetched too rarely for it to pay, and libcurl 7.88 frees a
     * session's host name twice after an allocation that fails while it caches the session. */
    CBA_SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

void cba_endpoint_apply(const struct cba_settings *settings, void *easy,
                        struct cba_failure *failure) {
    set_http_options(easy, failure);
    set_network_options(easy, settings, failure);
    set_trust(easy, settings, failure);
    set_tls_options(easy, settings, failure);
}
