#include "system/sigpipe.h"

#include <pthread.h>

static void set_one(sigset_t *set, int number) {
    sigemptyset(set);
    sigaddset(set, number);
}

void cba_signal_take(int number) {
    sigset_t pending, wanted;
    set_one(&wanted, number);
    if (sigpending(&pending) == 0 && sigismember(&pending, number) == 1) {
        (void)sigwait(&wanted, &number);
    }
}

void cba_sigpipe_hold(struct cba_sigpipe *guard) {
    sigset_t pipe_only;
    set_one(&pipe_only, SIGPIPE);
    guard->held = pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before) == 0 &&
                  !sigismember(&guard->before, SIGPIPE);
}

void cba_sigpipe_release(struct cba_sigpipe *guard) {
    if (!guard->held) {
        return; /* the caller had blocked it, and wants to see what is pending */
    }
    guard->held = false;
    cba_signal_take(SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
