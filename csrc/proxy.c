#include "proxy.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "url.h"

bool cba_proxy_in_environment(void) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return true;
        }
    }
    return false;
}

static size_t without_last_dot(const char *name, size_t length) {
    return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/* Whether a word of the list is the host or a tail of it. A network of addresses may be any. */
static bool may_mean(const char *word, size_t length, const char *host) {
    bool is_address = host[0] == '[' || host[strspn(host, "0123456789.")] == '\0';
    size_t start = word[0] == '.' ? 1 : 0;
    size_t end = without_last_dot(word, length);
    size_t tail = end > start ? end - start : 0;
    size_t whole = without_last_dot(host, strlen(host));
    return is_address || word[0] == '*' ||
           (tail <= whole && cba_ascii_same(word + start, host + whole - tail, tail));
}

static bool may_hold(const char *list, const char *host) {
    static const char between[] = " ,";
    for (list += strspn(list, between); *list != '\0'; list += strspn(list, between)) {
        size_t length = strcspn(list, between);
        if (may_mean(list, length, host)) {
            return true;
        }
        list += length;
    }
    return false;
}

/* The list that counts, as libcurl looks for it; or NULL. */
static const char *list_of(const struct cba_request *request) {
    const char *list = request->no_proxy != NULL ? request->no_proxy : getenv("no_proxy");
    return list != NULL ? list : getenv("NO_PROXY");
}

bool cba_proxy_is_certain(const struct cba_request *request) {
    struct cba_url url;
    if (request->proxy == NULL || request->proxy[0] == '\0') {
        return false;
    }
    const char *list = list_of(request);
    return list == NULL ||
           (cba_url_read(request->url, NULL, &url) == CBA_URL_OK && !may_hold(list, url.host));
}
