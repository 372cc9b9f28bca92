#include "http/request.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "http/client_certificate.h"
#include "http/sockets.h"
#include "text/ascii.h"

static CURLcode append_header(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    *list = longer;
    return CURLE_OK;
}

/* A line is "Name: value", or "Name;" for an empty value. */
static bool names_header(const char *line, const char *name) {
    size_t length = strcspn(line, ":;");
    return length == strlen(name) && cba_ascii_same(line, name, length);
}

static bool has_header(const char *const *headers, const char *name) {
    while (headers != NULL && *headers != NULL && !names_header(*headers, name)) {
        headers++;
    }
    return headers != NULL && *headers != NULL;
}

static CURLcode append_headers(struct curl_slist **list, const char *const *lines) {
    CURLcode code = CURLE_OK;
    for (; code == CURLE_OK && lines != NULL && *lines != NULL; lines++) {
        code = append_header(list, *lines);
    }
    return code;
}

/* Two headers that libcurl would add are turned off. Expect: 100-continue costs a round trip, and
 * some servers never answer it. A Content-Type would say that any body is a form. */
static CURLcode build_headers(const struct cba_settings *settings,
                              const struct cba_request *request, struct curl_slist **list) {
    CURLcode code = append_header(list, "Expect:");
    if (code == CURLE_OK && request->body != NULL &&
        !has_header(request->headers, "Content-Type") &&
        !has_header(settings->headers, "Content-Type")) {
        code = append_header(list, "Content-Type:");
    }
    if (code == CURLE_OK && !has_header(settings->headers, "User-Agent")) {
        code = append_header(list, "User-Agent: corebank-auth/" CBA_VERSION);
    }
    if (code == CURLE_OK) {
        code = append_headers(list, request->headers);
    }
    return code == CURLE_OK ? append_headers(list, settings->headers) : code;
}

/* Stops at the first option that fails: one that did not take must never be silently missing. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK) {                                                                    \
            code = curl_easy_setopt(easy, option, value);                                          \
        }                                                                                          \
    } while (0)

/* For what is off where it is missing. */
#define SET_IF_BUILT_IN(option, value)                                                             \
    do {                                                                                           \
        if (code == CURLE_OK) {                                                                    \
            code = curl_easy_setopt(easy, option, value);                                          \
            code = code == CURLE_NOT_BUILT_IN ? CURLE_OK : code;                                   \
        }                                                                                          \
    } while (0)

/* For strings that may be absent: NULL leaves libcurl's own default. */
#define SET_IF_GIVEN(option, value)                                                                \
    do {                                                                                           \
        if ((value) != NULL) {                                                                     \
            SET(option, value);                                                                    \
        }                                                                                          \
    } while (0)

static CURLcode set_http_options(CURL *easy) {
    CURLcode code = CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* ours to decide: libcurl re-sends the body to any origin */
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L); /* nobody asks for an encoding */
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    return code;
}

/* What a client's key or a proxy's password opened is for that call alone: libcurl would lend the
 * connection to a call that names the same certificate with another key, and some versions a tunnel
 * that one user opened to a call that names another. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy) {
    /* Before it, no kept connection can be looked at before it is used: see transfer.c. */
    enum { CAN_LOOK = LIBCURL_VERSION_NUM >= 0x075000 };
    return !CAN_LOOK || settings->client_cert != NULL ||
           (proxy != NULL && strchr(proxy, '@') != NULL);
}

/* Its certificate is verified, and neither the bank's authorities nor its pins are the proxy's. */
static CURLcode set_proxy(CURL *easy, const struct cba_settings *settings, const char *proxy) {
    CURLcode code = CURLE_OK;
    /* No list is left to libcurl, nor the environment: see proxy.h. */
    SET(CURLOPT_PROXY, proxy);
    SET(CURLOPT_NOPROXY, proxy != NULL ? "" : "*");
    if (proxy == NULL) {
        return code;
    }
    /* Kerberos, which a SOCKS proxy may ask for, would make its caller wait for a third party. */
    SET_IF_BUILT_IN(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->proxy_ca_file != NULL) {
        SET(CURLOPT_PROXY_CAINFO, settings->proxy_ca_file);
        SET_IF_BUILT_IN(CURLOPT_PROXY_CAPATH, NULL);
    }
    return code;
}

