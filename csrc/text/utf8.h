/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef CBA_UTF8_H
#define CBA_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { CBA_UTF8_MAX = 4 }; /* bytes of a character */

/* The length of the first character, or 0 when `bytes` do not begin with a valid one. */
size_t cba_utf8_character(const char *bytes, size_t length);

/* The number of characters, or -1 when `bytes` are not valid UTF-8. */
long cba_utf8_count(const char *bytes, size_t length);

/* Reads the first character. Returns its length, or 0 as cba_utf8_character does. */
size_t cba_utf8_read(const char *bytes, size_t length, uint32_t *code);

/* Writes a character, also a surrogate; returns its length. */
size_t cba_utf8_write(uint32_t code, char bytes[CBA_UTF8_MAX]);

#endif
