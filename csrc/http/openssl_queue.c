#include "http/openssl_queue.h"

#include <dlfcn.h>
#include <stddef.h>

void cba_openssl_queue_find(struct cba_openssl_queue *queue) {
    /* The casts are dlsym(3)'s own. */
    *(void **)&queue->set_mark = dlsym(RTLD_DEFAULT, "ERR_set_mark");
    *(void **)&queue->pop_to_mark = dlsym(RTLD_DEFAULT, "ERR_pop_to_mark");
    if (queue->pop_to_mark == NULL) {
        queue->set_mark = NULL;
    }
}

void cba_openssl_queue_hold(const struct cba_openssl_queue *queue) {
    if (queue->set_mark != NULL) {
        (void)queue->set_mark();
    }
}

void cba_openssl_queue_release(const struct cba_openssl_queue *queue) {
    if (queue->set_mark != NULL) {
        (void)queue->pop_to_mark();
    }
}
