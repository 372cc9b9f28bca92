/* Secrets, and other memory that is wiped when it is freed.
 *
 * A vault gives out small slots of one size from pages that libsodium locks into memory, keeps out
 * of core dumps and surrounds with guard pages. A set of pages holds 64 secrets: ten thousand
 * clients need a few hundred mappings, not fifty thousand (the kernel's default limit is 65,530).
 *
 * Nothing here is thread-safe: a vault belongs to one Lua state.
 */
#ifndef CBA_SECRET_H
#define CBA_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CBA_SECRET_MAX_BYTES = 400, /* 100 characters of up to 4 bytes */
    CBA_SECRET_MAX_FILE = 4096, /* a larger file is certainly not a secret */
};

enum cba_secret_status {
    CBA_SECRET_OK,
    CBA_SECRET_EMPTY,
    CBA_SECRET_TOO_LONG,
    CBA_SECRET_NUL,
    CBA_SECRET_NOT_UTF8,
    CBA_SECRET_UTF16,
    CBA_SECRET_INVISIBLE,  /* at an end: cba_secret_ends says what */
    CBA_SECRET_UNSET,      /* no such environment variable */
    CBA_SECRET_UNREADABLE, /* errno says why */
    CBA_SECRET_NOT_A_FILE,
    CBA_SECRET_NO_SOURCE, /* neither a file nor a pipe */
    CBA_SECRET_TERMINAL,
    CBA_SECRET_FILE_TOO_BIG,
    CBA_SECRET_EXPOSED, /* every user of the machine may read or change the file */
};

struct cba_invisible;
struct cba_private_file;
struct cba_secret;
struct cba_vault;

/* A new vault with one reference, or NULL when out of memory. */
struct cba_vault *cba_vault_new(void);

/* Drops one reference. The last one (the owner's or a secret's) frees every page. */
void cba_vault_release(struct cba_vault *vault);

/* An empty secret, or NULL when out of memory. It holds a reference to its vault. */
struct cba_secret *cba_secret_new(struct cba_vault *vault);

/* One more with the same bytes, in the same vault; NULL when out of memory. */
struct cba_secret *cba_secret_copy(const struct cba_secret *other);

/* Wipes the secret and gives its slot back. NULL is fine. */
void cba_secret_free(struct cba_secret *secret);

/* Each replaces what `secret` holds, or leaves it and returns why. Bytes are taken as they are.
 * What comes from outside of the program (text, a file, the environment) loses one line feed at its
 * end, and must have no other invisible character at either end. */
enum cba_secret_status cba_secret_from_bytes(struct cba_secret *secret, const char *bytes,
                                             size_t length);
enum cba_secret_status cba_secret_from_text(struct cba_secret *secret, const char *text,
                                            size_t length);
enum cba_secret_status cba_secret_from_file(struct cba_secret *secret,
                                            struct cba_private_file *file);
enum cba_secret_status cba_secret_from_env(struct cba_secret *secret, const char *name);

/* After CBA_SECRET_INVISIBLE: what was at the ends. */
const struct cba_invisible *cba_secret_ends(const struct cba_secret *secret);

/* Copies `other` into `secret`; true when the two differed. */
bool cba_secret_replace(struct cba_secret *secret, const struct cba_secret *other);

/* The bytes, NUL-terminated, valid until the secret is changed or freed. */
const char *cba_secret_bytes(const struct cba_secret *secret, size_t *length);

/* Guarded memory for whole buffers: locked, between guard pages, wiped on free. NULL when out of
 * memory. */
void *cba_guarded_new(size_t size);
void cba_guarded_free(void *memory);
void cba_wipe(void *memory, size_t size);

/* A number in [0, 1), from libsodium's generator: the host's own seed is neither needed nor
 * changed. */
double cba_random(void);

/* libsodium's version. */
const char *cba_secret_library(void);

#endif