static CURLcode set_network_options(CURL *easy, const struct cba_settings *settings) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    /* The least there is: a call's two buffers live as long as it, and what they hold is small. */
    SET(CURLOPT_BUFFERSIZE, 1024L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, settings->connect_timeout_ms);
    /* It counts whole seconds, and one that is as old is young enough. */
    SET(CURLOPT_MAXAGE_CONN, CBA_IDLE_CONNECTION_SECONDS - 1L);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)CBA_RESOLVED_SECONDS);
    SET(CURLOPT_OPENSOCKETFUNCTION, cba_sockets_open);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver thread that hangs is left behind, not waited for */
#endif
    return code;
}

/* What the caller gives is all that is trusted: to a file libcurl would add its own folder, and to
 * a folder its own file, unless it is told that there is none. */
static CURLcode set_trust(CURL *easy, const struct cba_settings *settings) {
    CURLcode code = CURLE_OK;
    if (settings->ca_file == NULL && settings->ca_path == NULL) {
        return code;
    }
    SET(CURLOPT_CAINFO, settings->ca_file);
    if (settings->ca_path != NULL) {
        SET(CURLOPT_CAPATH, settings->ca_path);
    } else {
        SET_IF_BUILT_IN(CURLOPT_CAPATH, NULL); /* some TLS libraries know no folders */
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A file that is replaced counts at the next connection. */
    SET_IF_BUILT_IN(CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    return code;
}

static CURLcode set_tls_options(CURL *easy, const struct cba_settings *settings) {
    CURLcode code = set_trust(easy, settings);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION,
        (long)(settings->tls13_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    SET_IF_GIVEN(CURLOPT_PINNEDPUBLICKEY, settings->pinned_key);
    /* No resumption: tokens are fetched too rarely for it to pay, and libcurl 7.88 frees a
     * session's host name twice after an allocation that fails while it caches the session. */
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    return code;
}

/* To libcurl a request is a POST, a HEAD or a GET, whatever its method's name is. Of a POST it says
 * how long the body is, even an empty one (RFC 9110, section 8.6). A HEAD has no body. */
static CURLcode set_method(CURL *easy, const struct cba_request *request) {
    CURLcode code = CURLE_OK;
    bool is_head = strcmp(request->method, "HEAD") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    bool has_body = request->body != NULL || is_post || strcmp(request->method, "PUT") == 0 ||
                    strcmp(request->method, "PATCH") == 0;
    if (has_body && !is_head) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_NOBODY, is_head ? 1L : 0L);
    }
    SET(CURLOPT_CUSTOMREQUEST, is_head || is_post ? NULL : request->method);
    return code;
}

static CURLcode set_request(CURL *easy, const struct cba_settings *settings,
                            const struct cba_request *request, const char *proxy,
                            struct curl_slist *headers) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK) {
        code = set_method(easy, request);
    }
    if (code == CURLE_OK) {
        code = set_proxy(easy, settings, proxy);
    }
    if (cba_request_is_private(settings, proxy)) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return code;
}

#undef SET
#undef SET_IF_BUILT_IN
#undef SET_IF_GIVEN

static void note_failure(struct cba_failure *failure, CURLcode code) {
    if (code != CURLE_OK) {
        failure->outcome = code == CURLE_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_UNSUPPORTED;
    }
}

void cba_request_set_endpoint(void *easy, const struct cba_settings *settings,
                              struct cba_failure *failure) {
    CURLcode code = set_http_options(easy);
    if (code == CURLE_OK) {
        code = set_network_options(easy, settings);
    }
    if (code == CURLE_OK) {
        code = set_tls_options(easy, settings);
    }
    note_failure(failure, code);
}

static bool is_encrypted(const char *url) {
    static const char https[] = "https:";
    return cba_ascii_same(url, https, strlen(https));
}

void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct curl_slist **headers, struct cba_failure *failure) {
    struct curl_slist *list = NULL;
    CURLcode code = build_headers(settings, request, &list);
    if (code == CURLE_OK) {
        code = set_request(easy, settings, request, proxy, list);
    }
    curl_slist_free_all(*headers);
    *headers = list;
    note_failure(failure, code);
    if (code == CURLE_OK && settings->client_cert != NULL && is_encrypted(request->url)) {
        cba_client_certificate_apply(settings, easy, failure);
    }
}
