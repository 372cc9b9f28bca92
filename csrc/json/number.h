/* Reads and writes the numbers of JSON, in the same way in every locale. */
#ifndef CBA_NUMBER_H
#define CBA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

struct cba_number {
    bool is_whole, is_double; /* if neither, no number of Lua can hold the value */
    long long whole;
    double value;
};

/* Reads a number that the grammar accepts. The value decides, and not its notation: 1e2 and 100.00
 * are whole. A double can hold a value if it gives the same digits back: it can hold 0.1, and not
 * 12345678901234567890.12. A whole number below 2^53 is both. From 2^53 on, a number in plain
 * digits is whole, and is a double as well if a double can hold it. A number with a point or an
 * exponent, such as 1e17, is then not whole if a double can hold it. -0 is a double only. */
void cba_number_read(const char *digits, size_t length, struct cba_number *number);

enum { CBA_NUMBER_SIZE = 40 }; /* bytes, enough for every number and a NUL */

/* Writes a finite number: a whole one below 2^53 in plain digits, any other with the fewest digits
 * from which the same number is read. */
void cba_number_write(double value, char text[CBA_NUMBER_SIZE]);

#endif
