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

enum { HEAD = 16 }; /* holds the size, and keeps what follows aligned */
static const char telltale[] = "canary";
unsigned long canary_blocks_read;

void *canary_malloc(size_t size) {
    char *block = calloc(1, HEAD + size);
    if (block == NULL) {
        abort();
    }
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

void canary_free(void *bytes) {
    if (bytes == NULL) {
        return;
    }
    char *block = (char *)bytes - HEAD;
    size_t size;
    memcpy(&size, block, sizeof size);
    const char *text = bytes;
    for (size_t i = 0; i + sizeof telltale - 1 <= size; i++) {
        check(memcmp(text + i, telltale, sizeof telltale - 1) != 0, "given back: %s", text + i);
    }
    canary_blocks_read++;
    free(block);
}
