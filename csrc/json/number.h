/* Numbers as JSON writes them, in every locale. */
#ifndef CBA_NUMBER_H
#define CBA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

struct cba_number {
    bool is_whole, is_double; /* neither: no number of Lua's holds the value */
    long long whole;
    double value;
};

/* Reads a number that the grammar accepts. What counts is the value and not how it is written: 1e2
 * and 100.00 are whole. A double holds a value when it gives the digits back: 0.1 does, and
 * 12345678901234567890.12 does not. So 1e17 is taken for a double, and the digits of a whole number
 * from 2^53 on for an integer, which has all of them. -0 is a double only. */
void cba_number_read(const char *digits, size_t length, struct cba_number *number);

enum { CBA_NUMBER_SIZE = 40 }; /* bytes that hold what is written, and a NUL */

/* Writes a finite number: a whole one below 2^53 in plain digits, any other with as few digits as
 * read back the same. */
void cba_number_write(double value, char text[CBA_NUMBER_SIZE]);

#endif
