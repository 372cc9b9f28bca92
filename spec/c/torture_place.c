/* The surroundings of the torture test: name resolution, files, descriptors. */
#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "torture.h"

/* libcurl resolves a name of ours by a thread of its own, without any server: this is found before
 * the C library's function of the name. (The C library's parameters have reserved names.)
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    bool ours = node != NULL && strcmp(node, "bank.torture") == 0;
    return real(ours ? "127.0.0.1" : node, service, hints, found);
}

unsigned count_descriptors(void) {
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder != NULL) {
        while (readdir(folder) != NULL) {
            count++;
        }
        closedir(folder);
    }
    return count;
}

bool write_secret(void) {
    /* In memory where that can be: what is stored beside it waits for its disk. */
    bool in_memory = access("/dev/shm", R_OK | W_OK | X_OK) == 0;
    snprintf(torture.secret_file, sizeof torture.secret_file, "%s/torture-XXXXXX",
             in_memory ? "/dev/shm" : "/tmp");
    int fd = mkstemp(torture.secret_file); /* mode 0600 */
    static const char secret[] = "canary-\"secret\"-Kq83\n";
    bool ok = fd >= 0 && write(fd, secret, sizeof secret - 1) == (ssize_t)sizeof secret - 1;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

void remove_files(void) {
    static const char *const left[] = {"/entry", "/entry.new", "/entry.lease", "/entry.lease.new"};
    char folder[sizeof torture.secret_file + 8], path[sizeof folder + 20];
    unlink(torture.secret_file);
    snprintf(folder, sizeof folder, "%s.store", torture.secret_file);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(path, sizeof path, "%s%s", folder, left[i]);
        unlink(path);
    }
    rmdir(folder);
}
