/* Any bytes as JSON: cba_grammar_accepts says what Python's reader says, which a child process asks
 * (json_reference.py), and what it accepts cJSON takes, once its odd escapes are replaced. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "secret/secret.h"
#include "json/grammar.h"

enum { LARGEST = 1 << 14 }; /* nesting takes the reference's stack */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts are what libFuzzer takes for a finding. */
static void must(int holds) {
    if (!holds) {
        abort();
    }
}

/* ---- the reference ------------------------------------------------------------------------- */

struct reference {
    FILE *to, *from;
};

static void become_reference(int in, int out) {
    must(dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0);
    execlp("python3", "python3", CBA_SPEC_DIR "/json_reference.py", (char *)NULL);
    _exit(1);
}

static struct reference start_reference(void) {
    int asked[2];
    int said[2];
    must(pipe(asked) == 0 && pipe(said) == 0);
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        (void)close(asked[1]), (void)close(said[0]);
        become_reference(asked[0], said[1]);
    }
    (void)close(asked[0]), (void)close(said[1]);
    struct reference reference = {.to = fdopen(asked[1], "wb"), .from = fdopen(said[0], "rb")};
    must(reference.to != NULL && reference.from != NULL);
    return reference;
}

static bool reference_accepts(const uint8_t *data, size_t size) {
    static struct reference reference;
    if (reference.to == NULL) {
        reference = start_reference();
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        must(putc((int)(size >> shift & 0xFF), reference.to) != EOF);
    }
    must(fwrite(data, 1, size, reference.to) == size && fflush(reference.to) == 0);
    int answer = getc(reference.from);
    must(answer == 'y' || answer == 'n');
    return answer == 'y';
}

/* ---- cJSON --------------------------------------------------------------------------------- */

/* A number of more digits than cJSON has room for is the one thing that it may refuse. */
static bool has_long_number(const char *bytes, size_t size) {
    enum { LONG = 60 };
    size_t run = 0;
    for (size_t i = 0; i < size && run < LONG; i++) {
        run = strchr("0123456789+-.eE", bytes[i]) != NULL && bytes[i] != '\0' ? run + 1 : 0;
    }
    return run >= LONG;
}

static void check_cjson(char *bytes, size_t size) {
    static const char replacement[] = "fffd";
    const char *end = bytes + size;
    for (const char *odd = bytes; (odd = cba_grammar_odd_escape(odd, end)) != NULL;) {
        must(end - odd >= 6);
        memcpy(bytes + (odd - bytes) + 2, replacement, sizeof replacement - 1);
    }
    must(cba_grammar_accepts(bytes, size));
    cJSON *root = cJSON_ParseWithLengthOpts(bytes, size + 1, NULL, 1);
    must(root != NULL || has_long_number(bytes, size));
    cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size >= LARGEST) {
        return -1;
    }
    char *bytes = cba_guarded_new(size + 1); /* ends at a page that cannot be read */
    must(bytes != NULL);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    bytes[size] = '\0';
    bool accepted = cba_grammar_accepts(bytes, size);
    must(accepted == reference_accepts(data, size));
    if (accepted) {
        check_cjson(bytes, size);
    }
    cba_guarded_free(bytes);
    return 0;
}
