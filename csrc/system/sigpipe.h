/* Keeps a SIGPIPE from ending the host process when this library or libcurl writes to a closed
 * connection. The process's signal handlers stay. libcurl does not do this itself when
 * CURLOPT_NOSIGNAL is set. */
#ifndef CBA_SIGPIPE_H
#define CBA_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct cba_sigpipe {
    sigset_t before;
    bool held;
};

void cba_sigpipe_hold(struct cba_sigpipe *guard);

/* Does nothing when nothing is held. */
void cba_sigpipe_release(struct cba_sigpipe *guard);

/* Removes a signal that is blocked and pending. */
void cba_signal_take(int number);

#endif
