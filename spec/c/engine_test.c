/* csrc/http/engine.c: which handles an engine keeps, for whom, and with what. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "http/request.h"
#include "http/transfer.h"
#include "secret/secret.h"
#include "tiny_bank.h"

static const char secret_line[] = "X-Key: canary-key";
static size_t lines_left;

/* In place of free in libcurl. A request as it is sent, which libcurl makes, begins otherwise. */
static void free_and_look(void *block) {
    size_t size = block != NULL ? malloc_usable_size(block) : 0;
    if (size >= sizeof secret_line) {
        lines_left += memcmp(block, secret_line, sizeof secret_line) == 0;
    }
    free(block);
}

static struct tiny_bank bank;
static struct cba_engine *engine;
static bool keeps; /* libcurl before 7.80: no handle is kept, for anyone */

static struct cba_endpoint *new_endpoint(const char *client_cert, const char *proxy) {
    struct cba_settings settings = {
        .connect_timeout_ms = 1000, .client_cert = client_cert, .proxy = proxy};
    return cba_endpoint_new(&settings);
}

static struct cba_transfer *start(struct cba_endpoint *endpoint) {
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/ok", bank.port);
    struct cba_request request = {.method = "GET", .url = url, .refusal_max = 100};
    struct cba_transfer *transfer = cba_transfer_new(engine, endpoint);
    cba_transfer_start(transfer, &request, 5000);
    return transfer;
}

static long status_at_end(struct cba_transfer *transfer) {
    while (!cba_transfer_wait(transfer, 1)) {
    }
    return cba_transfer_result(transfer)->status;
}

static void call(struct cba_endpoint *endpoint) {
    struct cba_transfer *transfer = start(endpoint);
    check(status_at_end(transfer) == 400, "an answer");
    cba_transfer_release(transfer);
}

/* Whether a handle is kept that is set up for an endpoint. It is the one used last, then. */
static bool is_kept(struct cba_endpoint *endpoint) {
    struct cba_handle *handle = cba_engine_take(engine, endpoint);
    bool is_set_up = handle->endpoint == endpoint && handle->easy != NULL;
    cba_engine_give_back(engine, handle, is_set_up);
    return is_set_up;
}

static void test_keeping(void) {
    struct cba_endpoint *endpoint = new_endpoint(NULL, "");
    check(!is_kept(endpoint), "none before the first request");
    call(endpoint);
    check(is_kept(endpoint) == keeps, "one after it");
    cba_transfer_release(cba_transfer_new(engine, endpoint));
    check(!is_kept(endpoint), "none after a request that was given up");
    call(endpoint);
    cba_engine_forget(engine, endpoint);
    check(!is_kept(endpoint), "none after the endpoint is forgotten");
    cba_endpoint_close(endpoint);
}

static void test_closing_under_way(void) {
    struct cba_endpoint *endpoint = new_endpoint(NULL, "");
    struct cba_transfer *transfer = start(endpoint);
    cba_engine_forget(engine, endpoint);
    cba_endpoint_hold(endpoint);
    cba_endpoint_close(endpoint);
    check(status_at_end(transfer) == 400, "the transfer goes on");
    cba_transfer_release(transfer);
    check(!is_kept(endpoint), "and its handle is not kept");
    cba_endpoint_release(endpoint);
}

/* What a handle is told of a key or of a proxy's password is out of our reach. */
static void test_secrets(void) {
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://user:canary@127.0.0.1:%u", bank.port);
    struct cba_endpoint *with_key = new_endpoint("client.pem", "");
    struct cba_endpoint *with_password = new_endpoint(NULL, proxy);
    call(with_key);
    call(with_password);
    check(!is_kept(with_key) && !is_kept(with_password), "no handle that has a secret is kept");
    cba_endpoint_close(with_key);
    cba_endpoint_close(with_password);
}

