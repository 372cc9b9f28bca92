/* One request, and how libcurl is told of it and of its endpoint: every option that comes from a
 * caller or is a matter of safety. */
#ifndef CBA_REQUEST_H
#define CBA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "http/endpoint.h"
#include "http/outcome.h"

enum {
    CBA_REQUEST_HEADERS_MAX = 32, /* of an endpoint, and as many of a request */
    CBA_RESOLVED_SECONDS = 1,     /* a bank that moves is followed at the next refresh */
    CBA_IDLE_CONNECTION_SECONDS = 10,
};

struct cba_request {
    const char *method, *url;
    const char *const *headers; /* beside the endpoint's; NULL: none */
    const char *body;           /* stays where it is until the request is over; NULL: none */
    size_t body_length;
    size_t answer_max;  /* bytes of the answer's body; a longer one is too large */
    size_t refusal_max; /* of a body whose status is none of success: what is longer is cut off */
};

/* Each sets its part on an easy handle: once what all requests of an endpoint share, then for each
 * request what is its own. The failure's outcome is CBA_PENDING then; else CBA_NO_MEMORY,
 * CBA_UNSUPPORTED, or CBA_TLS for a client certificate or key that cannot be used, and the handle
 * must not be used. The handle borrows `headers`, which replaces what was there before, and which
 * is to be freed after the handle. `proxy` is cba_proxy_of's. */
struct curl_slist;
void cba_request_set_endpoint(void *easy, const struct cba_settings *settings,
                              struct cba_failure *failure);
void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct curl_slist **headers, struct cba_failure *failure);

/* Whether a request needs a handle and a connection for itself alone, which keep a secret: that of
 * a client's key, or of a proxy. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy);

#endif
