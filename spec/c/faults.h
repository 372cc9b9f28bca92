/* Allocators that count, and fail when told to. One family for each library whose memory a call
 * passes through; a test arms a plan, makes a call, disarms, and looks at what is still live. */
#ifndef CBA_FAULTS_H
#define CBA_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

enum fault_family {
    FAULT_LUA,
    FAULT_CJSON,
    FAULT_CURL,
    FAULT_OWN,     /* malloc and calloc in csrc */
    FAULT_GUARDED, /* sodium_malloc in csrc */
    FAULT_FAMILIES,
};

enum fault_mode {
    FAULT_NEVER,   /* only counts */
    FAULT_BRIEFLY, /* one call fails. Lua then collects garbage and asks again, with success */
    FAULT_ONCE,    /* one allocation fails: with Lua, that second request too */
    FAULT_ONWARDS, /* it fails, and so does everything after it */
};

/* Hooks the allocators into cJSON and libcurl. Before any other use of them: the first
 * initialisation of libcurl decides whose memory it uses, later ones only count. */
bool faults_install(void);

/* From now on the `point`-th allocation (1 is the first) of the families in the bit set fails. */
void faults_arm(unsigned families, enum fault_mode mode, unsigned long point);

/* Ends the plan; how many allocations it saw, and in `struck` whether any was failed. */
unsigned long faults_disarm(bool *struck);

/* Blocks allocated and not freed. */
long faults_live(enum fault_family family);

/* A lua_Alloc. */
void *faults_lua(void *unused, void *block, size_t old_size, size_t new_size);

#endif
