#include "json/reply.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"
#include "text/ascii.h"
#include "json/grammar.h"
#include "json/tree.h"

static const double largest_whole = 9007199254740992.0; /* 2^53 */
enum { NUMBER_MAX = 64 }; /* characters in a string that may be a number */

/* RFC 6750, section 2.1. */
static bool is_b64token(const char *s) {
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~+/";
    size_t length = strspn(s, characters);
    return length > 0 && s[length + strspn(s + length, "=")] == '\0';
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* The number in a string: JSON's syntax, and also a plus and leading zeros. */
static double number_in(const char *text) {
    double value = NAN;
    text += strspn(text, " \t\r\n");
    text += *text == '+';
    while (text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
        text++;
    }
    size_t length = strlen(text);
    if (length > 0 && length < NUMBER_MAX && cba_grammar_accepts(text, length)) {
        cJSON *item = cJSON_Parse(text);
        value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        cJSON_Delete(item);
    }
    return value;
}

/* Reads a whole number below 2^53 in magnitude; false when there is no usable one. */
static bool read_number(const cJSON *item, double *value) {
    *value = NAN;
    if (item == NULL) {
        return false;
    }
    if (cJSON_IsNumber(item)) {
        *value = floor(item->valuedouble);
    } else if (cJSON_IsString(item)) {
        *value = floor(number_in(item->valuestring));
    }
    if (*value <= -largest_whole) {
        *value = 1 - largest_whole; /* only its sign is used */
    }
    return fabs(*value) < largest_whole; /* false for NaN */
}

/* ---- fields -------------------------------------------------------------------------------- */

enum field { ACCESS_TOKEN, TOKEN_TYPE, EXPIRATION_TIME, TOKEN_VALIDITY, FIELDS };

/* Finds fields by their exact names. False when one occurs twice, which cJSON's getters do not
 * notice. */
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

static bool is_given(const cJSON *item) {
    return item != NULL && !cJSON_IsNull(item);
}

/* One usable field is enough, whatever the other one is. An end at or before the epoch counts as
 * absent. */
static enum cba_reply_status read_lifetime(const cJSON *const found[FIELDS],
                                           struct cba_reply *reply) {
    const cJSON *end = found[EXPIRATION_TIME];
    const cJSON *validity = found[TOKEN_VALIDITY];
    bool end_is_number = read_number(end, &reply->expiration);
    reply->has_expiration = end_is_number && reply->expiration > 0;
    reply->has_validity = read_number(validity, &reply->validity);
    if (reply->has_expiration || reply->has_validity) {
        return CBA_REPLY_OK;
    }
    if (is_given(validity)) {
        return CBA_REPLY_TOKEN_VALIDITY;
    }
    return is_given(end) && !end_is_number ? CBA_REPLY_EXPIRATION_TIME : CBA_REPLY_NO_LIFETIME;
}

static enum cba_reply_status read_fields(const cJSON *root, struct cba_reply *reply) {
    const cJSON *found[FIELDS] = {NULL};
    if (!cJSON_IsObject(root)) {
        return CBA_REPLY_NOT_OBJECT;
    }
    if (!find_fields(root, found)) {
        return CBA_REPLY_DUPLICATE;
    }
    if (!is_given(found[ACCESS_TOKEN])) {
        return CBA_REPLY_NO_ACCESS_TOKEN;
    }
    const char *token = cJSON_GetStringValue(found[ACCESS_TOKEN]);
    if (token == NULL || !is_b64token(token)) {
        return CBA_REPLY_ACCESS_TOKEN;
    }
    const cJSON *type = found[TOKEN_TYPE];
    if (is_given(type) &&
        !(cJSON_IsString(type) && cba_ascii_same(type->valuestring, "Bearer", sizeof "Bearer"))) {
        return CBA_REPLY_TOKEN_TYPE;
    }
    reply->token = token;
    reply->token_length = strlen(token);
    return read_lifetime(found, reply);
}

/* ---- the document -------------------------------------------------------------------------- */

/* cJSON ends a string at \u0000. This would shorten a token, or make another name equal to one of
 * ours. cJSON also refuses half of a surrogate pair. Both become U+FFFD, which no field that is
 * read here may contain. */
static void disarm(char *text, size_t length) {
    static const char replacement[] = "fffd";
    const char *end = text + length;
    for (const char *odd = text; (odd = cba_grammar_odd_escape(odd, end)) != NULL;) {
        memcpy(text + (odd - text) + 2, replacement, sizeof replacement - 1);
    }
}

/* Makes cJSON's tree of a JSON text. NULL when out of memory. */
static cJSON *parse(const char *bytes, size_t length) {
    char *copy = NULL;
    if (cba_grammar_odd_escape(bytes, bytes + length) != NULL) {
        copy = cba_guarded_new(length + 1);
        if (copy == NULL) {
            return NULL;
        }
        memcpy(copy, bytes, length + 1);
        disarm(copy, length);
    }
    /* The length includes the terminating NUL: before 1.7.18, cJSON reads one byte past a text that
     * ends in a comma. */
    cJSON *root = cJSON_ParseWithLengthOpts(copy != NULL ? copy : bytes, length + 1, NULL, 1);
    cba_guarded_free(copy);
    return root;
}

/* Some servers compress a reply and do not say so. gzip, compress, zlib, Zstandard, LZ4, bzip2 and
 * xz are recognised by their first bytes. Brotli and raw deflate have no fixed first bytes. */
static bool is_compressed(const char *bytes, size_t length) {
    static const char *const magics[] = {
        "\x1F\x8B", "\x1F\x9D",         "\x78\x01",         "\x78\x5E", "\x78\x9C",
        "\x78\xDA", "\x28\xB5\x2F\xFD", "\x04\x22\x4D\x18", "BZh",      "\xFD\x37zXZ"};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        size_t size = strlen(magics[i]);
        if (length >= size && memcmp(bytes, magics[i], size) == 0) {
            return true;
        }
    }
    return false;
}

enum cba_reply_status cba_json_read_reply(char *bytes, size_t length, struct cba_reply *reply) {
    memset(reply, 0, sizeof *reply);
    if (length == 0) {
        return CBA_REPLY_EMPTY;
    }
    if (!cba_grammar_accepts(bytes, length)) {
        return is_compressed(bytes, length) ? CBA_REPLY_COMPRESSED : CBA_REPLY_NOT_JSON;
    }
    cJSON *root = parse(bytes, length);
    if (root == NULL) {
        return CBA_REPLY_NOT_JSON;
    }
    enum cba_reply_status status = read_fields(root, reply);
    if (status == CBA_REPLY_OK) {
        /* It fits: a decoded string has no quotes, and is never longer than its text. */
        memcpy(bytes, reply->token, reply->token_length);
        reply->token = bytes;
    }
    cba_tree_free(root);
    return status;
}

const char *cba_json_library(void) {
    return cJSON_Version();
}
