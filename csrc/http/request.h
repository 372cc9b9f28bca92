/* One request, and how its options are set in libcurl. */
#ifndef CBA_REQUEST_H
#define CBA_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/endpoint.h"
#include "http/outcome.h"

struct cba_request {
    const char *method, *url;
    const char *const *headers; /* beside the endpoint's; NULL: none */
    const char *body;           /* borrowed until the request is over; NULL: none */
    size_t body_length;
    size_t answer_max;  /* bytes of the answer's body, when its status is of success */
    size_t refusal_max; /* bytes of it that are kept when the status is another */
    bool decode;        /* ask for encodings of the body that libcurl knows, and decode it */
    bool http2;         /* if this libcurl and the server can, and the request: see request.c */
    bool once;          /* not to be sent again by libcurl */
    bool keep_headers;  /* all header lines of the answer */
    bool stream;        /* the body of a 2xx is taken in pieces; `answer_max` does not count */
    bool upload;        /* the body, in place of `body`, is given in pieces */
    long long size;     /* of an upload, or CBA_SIZE_UNKNOWN */
    double idle;        /* seconds, with `stream` or `upload`; see flow.h. 0: none */
};

enum { CBA_SIZE_UNKNOWN = -1 };

/* What a handle of libcurl borrows for a request. All NULL at first. */
struct cba_borrowed {
    struct curl_slist *headers;
    CURLU *url; /* parsed, and as text */
    char *url_text;
};

/* Sets a request on a handle of its endpoint. Fails as cba_endpoint_apply does, with CBA_BAD_URL,
 * and with CBA_TLS when a client's certificate or key cannot be used. `proxy` is what cba_proxy_of
 * says. The handle borrows from `borrowed` from now on, also after a failure; of the request before
 * there may still be a URL in it. */
void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct cba_borrowed *borrowed, struct cba_failure *failure);

/* Wipes and frees the headers, or all of it, after the handle has given them back. */
void cba_request_free_headers(struct cba_borrowed *borrowed);
void cba_request_free(struct cba_borrowed *borrowed);

/* Whether it is one header line, "Name: value" or, for an empty value, "Name;". To libcurl "Name:"
 * would mean another thing: none of that name. */
bool cba_request_is_line(const char *line, size_t length);

/* How libcurl's handle differs between requests of one endpoint. */
enum { CBA_REQUEST_DECODES = 1, CBA_REQUEST_HTTP2 = 2 };

/* Whether requests of this build can be HTTP/2. */
bool cba_request_can_http2(void);

/* Which of them a request needs. */
unsigned cba_request_traits(const struct cba_settings *settings, const struct cba_request *request,
                            const char *proxy);

/* Sets those on a handle, which has those of `changed` otherwise. */
void cba_request_set_traits(void *easy, unsigned traits, unsigned changed,
                            struct cba_failure *failure);

/* Whether a request must have a handle and a connection of its own, because they hold a secret: the
 * key of a client, or the password of a proxy. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy);

#endif
