/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef CBA_UTF8_H
#define CBA_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the character that `bytes` begin with, or 0 when they begin with none. */
size_t cba_utf8_character(const char *bytes, size_t left);

/* How many characters `bytes` holds, or -1 when it is not valid UTF-8. */
long cba_utf8_count(const char *bytes, size_t length);

/* The first character of `bytes`, and how many bytes it has; 0 when it is not valid UTF-8. */
size_t cba_utf8_read(const char *bytes, size_t length, uint32_t *code);

#endif
