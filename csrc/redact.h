/* Blanks what must not be shown in text that is shown on request. In place, length unchanged. */
#ifndef CBA_REDACT_H
#define CBA_REDACT_H

#include <stddef.h>

/* Every occurrence of `needle`, raw or as JSON writes it, becomes asterisks. */
void cba_redact_value(char *text, size_t length, const char *needle, size_t needle_length);

/* The string value of every JSON member whose name ends in "token", in any case. Works on a
 * document that is broken or cut short, which is when a body is looked at. */
void cba_redact_tokens(char *text, size_t length);

#endif
