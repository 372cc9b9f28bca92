/* One request, and how libcurl is told of it and of its endpoint: every option that comes from a
 * caller or is a matter of safety. */
#ifndef CBA_REQUEST_H
#define CBA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "http/endpoint.h"
#include "http/outcome.h"

enum {
    CBA_RESOLVED_SECONDS = 1, /* a bank that moves is followed at the next refresh */
    CBA_IDLE_CONNECTION_SECONDS = 10,
};

struct cba_request {
    const char *method, *url;
    const char *const *headers; /* beside the endpoint's; NULL: none */
    const char *body;           /* borrowed until the request is over; NULL: none */
    size_t body_length;
    size_t answer_max;  /* bytes of the answer's body, when its status is of success */
    size_t refusal_max; /* bytes of it that are kept when the status is another */
};

struct curl_slist;

/* Sets what all requests to an endpoint share on a new easy handle. The failure's outcome stays
 * CBA_PENDING; or it says why the handle cannot be used: CBA_NO_MEMORY or CBA_UNSUPPORTED. */
void cba_request_set_endpoint(void *easy, const struct cba_settings *settings,
                              struct cba_failure *failure);

/* Sets a request on a handle of its endpoint; fails also with CBA_TLS, when a client's certificate
 * or key cannot be used. `proxy` is what cba_proxy_of says. The handle borrows `headers`, which
 * replaces the list that was there, and which is to be freed after the handle. */
void cba_request_set(void *easy, const struct cba_settings *settings,
                     const struct cba_request *request, const char *proxy,
                     struct curl_slist **headers, struct cba_failure *failure);

/* Whether a request must have a handle and a connection of its own, because they hold a secret: the
 * key of a client, or the password of a proxy. */
bool cba_request_is_private(const struct cba_settings *settings, const char *proxy);

#endif
