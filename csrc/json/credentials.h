/* The body of an authentication request. */
#ifndef CBA_CREDENTIALS_H
#define CBA_CREDENTIALS_H

#include <stddef.h>

enum {
    /* Enough for two values of 100 control characters, each written as six bytes, for the names
     * around them, and for the reserve that cJSON requires. */
    CBA_JSON_CREDENTIALS_MAX = 2048,
};

/* Writes {"clientId":…,"clientSecret":…} and a NUL. Returns the length, or 0 when the text does not
 * fit. Copies the secret to no other memory. */
size_t cba_json_write_credentials(char *out, size_t size, const char *id, const char *secret);

#endif
