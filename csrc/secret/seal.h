/* Sealing: encrypts and authenticates text that leaves this process. Only a holder of the client
 * secret can read it.
 *
 * The key is derived from the client secret, so there is no other key to keep, and text that was
 * sealed under another secret cannot be opened. An attacker with sealed bytes can test guesses of
 * the secret, so sealing is only as strong as the secret is hard to guess. */
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

/* Writes length + CBA_SEAL_OVERHEAD bytes to `sealed`, different ones each time. They open only in
 * the same context. */
void cba_seal(const struct cba_secret *secret, const char *context, size_t context_length,
              const char *text, size_t length, unsigned char *sealed);

/* Writes length - CBA_SEAL_OVERHEAD bytes to `text`. False, with nothing in `text`, when this
 * secret did not seal these bytes in this context. */
bool cba_unseal(const struct cba_secret *secret, const char *context, size_t context_length,
                const unsigned char *sealed, size_t length, unsigned char *text);

/* A name for the secret and the context: a keyed hash, which reveals neither. NUL-terminated. */
void cba_entry_name(const struct cba_secret *secret, const char *context, size_t context_length,
                    char name[CBA_ENTRY_NAME_LENGTH + 1]);

#endif
