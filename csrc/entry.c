#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

static const char family[] = "corebank-auth ";
static const char header[] = "corebank-auth 1\n";

enum { HEADER_LENGTH = sizeof header - 1 };

/* Reads an entry's first line; `length` becomes how many bytes follow. */
static enum cba_folder_status check_entry(struct cba_folder *folder, const char *name, int fd,
                                          size_t *length) {
    struct stat info;
    char start[HEADER_LENGTH];
    if (fstat(fd, &info) != 0) {
        return cba_folder_fail_errno(folder, name);
    }
    if (info.st_size > HEADER_LENGTH + CBA_ENTRY_MAX_BYTES) {
        return cba_folder_fail(folder, name, "is larger than an entry can be; remove it");
    }
    if (info.st_size >= HEADER_LENGTH && cba_folder_read(fd, start, sizeof start, 0)) {
        if (memcmp(start, header, sizeof start) == 0) {
            *length = (size_t)info.st_size - HEADER_LENGTH;
            return CBA_FOLDER_DONE;
        }
        if (memcmp(start, family, sizeof family - 1) == 0) {
            return cba_folder_fail(folder, name, "is of another version; remove it");
        }
    }
    return cba_folder_fail(folder, name, "is not an entry of corebank-auth; remove it");
}

static enum cba_folder_status open_entry(struct cba_folder *folder, int directory, const char *name,
                                         int *descriptor, size_t *length) {
    int fd = -1;
    enum cba_folder_status status = cba_folder_open_file(folder, directory, name, &fd);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = check_entry(folder, name, fd, length);
    if (status != CBA_FOLDER_DONE) {
        close(fd);
        return status;
    }
    *descriptor = fd;
    return CBA_FOLDER_DONE;
}

static enum cba_folder_status read_entry(struct cba_folder *folder, const char *name, int fd,
                                         char **bytes, size_t length) {
    char *buffer = malloc(length + 1); /* an entry may be empty */
    if (buffer == NULL) {
        return CBA_FOLDER_NO_MEMORY;
    }
    if (!cba_folder_read(fd, buffer, length, HEADER_LENGTH)) {
        free(buffer);
        return errno != 0 ? cba_folder_fail_errno(folder, name)
                          : cba_folder_fail(folder, name, "was changed while it was read");
    }
    *bytes = buffer;
    return CBA_FOLDER_DONE;
}

enum cba_folder_status cba_entry_get(struct cba_folder *folder, const char *name, char **bytes,
                                     size_t *length) {
    int directory = -1, fd = -1;
    enum cba_folder_status status = cba_folder_open(folder, false, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = open_entry(folder, directory, name, &fd, length);
    close(directory);
    if (status == CBA_FOLDER_DONE) {
        status = read_entry(folder, name, fd, bytes, *length);
        close(fd);
    }
    return status;
}

/* What is there and is not an entry is never replaced nor deleted. */
static enum cba_folder_status inspect(struct cba_folder *folder, int directory, const char *name) {
    int fd = -1;
    size_t length;
    enum cba_folder_status status = open_entry(folder, directory, name, &fd, &length);
    if (status == CBA_FOLDER_DONE) {
        close(fd);
    }
    return status;
}

static enum cba_folder_status replace_entry(struct cba_folder *folder, int directory,
                                            const char *name, const char *bytes, size_t length) {
    char file[CBA_FOLDER_MAX_NAME + sizeof ".new"];
    int fd = -1;
    (void)snprintf(file, sizeof file, "%s.new", name);
    enum cba_folder_status status = cba_folder_claim(folder, directory, file, &fd);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    if (!cba_folder_write(fd, header, HEADER_LENGTH, 0) ||
        !cba_folder_write(fd, bytes, length, HEADER_LENGTH) || !cba_folder_sync(fd) ||
        renameat(directory, file, directory, name) != 0) {
        status = cba_folder_fail_errno(folder, file);
        unlinkat(directory, file, 0); /* under the lock: it is nobody else's yet */
    }
    close(fd);
    return status;
}

enum cba_folder_status cba_entry_put(struct cba_folder *folder, const char *name, const char *bytes,
                                     size_t length) {
    int directory = -1;
    if (length > CBA_ENTRY_MAX_BYTES) {
        return cba_folder_fail(folder, name, "would be larger than an entry can be");
    }
    enum cba_folder_status status = cba_folder_open(folder, true, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status;
    }
    status = inspect(folder, directory, name);
    if (status == CBA_FOLDER_DONE || status == CBA_FOLDER_NOTHING) {
        status = replace_entry(folder, directory, name, bytes, length);
    }
    if (status == CBA_FOLDER_DONE && !cba_folder_sync(directory)) {
        status = cba_folder_fail_open(folder);
    }
    close(directory);
    return status;
}

enum cba_folder_status cba_entry_delete(struct cba_folder *folder, const char *name) {
    int directory = -1;
    enum cba_folder_status status = cba_folder_open(folder, false, &directory);
    if (status != CBA_FOLDER_DONE) {
        return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
    }
    status = inspect(folder, directory, name);
    if (status == CBA_FOLDER_DONE && unlinkat(directory, name, 0) != 0 && errno != ENOENT) {
        status = cba_folder_fail_errno(folder, name);
    }
    if (status == CBA_FOLDER_DONE && !cba_folder_sync(directory)) {
        status = cba_folder_fail_open(folder);
    }
    close(directory);
    return status == CBA_FOLDER_NOTHING ? CBA_FOLDER_DONE : status;
}
