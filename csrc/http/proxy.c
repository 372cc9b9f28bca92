#include "http/proxy.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "http/no_proxy.h"
#include "http/setopt.h"
#include "http/url.h"
#include "text/ascii.h"

/* The first of these variables that is set, and its name. An empty one is as none. */
static const char *variable_of(const char *const *names, const char **name) {
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0') {
            *name = *names;
            return value;
        }
    }
    return NULL;
}

/* HTTP_PROXY is none of them: a web server gives it to a CGI from a header of the client's. */
static const char *environments(const char *url, const char **variable) {
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                            NULL};
    static const char *const for_http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    return variable_of(cba_ascii_begins(url, "https:") ? for_https : for_http, variable);
}

static bool needs_none(const struct cba_settings *settings, const char *address) {
    static const char *const lists[] = {"no_proxy", "NO_PROXY", NULL};
    const char *name, *list = settings->no_proxy;
    struct cba_url url;
    if (list == NULL) {
        list = variable_of(lists, &name);
    }
    if (list == NULL) {
        return false;
    }
    /* All hosts: no address need be read, for which there may be no memory. */
    return strcmp(list, "*") == 0 || (cba_url_read(address, NULL, &url) == CBA_URL_OK &&
                                      cba_no_proxy_holds(list, url.host, url.port));
}

const char *cba_proxy_of(const struct cba_settings *settings, const char *url,
                         const char **variable) {
    const char *proxy = settings->proxy;
    *variable = NULL;
    if (proxy == NULL) {
        proxy = environments(url, variable);
    }
    if (proxy == NULL || proxy[0] == '\0' || needs_none(settings, url)) {
        *variable = NULL;
        return NULL;
    }
    return proxy;
}

enum cba_way cba_proxy_way(const char *proxy) {
    if (proxy == NULL) {
        return CBA_DIRECTLY;
    }
    if (cba_ascii_begins(proxy, "https://")) {
        return CBA_BY_HTTPS_PROXY;
    }
    return cba_ascii_begins(proxy, "socks") ? CBA_BY_SOCKS_PROXY : CBA_BY_HTTP_PROXY;
}

/* Its certificate is verified, and neither the bank's authorities nor its pins are the proxy's. */
void cba_proxy_apply(const struct cba_settings *settings, const char *proxy, void *easy,
                     struct cba_failure *failure) {
    /* No list is left to libcurl, nor the environment: see proxy.h. */
    CBA_SET(CURLOPT_PROXY, proxy);
    CBA_SET(CURLOPT_NOPROXY, proxy != NULL ? "" : "*");
    if (proxy == NULL) {
        return;
    }
    /* Kerberos, which a SOCKS proxy may ask for, would make its caller wait for a third party. */
    CBA_SET_IF_BUILT_IN(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    CBA_SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    CBA_SET_IF_BUILT_IN(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    CBA_SET_IF_BUILT_IN(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->proxy_ca_file != NULL) {
        CBA_SET(CURLOPT_PROXY_CAINFO, settings->proxy_ca_file);
        CBA_SET_IF_BUILT_IN(CURLOPT_PROXY_CAPATH, NULL);
    }
}
