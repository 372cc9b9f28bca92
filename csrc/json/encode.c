#include "json/encode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"

enum { FIRST_SIZE = 256 }; /* bytes; then it doubles */

void cba_json_text_free(struct cba_json_text *text) {
    if (text->bytes != NULL) {
        cba_wipe(text->bytes, text->length);
        free(text->bytes);
    }
    memset(text, 0, sizeof *text);
}

/* Does not use realloc, which could leave a copy of a secret in freed memory. */
static bool grow(struct cba_json_text *text, size_t more) {
    size_t size = text->size > 0 ? text->size : FIRST_SIZE;
    while (size - text->length < more) {
        if (size > SIZE_MAX / 2) {
            return false;
        }
        size *= 2;
    }
    char *bytes = malloc(size);
    if (bytes == NULL) {
        return false;
    }
    size_t length = text->length;
    if (length > 0) {
        memcpy(bytes, text->bytes, length);
    }
    cba_json_text_free(text);
    text->bytes = bytes;
    text->length = length;
    text->size = size;
    return true;
}

bool cba_json_put(struct cba_json_text *text, const char *bytes, size_t length) {
    if (text->size - text->length < length && !grow(text, length)) {
        return false;
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
    }
    return true;
}

static bool put_escape(struct cba_json_text *text, char c) {
    static const char escaped[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    char escape[sizeof "\\u0000"] = {'\\'};
    const char *found = memchr(escaped, c, sizeof escaped - 1);
    if (found != NULL) {
        escape[1] = names[found - escaped];
    } else {
        (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)c);
    }
    return cba_json_put(text, escape, strlen(escape));
}

bool cba_json_put_string(struct cba_json_text *text, const char *bytes, size_t length) {
    const char *end = bytes + length, *plain = bytes;
    bool ok = cba_json_put(text, "\"", 1);
    for (const char *at = bytes; ok && at < end; at++) {
        if ((unsigned char)*at < ' ' || *at == '"' || *at == '\\') {
            ok = cba_json_put(text, plain, (size_t)(at - plain)) && put_escape(text, *at);
            plain = at + 1;
        }
    }
    return ok && cba_json_put(text, plain, (size_t)(end - plain)) && cba_json_put(text, "\"", 1);
}
