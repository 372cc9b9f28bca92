/* The sockets of an engine's connections. A kept socket is checked before it is used again: libcurl
 * 7.88 also uses a connection on which unread bytes wait. Such bytes are an answer without a
 * request, for example a 408 after a timeout. libcurl would take them for the answer to the next
 * request, which may be another client's. */
#ifndef CBA_SOCKETS_H
#define CBA_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct cba_socket {
    curl_socket_t fd;
    int port; /* its own; 0: not asked for yet */
    bool is_http1;
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

/* A connection with that port of ours has answered by HTTP/1. On one of HTTP/2 the server may send
 * at any time, and says to which request an answer belongs. */
void cba_sockets_note_http1(struct cba_sockets *sockets, int port);

/* Before a request on a kept connection of HTTP/1 with that port of ours: shuts it down when there
 * is something to read, and returns true. Sending fails then, and libcurl begins anew on another
 * connection. */
bool cba_sockets_refuse_unclean(struct cba_sockets *sockets, int port);

#endif
