#include "http/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "http/client_certificate.h"
#include "http/libcurl.h"
#include "http/proxy.h"
#include "http/setopt.h"
#include "http/url.h"
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

/* A line is "Name: value", or "Name;" for an empty value. `name` may be a whole line, too. */
static bool has_header(const char *const *lines, const char *name) {
    size_t length = strcspn(name, ":;");
    for (; lines != NULL && *lines != NULL; lines++) {
        if (strcspn(*lines, ":;") == length && cba_ascii_same(*lines, name, length)) {
            return true;
        }
    }
    return false;
}

/* Of a POST, a PUT and a PATCH even an empty body has a length (RFC 9110, section 8.6). A HEAD has
 * no body. */
static bool has_body(const struct cba_request *request) {
    static const char *const always[] = {"POST", "PUT", "PATCH"};
    bool has = request->body != NULL || request->upload;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        has |= strcmp(request->method, always[i]) == 0;
    }
    return has && strcmp(request->method, "HEAD") != 0;
}

/* Two headers that libcurl would add are turned off. Expect: 100-continue costs a round trip, and
 * some servers never answer it. A Content-Type would say that any body is a form. */
static void build_headers(const struct cba_settings *settings, const struct cba_request *request,
                          struct curl_slist **list, struct cba_failure *failure) {
    append(list, "Expect:", failure);
    if (has_body(request) && !has_header(request->headers, "Content-Type") &&
        !has_header(settings->headers, "Content-Type")) {
        append(list, "Content-Type:", failure);
    }
    if (!has_header(request->headers, "User-Agent") &&
        !has_header(settings->headers, "User-Agent")) {
        append(list, "User-Agent: corebank-auth/" CBA_VERSION, failure);
    }
    for (const char *const *line = request->headers; line != NULL && *line != NULL; line++) {
        append(list, *line, failure);
    }
    for (const char *const *line = settings->headers; line != NULL && *line != NULL; line++) {
        if (!has_header(request->headers, *line)) {
            append(list, *line, failure);
        }
    }
}

/* Before it, no kept connection can be looked at before it is used: see callbacks.c. */
enum { CAN_LOOK = LIBCURL_VERSION_NUM >= 0x075000 };

/* What a client's key or a proxy's password opened is for that call alone: libcurl would lend the
 * connection to a call that names the same certificate with another key, and some versions a tunnel
 * that one user opened to a call that names another. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy) {
    return !CAN_LOOK || settings->client_cert != NULL ||
           (proxy != NULL && strchr(proxy, '@') != NULL);
}

bool cba_request_is_line(const char *line, size_t length) {
    size_t name = 0;
    while (name < length && line[name] != ':' && line[name] != ';') {
        name++;
    }
    if (name == length || !cba_ascii_is_token(line, name)) {
        return false;
    }
    if (line[name] == ';') {
        return name + 1 == length;
    }
    bool has_value = false;
    for (size_t i = name + 1; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
        has_value |= c != ' ' && c != '\t';
    }
    return has_value;
}

bool cba_request_can_http2(void) {
    return CAN_LOOK && cba_libcurl_has_http2();
}

/* HTTP/2 comes with TLS: without it libcurl would hold a request back until the first answer to
 * another one says that the server cannot. Three kinds of requests stay HTTP/1.1. One that must be
 * sent once: of a stream on a kept connection libcurl does not tell whether the server refused it
 * or the connection died. One that comes or goes in pieces: of a stream that is paused libcurl
 * holds up to 32 MiB, and 7.88 then leaves other streams of the connection waiting. One that has
 * its connection for itself. */
unsigned cba_request_traits(const struct cba_settings *settings, const struct cba_request *request,
                            const char *proxy) {
    bool http2 = request->http2 && cba_ascii_begins(request->url, "https:") && !request->once &&
                 !request->stream && !request->upload && !cba_request_is_private(settings, proxy) &&
                 cba_request_can_http2();
    return (request->decode ? CBA_REQUEST_DECODES : 0) | (http2 ? CBA_REQUEST_HTTP2 : 0);
}

