/* csrc/secret/secret.c: where secrets may come from, and that a vault gives back what it took. */
#include "secret/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "secret/private_file.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static char folder[] = "/tmp/secret-test-XXXXXX";
static char path[64];

static char filler[CBA_SECRET_MAX_FILE + 2];

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    mode_t mode;
    enum cba_secret_status status;
    const char *secret;
} files[] = {
    {"plain", BYTES("s3cret"), 0600, CBA_SECRET_OK, "s3cret"},
    {"one newline is dropped", BYTES("s3cret\n"), 0640, CBA_SECRET_OK, "s3cret"},
    {"two are a mistake", BYTES("s3cret\n\n"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"CR LF", BYTES("s3cret\r\n"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"CR alone", BYTES("s3cret\r"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"a BOM", BYTES("\xEF\xBB\xBFs3cret"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"a blank before it", BYTES(" s3cret"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"a blank in the middle", BYTES("s3 cret"), 0600, CBA_SECRET_OK, "s3 cret"},
    {"UTF-16", BYTES("\xFF\xFEs\0"), 0600, CBA_SECRET_UTF16, NULL},
    {"empty", BYTES(""), 0600, CBA_SECRET_EMPTY, NULL},
    {"only a newline", BYTES("\n"), 0600, CBA_SECRET_EMPTY, NULL},
    {"only CR LF", BYTES("\r\n"), 0600, CBA_SECRET_INVISIBLE, NULL},
    {"NUL", BYTES("s3\0cret"), 0600, CBA_SECRET_NUL, NULL},
    {"not UTF-8", BYTES("s3cret\xC3"), 0600, CBA_SECRET_NOT_UTF8, NULL},
    {"readable by all", BYTES("s3cret"), 0644, CBA_SECRET_EXPOSED, NULL},
    {"writable by all", BYTES("s3cret"), 0602, CBA_SECRET_EXPOSED, NULL},
    {"400 bytes and a newline", filler, 401, 0600, CBA_SECRET_OK, NULL},
    {"401 bytes", filler, 402, 0600, CBA_SECRET_TOO_LONG, NULL},
    {"4096 bytes", filler, 4096, 0600, CBA_SECRET_TOO_LONG, NULL},
    {"4097 bytes", filler, 4097, 0600, CBA_SECRET_FILE_TOO_BIG, NULL},
};

static enum cba_secret_status read_secret(struct cba_secret *secret, const char *place) {
    struct cba_private_file file = {.path = place, .most = CBA_SECRET_MAX_FILE};
    return cba_secret_from_file(secret, &file);
}

static void write_file(const char *bytes, size_t length, mode_t mode) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0 ||
        chmod(path, mode) != 0) {
        abort();
    }
}

static void test_files(struct cba_vault *vault) {
    memset(filler, 'x', sizeof filler);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length;
        struct cba_secret *secret = cba_secret_new(vault);
        cba_secret_from_bytes(secret, "before", 6);
        bool with_newline = files[i].bytes == filler && files[i].length < 403;
        if (with_newline) {
            filler[files[i].length - 1] = '\n';
        }
        write_file(files[i].bytes, files[i].length, files[i].mode);
        enum cba_secret_status status = read_secret(secret, path);
        const char *bytes = cba_secret_bytes(secret, &length);
        check(status == files[i].status, "%s: status %d", files[i].name, (int)status);
        if (status != CBA_SECRET_OK) {
            check(strcmp(bytes, "before") == 0 && length == 6, "%s: changed", files[i].name);
        } else if (files[i].secret != NULL) {
            check(strcmp(bytes, files[i].secret) == 0, "%s: %s", files[i].name, bytes);
        } else {
            check(length == 400 && strlen(bytes) == 400, "%s: %zu bytes", files[i].name, length);
        }
        if (with_newline) {
            filler[files[i].length - 1] = 'x';
        }
        cba_secret_free(secret);
        unlink(path);
    }
}

static void check_place(struct cba_vault *vault, const char *name, const char *place,
                        enum cba_secret_status wanted, int wanted_errno) {
    struct cba_secret *secret = cba_secret_new(vault);
    errno = 0;
    enum cba_secret_status status = read_secret(secret, place);
    check(status == wanted && (wanted_errno == 0 || errno == wanted_errno),
          "%s: status %d, errno %d", name, (int)status, errno);
    cba_secret_free(secret);
}

static void test_places(struct cba_vault *vault) {
    check_place(vault, "missing", path, CBA_SECRET_UNREADABLE, ENOENT);
    check_place(vault, "a folder", folder, CBA_SECRET_NOT_A_FILE, 0);
    check_place(vault, "a device", "/dev/zero", CBA_SECRET_NOT_A_FILE, 0);
    if (mkfifo(path, 0600) != 0) {
        abort();
    }
    check_place(vault, "a FIFO without a writer", path, CBA_SECRET_NOT_A_FILE, 0);
    unlink(path);
    if (symlink("nowhere", path) != 0) {
        abort();
    }
    check_place(vault, "a symlink to nowhere", path, CBA_SECRET_UNREADABLE, ENOENT);
    unlink(path);
}

static void test_environment(struct cba_vault *vault) {
    size_t length;
    struct cba_secret *secret = cba_secret_new(vault);
    setenv("SECRET_TEST", "s3cret", 1);
    check(cba_secret_from_env(secret, "SECRET_TEST") == CBA_SECRET_OK, "a set variable");
    check(strcmp(cba_secret_bytes(secret, &length), "s3cret") == 0, "its value");
    setenv("SECRET_TEST", "", 1);
    check(cba_secret_from_env(secret, "SECRET_TEST") == CBA_SECRET_EMPTY, "an empty variable");
    unsetenv("SECRET_TEST");
    check(cba_secret_from_env(secret, "SECRET_TEST") == CBA_SECRET_UNSET, "no variable");
    check(strcmp(cba_secret_bytes(secret, &length), "s3cret") == 0, "refusals change nothing");
    cba_secret_from_bytes(secret, "x", 1);
    const char *bytes = cba_secret_bytes(secret, &length);
    check(length == 1 && memcmp(bytes, "x\0\0\0\0\0", 6) == 0, "a shorter one leaves no rest");
    cba_secret_free(secret);
}

/* More secrets than one slab holds, freed in another order, the vault's owner first. */
static void test_many(void) {
    enum { MANY = 200 };
    struct cba_secret *many[MANY];
    struct cba_vault *vault = cba_vault_new();
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            char text[16];
            int length = snprintf(text, sizeof text, "number %zu", i);
            many[i] = cba_secret_new(vault);
            cba_secret_from_bytes(many[i], text, (size_t)length);
        }
        if (round == 2) {
            cba_vault_release(vault);
        }
        for (size_t k = 0; k < MANY; k++) {
            size_t i = k * 77 % MANY; /* 77 and 200 have no common divisor */
            size_t length;
            char text[16];
            snprintf(text, sizeof text, "number %zu", i);
            check(strcmp(cba_secret_bytes(many[i], &length), text) == 0, "secret %zu", i);
            cba_secret_free(many[i]);
        }
    }
    cba_secret_free(NULL);
    cba_vault_release(NULL);
}

int main(void) {
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    snprintf(path, sizeof path, "%s/secret", folder);
    struct cba_vault *vault = cba_vault_new();
    test_files(vault);
    test_places(vault);
    test_environment(vault);
    cba_vault_release(vault);
    test_many();
    rmdir(folder);
    return check_summary("secret");
}
