/* The sockets of an engine's connections, known so that one can be looked at before it is used
 * again. libcurl 7.88 takes a kept connection for alive when there is something to read on it: an
 * answer that nobody asked for, a second one or a 408 to nobody in particular, would be taken for
 * the answer to the next request, which may be of somebody else. */
#ifndef CBA_SOCKETS_H
#define CBA_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct cba_socket {
    curl_socket_t fd;
    int port; /* its own; 0: not asked for yet */
};

/* All zeros at first. */
struct cba_sockets {
    struct cba_socket *list;
    size_t count, room;
};

/* Makes room for so many more; false when out of memory. */
bool cba_sockets_reserve(struct cba_sockets *sockets, size_t more);

void cba_sockets_free(struct cba_sockets *sockets);

/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION. `owner` is the sockets to note it
 * in, which have room; or, to open one, NULL. What is opened is closed on exec. */
curl_socket_t cba_sockets_open(void *owner, curlsocktype purpose, struct curl_sockaddr *address);
int cba_sockets_close(void *owner, curl_socket_t fd);

/* Before a request on a kept connection with that port of ours: shuts it down when there is
 * something to read. Sending fails then, and libcurl begins anew on another connection. */
void cba_sockets_refuse_unclean(struct cba_sockets *sockets, int port);

#endif
