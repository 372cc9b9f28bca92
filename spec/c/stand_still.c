/* For LD_PRELOAD: a process with CBA_STOP=pwrite or CBA_STOP=renameat in its environment stands
 * still in the middle of writing a file of a store, or right before it publishes it; once. */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void stop_at(const char *place) {
    const char *wanted = getenv("CBA_STOP");
    if (wanted != NULL && strcmp(wanted, place) == 0) {
        unsetenv("CBA_STOP");
        raise(SIGSTOP);
    }
}

/* The names of the parameters are ours.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) int renameat(int from, const char *old, int to,
                                                    const char *new) {
    int (*real)(int, const char *, int, const char *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "renameat");
    stop_at("renameat");
    return real(from, old, to, new);
}

/* The names of the parameters are ours.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *bytes, size_t length,
                                                        off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    stop_at("pwrite");
    return real(fd, bytes, length, offset);
}

/* The names of the parameters are ours.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *bytes, size_t length,
                                                      off_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pwrite");
    stop_at("pwrite");
    return real(fd, bytes, length, offset);
}
