/* Blanks what must not be shown in text that is shown on request. In place, length unchanged. */
#ifndef CBA_REDACT_H
#define CBA_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* Every occurrence of `needle` becomes asterisks: in any case, and however its characters are
 * escaped in JSON or percent-encoded. */
void cba_redact_value(char *text, size_t length, const char *needle, size_t needle_length);

/* What may be the beginning of it at the end of a text that was cut. */
void cba_redact_end(char *text, size_t length, const char *needle, size_t needle_length);

/* Whether it is text, as far as can be told: where there are control characters it may be
 * compressed or in an encoding that is not seen through, and is not to be shown at all. */
bool cba_redact_is_text(const char *text, size_t length);

/* Whether a value that stands alone may be a token, or speak of one. */
bool cba_redact_suspects(const char *text);

/* The value of every JSON member whose name ends in "token" or "secret", in any case and without
 * escapes; a number stays. An object or array takes the rest of the text with it, and so does a
 * string of JSON in a JSON string. Works on a document that is broken or cut short, which is when a
 * body is looked at. */
void cba_redact_members(char *text, size_t length);

#endif
