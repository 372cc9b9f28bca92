/* Letters as protocols have them. What the C library compares them with asks the host's locale: in
 * a Turkish one LOCATION is no location. */
#ifndef CBA_ASCII_H
#define CBA_ASCII_H

#include <stdbool.h>
#include <stddef.h>

/* A to Z as a to z, all else as it is. */
char cba_ascii_lower(char c);

/* Whether the first `length` bytes of both, or all up to a NUL, are the same but for the case of A
 * to Z. */
bool cba_ascii_same(const char *one, const char *other, size_t length);

#endif
