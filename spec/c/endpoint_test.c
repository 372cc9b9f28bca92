/* csrc/http/endpoint.c: a copy of settings, of which nothing is left when the last user has gone.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "secret/secret.h"

static size_t freed, bytes_left;

/* In place of free in endpoint.c: looks at what it gives back. */
static void free_and_look(void *block) {
    size_t size = malloc_usable_size(block);
    freed++;
    for (size_t i = 0; i < size; i++) {
        bytes_left += ((unsigned char *)block)[i] != 0;
    }
    free(block);
}

#define free free_and_look
/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "http/endpoint.c"
#undef free

static const char *const header_lines[] = {"X-Key: canary-key", "X-Empty;", NULL};

static struct cba_settings settings_of(const struct cba_secret *passphrase) {
    return (struct cba_settings){
        .connect_timeout_ms = 7,
        .ca_file = "ca.pem",
        .client_cert = "client.pem",
        .client_key_password = passphrase,
        .proxy = "http://user:canary-password@proxy.example",
        .no_proxy = "",
        .headers = header_lines,
    };
}

static void test_copy(struct cba_secret *passphrase) {
    size_t length;
    char proxy[] = "http://proxy.example";
    struct cba_settings settings = settings_of(passphrase);
    settings.proxy = proxy;
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    memset(proxy, 'x', sizeof proxy - 1);
    cba_secret_from_bytes(passphrase, "another", 7);
    const struct cba_settings *copy = cba_endpoint_settings(endpoint);
    check(copy->connect_timeout_ms == 7 && !copy->tls13_only, "numbers");
    check(strcmp(copy->proxy, "http://proxy.example") == 0, "a string of its own");
    check(copy->no_proxy != NULL && copy->no_proxy[0] == '\0', "an empty one is not a missing one");
    check(copy->ca_path == NULL && copy->pinned_key == NULL, "what is not set");
    check(strcmp(copy->headers[0], header_lines[0]) == 0 && copy->headers[0] != header_lines[0],
          "a line");
    check(strcmp(copy->headers[1], header_lines[1]) == 0 && copy->headers[2] == NULL, "all lines");
    check(strcmp(cba_secret_bytes(copy->client_key_password, &length), "canary-passphrase") == 0,
          "a passphrase of its own");
    cba_endpoint_close(endpoint);
}

static void test_no_headers(void) {
    struct cba_settings settings = {.connect_timeout_ms = 1};
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    check(cba_endpoint_settings(endpoint)->headers[0] == NULL, "no list is an empty list");
    cba_endpoint_close(endpoint);
    cba_endpoint_close(NULL);
    cba_endpoint_release(NULL);
}

static void test_end(struct cba_secret *passphrase) {
    size_t length;
    struct cba_settings settings = settings_of(passphrase);
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    const char *bytes =
        cba_secret_bytes(cba_endpoint_settings(endpoint)->client_key_password, &length);
    freed = bytes_left = 0;
    check(cba_endpoint_hold(endpoint) == endpoint && !cba_endpoint_is_closed(endpoint), "open");
    cba_endpoint_close(endpoint);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
    check(cba_endpoint_is_closed(endpoint) && freed == 0, "closed, while somebody refers to it");
    check(strstr(bytes, "canary") != NULL, "its secret is there for a transfer under way");
    cba_endpoint_release(endpoint);
    check(freed == 1 && bytes_left == 0, "%zu bytes are left of its memory", bytes_left);
    check(strstr(bytes, "canary") == NULL, "its secret is wiped");
}

int main(void) {
    struct cba_vault *vault = cba_vault_new();
    struct cba_secret *passphrase = cba_secret_new(vault);
    cba_secret_from_bytes(passphrase, "canary-passphrase", strlen("canary-passphrase"));
    test_end(passphrase);
    test_copy(passphrase);
    test_no_headers();
    cba_secret_free(passphrase);
    cba_vault_release(vault);
    return check_summary("endpoint");
}
