/* The two documents of the bank's endpoint. The only file that includes cJSON. */
#ifndef CBA_JSON_H
#define CBA_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum {
    /* A control character is written as six bytes; 100 of them twice, the frame and cJSON's slack.
     */
    CBA_JSON_CREDENTIALS_MAX = 2048,
};

enum cba_reply_status {
    CBA_REPLY_OK,
    CBA_REPLY_EMPTY,
    CBA_REPLY_NOT_JSON, /* as RFC 8259 has it; also when memory ran out */
    CBA_REPLY_NOT_OBJECT,
    /* From here on the bank would say the same again: it is compressed, or a JSON object. */
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

/* Writes {"clientId":…,"clientSecret":…} and a NUL; the length, or 0 when it does not fit. */
size_t cba_json_write_credentials(char *out, size_t size, const char *id, const char *secret);

/* Reads a token reply. `bytes[length]` must be readable and NUL. On success the token's bytes are
 * moved to the front of `bytes`: the reply needs no memory of its own, and wiping the buffer wipes
 * the token. On failure `bytes` is unchanged. */
enum cba_reply_status cba_json_read_reply(char *bytes, size_t length, struct cba_reply *reply);

/* cJSON's version. */
const char *cba_json_library(void);

#endif
