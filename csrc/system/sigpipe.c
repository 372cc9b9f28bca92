#include "system/sigpipe.h"

#include <pthread.h>
#include <stddef.h>

void cba_sigpipe_hold(struct cba_sigpipe *guard) {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    guard->held = pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before) == 0 &&
                  !sigismember(&guard->before, SIGPIPE);
}

void cba_sigpipe_release(struct cba_sigpipe *guard) {
    if (!guard->held) {
        return; /* the caller had blocked it, and wants to see what is pending */
    }
    guard->held = false;
    sigset_t pending;
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE)) {
        sigset_t pipe_only;
        int signal_number;
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigwait(&pipe_only, &signal_number);
    }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
