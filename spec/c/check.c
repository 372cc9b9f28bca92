#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

static unsigned long checks, failures;

void check(bool ok, const char *format, ...) {
    checks++;
    if (!ok) {
        va_list arguments;
        failures++;
        va_start(arguments, format);
        fputs("FAILED: ", stdout);
        /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 does not see va_start */
        vprintf(format, arguments);
        putchar('\n');
        va_end(arguments);
    }
}

int check_summary(const char *name) {
    printf("%s: %lu checks, %lu failed\n", name, checks, failures);
    return failures == 0 ? 0 : 1;
}

char *bare_copy(const char *bytes, size_t length) {
    char *copy = cba_guarded_new(length); /* libsodium puts the end at a guard page */
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, length);
    return copy;
}

char *exact_copy(const char *bytes, size_t length) {
    char *copy = cba_guarded_new(length + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}
