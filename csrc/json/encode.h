/* Writes JSON texts. */
#ifndef CBA_ENCODE_H
#define CBA_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

/* A text that grows. A struct of zeros is an empty text. */
struct cba_json_text {
    char *bytes;
    size_t length, size;
};

/* Each appends to the text, and returns false when out of memory. */
bool cba_json_put(struct cba_json_text *text, const char *bytes, size_t length);
/* A string, quoted and escaped. `bytes` are UTF-8, NULs included. */
bool cba_json_put_string(struct cba_json_text *text, const char *bytes, size_t length);

/* Wipes and frees the text, which is empty afterwards. */
void cba_json_text_free(struct cba_json_text *text);

#endif
