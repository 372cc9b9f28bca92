/* Any bytes as a bank's answer: cba_json_read_reply refuses them and leaves them as they are, or
 * takes from them a token and numbers that are what it promises. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"
#include "json/reply.h"

enum { LARGEST = 1 << 20 }; /* libFuzzer's own limit is far below */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts are what libFuzzer takes for a finding. */
static void must(int holds) {
    if (!holds) {
        abort();
    }
}

/* Where `size` bytes end at a page that cannot be read, as guarded memory does: cJSON is not
 * instrumented, and would read further unseen. */
static char *place_for(size_t size) {
    static char *whole;
    if (whole == NULL) {
        whole = cba_guarded_new(LARGEST);
        must(whole != NULL);
    }
    return whole + LARGEST - size;
}

static int is_b64token_byte(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           strchr("-._~+/=", c) != NULL;
}

static void check_number(int present, double value) {
    if (present) {
        must(floor(value) == value && fabs(value) < 9007199254740992.0);
    }
}

static void check_reply(const struct cba_reply *reply, const char *bytes, size_t size) {
    must(reply->token == bytes && reply->token_length > 0 && reply->token_length < size);
    for (size_t i = 0; i < reply->token_length; i++) {
        must(bytes[i] != '\0' && is_b64token_byte(bytes[i]));
    }
    must(reply->has_expiration || reply->has_validity);
    check_number(reply->has_expiration, reply->expiration);
    check_number(reply->has_validity, reply->validity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cba_reply reply;
    if (size >= LARGEST) {
        return -1;
    }
    char *bytes = place_for(size + 1);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    bytes[size] = '\0';
    if (cba_json_read_reply(bytes, size, &reply) == CBA_REPLY_OK) {
        check_reply(&reply, bytes, size);
    } else {
        must(size == 0 || memcmp(bytes, data, size) == 0);
    }
    must(bytes[size] == '\0');
    return 0;
}
