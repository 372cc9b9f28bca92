/* Letters and digits of ASCII, as protocols use them. The C library's functions depend on the
 * locale: in a Turkish locale LOCATION does not equal location. */
#ifndef CBA_ASCII_H
#define CBA_ASCII_H

#include <stdbool.h>
#include <stddef.h>

/* A to Z become a to z; all else stays. */
char cba_ascii_lower(char c);

/* Whether the first `length` bytes, or all up to a NUL, are the same but for the case of A to Z. */
bool cba_ascii_same(const char *one, const char *other, size_t length);

/* Whether `text` begins with `start` in that way. */
bool cba_ascii_begins(const char *text, const char *start);

/* Whether it is a token of RFC 9110, such as a method or a header's name. */
bool cba_ascii_is_token(const char *text, size_t length);

/* The number that `count` hex digits, at most 7, stand for; -1 when one of them is no digit. */
long cba_ascii_hex(const char *digits, size_t count);

#endif
