#include "http/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret/secret.h"

enum { LOOKED_AT = 16 * 1024 }; /* PEM may begin with text of any length */

/* ITU-T X.690: tags, and the bit of a length that says how many bytes of it follow */
enum {
    INTEGER = 0x02,
    SEQUENCE = 0x30,
    LONG_LENGTH = 0x80,
    LENGTH_BYTES_MAX = 4,
    BITS_OF_A_BYTE = 8
};

/* RFC 7292, section 4: a PFX begins with its version, an integer of one byte. */
enum { PFX_VERSION = 3 };

/* Reads a sequence's tag and length: gives where its content begins, or 0 when it is none, or does
 * not end within the file. BER leaves a length out that is told by its end. */
static size_t content_of_sequence(const unsigned char *bytes, size_t length, size_t file_size) {
    if (length < 2 || bytes[0] != SEQUENCE) {
        return 0;
    }
    size_t more = bytes[1] >= LONG_LENGTH ? bytes[1] - LONG_LENGTH : 0;
    size_t at = 2 + more;
    size_t size = more == 0 && bytes[1] < LONG_LENGTH ? bytes[1] : 0;
    if (more > LENGTH_BYTES_MAX || at > length) {
        return 0;
    }
    for (size_t i = 2; i < at; i++) {
        size = size << BITS_OF_A_BYTE | bytes[i];
    }
    return size <= file_size - at ? at : 0;
}

/* A certificate is a sequence in a sequence, so is an encrypted key; a key and a PFX are a sequence
 * that begins with a version. */
static enum cba_key_form form_of_bytes(const unsigned char *bytes, size_t length,
                                       size_t file_size) {
    size_t at = content_of_sequence(bytes, length, file_size);
    if (at == 0 || at + 3 > length) {
        return CBA_FORM_OTHER;
    }
    if (bytes[at] == INTEGER && bytes[at + 1] == 1) {
        return bytes[at + 2] == PFX_VERSION ? CBA_FORM_PKCS12 : CBA_FORM_DER;
    }
    return bytes[at] == SEQUENCE ? CBA_FORM_DER : CBA_FORM_OTHER;
}

static enum cba_key_form form_of_file(int fd) {
    static const char pem[] = "-----BEGIN ";
    unsigned char bytes[LOOKED_AT];
    struct stat status;
    ssize_t length = read(fd, bytes, sizeof bytes);
    if (length < 0 || fstat(fd, &status) != 0 || status.st_size < length) {
        return CBA_FORM_UNREADABLE;
    }
    enum cba_key_form form = form_of_bytes(bytes, (size_t)length, (size_t)status.st_size);
    if (form == CBA_FORM_OTHER &&
        (memmem(bytes, (size_t)length, pem, strlen(pem)) != NULL || length == LOOKED_AT)) {
        form = CBA_FORM_PEM;
    }
    cba_wipe(bytes, sizeof bytes);
    return form;
}

enum cba_key_form cba_key_form(const char *path) {
    static const char uri[] = "pkcs11:";
    struct stat status;
    if (strncmp(path, uri, sizeof uri - 1) == 0) {
        return CBA_FORM_PEM;
    }
    /* Whoever reads a pipe takes from it what the TLS library is to read: it is not opened. */
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return CBA_FORM_PEM;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return CBA_FORM_UNREADABLE;
    }
    enum cba_key_form form = form_of_file(fd);
    int fault = errno;
    close(fd);
    errno = fault;
    return form;
}
