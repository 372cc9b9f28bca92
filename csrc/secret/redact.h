/* Blanks secrets in text that is shown on request, such as a body. It changes the text
 * in place and keeps its length. */
#ifndef CBA_REDACT_H
#define CBA_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* Every occurrence of `needle` becomes asterisks: in any case, and however its characters are
 * escaped in JSON or percent-encoded. */
void cba_redact_value(char *text, size_t length, const char *needle, size_t needle_length);

/* The same for a beginning of the needle at the end of a text that was cut. */
void cba_redact_end(char *text, size_t length, const char *needle, size_t needle_length);

/* False for what holds control characters: it may be compressed or in an encoding in which secrets
 * are not found, and must not be shown. */
bool cba_redact_is_text(const char *text, size_t length);

/* Whether a value may be a token, or names one. */
bool cba_redact_suspects(const char *text);

/* The value of every JSON member whose name ends in "token" or "secret", in any case and without
 * escapes; a number stays. From an object, an array or a nested JSON string on, the rest of the
 * text is blanked. Also for a document that is malformed or cut. */
void cba_redact_members(char *text, size_t length);

#endif
