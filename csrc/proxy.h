/* Which requests go through a proxy, as far as that can be told before libcurl decides. */
#ifndef CBA_PROXY_H
#define CBA_PROXY_H

#include <stdbool.h>

#include "request.h"

/* Whether the environment may name one. */
bool cba_proxy_in_environment(void);

/* Whether a request goes through the proxy that it names. No, too, where the list of hosts that
 * need none may hold its host: how that is read differs from one libcurl to the next. */
bool cba_proxy_is_certain(const struct cba_request *request);

#endif
