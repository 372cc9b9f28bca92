#include "secret/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secret/private_file.h"
#include "text/invisible.h"
#include "text/utf8.h"

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

/* It lies in a slot of `slab`. */
struct cba_secret {
    struct cba_vault *vault;
    struct cba_slab *slab;
    size_t length;
    struct cba_invisible ends;            /* of what was refused */
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

struct cba_secret *cba_secret_copy(const struct cba_secret *other) {
    struct cba_secret *secret = cba_secret_new(other->vault);
    if (secret != NULL) {
        memcpy(secret->bytes, other->bytes, other->length + 1);
        secret->length = other->length;
    }
    return secret;
}

/* Frees an empty slab unless it is the first of the list: a script that makes and drops one secret
 * over and over must not map and unmap pages each time. */
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

static enum cba_secret_status check_text(struct cba_secret *secret, const char *text,
                                         size_t length) {
    if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
        return CBA_SECRET_UTF16;
    }
    enum cba_secret_status status = check_bytes(text, length);
    if (status == CBA_SECRET_OK && cba_invisible_find(text, length, &secret->ends)) {
        return CBA_SECRET_INVISIBLE;
    }
    return status;
}

enum cba_secret_status cba_secret_from_text(struct cba_secret *secret, const char *text,
                                            size_t length) {
    if (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    enum cba_secret_status status = check_text(secret, text, length);
    return status == CBA_SECRET_OK ? cba_secret_from_bytes(secret, text, length) : status;
}

enum cba_secret_status cba_secret_from_file(struct cba_secret *secret,
                                            struct cba_private_file *file) {
    struct cba_secret *fresh = cba_secret_new(secret->vault); /* its bytes are guarded memory */
    if (fresh == NULL) {
        errno = ENOMEM;
        return CBA_SECRET_UNREADABLE;
    }
    size_t length = 0;
    enum cba_secret_status status =
        cba_private_file_read(file, fresh->bytes, sizeof fresh->bytes, &length);
    int why = errno;
    if (status == CBA_SECRET_OK) {
        status = cba_secret_from_text(secret, fresh->bytes, length);
    }
    cba_secret_free(fresh);
    errno = why;
    return status;
}

enum cba_secret_status cba_secret_from_env(struct cba_secret *secret, const char *name) {
    const char *value = getenv(name);
    return value == NULL ? CBA_SECRET_UNSET : cba_secret_from_text(secret, value, strlen(value));
}

const struct cba_invisible *cba_secret_ends(const struct cba_secret *secret) {
    return &secret->ends;
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