/* To libcurl a request is a POST, a HEAD or a GET, whatever its method's name is. */
static void set_method(CURL *easy, const struct cba_request *request, struct cba_failure *failure) {
    if (request->upload) {
        CBA_SET(CURLOPT_CUSTOMREQUEST, request->method);
        return; /* the rest is flow.c's */
    }
    bool is_head = strcmp(request->method, "HEAD") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    if (has_body(request)) {
        CBA_SET(CURLOPT_POST, 1L);
        CBA_SET(CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
        CBA_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    } else {
        CBA_SET(CURLOPT_HTTPGET, 1L);
        CBA_SET(CURLOPT_NOBODY, is_head ? 1L : 0L);
    }
    CBA_SET(CURLOPT_CUSTOMREQUEST, is_head || is_post ? NULL : request->method);
}

/* Only what differs from the handle's last request is set. */
void cba_request_set_traits(void *easy, unsigned traits, unsigned changed,
                            struct cba_failure *failure) {
    if ((changed & CBA_REQUEST_DECODES) != 0) {
        bool decodes = (traits & CBA_REQUEST_DECODES) != 0;
        CBA_SET(CURLOPT_ACCEPT_ENCODING, decodes ? "" : NULL);
        CBA_SET(CURLOPT_HTTP_CONTENT_DECODING, decodes ? 1L : 0L);
    }
    if ((changed & CBA_REQUEST_HTTP2) != 0) {
        bool http2 = (traits & CBA_REQUEST_HTTP2) != 0;
        CBA_SET(CURLOPT_HTTP_VERSION,
                (long)(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
        CBA_SET(CURLOPT_PIPEWAIT, http2 ? 1L : 0L); /* for a connection that all can share */
        /* libcurl 7.88 reads 32 KiB of frames at once, and forgets that it has some left when they
         * do not fit into this: the transfer then waits for more, for ever. */
        CBA_SET_BUFFER_SIZE(http2 ? 65536L : (long)CBA_BUFFER_USUAL);
    }
}

static void free_url(struct cba_borrowed *borrowed) {
    curl_url_cleanup(borrowed->url); /* NULL is fine, here and below */
    free(borrowed->url_text);
    borrowed->url = NULL;
    borrowed->url_text = NULL;
}

/* What was parsed is what is sent. A handle that has the same URL as before keeps it. */
static void set_url(CURL *easy, const char *text, struct cba_borrowed *borrowed,
                    struct cba_failure *failure) {
    if (borrowed->url_text != NULL && strcmp(borrowed->url_text, text) == 0) {
        return;
    }
    free_url(borrowed);
    borrowed->url = curl_url();
    size_t size = strlen(text) + 1;
    borrowed->url_text = malloc(size);
    if (borrowed->url == NULL || borrowed->url_text == NULL) {
        failure->outcome = CBA_NO_MEMORY;
        return;
    }
    memcpy(borrowed->url_text, text, size);
    enum cba_url_status status = cba_url_parse(text, borrowed->url);
    if (status != CBA_URL_OK) {
        failure->outcome = status == CBA_URL_BAD ? CBA_BAD_URL : CBA_NO_MEMORY;
        return;
    }
    CBA_SET(CURLOPT_URL, text); /* which is not parsed; libcurl may need it to begin anew */
    CBA_SET(CURLOPT_CURLU, borrowed->url);
}

void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct cba_borrowed *borrowed, struct cba_failure *failure) {
    build_headers(settings, request, &borrowed->headers, failure);
    CBA_SET(CURLOPT_HTTPHEADER, borrowed->headers);
    set_url(easy, request->url, borrowed, failure);
    set_method(easy, request, failure);
    cba_proxy_apply(settings, proxy, easy, failure);
    if (cba_request_is_private(settings, proxy)) {
        CBA_SET(CURLOPT_FRESH_CONNECT, 1L);
        CBA_SET(CURLOPT_FORBID_REUSE, 1L);
    } else if (request->upload) {
        /* One that is answered before it was sent whole leaves the rest of it to be taken for the
         * next request. */
        CBA_SET(CURLOPT_FORBID_REUSE, 1L);
    }
    if (failure->outcome == CBA_PENDING && settings->client_cert != NULL &&
        cba_ascii_begins(request->url, "https:")) {
        cba_client_certificate_apply(settings, easy, failure);
    }
}

void cba_request_free_headers(struct cba_borrowed *borrowed) {
    for (struct curl_slist *line = borrowed->headers; line != NULL; line = line->next) {
        cba_wipe(line->data, strlen(line->data));
    }
    curl_slist_free_all(borrowed->headers);
    borrowed->headers = NULL;
}

void cba_request_free(struct cba_borrowed *borrowed) {
    cba_request_free_headers(borrowed);
    free_url(borrowed);
}
