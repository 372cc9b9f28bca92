#include "secret/seal.h"

#include <sodium.h>
#include <string.h>

#include "secret/secret.h"

/* The first byte of sealed bytes. Another cipher or derivation gets another number. */
enum { FORMAT = 1 };

enum {
    KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    DIGEST_SIZE = crypto_generichash_blake2b_BYTES,
    AAD_SIZE = 1 + DIGEST_SIZE,
    HEADER_SIZE = 1 + NONCE_SIZE,
};

/* Does not compile when the header promises another size. */
enum { OVERHEAD_IS_AS_PROMISED = 1 / (HEADER_SIZE + TAG_SIZE == CBA_SEAL_OVERHEAD) };

/* BLAKE2b's personalization, 16 bytes: it derives a key for each purpose from one secret. A purpose
 * never changes its bytes. */
static const unsigned char seal_purpose[] = "corebank sealing";
static const unsigned char name_purpose[] = "corebank naming!";

/* A key of the secret's own for one purpose; the caller wipes it. No libsodium call here can fail:
 * sizes are constant, and sodium_init has been called for the secret's memory. */
static void derive(const struct cba_secret *secret, const unsigned char *purpose,
                   unsigned char key[KEY_SIZE]) {
    size_t length;
    const char *bytes = cba_secret_bytes(secret, &length);
    crypto_generichash_blake2b_salt_personal(key, KEY_SIZE, (const unsigned char *)bytes, length,
                                             NULL, 0, NULL, purpose);
}

/* What is authenticated beside the text: the format and the context, whatever its length. */
static void bind(const char *context, size_t length, unsigned char aad[AAD_SIZE]) {
    aad[0] = FORMAT;
    crypto_generichash_blake2b(aad + 1, DIGEST_SIZE, (const unsigned char *)context, length, NULL,
                               0);
}

void cba_seal(const struct cba_secret *secret, const char *context, size_t context_length,
              const char *text, size_t length, unsigned char *sealed) {
    unsigned char key[KEY_SIZE], aad[AAD_SIZE];
    unsigned char *nonce = sealed + 1;
    bind(context, context_length, aad);
    sealed[0] = FORMAT;
    randombytes_buf(nonce, NONCE_SIZE);
    derive(secret, seal_purpose, key);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + HEADER_SIZE, NULL,
                                               (const unsigned char *)text, length, aad, sizeof aad,
                                               NULL, nonce, key);
    cba_wipe(key, sizeof key);
}

bool cba_unseal(const struct cba_secret *secret, const char *context, size_t context_length,
                const unsigned char *sealed, size_t length, unsigned char *text) {
    unsigned char key[KEY_SIZE], aad[AAD_SIZE];
    if (length < CBA_SEAL_OVERHEAD || length > CBA_SEAL_MAX_TEXT + CBA_SEAL_OVERHEAD ||
        sealed[0] != FORMAT) {
        return false;
    }
    bind(context, context_length, aad);
    derive(secret, seal_purpose, key);
    /* Authenticates first, and deciphers nothing on failure. */
    int status = crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, sealed + HEADER_SIZE,
                                                            length - HEADER_SIZE, aad, sizeof aad,
                                                            sealed + 1, key);
    cba_wipe(key, sizeof key);
    return status == 0;
}

void cba_entry_name(const struct cba_secret *secret, const char *context, size_t context_length,
                    char name[CBA_ENTRY_NAME_LENGTH + 1]) {
    unsigned char key[KEY_SIZE], digest[CBA_ENTRY_NAME_LENGTH / 2];
    derive(secret, name_purpose, key);
    crypto_generichash_blake2b(digest, sizeof digest, (const unsigned char *)context,
                               context_length, key, sizeof key);
    cba_wipe(key, sizeof key);
    sodium_bin2hex(name, CBA_ENTRY_NAME_LENGTH + 1, digest, sizeof digest);
}
