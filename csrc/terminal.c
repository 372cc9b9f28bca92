#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "sigpipe.h"

enum {
    LINE_MAX_BYTES = CBA_SECRET_MAX_BYTES + 2, /* one too many, to be seen as such; a line feed */
    LOOK_FOR_SIGNALS_MS = 100,
};

bool cba_is_terminal(int fd) {
    return isatty(fd) == 1;
}

void cba_take_standard_files(void) {
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDONLY);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

int cba_write(int fd, const char *bytes, size_t length) {
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    int fault = write_all(fd, bytes, length);
    cba_sigpipe_release(&guard);
    return fault;
}

int cba_file_mode(const char *path) {
    static const mode_t permissions = 07777;
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_mode & permissions) : -1;
}

/* ---- the prompt ---------------------------------------------------------------------------- */

static void ending_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGQUIT);
    sigaddset(set, SIGTSTP);
}

static bool signal_waits(const sigset_t *set) {
    sigset_t pending;
    if (sigpending(&pending) != 0) {
        return false;
    }
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (sigismember(set, numbers[i]) == 1 && sigismember(&pending, numbers[i]) == 1) {
            return true;
        }
    }
    return false;
}

/* The kernel goes on editing the line, erasing and all; it shows nothing and sends no signals. ^C
 * and ^\ end a line like a line feed does, so that they are read at once; of ^Z there is no telling
 * before the line ends. */
static void quiet(struct termios *settings) {
    settings->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
    settings->c_lflag |= ICANON;
    settings->c_cc[VEOL] = settings->c_cc[VINTR];
#ifdef VEOL2
    settings->c_cc[VEOL2] = settings->c_cc[VQUIT];
#endif
}

/* How many bytes of a line were read, 0 when it was cancelled. */
static size_t read_line(int fd, char *line, size_t size, const sigset_t *signals) {
    size_t length = 0;
    while (length < size) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        int ready = poll(&wanted, 1, LOOK_FOR_SIGNALS_MS);
        if (signal_waits(signals)) {
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
            return 0; /* ^C, or ^D within the line */
        }
    }
    return length;
}

static enum cba_prompt_outcome take_line(int fd, struct cba_secret *secret,
                                         enum cba_secret_status *status, const sigset_t *signals,
                                         cc_t suspend) {
    char *line = cba_guarded_new(LINE_MAX_BYTES);
    if (line == NULL) {
        return CBA_PROMPT_NO_MEMORY;
    }
    size_t length = read_line(fd, line, LINE_MAX_BYTES, signals);
    bool suspended = suspend != _POSIX_VDISABLE && memchr(line, suspend, length) != NULL;
    enum cba_prompt_outcome outcome =
        length > 0 && !suspended ? CBA_PROMPT_ANSWERED : CBA_PROMPT_CANCELLED;
    if (outcome == CBA_PROMPT_ANSWERED) {
        bool whole = line[length - 1] == '\n';
        *status = cba_secret_from_bytes(secret, line, length - (whole ? 1 : 0));
    }
    cba_guarded_free(line);
    return outcome;
}

static enum cba_prompt_outcome ask(int fd, const char *question, struct cba_secret *secret,
                                   enum cba_secret_status *status, const sigset_t *signals) {
    struct termios before;
    if (tcgetattr(fd, &before) != 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    struct termios during = before;
    quiet(&during);
    if (tcsetattr(fd, TCSAFLUSH, &during) != 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    (void)write_all(fd, question, strlen(question));
    enum cba_prompt_outcome outcome = take_line(fd, secret, status, signals, before.c_cc[VSUSP]);
    /* Flushes what was typed beyond the line: it may be the rest of a secret. */
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)write_all(fd, "\n", 1);
    return outcome;
}

enum cba_prompt_outcome cba_terminal_prompt(const char *question, struct cba_secret *secret,
                                            enum cba_secret_status *status) {
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return CBA_PROMPT_NO_TERMINAL;
    }
    sigset_t signals, before;
    ending_signals(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    enum cba_prompt_outcome outcome = ask(fd, question, secret, status, &signals);
    close(fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL); /* one that waited arrives now */
    return outcome;
}
