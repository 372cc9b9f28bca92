/* What no caller can see from outside: that a broken pipe ends nobody, that bodies are wiped, and
 * that a child is told from its parent in either way. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "http/transfer.h"
#include "system/maker.h"
#include "system/sigpipe.h"
#include "json/credentials.h"

static void write_to_a_closed_pipe(void) {
    int ends[2];
    if (pipe(ends) != 0) {
        abort();
    }
    close(ends[0]);
    check(write(ends[1], "x", 1) < 0, "a closed pipe takes nothing");
    close(ends[1]);
}

static bool is_pending(void) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE);
}

static bool is_blocked(void) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGPIPE);
}

/* The process's disposition is the default: without the guard, it ends here. */
static void test_sigpipe(void) {
    struct cba_sigpipe guard;
    struct sigaction action;
    cba_sigpipe_hold(&guard);
    write_to_a_closed_pipe();
    cba_sigpipe_release(&guard);
    check(!is_pending() && !is_blocked(), "the signal is taken and the mask is back");
    sigaction(SIGPIPE, NULL, &action);
    check(action.sa_handler == SIG_DFL, "the handler is as it was");

    cba_sigpipe_hold(&guard);
    cba_sigpipe_release(&guard);
    check(!is_pending() && !is_blocked(), "without a signal, too");

    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    cba_sigpipe_hold(&guard);
    write_to_a_closed_pipe();
    cba_sigpipe_release(&guard);
    check(is_pending() && is_blocked(), "who blocked it before finds it pending");
    int number;
    sigwait(&pipe_only, &number);
    pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

/* Whether nothing is left of what was written over `before`. */
static bool is_wiped(const char *body, const char *before) {
    for (size_t i = 0; i < CBA_JSON_CREDENTIALS_MAX; i++) {
        if (body[i] != '\0' && body[i] != before[i]) {
            return false;
        }
    }
    return true;
}

enum progress { WRITTEN, STARTED, REFUSED, DONE };

/* The memory of a body stays with its engine, so it can be looked at after the transfer. */
static void test_wiping(enum progress progress) {
    struct cba_settings settings = {.connect_timeout_ms = 1000};
    struct cba_request request = {.method = "POST", .url = "http://127.0.0.1:1/"};
    if (progress == REFUSED) {
        settings.client_cert = "/nonexistent";
        request.url = "https://127.0.0.1:1/";
    }
    struct cba_engine *engine = cba_engine_new();
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    struct cba_transfer *transfer = cba_transfer_new(engine, endpoint);
    char *body = cba_transfer_make_body(transfer, CBA_JSON_CREDENTIALS_MAX);
    char before[CBA_JSON_CREDENTIALS_MAX];
    memcpy(before, body, sizeof before);
    request.body = body;
    request.body_length =
        cba_json_write_credentials(body, CBA_JSON_CREDENTIALS_MAX, "id", "canary-secret");
    check(strstr(body, "canary-secret") != NULL, "the secret is in the body");
    if (progress != WRITTEN) {
        cba_transfer_start(transfer, &request, 1000);
    }
    while (progress == DONE && !cba_transfer_wait(transfer, 1)) {
    }
    /* Some libcurls find at the start that the port is closed. */
    bool is_over = cba_transfer_result(transfer)->failure.outcome != CBA_PENDING;
    check(is_over || progress < REFUSED, "a request that was refused is over");
    check(is_wiped(body, before) == is_over, "wiped when nothing will be sent");
    cba_transfer_release(transfer);
    check(is_wiped(body, before), "wiped when it is released at whatever point");
    cba_endpoint_close(endpoint);
    cba_engine_release(engine);
}

static bool is_us_in_a_child(const struct cba_maker *maker) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(cba_maker_is_us(maker) ? 1 : 0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status), "a child answers");
    return WEXITSTATUS(status) != 0;
}

/* Whether the system has memory that a child finds wiped. Emulators ignore what they accept. */
static bool wipes_on_fork(void) {
    bool wipes = false;
#ifdef MADV_WIPEONFORK
    enum { NO_ADVICE = -1 };
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED, "a page");
    wipes = madvise(page, 1, NO_ADVICE) != 0 && madvise(page, 1, MADV_WIPEONFORK) == 0;
    munmap(page, 1);
#endif
    return wipes;
}

static void test_maker(void) {
    struct cba_maker maker;
    cba_maker_note(&maker);
    check((maker.mark != NULL) == wipes_on_fork(), "it uses memory that a child finds wiped");
    check(cba_maker_is_us(&maker), "whoever takes note is the maker");
    check(!is_us_in_a_child(&maker), "and its child is not");
    check(cba_maker_is_us(&maker), "and it still is");
    cba_maker_forget(&maker); /* leaves what a system without such memory has */
    check(cba_maker_is_us(&maker) && !is_us_in_a_child(&maker), "without the memory, too");
}

int main(void) {
    test_sigpipe();
    test_maker();
    test_wiping(WRITTEN);
    test_wiping(STARTED);
    test_wiping(REFUSED);
    test_wiping(DONE);
    return check_summary("guard");
}
