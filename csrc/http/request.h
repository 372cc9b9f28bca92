/* What a transfer is asked to do, and how libcurl is told: every option that comes from a caller or
 * is a matter of safety. */
#ifndef CBA_REQUEST_H
#define CBA_REQUEST_H

#include <stdbool.h>

#include "http/outcome.h"

enum {
    CBA_REQUEST_HEADERS_MAX = 32,
    CBA_RESOLVED_SECONDS = 1, /* a bank that moves is followed at the next refresh */
    CBA_IDLE_CONNECTION_SECONDS = 10,
};

/* All strings are borrowed for the duration of cba_request_apply; NULL means not set. */
struct cba_request {
    const char *url;
    long connect_timeout_ms;
    const char *ca_file, *ca_path;
    const char *client_cert, *client_key, *client_key_password;
    const char *pinned_key;
    const char *proxy, *proxy_ca_file, *no_proxy;
    bool tls13_only;
    const char *headers[CBA_REQUEST_HEADERS_MAX + 1]; /* "Name: value", NULL at the end */
};

/* What libcurl borrows for as long as its handle lives. */
struct cba_borrowed {
    void *url; /* CURLU, parsed once and not at every call */
    struct curl_slist *headers;
};

/* Sets all of it on a new easy handle. The failure's outcome is CBA_PENDING then; else
 * CBA_NO_MEMORY, CBA_UNSUPPORTED, or CBA_TLS for a client certificate or key that cannot be used,
 * and the handle must not be used. What `borrowed` then holds is to be freed either way, after the
 * handle. */
void cba_request_apply(const struct cba_request *request, void *easy, struct cba_borrowed *borrowed,
                       struct cba_failure *failure);

/* Frees and forgets. */
void cba_borrowed_free(struct cba_borrowed *borrowed);

#endif
