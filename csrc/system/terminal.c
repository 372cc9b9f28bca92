#include "system/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "system/process.h"
#include "system/sigpipe.h"

enum {
    LINE_MAX_BYTES =
        CBA_SECRET_MAX_BYTES + 2, /* one byte too many, to notice it, and a line feed */
    LOOK_FOR_SIGNALS_MS = 100,
};

/* Signals that would end or stop the process are blocked while the terminal's settings are changed.
 * Only SIGSTOP can stop it then: with SIGTTIN and SIGTTOU blocked, calls of a background process to
 * its terminal fail or succeed. */
static const int held_signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,   SIGTSTP, SIGTTIN, SIGTTOU,
                                   SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU};

static void hold_signals(sigset_t *held, sigset_t *before) {
    sigemptyset(held);
    for (size_t i = 0; i < sizeof held_signals / sizeof *held_signals; i++) {
        sigaddset(held, held_signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, held, before);
}

static bool signal_waits(void) {
    sigset_t pending;
    if (sigpending(&pending) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof held_signals / sizeof *held_signals; i++) {
        if (sigismember(&pending, held_signals[i]) == 1) {
            return true;
        }
    }
    return false;
}

static bool in_foreground(int fd) {
    return tcgetpgrp(fd) == getpgrp();
}

/* Whether reading can go on: the process is in the foreground, and the terminal does not echo. A
 * shell changes the settings while the process is stopped by SIGSTOP; then they are set again. */
static bool keep_quiet(int fd, const struct termios *quiet) {
    struct termios now;
    if (!in_foreground(fd) || tcgetattr(fd, &now) != 0) {
        return false;
    }
    bool as_set = now.c_lflag == quiet->c_lflag;
    return as_set || tcsetattr(fd, TCSAFLUSH, quiet) == 0;
}

/* The number of bytes in the line; 0 when it was cancelled. */
static size_t read_line(int fd, char *line, size_t size, const struct termios *quiet) {
    size_t length = 0;
    while (length < size) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        int ready = poll(&wanted, 1, LOOK_FOR_SIGNALS_MS);
        if (signal_waits() || !keep_quiet(fd, quiet)) {
            return 0;
        }
        if (ready <= 0) {
            continue;
        }
        ssize_t n = read(fd, line + length, size - length);
        if (n <= 0) {
            return 0; /* ^D, or the terminal is gone */
        }
        length += (size_t)n;
        if (line[length - 1] == '\n') {
            return length;
        }
        if (length < size) {
            return 0; /* ^D within the line */
        }
    }
    return length;
}

static enum cba_prompt_outcome take_line(int fd, struct cba_secret *secret,
                                         enum cba_secret_status *status,
                                         const struct termios *quiet) {
    char *line = cba_guarded_new(LINE_MAX_BYTES);
    if (line == NULL) {
        return CBA_PROMPT_NO_MEMORY;
    }
    size_t length = read_line(fd, line, LINE_MAX_BYTES, quiet);
    if (length > 0) {
        *status = cba_secret_from_text(secret, line, length);
    }
    cba_guarded_free(line);
    return length > 0 ? CBA_PROMPT_ANSWERED : CBA_PROMPT_CANCELLED;
}

/* Also discards what was typed after the line: it may be the rest of a secret. Settings of another
 * process group that has the terminal now are not changed. */
static void restore(int fd, const struct termios *before, const struct termios *quiet) {
    struct termios now;
    bool ours = tcgetattr(fd, &now) == 0 && now.c_lflag == quiet->c_lflag;
    if (ours || in_foreground(fd)) {
        (void)tcsetattr(fd, TCSAFLUSH, before);
        (void)cba_write(fd, "\n", 1);
    }
}

/* The kernel still edits the line and sends the signals of ^C, ^\ and ^Z; it shows nothing. */
static enum cba_prompt_outcome ask(int fd, const char *question, struct cba_secret *secret,
                                   enum cba_secret_status *status) {
    struct termios before;
    if (tcgetattr(fd, &before) != 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    if (!in_foreground(fd)) {
        return CBA_PROMPT_BACKGROUND;
    }
    if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    (void)cba_write(fd, question, strlen(question));
    enum cba_prompt_outcome outcome = take_line(fd, secret, status, &quiet);
    restore(fd, &before, &quiet);
    if (outcome == CBA_PROMPT_CANCELLED) {
        cba_signal_take(SIGINT); /* it cancels the prompt and nothing else */
    }
    return outcome;
}

enum cba_prompt_outcome cba_terminal_prompt(const char *question, struct cba_secret *secret,
                                            enum cba_secret_status *status) {
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    sigset_t held, before;
    hold_signals(&held, &before);
    enum cba_prompt_outcome outcome = ask(fd, question, secret, status);
    close(fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL); /* a pending one arrives now */
    return outcome;
}
