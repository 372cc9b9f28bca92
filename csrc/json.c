#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "secret.h"
#include "utf8.h"

static const double largest_whole = 9007199254740992.0; /* 2^53 */
enum { LARGEST_DIGITS = 16 };

/* cJSON_PrintPreallocated wants a few bytes more than it writes. */
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

/* cJSON ends a string at \u0000 without a word, and so would shorten a token. */
static bool has_nul(const char *bytes, size_t length) {
    if (memchr(bytes, '\0', length) != NULL) {
        return true;
    }
    const char *first = memchr(bytes, '\\', length);
    if (first == NULL) {
        return false;
    }
    for (size_t i = (size_t)(first - bytes); i + 5 < length; i++) {
        if (bytes[i] == '\\') {
            if (memcmp(bytes + i + 1, "u0000", 5) == 0) {
                return true;
            }
            i++;
        }
    }
    return false;
}

/* Depth is bounded by cJSON's own nesting limit (1000). */
static void wipe_tree(cJSON *item) {
    for (; item != NULL; item = item->next) {
        if (item->valuestring != NULL) {
            cba_wipe(item->valuestring, strlen(item->valuestring));
        }
        wipe_tree(item->child);
    }
}

/* RFC 6750, section 2.1. Not isalnum: that asks the locale. */
static bool is_b64_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

static bool is_b64token(const char *s) {
    const char *end = s;
    while (is_b64_character(*end)) {
        end++;
    }
    if (end == s) {
        return false;
    }
    while (*end == '=') {
        end++;
    }
    return *end == '\0';
}

/* Absent and null are alike. False: there is something, and it is no whole number. */
static bool read_number(const cJSON *item, bool *present, double *value) {
    *present = item != NULL && !cJSON_IsNull(item);
    if (!*present) {
        return true;
    }
    if (cJSON_IsNumber(item)) {
        *value = floor(item->valuedouble);
    } else if (cJSON_IsString(item)) {
        const char *s = item->valuestring;
        size_t digits = strspn(s, "0123456789");
        if (digits == 0 || digits > LARGEST_DIGITS || s[digits] != '\0') {
            return false;
        }
        *value = strtod(s, NULL);
    } else {
        return false;
    }
    return fabs(*value) < largest_whole;
}

enum field { ACCESS_TOKEN, TOKEN_TYPE, EXPIRATION_TIME, TOKEN_VALIDITY, FIELDS };

/* By exact name; our own loop because cJSON's getters take the first of duplicates. */
static bool find_fields(const cJSON *root, const cJSON *found[FIELDS]) {
    static const char *const names[FIELDS] = {"accessToken", "tokenType", "expirationTime",
                                              "tokenValiditySec"};
    for (const cJSON *item = root->child; item != NULL; item = item->next) {
        for (size_t i = 0; i < FIELDS; i++) {
            if (strcmp(item->string, names[i]) == 0) {
                if (found[i] != NULL) {
                    return false;
                }
                found[i] = item;
                break;
            }
        }
    }
    return true;
}

static enum cba_reply_status read_fields(const cJSON *root, struct cba_reply *reply) {
    const cJSON *found[FIELDS] = {NULL};
    if (!cJSON_IsObject(root)) {
        return CBA_REPLY_NOT_OBJECT;
    }
    if (!find_fields(root, found)) {
        return CBA_REPLY_DUPLICATE;
    }
    const char *token = cJSON_GetStringValue(found[ACCESS_TOKEN]);
    if (token == NULL || !is_b64token(token)) {
        return CBA_REPLY_ACCESS_TOKEN;
    }
    const cJSON *type = found[TOKEN_TYPE];
    if (type != NULL && !cJSON_IsNull(type) &&
        !(cJSON_IsString(type) && cba_ascii_same(type->valuestring, "Bearer", sizeof "Bearer"))) {
        return CBA_REPLY_TOKEN_TYPE;
    }
    if (!read_number(found[EXPIRATION_TIME], &reply->has_expiration, &reply->expiration)) {
        return CBA_REPLY_EXPIRATION_TIME;
    }
    if (!read_number(found[TOKEN_VALIDITY], &reply->has_validity, &reply->validity)) {
        return CBA_REPLY_TOKEN_VALIDITY;
    }
    if (!reply->has_expiration && !reply->has_validity) {
        return CBA_REPLY_NO_LIFETIME;
    }
    reply->token = token;
    reply->token_length = strlen(token);
    return CBA_REPLY_OK;
}

enum cba_reply_status cba_json_read_reply(char *bytes, size_t length, struct cba_reply *reply) {
    memset(reply, 0, sizeof *reply);
    if (length == 0) {
        return CBA_REPLY_EMPTY;
    }
    if (has_nul(bytes, length)) {
        return CBA_REPLY_NUL;
    }
    if (cba_utf8_count(bytes, length) < 0) {
        return CBA_REPLY_NOT_JSON;
    }
    /* The terminating NUL is part of what cJSON may look at: before 1.7.18 it reads one byte past
     * an input that ends in a comma. */
    cJSON *root = cJSON_ParseWithLengthOpts(bytes, length + 1, NULL, 1);
    if (root == NULL) {
        return CBA_REPLY_NOT_JSON;
    }
    enum cba_reply_status status = read_fields(root, reply);
    if (status == CBA_REPLY_OK) {
        /* Decoding never lengthens a string, and the quotes are gone, so it fits. */
        memcpy(bytes, reply->token, reply->token_length);
        reply->token = bytes;
    }
    wipe_tree(root);
    cJSON_Delete(root);
    return status;
}

const char *cba_json_library(void) {
    return cJSON_Version();
}
