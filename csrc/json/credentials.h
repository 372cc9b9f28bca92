/* The body of an authentication request. */
#ifndef CBA_CREDENTIALS_H
#define CBA_CREDENTIALS_H

#include <stddef.h>

enum {
    /* Enough for 100 characters twice, each a control character that is written as six bytes, the
     * frame around them, and what cJSON wants beyond what it writes. */
    CBA_JSON_CREDENTIALS_MAX = 2048,
};

/* Writes {"clientId":…,"clientSecret":…} and a NUL; the length, or 0 when it does not fit. Copies
 * the secret to no other memory. */
size_t cba_json_write_credentials(char *out, size_t size, const char *id, const char *secret);

#endif
