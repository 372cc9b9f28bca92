/* Included by the compiler ahead of every file of csrc in a program that counts allocations (see
 * CMakeLists.txt): what csrc asks of malloc and libsodium passes through faults.c. The real headers
 * come first, so that only calls are renamed and no declarations. */
#ifndef CBA_COUNTED_H
#define CBA_COUNTED_H

#include <sodium.h>
#include <stdlib.h>

void *counted_malloc(size_t size);
void *counted_calloc(size_t number, size_t size);
void *counted_realloc(void *block, size_t size);
void counted_free(void *block);
void *counted_sodium_malloc(size_t size);
void counted_sodium_free(void *block);

#define malloc counted_malloc
#define calloc counted_calloc
#define realloc counted_realloc
#define free counted_free
#define sodium_malloc counted_sodium_malloc
#define sodium_free counted_sodium_free

#endif
