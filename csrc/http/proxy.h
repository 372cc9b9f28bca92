/* Which requests go through a proxy. It is decided here and told to libcurl, so that who was tried
 * is known whatever comes of it. */
#ifndef CBA_PROXY_H
#define CBA_PROXY_H

#include "http/outcome.h"
#include "http/request.h"

/* The URL of the proxy that a request goes through: the request's own, else the environment's; NULL
 * when it goes to its host directly. `variable` is the one of the environment, or NULL. Borrowed
 * from the request or from the environment. */
const char *cba_proxy_of(const struct cba_request *request, const char **variable);

/* What kind of way that is. */
enum cba_way cba_proxy_way(const char *proxy);

#endif
