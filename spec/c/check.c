#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"

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

/* libsodium puts the end of it at a guard page: reading further is seen. */
static char *guarded(size_t size) {
    char *bytes = cba_guarded_new(size);
    if (bytes == NULL) {
        abort();
    }
    return bytes;
}

char *bare_copy(const char *bytes, size_t length) {
    return memcpy(guarded(length), bytes, length);
}

char *exact_copy(const char *bytes, size_t length) {
    char *copy = memcpy(guarded(length + 1), bytes, length);
    copy[length] = '\0';
    return copy;
}
