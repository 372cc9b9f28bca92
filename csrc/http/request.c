#include "http/request.h"

#include <stddef.h>
#include <string.h>

#include "http/client_certificate.h"
#include "http/proxy.h"
#include "http/setopt.h"
#include "secret/secret.h"
#include "text/ascii.h"

static void append(struct curl_slist **list, const char *line, struct cba_failure *failure) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL) {
        *list = longer;
    } else {
        failure->outcome = CBA_NO_MEMORY;
    }
}

static void append_all(struct curl_slist **list, const char *const *lines,
                       struct cba_failure *failure) {
    for (; lines != NULL && *lines != NULL; lines++) {
        append(list, *lines, failure);
    }
}

/* A line is "Name: value", or "Name;" for an empty value. */
static bool has_header(const char *const *lines, const char *name) {
    size_t length = strlen(name);
    for (; lines != NULL && *lines != NULL; lines++) {
        if (strcspn(*lines, ":;") == length && cba_ascii_same(*lines, name, length)) {
            return true;
        }
    }
    return false;
}

/* Two headers that libcurl would add are turned off. Expect: 100-continue costs a round trip, and
 * some servers never answer it. A Content-Type would say that any body is a form. */
static void build_headers(const struct cba_settings *settings, const struct cba_request *request,
                          struct curl_slist **list, struct cba_failure *failure) {
    append(list, "Expect:", failure);
    if (request->body != NULL && !has_header(request->headers, "Content-Type") &&
        !has_header(settings->headers, "Content-Type")) {
        append(list, "Content-Type:", failure);
    }
    if (!has_header(settings->headers, "User-Agent")) {
        append(list, "User-Agent: corebank-auth/" CBA_VERSION, failure);
    }
    append_all(list, request->headers, failure);
    append_all(list, settings->headers, failure);
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

/* To libcurl a request is a POST, a HEAD or a GET, whatever its method's name is. Of a POST it says
 * how long the body is, even an empty one (RFC 9110, section 8.6). A HEAD has no body. */
static void set_method(CURL *easy, const struct cba_request *request, struct cba_failure *failure) {
    bool is_head = strcmp(request->method, "HEAD") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    bool has_body = request->body != NULL || is_post || strcmp(request->method, "PUT") == 0 ||
                    strcmp(request->method, "PATCH") == 0;
    if (has_body && !is_head) {
        CBA_SET(CURLOPT_POST, 1L);
        CBA_SET(CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
        CBA_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    } else {
        CBA_SET(CURLOPT_HTTPGET, 1L);
        CBA_SET(CURLOPT_NOBODY, is_head ? 1L : 0L);
    }
    CBA_SET(CURLOPT_CUSTOMREQUEST, is_head || is_post ? NULL : request->method);
}

void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct curl_slist **headers, struct cba_failure *failure) {
    build_headers(settings, request, headers, failure);
    CBA_SET(CURLOPT_HTTPHEADER, *headers);
    CBA_SET(CURLOPT_URL, request->url);
    set_method(easy, request, failure);
    cba_proxy_apply(settings, proxy, easy, failure);
    if (cba_request_is_private(settings, proxy)) {
        CBA_SET(CURLOPT_FRESH_CONNECT, 1L);
        CBA_SET(CURLOPT_FORBID_REUSE, 1L);
    }
    if (failure->outcome == CBA_PENDING && settings->client_cert != NULL &&
        cba_ascii_begins(request->url, "https:")) {
        cba_client_certificate_apply(settings, easy, failure);
    }
}

void cba_request_free_headers(struct curl_slist *headers) {
    for (struct curl_slist *line = headers; line != NULL; line = line->next) {
        cba_wipe(line->data, strlen(line->data));
    }
    curl_slist_free_all(headers);
}
