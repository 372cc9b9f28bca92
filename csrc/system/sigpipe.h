/* Keeps a SIGPIPE of our own writes, libcurl's among them, from ending the host process. The
 * process's handlers stay: with CURLOPT_NOSIGNAL libcurl leaves this to its caller. */
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
