#include "system/program.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int cba_set_variable(const char *name, const char *value) {
    int failed = value != NULL ? setenv(name, value, 1) : unsetenv(name);
    return failed ? errno : 0;
}

int cba_become(char *const words[]) {
    (void)execvp(words[0], words);
    return errno;
}
