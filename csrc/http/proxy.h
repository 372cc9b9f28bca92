/* Decides which requests use a proxy, and sets the proxy in libcurl. libcurl does not decide this
 * itself, so that a failure can name the proxy that was used. */
#ifndef CBA_PROXY_H
#define CBA_PROXY_H

#include "http/endpoint.h"
#include "http/outcome.h"

/* The URL of the proxy that requests to `url` go through: the settings', else the environment's;
 * NULL when they go to their host directly. `variable` is the one of the environment, or NULL.
 * Borrowed from the settings or from the environment. */
const char *cba_proxy_of(const struct cba_settings *settings, const char *url,
                         const char **variable);

/* What kind of way that is. */
enum cba_way cba_proxy_way(const char *proxy);

/* Sets it on an easy handle. Fails as cba_endpoint_apply does. */
void cba_proxy_apply(const struct cba_settings *settings, const char *proxy, void *easy,
                     struct cba_failure *failure);

#endif