static void test_header_lines(void) {
    const char *lines[] = {secret_line, NULL};
    struct cba_settings settings = {.connect_timeout_ms = 1000, .proxy = "", .headers = lines};
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    lines_left = 0;
    call(endpoint);
    struct cba_handle *handle = cba_engine_take(engine, endpoint);
    check((handle->endpoint == endpoint) == keeps && handle->borrowed.headers == NULL,
          "a kept handle has no lines");
    cba_engine_give_back(engine, handle, true);
    cba_transfer_release(start(endpoint));
    check(lines_left == 0, "%zu header lines were freed as they were", lines_left);
    cba_engine_forget(engine, endpoint);
    cba_endpoint_close(endpoint);
}

static bool is_wiped_in_a_child(struct cba_endpoint *endpoint) {
    size_t length;
    int status = 0;
    const char *bytes =
        cba_secret_bytes(cba_endpoint_settings(endpoint)->client_key_password, &length);
    pid_t child = fork();
    if (child == 0) {
        cba_endpoint_close(endpoint);
        cba_engine_release(engine);
        _exit(strstr(bytes, "canary") == NULL ? 0 : 1);
    }
    check(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status), "a child ends");
    return WEXITSTATUS(status) == 0;
}

/* A kept handle refers to its endpoint, in a forked child too. */
static void test_child(void) {
    struct cba_vault *vault = cba_vault_new();
    struct cba_secret *password = cba_secret_new(vault);
    cba_secret_from_bytes(password, "canary-password", strlen("canary-password"));
    struct cba_settings settings = {
        .connect_timeout_ms = 1000, .proxy = "", .client_key_password = password};
    struct cba_endpoint *endpoint = cba_endpoint_new(&settings);
    call(endpoint);
    check(is_wiped_in_a_child(endpoint), "a child wipes its copy of an endpoint");
    check(is_kept(endpoint) == keeps, "the parent keeps its own");
    cba_engine_forget(engine, endpoint);
    cba_endpoint_close(endpoint);
    cba_secret_free(password);
    cba_vault_release(vault);
}

/* Two at once, so that two are given back that are not set up. */
static void call_without_an_answer(struct cba_endpoint *endpoint) {
    struct cba_transfer *one = cba_transfer_new(engine, endpoint);
    struct cba_transfer *other = cba_transfer_new(engine, endpoint);
    cba_transfer_release(one);
    cba_transfer_release(other);
}

static void test_limit(void) {
    enum { ENDPOINTS = 40, GONE = ENDPOINTS - CBA_HANDLES_KEPT_MAX };
    struct cba_endpoint *endpoints[ENDPOINTS];
    for (size_t i = 0; i < ENDPOINTS; i++) {
        endpoints[i] = new_endpoint(NULL, "");
        call(endpoints[i]);
    }
    check(is_kept(endpoints[GONE]), "of 40 the last 32 are kept");
    check(!is_kept(endpoints[GONE - 1]), "and none before");
    check(!is_kept(endpoints[GONE + 1]) && is_kept(endpoints[GONE]),
          "the one that was used longest ago has made room for that");
    for (size_t i = 0; i < ENDPOINTS; i++) {
        call_without_an_answer(endpoints[0]);
    }
    check(is_kept(endpoints[GONE + 2]), "handles that are not set up take nobody's place");
    call(endpoints[0]);
    check(is_kept(endpoints[0]) && is_kept(endpoints[ENDPOINTS - 1]), "it comes back when used");
    for (size_t i = 0; i < ENDPOINTS; i++) {
        cba_engine_forget(engine, endpoints[i]);
        cba_endpoint_close(endpoints[i]);
    }
}

int main(void) {
    if (!tiny_bank_start(&bank)) {
        return 1;
    }
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free_and_look, realloc, strdup, calloc);
    engine = cba_engine_new();
    keeps = !cba_request_is_private(&(struct cba_settings){.proxy = ""}, NULL);
    test_keeping();
    test_closing_under_way();
    test_secrets();
    test_header_lines();
    test_child();
    if (keeps) {
        test_limit();
    }
    cba_engine_release(engine);
    tiny_bank_stop(&bank);
    return check_summary("engine");
}
