/* Reads any JSON text into a tree of cJSON.
 *
 * cJSON keeps a number as a double, without its digits, and ends a string at \u0000. So callers
 * read numbers from the text, and a mark stands for each NUL. A caller must walk through the tree
 * in the order of the text, and must call cba_document_token for each string, name and number. */
#ifndef CBA_DECODE_H
#define CBA_DECODE_H

#include <stdbool.h>
#include <stddef.h>

enum { CBA_JSON_VALUE_DEPTH_MAX = 100 };

struct cJSON;

struct cba_document {
    const char *text, *token, *rest, *end;
    struct cJSON *root;
};

enum cba_document_status {
    CBA_DOCUMENT_OK,
    CBA_DOCUMENT_NOT_JSON,
    CBA_DOCUMENT_TOO_DEEP,
    CBA_DOCUMENT_NO_MEMORY,
};

/* Opens a document. It keeps a pointer to `text`. If the status is not OK, `token` points to the
 * first byte that is not JSON, and there is nothing to close. */
enum cba_document_status cba_document_open(struct cba_document *document, const char *text,
                                           size_t length);

/* Wipes and frees the tree. May be called again. */
void cba_document_close(struct cba_document *document);

/* Moves `token` to the next token of the text, and returns its length. */
size_t cba_document_token(struct cba_document *document);

enum cba_json_kind {
    CBA_JSON_NULL,
    CBA_JSON_FALSE,
    CBA_JSON_TRUE,
    CBA_JSON_NUMBER,
    CBA_JSON_STRING,
    CBA_JSON_ARRAY,
    CBA_JSON_OBJECT,
};

enum cba_json_kind cba_json_kind(const struct cJSON *item);

/* The first entry of an array or object, and the entry after `item`. NULL when there is none. */
const struct cJSON *cba_json_first(const struct cJSON *item);
const struct cJSON *cba_json_next(const struct cJSON *item);
size_t cba_json_count(const struct cJSON *item);

/* A string, and the name of an object's entry. A mark stands for each NUL. */
const char *cba_json_string(const struct cJSON *item);
const char *cba_json_name(const struct cJSON *item);

/* The first mark of a NUL; NULL when there is none. CBA_JSON_NUL_LENGTH bytes stand for the NUL. */
const char *cba_json_find_nul(const char *string);
enum { CBA_JSON_NUL_LENGTH = 6 };

#endif
