#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utf8.h"

enum {
    SLOT_SIZE = 448, /* a multiple of 64, so that 64 slots fill whole pages exactly */
    SLOTS_PER_SLAB = 64,
};

union slot;

struct cba_slab {
    struct cba_slab *next;
    uint64_t used; /* one bit a slot */
    union slot *slots;
};

struct cba_vault {
    size_t references;
    struct cba_slab *slabs;
};

/* Lives in a slot of its own; `slab` finds the way back. */
struct cba_secret {
    struct cba_vault *vault;
    struct cba_slab *slab;
    size_t length;
    char bytes[CBA_SECRET_MAX_BYTES + 4]; /* a file's line ending, one byte too many, a NUL */
};

union slot {
    struct cba_secret secret;
    unsigned char size[SLOT_SIZE];
};

void *cba_guarded_new(size_t size) {
    /* Idempotent and thread-safe; -1 only when the system has no randomness. */
    if (sodium_init() < 0) {
        return NULL;
    }
    return sodium_malloc(size);
}

void cba_guarded_free(void *memory) {
    sodium_free(memory); /* wipes; NULL is fine */
}

void cba_wipe(void *memory, size_t size) {
    sodium_memzero(memory, size);
}

double cba_random(void) {
    return randombytes_random() / 4294967296.0;
}

const char *cba_secret_library(void) {
    return sodium_version_string();
}

static struct cba_slab *slab_new(void) {
    struct cba_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) {
        return NULL;
    }
    slab->slots = cba_guarded_new(sizeof *slab->slots * SLOTS_PER_SLAB);
    if (slab->slots == NULL) {
        free(slab);
        return NULL;
    }
    return slab;
}

static void slab_free(struct cba_slab *slab) {
    cba_guarded_free(slab->slots);
    free(slab);
}

struct cba_vault *cba_vault_new(void) {
    struct cba_vault *vault = calloc(1, sizeof *vault);
    if (vault != NULL) {
        vault->references = 1;
    }
    return vault;
}

void cba_vault_release(struct cba_vault *vault) {
    if (vault == NULL || --vault->references > 0) {
        return;
    }
    while (vault->slabs != NULL) {
        struct cba_slab *slab = vault->slabs;
        vault->slabs = slab->next;
        slab_free(slab);
    }
    free(vault);
}

static struct cba_slab *vault_roomy_slab(struct cba_vault *vault) {
    struct cba_slab *slab = vault->slabs;
    while (slab != NULL && slab->used == UINT64_MAX) {
        slab = slab->next;
    }
    if (slab == NULL) {
        slab = slab_new();
        if (slab != NULL) {
            slab->next = vault->slabs;
            vault->slabs = slab;
        }
    }
    return slab;
}

struct cba_secret *cba_secret_new(struct cba_vault *vault) {
    struct cba_slab *slab = vault_roomy_slab(vault);
    if (slab == NULL) {
        return NULL;
    }
    unsigned slot = 0;
    while (slab->used >> slot & 1U) {
        slot++;
    }
    slab->used |= UINT64_C(1) << slot;
    struct cba_secret *secret = &slab->slots[slot].secret;
    memset(secret, 0, sizeof *secret);
    secret->vault = vault;
    secret->slab = slab;
    vault->references++;
    return secret;
}

/* An emptied slab goes back to the system, unless it is the first of the list: a script that makes
 * and drops one secret over and over must not map and unmap pages each time. */
static void vault_drop_slab(struct cba_vault *vault, struct cba_slab *slab) {
    struct cba_slab **link = &vault->slabs;
    while (*link != slab) {
        link = &(*link)->next;
    }
    if (link != &vault->slabs) {
        *link = slab->next;
        slab_free(slab);
    }
}

void cba_secret_free(struct cba_secret *secret) {
    if (secret == NULL) {
        return;
    }
    struct cba_vault *vault = secret->vault;
    struct cba_slab *slab = secret->slab;
    ptrdiff_t slot = (union slot *)secret - slab->slots;
    cba_wipe(secret, sizeof *secret);
    slab->used &= ~(UINT64_C(1) << slot);
    if (slab->used == 0) {
        vault_drop_slab(vault, slab);
    }
    cba_vault_release(vault);
}

