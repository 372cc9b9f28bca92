#include "system/maker.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MARK_SIZE = 1, /* the system rounds it up to a page */
    NO_ADVICE = -1,
};

/* Memory that holds 1 and reads as zero in a child, or NULL. */
static unsigned char *new_mark(void) {
#ifdef MADV_WIPEONFORK
    unsigned char *mark =
        mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED) {
        return NULL;
    }
    /* Emulators that ignore advice accept any, and a child would keep the mark: so one that does
     * not exist is tried first. */
    if (madvise(mark, MARK_SIZE, NO_ADVICE) != 0 &&
        madvise(mark, MARK_SIZE, MADV_WIPEONFORK) == 0) {
        *mark = 1;
        return mark;
    }
    munmap(mark, MARK_SIZE);
#endif
    return NULL;
}

void cba_maker_note(struct cba_maker *maker) {
    maker->pid = getpid();
    maker->mark = new_mark();
}

void cba_maker_forget(struct cba_maker *maker) {
    if (maker->mark != NULL) {
        munmap(maker->mark, MARK_SIZE);
        maker->mark = NULL;
    }
}

bool cba_maker_is_us(const struct cba_maker *maker) {
    return maker->mark != NULL ? *maker->mark != 0 : maker->pid == getpid();
}
