#include "system/process.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "system/sigpipe.h"

void cba_take_standard_files(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
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

int cba_become(char *const words[]) {
    (void)execvp(words[0], words);
    return errno;
}
