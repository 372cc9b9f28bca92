#include "http/tls_errors.h"

#include <dlfcn.h>
#include <stddef.h>

void cba_tls_errors_find(struct cba_tls_errors *errors) {
    /* The casts are dlsym(3)'s own. */
    *(void **)&errors->set_mark = dlsym(RTLD_DEFAULT, "ERR_set_mark");
    *(void **)&errors->pop_to_mark = dlsym(RTLD_DEFAULT, "ERR_pop_to_mark");
    if (errors->pop_to_mark == NULL) {
        errors->set_mark = NULL;
    }
}

void cba_tls_errors_hold(const struct cba_tls_errors *errors) {
    if (errors->set_mark != NULL) {
        (void)errors->set_mark();
    }
}

void cba_tls_errors_release(const struct cba_tls_errors *errors) {
    if (errors->set_mark != NULL) {
        (void)errors->pop_to_mark();
    }
}
