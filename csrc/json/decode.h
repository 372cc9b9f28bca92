/* Any JSON text, read into a tree of cJSON's.
 *
 * cJSON keeps a number as a double, without its digits, and ends a string at \u0000. So numbers are
 * read from the text, and NULs are marked. Whoever goes through the tree does so in the order of
 * the text, and calls cba_document_token for each string, each name and each number that is come
 * to. */
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

/* Opens a document, which refers to `text`. After another status than OK `token` is where the text
 * ceases to be JSON, and there is nothing to close. */
enum cba_document_status cba_document_open(struct cba_document *document, const char *text,
                                           size_t length);

/* Wipes and frees the tree. May be called again. */
void cba_document_close(struct cba_document *document);

/* Goes to the next token of the text, which is its `token` then; returns the token's length. */
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

/* The entries of an array or object: the first, the one after another one; NULL at the end. */
const struct cJSON *cba_json_first(const struct cJSON *item);
const struct cJSON *cba_json_next(const struct cJSON *item);
size_t cba_json_count(const struct cJSON *item);

/* A string, and the name of an object's entry. Where it has a NUL there is a mark. */
const char *cba_json_string(const struct cJSON *item);
const char *cba_json_name(const struct cJSON *item);

/* The first mark of a NUL; NULL when there is none. CBA_JSON_NUL_LENGTH bytes stand for the NUL. */
const char *cba_json_find_nul(const char *string);
enum { CBA_JSON_NUL_LENGTH = 6 };

#endif
