/* Inspects the connection to a server: connects with the settings of an endpoint, and sends no
 * request. */
#ifndef CBA_INSPECT_H
#define CBA_INSPECT_H

#include <stdbool.h>

#include "http/endpoint.h"
#include "http/outcome.h"

enum {
    CBA_INSPECT_ADDRESS_MAX = 64,
    CBA_INSPECT_VERSION_MAX = 8,
    CBA_INSPECT_DATE_MAX = 64,
};

struct cba_inspection {
    struct cba_failure failure;            /* outcome CBA_ANSWERED: none */
    char address[CBA_INSPECT_ADDRESS_MAX]; /* the one tried last; a proxy's, if there is one */
    double resolved, connected, secured; /* seconds from the start, or -1: it did not come to it */
    char tls_version[CBA_INSPECT_VERSION_MAX];  /* "1.3", or empty */
    char certificate_end[CBA_INSPECT_DATE_MAX]; /* as the TLS library writes it, or empty */
    bool proxied;
};

/* Takes `timeout_ms` at most. */
void cba_inspect(const struct cba_settings *settings, const char *url, long timeout_ms,
                 struct cba_inspection *found);

#endif
