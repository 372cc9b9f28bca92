/* For LD_PRELOAD: stands still right after a request has been handed to the kernel, before libcurl
 * learns of it. CBA_STALL_AT counts the requests; CBA_STALL says how:
 *   stop       as by SIGSTOP, until somebody sends SIGCONT
 *   SECONDS    as a virtual machine that was paused for so long: the wall clock, which is set right
 *              afterwards, is ahead by so much, and no other clock knows of it */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static long requests;
static long missed; /* seconds */

static void stall(void) {
    const char *how = getenv("CBA_STALL");
    const char *at = getenv("CBA_STALL_AT");
    if (how == NULL || at == NULL || ++requests != strtol(at, NULL, 10)) {
        return;
    }
    if (strcmp(how, "stop") == 0) {
        (void)raise(SIGSTOP);
    } else {
        missed = strtol(how, NULL, 10);
    }
}

static void *next(const char *name) {
    void *address = dlsym(RTLD_NEXT, name);
    if (address == NULL) {
        abort();
    }
    return address;
}

/* The names of the parameters are ours.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t send(int fd, const void *bytes, size_t length,
                                                    int flags) {
    static const char start[] = "POST ";
    static ssize_t (*real)(int, const void *, size_t, int);
    if (real == NULL) {
        *(void **)&real = next("send");
    }
    ssize_t sent = real(fd, bytes, length, flags);
    if (sent > 0 && length >= sizeof start - 1 && memcmp(bytes, start, sizeof start - 1) == 0) {
        stall();
    }
    return sent;
}

/* With times of 64 bits on a 32-bit system, <time.h> gives clock_gettime another symbol. This file
 * is compiled with the same bits as the core, so it defines the symbol that the core calls.
 *
 * The names of the parameters are ours.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        *(void **)&real =
            next(sizeof(time_t) > sizeof(long) ? "__clock_gettime64" : "clock_gettime");
    }
    int status = real(id, now);
    if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += missed;
    }
    return status;
}
