/* Invisible characters: white space, control characters, direction marks, a BOM. At the beginning
 * or end of a value they are a mistake. On a terminal or in a log some of them do harm. */
#ifndef CBA_INVISIBLE_H
#define CBA_INVISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CBA_INVISIBLE_TEXT = 160, /* bytes that hold any description */
};

/* The invisible characters at the two ends, where there are any. */
struct cba_invisible {
    uint32_t first, last;
    bool begins, ends;
};

/* Whether valid UTF-8 begins with one or ends in one. */
bool cba_invisible_find(const char *bytes, size_t length, struct cba_invisible *found);

/* Says what was found, such as "begins with a byte order mark (BOM); remove it". A line feed at the
 * end is called the second one: the first has been dropped before. */
void cba_invisible_describe(const struct cba_invisible *found, char *text, size_t size);

/* Replaces each invisible character but the space, and each byte that is no UTF-8, by a '?'.
 * Returns the new length, which is not larger. */
size_t cba_printable(char *text, size_t length);

#endif
