#include "system/maker.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef MADV_WIPEONFORK

enum {
    MARK_SIZE = 1, /* the system rounds it up to a page */
    NO_ADVICE = -1,
};

static void *new_mark(void) {
    return mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Emulators that ignore advice accept any, and a child would keep the mark: so one that does not
 * exist is tried first. */
static bool is_wiped_on_fork(void *mark) {
    return madvise(mark, MARK_SIZE, NO_ADVICE) != 0 &&
           madvise(mark, MARK_SIZE, MADV_WIPEONFORK) == 0;
}

void cba_maker_note(struct cba_maker *maker) {
    void *mark = new_mark();
    maker->pid = getpid();
    maker->mark = NULL;
    if (mark == MAP_FAILED) {
        return;
    }
    if (!is_wiped_on_fork(mark)) {
        munmap(mark, MARK_SIZE);
        return;
    }
    maker->mark = mark;
    *maker->mark = 1;
}

void cba_maker_forget(struct cba_maker *maker) {
    if (maker->mark != NULL) {
        munmap(maker->mark, MARK_SIZE);
        maker->mark = NULL;
    }
}

#else

void cba_maker_note(struct cba_maker *maker) {
    maker->pid = getpid();
    maker->mark = NULL;
}

void cba_maker_forget(struct cba_maker *maker) {
    (void)maker;
}

#endif

bool cba_maker_is_us(const struct cba_maker *maker) {
    return maker->mark != NULL ? *maker->mark != 0 : maker->pid == getpid();
}
