/* Which process made an object. A forked child must not use or clean up an object of its parent. */
#ifndef CBA_MAKER_H
#define CBA_MAKER_H

#include <stdbool.h>
#include <sys/types.h>

struct cba_maker {
    pid_t pid;
    unsigned char *mark; /* reads as zero in a child; NULL where the system has no such memory */
};

/* Notes this process. */
void cba_maker_note(struct cba_maker *maker);

/* Whether this is that process, without a system call where there is such memory. */
bool cba_maker_is_us(const struct cba_maker *maker);

/* Frees the note; in the maker only. */
void cba_maker_forget(struct cba_maker *maker);

#endif
