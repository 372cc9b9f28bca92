/* The bank's reply to an authentication: which fields it has, and whether they are usable. */
#ifndef CBA_REPLY_H
#define CBA_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum cba_reply_status {
    CBA_REPLY_OK,
    CBA_REPLY_EMPTY,
    CBA_REPLY_NOT_JSON, /* by RFC 8259; or out of memory */
    CBA_REPLY_NOT_OBJECT,
    /* With those below, the bank would answer a retry in the same way. */
    CBA_REPLY_COMPRESSED,
    CBA_REPLY_DUPLICATE,
    CBA_REPLY_NO_ACCESS_TOKEN,
    CBA_REPLY_ACCESS_TOKEN,
    CBA_REPLY_TOKEN_TYPE,
    CBA_REPLY_EXPIRATION_TIME,
    CBA_REPLY_TOKEN_VALIDITY,
    CBA_REPLY_NO_LIFETIME,
};

struct cba_reply {
    const char *token; /* RFC 6750 b64token, inside the buffer that was read; not terminated */
    size_t token_length;
    bool has_expiration, has_validity;
    double expiration; /* whole numbers below 2^53 in magnitude */
    double validity;
};

/* Reads a token reply. `bytes[length]` must be readable and NUL. On success the token's bytes are
 * moved to the front of `bytes`: the reply needs no memory of its own, and wiping the buffer wipes
 * the token. On failure `bytes` is unchanged. */
enum cba_reply_status cba_json_read_reply(char *bytes, size_t length, struct cba_reply *reply);

/* cJSON's version. */
const char *cba_json_library(void);

#endif
