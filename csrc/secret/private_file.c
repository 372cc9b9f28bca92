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

static enum cba_secret_status check_regular(const struct cba_private_file *file, int fd,
                                            const struct stat *info) {
    if (file->most > 0 && info->st_size > (off_t)file->most) {
        return CBA_SECRET_FILE_TOO_BIG;
    }
    if ((info->st_mode & S_IRWXO) != 0 && !file->any_mode && !is_on_readonly_mount(fd)) {
        return CBA_SECRET_EXPOSED;
    }
    return CBA_SECRET_OK;
}

static enum cba_secret_status check(struct cba_private_file *file, int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return CBA_SECRET_UNREADABLE;
    }
    file->is_file = S_ISREG(info.st_mode) && fd != STDIN_FILENO;
    if (S_ISREG(info.st_mode)) {
        return check_regular(file, fd, &info);
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

static enum cba_secret_status read_from(struct cba_private_file *file, int fd, char *buffer,
                                        size_t size, size_t *length) {
    enum cba_secret_status status = check(file, fd);
    if (status != CBA_SECRET_OK) {
        return status;
    }
    ssize_t got = read_all(fd, buffer, size);
    if (got < 0) {
        return CBA_SECRET_UNREADABLE;
    }
    *length = (size_t)got;
    return CBA_SECRET_OK;
}

enum cba_secret_status cba_private_file_read(struct cba_private_file *file, char *buffer,
                                             size_t size, size_t *length) {
    if (file->stream && strcmp(file->path, "-") == 0) {
        return read_from(file, STDIN_FILENO, buffer, size, length);
    }
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return CBA_SECRET_UNREADABLE;
    }
    enum cba_secret_status status = read_from(file, fd, buffer, size, length);
    int why = errno;
    close(fd);
    errno = why;
    return status;
}

int cba_private_file_mode(const char *path) {
    static const mode_t permissions = 07777;
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_mode & permissions) : -1;
}
