#include "http/endpoint.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"

/* One block: this, the list of header lines, and the characters of all strings. */
struct cba_endpoint {
    size_t references, size;
    bool is_closed;
    struct cba_settings settings;
    const char *headers[];
};

enum { STRINGS = 8 };

static void list_strings(struct cba_settings *settings, const char **strings[STRINGS]) {
    const char **all[STRINGS] = {
        &settings->ca_file,    &settings->ca_path, &settings->client_cert,   &settings->client_key,
        &settings->pinned_key, &settings->proxy,   &settings->proxy_ca_file, &settings->no_proxy,
    };
    memcpy(strings, all, sizeof all);
}

static size_t size_of(const char *string) {
    return string != NULL ? strlen(string) + 1 : 0;
}

static size_t size_of_block(const struct cba_settings *settings, size_t headers) {
    struct cba_settings copy = *settings;
    const char **strings[STRINGS];
    size_t size = sizeof(struct cba_endpoint) + (headers + 1) * sizeof(char *);
    list_strings(&copy, strings);
    for (size_t i = 0; i < STRINGS; i++) {
        size += size_of(*strings[i]);
    }
    for (size_t i = 0; i < headers; i++) {
        size += size_of(settings->headers[i]);
    }
    return size;
}

/* Copies a string to `at`; returns where the next one goes. */
static char *move_string(const char **string, char *at) {
    size_t size = size_of(*string);
    if (size > 0) {
        memcpy(at, *string, size);
        *string = at;
    }
    return at + size;
}

static void move_strings(struct cba_endpoint *endpoint, size_t headers) {
    const char **strings[STRINGS];
    char *at = (char *)&endpoint->headers[headers + 1];
    list_strings(&endpoint->settings, strings);
    for (size_t i = 0; i < STRINGS; i++) {
        at = move_string(strings[i], at);
    }
    for (size_t i = 0; i < headers; i++) {
        endpoint->headers[i] = endpoint->settings.headers[i];
        at = move_string(&endpoint->headers[i], at);
    }
    endpoint->settings.headers = endpoint->headers;
}

struct cba_endpoint *cba_endpoint_new(const struct cba_settings *settings) {
    size_t headers = 0;
    while (settings->headers != NULL && settings->headers[headers] != NULL) {
        headers++;
    }
    size_t size = size_of_block(settings, headers);
    struct cba_endpoint *endpoint = calloc(1, size);
    if (endpoint == NULL) {
        return NULL;
    }
    endpoint->references = 1;
    endpoint->size = size;
    endpoint->settings = *settings;
    move_strings(endpoint, headers);
    if (settings->client_key_password != NULL) {
        endpoint->settings.client_key_password = cba_secret_copy(settings->client_key_password);
        if (endpoint->settings.client_key_password == NULL) {
            cba_endpoint_release(endpoint); /* which wipes it */
            return NULL;
        }
    }
    return endpoint;
}

struct cba_endpoint *cba_endpoint_hold(struct cba_endpoint *endpoint) {
    endpoint->references++;
    return endpoint;
}

void cba_endpoint_release(struct cba_endpoint *endpoint) {
    if (endpoint == NULL || --endpoint->references > 0) {
        return;
    }
    cba_secret_free((struct cba_secret *)endpoint->settings.client_key_password);
    cba_wipe(endpoint, endpoint->size);
    free(endpoint);
}

void cba_endpoint_close(struct cba_endpoint *endpoint) {
    if (endpoint != NULL) {
        endpoint->is_closed = true;
        cba_endpoint_release(endpoint);
    }
}

bool cba_endpoint_is_closed(const struct cba_endpoint *endpoint) {
    return endpoint->is_closed;
}

const struct cba_settings *cba_endpoint_settings(const struct cba_endpoint *endpoint) {
    return &endpoint->settings;
}
