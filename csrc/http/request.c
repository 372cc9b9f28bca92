#include "http/request.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text/ascii.h"
#include "http/client_certificate.h"
#include "http/proxy.h"
#include "http/sockets.h"

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

static bool has_header(const struct cba_request *request, const char *name) {
    size_t i = 0;
    while (request->headers[i] != NULL && !names_header(request->headers[i], name)) {
        i++;
    }
    return request->headers[i] != NULL;
}

/* Old versions ask for a 100-continue before a body of 1 KiB, which costs a round trip and which
 * some servers never answer; from this one on none of our bodies is large enough. */
enum { EXPECTS_RARELY = 0x075800 };

static CURLcode build_headers(const struct cba_request *request, struct curl_slist **list) {
    static const char *const ours[] = {
        "Content-Type: application/json",
        "Accept: application/json",
    };
    CURLcode code = CURLE_OK;
    if (curl_version_info(CURLVERSION_NOW)->version_num < EXPECTS_RARELY) {
        code = append_header(list, "Expect:");
    }
    if (code == CURLE_OK && !has_header(request, "User-Agent")) {
        code = append_header(list, "User-Agent: corebank-auth/" CBA_VERSION);
    }
    for (size_t i = 0; code == CURLE_OK && i < sizeof ours / sizeof *ours; i++) {
        code = append_header(list, ours[i]);
    }
    for (size_t i = 0; code == CURLE_OK && request->headers[i] != NULL; i++) {
        code = append_header(list, request->headers[i]);
    }
    return code;
}

static CURLcode parse_url(const struct cba_request *request, struct cba_borrowed *borrowed) {
    borrowed->url = curl_url();
    if (borrowed->url == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    switch (curl_url_set(borrowed->url, CURLUPART_URL, request->url, 0)) {
        case CURLUE_OK:
            return CURLE_OK;
        case CURLUE_OUT_OF_MEMORY:
            return CURLE_OUT_OF_MEMORY;
        default:
            return CURLE_URL_MALFORMAT;
    }
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

static CURLcode set_http_options(const struct cba_request *request, CURL *easy,
                                 struct cba_borrowed *borrowed) {
    CURLcode code = parse_url(request, borrowed);
    if (code == CURLE_OK) {
        code = build_headers(request, &borrowed->headers);
    }
    SET(CURLOPT_CURLU, borrowed->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* ours to decide: libcurl re-sends the body to any origin */
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L); /* nobody asks for an encoding */
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_HTTPHEADER, borrowed->headers);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_POST, 1L);
    return code;
}

/* What a client's key or a proxy's password opened is for that call alone: libcurl would lend the
 * connection to a call that names the same certificate with another key, and some versions a tunnel
 * that one user opened to a call that names another. */
static bool wants_own_connection(const struct cba_request *request, const char *proxy) {
    return request->client_cert != NULL || (proxy != NULL && strchr(proxy, '@') != NULL);
}

/* Its certificate is verified, and neither the bank's authorities nor its pins are the proxy's. */
static CURLcode set_proxy(const struct cba_request *request, CURL *easy, const char *proxy) {
    CURLcode code = CURLE_OK;
    /* No list is left to libcurl, nor the environment: see proxy.h. */
    SET_IF_GIVEN(CURLOPT_PROXY, proxy);
    SET(CURLOPT_NOPROXY, proxy != NULL ? "" : "*");
    if (proxy == NULL) {
        return code;
    }
    /* Kerberos, which a SOCKS proxy may ask for, would make its caller wait for a third party. */
    SET_IF_BUILT_IN(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    SET_IF_BUILT_IN(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->proxy_ca_file != NULL) {
        SET(CURLOPT_PROXY_CAINFO, request->proxy_ca_file);
        SET_IF_BUILT_IN(CURLOPT_PROXY_CAPATH, NULL);
    }
    return code;
}

static CURLcode set_network_options(const struct cba_request *request, CURL *easy) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    /* The least there is: a call's two buffers live as long as it, and what they hold is small. */
    SET(CURLOPT_BUFFERSIZE, 1024L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    /* It counts whole seconds, and one that is as old is young enough. */
    SET(CURLOPT_MAXAGE_CONN, CBA_IDLE_CONNECTION_SECONDS - 1L);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)CBA_RESOLVED_SECONDS);
    SET(CURLOPT_OPENSOCKETFUNCTION, cba_sockets_open);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver thread that hangs is left behind, not waited for */
#endif
    const char *variable, *proxy = cba_proxy_of(request, &variable);
    if (code == CURLE_OK) {
        code = set_proxy(request, easy, proxy);
    }
    if (wants_own_connection(request, proxy)) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return code;
}

/* What the caller gives is all that is trusted: to a file libcurl would add its own folder, and to
 * a folder its own file, unless it is told that there is none. */
static CURLcode set_trust(const struct cba_request *request, CURL *easy) {
    CURLcode code = CURLE_OK;
    if (request->ca_file == NULL && request->ca_path == NULL) {
        return code;
    }
    SET(CURLOPT_CAINFO, request->ca_file);
    if (request->ca_path != NULL) {
        SET(CURLOPT_CAPATH, request->ca_path);
    } else {
        SET_IF_BUILT_IN(CURLOPT_CAPATH, NULL); /* some TLS libraries know no folders */
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A file that is replaced counts at the next connection. */
    SET_IF_BUILT_IN(CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    return code;
}

static CURLcode set_tls_options(const struct cba_request *request, CURL *easy) {
    CURLcode code = set_trust(request, easy);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION,
        (long)(request->tls13_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    SET_IF_GIVEN(CURLOPT_PINNEDPUBLICKEY, request->pinned_key);
    /* No resumption: tokens are fetched too rarely for it to pay, and libcurl 7.88 frees a
     * session's host name twice after an allocation that fails while it caches the session. */
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    return code;
}

#undef SET
#undef SET_IF_BUILT_IN
#undef SET_IF_GIVEN

static bool is_encrypted(const struct cba_request *request) {
    static const char https[] = "https:";
    return cba_ascii_same(request->url, https, strlen(https));
}

void cba_request_apply(const struct cba_request *request, void *easy, struct cba_borrowed *borrowed,
                       struct cba_failure *failure) {
    cba_failure_clear(failure);
    CURLcode code = set_http_options(request, easy, borrowed);
    if (code == CURLE_OK) {
        code = set_network_options(request, easy);
    }
    if (code == CURLE_OK) {
        code = set_tls_options(request, easy);
    }
    if (code == CURLE_OK && request->client_cert != NULL && is_encrypted(request)) {
        cba_client_certificate_apply(request, easy, failure);
    }
    if (code != CURLE_OK) {
        failure->outcome = code == CURLE_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_UNSUPPORTED;
    }
}

void cba_borrowed_free(struct cba_borrowed *borrowed) {
    curl_url_cleanup(borrowed->url); /* NULL is fine, here and below */
    curl_slist_free_all(borrowed->headers);
    borrowed->url = NULL;
    borrowed->headers = NULL;
}
