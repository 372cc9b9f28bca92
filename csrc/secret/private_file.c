#include "secret/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool is_on_readonly_mount(int fd) {
    struct statvfs mount;
    return fstatvfs(fd, &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

static enum cba_secret_status check(struct cba_private_file *file, int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return CBA_SECRET_UNREADABLE;
    }
    file->is_file = S_ISREG(info.st_mode) && fd != STDIN_FILENO;
    if (S_ISREG(info.st_mode)) {
        if (file->most > 0 && info.st_size > (off_t)file->most) {
            return CBA_SECRET_FILE_TOO_BIG;
        }
        bool exposed = (info.st_mode & S_IRWXO) != 0 && !file->any_mode;
        return exposed && !is_on_readonly_mount(fd) ? CBA_SECRET_EXPOSED : CBA_SECRET_OK;
    }
    if (!file->stream) {
        return CBA_SECRET_NOT_A_FILE;
    }
    if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)) {
        return CBA_SECRET_OK;
    }
    return isatty(fd) == 1 ? CBA_SECRET_TERMINAL : CBA_SECRET_NO_SOURCE;
}

/* Reads to the end, or up to `size` bytes; -1 with errno on failure. poll waits for a pipe's
 * writer, and returns on a signal, so that Ctrl-C ends it; a file is always ready. */
static ssize_t read_all(int fd, char *buffer, size_t size) {
    size_t got = 0;
    while (got < size) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        if (poll(&wanted, 1, -1) < 0) {
            return -1;
        }
        ssize_t n = read(fd, buffer + got, size - got);
        if (n == 0) {
            break;
        }
        if (n > 0) {
            got += (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN) {
            return -1;
        }
    }
    return (ssize_t)got;
}

enum cba_secret_status cba_private_file_read(struct cba_private_file *file, char *buffer,
                                             size_t size, size_t *length) {
    bool is_input = file->stream && strcmp(file->path, "-") == 0;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd =
        is_input ? STDIN_FILENO : open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return CBA_SECRET_UNREADABLE;
    }
    enum cba_secret_status status = check(file, fd);
    ssize_t got = status == CBA_SECRET_OK ? read_all(fd, buffer, size) : 0;
    int why = errno;
    if (!is_input) {
        close(fd);
    }
    errno = why;
    *length = got > 0 ? (size_t)got : 0;
    return got < 0 ? CBA_SECRET_UNREADABLE : status;
}
