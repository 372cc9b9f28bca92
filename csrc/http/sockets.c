#include "http/sockets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOCK_CLOEXEC
#include <fcntl.h>
#endif

bool cba_sockets_reserve(struct cba_sockets *sockets, size_t more) {
    size_t wanted = sockets->count + more;
    if (wanted > sockets->room) {
        struct cba_socket *list = realloc(sockets->list, 2 * wanted * sizeof *list);
        if (list == NULL) {
            return false;
        }
        sockets->list = list;
        sockets->room = 2 * wanted;
    }
    return true;
}

void cba_sockets_free(struct cba_sockets *sockets) {
    free(sockets->list);
}

static curl_socket_t open_socket(const struct curl_sockaddr *address) {
#ifdef SOCK_CLOEXEC
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
#endif
}

static void forget(struct cba_sockets *sockets, curl_socket_t fd) {
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->list[i].fd == fd) {
            sockets->list[i] = sockets->list[--sockets->count];
            return;
        }
    }
}

curl_socket_t cba_sockets_open(void *owner, curlsocktype purpose, struct curl_sockaddr *address) {
    struct cba_sockets *sockets = owner;
    (void)purpose;
    if (sockets != NULL && sockets->count == sockets->room) {
        return CURL_SOCKET_BAD; /* cannot be: see cba_engine_add */
    }
    curl_socket_t fd = open_socket(address);
    if (sockets != NULL && fd != CURL_SOCKET_BAD) {
        forget(sockets, fd); /* of one that was closed unseen by us */
        sockets->list[sockets->count++] = (struct cba_socket){.fd = fd};
    }
    return fd;
}

int cba_sockets_close(void *owner, curl_socket_t fd) {
    forget(owner, fd);
    return close(fd);
}

static int own_port(curl_socket_t fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof name;
    if (getsockname(fd, &name.any, &length) != 0) {
        return 0;
    }
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

void cba_sockets_note_http1(struct cba_sockets *sockets, int port) {
    for (size_t i = 0; i < sockets->count; i++) {
        struct cba_socket *one = &sockets->list[i];
        if (one->port == 0) {
            one->port = own_port(one->fd);
        }
        one->is_http1 |= one->port == port;
    }
}

bool cba_sockets_refuse_unclean(struct cba_sockets *sockets, int port) {
    char byte;
    bool is_refused = false;
    for (size_t i = 0; i < sockets->count; i++) {
        struct cba_socket *one = &sockets->list[i];
        if (one->is_http1 && one->port == port &&
            recv(one->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
            shutdown(one->fd, SHUT_RDWR);
            is_refused = true;
        }
    }
    return is_refused;
}
