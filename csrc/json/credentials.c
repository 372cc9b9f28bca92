#include "json/credentials.h"

#include <cjson/cJSON.h>
#include <string.h>

/* cJSON_PrintPreallocated needs a few bytes more than it writes. */
enum { PRINT_SLACK = 8 };

/* Writes `text` as a JSON string with its quotes and a NUL; the length, or 0 without room. */
static size_t quote(char *out, size_t size, const char *text) {
    /* A string item of our own on the stack: printing it allocates nothing, so no copy of a secret
     * is left on the heap. cJSON does not write through valuestring. */
    cJSON item = {.type = cJSON_String | cJSON_IsReference, .valuestring = (char *)text};
    if (size <= PRINT_SLACK || !cJSON_PrintPreallocated(&item, out, (int)size, 0)) {
        return 0;
    }
    return strlen(out);
}

size_t cba_json_write_credentials(char *out, size_t size, const char *id, const char *secret) {
    static const char open[] = "{\"clientId\":";
    static const char middle[] = ",\"clientSecret\":";
    static const char close[] = "}";
    const char *frame[] = {open, middle, close};
    const char *values[] = {id, secret, NULL};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(frame[i]);
        if (size - at <= length) {
            return 0;
        }
        memcpy(out + at, frame[i], length + 1);
        at += length;
        if (values[i] != NULL) {
            size_t quoted = quote(out + at, size - at, values[i]);
            if (quoted == 0) {
                return 0;
            }
            at += quoted;
        }
    }
    return at;
}
