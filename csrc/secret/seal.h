/* Text that only a holder of the secret can read, for places outside of this process.
 *
 * The key is derived from the client secret, so there is no other one to keep, and another secret
 * never opens what this one has sealed. Who can guess the secret can test the guess on what is
 * sealed: sealing is as strong as the secret is hard to guess. */
#ifndef CBA_SEAL_H
#define CBA_SEAL_H

#include <stdbool.h>
#include <stddef.h>

struct cba_secret;

enum {
    CBA_SEAL_MAX_TEXT = 128 * 1024,
    CBA_SEAL_OVERHEAD = 1 + 24 + 16, /* the format's number, a nonce, an authenticator */
    CBA_ENTRY_NAME_LENGTH = 32,      /* hex digits */
};

/* Writes length + CBA_SEAL_OVERHEAD bytes to `sealed`; two times are never the same. They open only
 * with the same context. */
void cba_seal(const struct cba_secret *secret, const char *context, size_t context_length,
              const char *text, size_t length, unsigned char *sealed);

/* Writes length - CBA_SEAL_OVERHEAD bytes to `text`; false when these bytes are not what this
 * secret sealed in this context. There is nothing to be read in `text` then. */
bool cba_unseal(const struct cba_secret *secret, const char *context, size_t context_length,
                const unsigned char *sealed, size_t length, unsigned char *text);

/* A name for what belongs to the secret and the context, which tells nothing of either to whoever
 * does not know the secret. NUL-terminated. */
void cba_entry_name(const struct cba_secret *secret, const char *context, size_t context_length,
                    char name[CBA_ENTRY_NAME_LENGTH + 1]);

#endif
