/* What the unit tests share: counted checks, and buffers with nothing behind them. */
#ifndef CBA_CHECK_H
#define CBA_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Prints what failed, once; formats are printf's. */
void check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the sum; what main returns. */
int check_summary(const char *name);

/* A copy that ends where readable memory ends, with a NUL as its last byte: reading further stops
 * the program even in a library that no sanitizer has seen. Free it with cba_guarded_free. */
char *exact_copy(const char *bytes, size_t length);

/* The same without even the NUL. */
char *bare_copy(const char *bytes, size_t length);

/* Allocation that checks, when memory is freed, that no "canary" is left in it; and how often. */
void *canary_malloc(size_t size);
void canary_free(void *bytes);
extern unsigned long canary_blocks_read;

#endif
