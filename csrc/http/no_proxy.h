/* The lists of hosts without a proxy: noProxy, and the environment's no_proxy. They are read here,
 * because the versions of libcurl differ in how they read them. */
#ifndef CBA_NO_PROXY_H
#define CBA_NO_PROXY_H

#include <stdbool.h>

/* Whether `list` holds a host, lower case and with an IPv6 address in brackets, at `port`.
 *
 * Words are separated by commas or blanks, in any case. A name stands for itself and for all below
 * it, with or without a dot or "*." before it, or one after it. A star stands for any characters,
 * by itself for all hosts. An address stands for itself, with a prefix length for its network. A
 * port behind a colon narrows a word to that port. */
bool cba_no_proxy_holds(const char *list, const char *host, const char *port);

#endif
