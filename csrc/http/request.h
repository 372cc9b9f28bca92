/* One request, and how its options are set in libcurl. */
#ifndef CBA_REQUEST_H
#define CBA_REQUEST_H

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
};

struct curl_slist;

/* Sets a request on a handle of its endpoint. Fails as cba_endpoint_apply does, and with CBA_TLS
 * when a client's certificate or key cannot be used. `proxy` is what cba_proxy_of says. `headers`,
 * which is NULL before, is what the handle borrows, also after a failure. */
void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct curl_slist **headers, struct cba_failure *failure);

/* Wipes them and frees them, after the handle has given them back. NULL is fine. */
void cba_request_free_headers(struct curl_slist *headers);

/* Whether a request must have a handle and a connection of its own, because they hold a secret: the
 * key of a client, or the password of a proxy. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy);

#endif
