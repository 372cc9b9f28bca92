/* Keeps a SIGPIPE that libcurl or its TLS library raises from ending the host process, without
 * touching the process's handlers: libcurl, told CURLOPT_NOSIGNAL, leaves this to its caller. */
#ifndef CBA_SIGPIPE_H
#define CBA_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct cba_sigpipe {
    sigset_t before;
    bool held;
};

void cba_sigpipe_hold(struct cba_sigpipe *guard);
/* Does nothing where nothing is held. */
void cba_sigpipe_release(struct cba_sigpipe *guard);

#endif