static enum cba_secret_status check_bytes(const char *bytes, size_t length) {
    if (length == 0) {
        return CBA_SECRET_EMPTY;
    }
    if (length > CBA_SECRET_MAX_BYTES) {
        return CBA_SECRET_TOO_LONG;
    }
    if (memchr(bytes, '\0', length) != NULL) {
        return CBA_SECRET_NUL;
    }
    return cba_utf8_count(bytes, length) < 0 ? CBA_SECRET_NOT_UTF8 : CBA_SECRET_OK;
}

enum cba_secret_status cba_secret_from_bytes(struct cba_secret *secret, const char *bytes,
                                             size_t length) {
    enum cba_secret_status status = check_bytes(bytes, length);
    if (status == CBA_SECRET_OK) {
        cba_wipe(secret->bytes, secret->length);
        memcpy(secret->bytes, bytes, length);
        secret->bytes[length] = '\0';
        secret->length = length;
    }
    return status;
}

/* Reads up to `size` bytes; -1 with errno on failure. */
static ssize_t read_all(int fd, char *buffer, size_t size) {
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, buffer + got, size - got);
        if (n == 0) {
            break;
        }
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static enum cba_secret_status check_file(int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return CBA_SECRET_UNREADABLE;
    }
    if (!S_ISREG(info.st_mode)) {
        return CBA_SECRET_NOT_A_FILE;
    }
    if (info.st_size > CBA_SECRET_MAX_FILE) {
        return CBA_SECRET_FILE_TOO_BIG;
    }
    return (info.st_mode & S_IRWXO) != 0 ? CBA_SECRET_EXPOSED : CBA_SECRET_OK;
}

static enum cba_secret_status read_file(struct cba_secret *fresh, int fd) {
    enum cba_secret_status status = check_file(fd);
    if (status != CBA_SECRET_OK) {
        return status;
    }
    ssize_t got = read_all(fd, fresh->bytes, sizeof fresh->bytes);
    if (got < 0) {
        return CBA_SECRET_UNREADABLE;
    }
    size_t length = (size_t)got;
    if (length > 0 && fresh->bytes[length - 1] == '\n') {
        length--;
        if (length > 0 && fresh->bytes[length - 1] == '\r') {
            return CBA_SECRET_CRLF;
        }
    }
    status = check_bytes(fresh->bytes, length);
    if (status == CBA_SECRET_OK) {
        fresh->bytes[length] = '\0';
        fresh->length = length;
    }
    return status;
}

enum cba_secret_status cba_secret_from_file(struct cba_secret *secret, const char *path) {
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return CBA_SECRET_UNREADABLE;
    }
    struct cba_secret *fresh = cba_secret_new(secret->vault);
    enum cba_secret_status status = CBA_SECRET_UNREADABLE;
    if (fresh == NULL) {
        errno = ENOMEM;
    } else {
        status = read_file(fresh, fd);
    }
    int why = errno;
    close(fd);
    if (status == CBA_SECRET_OK) {
        status = cba_secret_from_bytes(secret, fresh->bytes, fresh->length);
    }
    cba_secret_free(fresh);
    errno = why;
    return status;
}

enum cba_secret_status cba_secret_from_env(struct cba_secret *secret, const char *name) {
    const char *value = getenv(name);
    return value == NULL ? CBA_SECRET_UNSET : cba_secret_from_bytes(secret, value, strlen(value));
}

bool cba_secret_replace(struct cba_secret *secret, const struct cba_secret *other) {
    if (secret->length == other->length &&
        sodium_memcmp(secret->bytes, other->bytes, secret->length) == 0) {
        return false;
    }
    return cba_secret_from_bytes(secret, other->bytes, other->length) == CBA_SECRET_OK;
}

const char *cba_secret_bytes(const struct cba_secret *secret, size_t *length) {
    *length = secret->length;
    return secret->bytes;
}
