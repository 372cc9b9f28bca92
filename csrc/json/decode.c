#include "json/decode.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"
#include "json/grammar.h"
#include "json/tree.h"

/* Replaces the backslash of \u0000. UTF-8 does not have this byte, and cJSON copies it like any
 * other byte. */
enum { NUL_MARK = 0xFF };

/* ---- the text for cJSON -------------------------------------------------------------------- */

/* Replaces each number by 0 and spaces. cJSON refuses long numbers, and in some locales and builds
 * also numbers with a point. So callers read numbers from the text itself. */
static void blank_numbers(char *text, const char *end) {
    const char *after;
    for (const char *at = text; (at = cba_grammar_token(at, end, &after)) != NULL; at = after) {
        if (*at != '"') {
            char *number = text + (at - text);
            memset(number, ' ', (size_t)(after - at));
            *number = '0';
        }
    }
}

/* Half of a surrogate pair becomes U+FFFD: cJSON refuses it, and UTF-8 cannot hold it. */
static void replace_odd_escapes(char *text, const char *end) {
    static const char replacement[] = "fffd";
    for (const char *odd = text; (odd = cba_grammar_odd_escape(odd, end)) != NULL;) {
        char *escape = text + (odd - text);
        if (memcmp(odd, "\\u0000", CBA_JSON_NUL_LENGTH) == 0) {
            *escape = (char)NUL_MARK;
        } else {
            memcpy(escape + 2, replacement, sizeof replacement - 1);
        }
    }
}

static struct cJSON *parse(const char *text, size_t length) {
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    blank_numbers(copy, copy + length); /* first, as the text is not UTF-8 afterwards */
    replace_odd_escapes(copy, copy + length);
    /* cJSON may also read the NUL after the text: see reply.c. */
    struct cJSON *root = cJSON_ParseWithLengthOpts(copy, length + 1, NULL, 1);
    cba_wipe(copy, length);
    free(copy);
    return root;
}

/* ---- documents ----------------------------------------------------------------------------- */

enum cba_document_status cba_document_open(struct cba_document *document, const char *text,
                                           size_t length) {
    size_t at;
    enum cba_grammar_verdict verdict =
        cba_grammar_judge(text, length, CBA_JSON_VALUE_DEPTH_MAX, &at);
    document->text = text;
    document->rest = text;
    document->end = text + length;
    document->token = text + at;
    document->root = NULL;
    if (verdict != CBA_GRAMMAR_JSON) {
        return verdict == CBA_GRAMMAR_TOO_DEEP ? CBA_DOCUMENT_TOO_DEEP : CBA_DOCUMENT_NOT_JSON;
    }
    document->root = parse(text, length);
    return document->root != NULL ? CBA_DOCUMENT_OK : CBA_DOCUMENT_NO_MEMORY;
}

void cba_document_close(struct cba_document *document) {
    struct cJSON *root = document->root;
    document->root = NULL;
    cba_tree_free(root);
}

size_t cba_document_token(struct cba_document *document) {
    document->token = cba_grammar_token(document->rest, document->end, &document->rest);
    return (size_t)(document->rest - document->token);
}

/* ---- values -------------------------------------------------------------------------------- */

enum cba_json_kind cba_json_kind(const struct cJSON *item) {
    switch (item->type & 0xFF) {
        case cJSON_False:
            return CBA_JSON_FALSE;
        case cJSON_True:
            return CBA_JSON_TRUE;
        case cJSON_Number:
            return CBA_JSON_NUMBER;
        case cJSON_String:
            return CBA_JSON_STRING;
        case cJSON_Array:
            return CBA_JSON_ARRAY;
        case cJSON_Object:
            return CBA_JSON_OBJECT;
        default:
            return CBA_JSON_NULL;
    }
}

const struct cJSON *cba_json_first(const struct cJSON *item) {
    return item->child;
}

const struct cJSON *cba_json_next(const struct cJSON *item) {
    return item->next;
}

size_t cba_json_count(const struct cJSON *item) {
    size_t count = 0;
    for (const struct cJSON *entry = item->child; entry != NULL; entry = entry->next) {
        count++;
    }
    return count;
}

const char *cba_json_string(const struct cJSON *item) {
    return item->valuestring;
}

const char *cba_json_name(const struct cJSON *item) {
    return item->string;
}

const char *cba_json_find_nul(const char *string) {
    return strchr(string, NUL_MARK);
}
