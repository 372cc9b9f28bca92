#include "http/libcurl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

/* The only mutable global. Never undone: a host may have other users of libcurl, and the module is
 * linked so that it stays loaded. A failed attempt may be repeated. */
static bool libcurl(bool start) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool started;
    pthread_mutex_lock(&lock);
    if (!started && start) {
        started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }
    bool ok = started;
    pthread_mutex_unlock(&lock);
    return ok;
}

bool cba_libcurl_start(void) {
    return libcurl(true);
}

bool cba_libcurl_is_started(void) {
    return libcurl(false);
}

const char *cba_libcurl_version(void) {
    return curl_version();
}

const char *cba_libcurl_number(void) {
    return curl_version_info(CURLVERSION_NOW)->version;
}

const char *cba_libcurl_least(void) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return "7.87.0"; /* endpoint.c then sets options that came with it */
#elif LIBCURL_VERSION_NUM >= 0x075500
    return "7.85.0";
#elif LIBCURL_VERSION_NUM >= 0x075000
    return "7.80.0";
#else
    return CBA_CURL_LEAST;
#endif
}

bool cba_libcurl_resolves_aside(void) {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

bool cba_libcurl_has_http2(void) {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
}

/* What follows `name` and a slash in the name of its TLS library; NULL when that is another one. */
static const char *version_of(const char *name) {
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    size_t length = strlen(name);
    bool is_it = library != NULL && strncmp(library, name, length) == 0 && library[length] == '/';
    return is_it ? library + length + 1 : NULL;
}

bool cba_libcurl_has_gnutls(void) {
    return version_of("GnuTLS") != NULL;
}

/* libcurl asks the OpenSSL that it finds for its version, and an older one does not know the
 * question. */
bool cba_libcurl_mixes_openssl(void) {
    const char *version = version_of("OpenSSL");
    return version != NULL && (*version < '0' || *version > '9');
}

/* From this version on it is libcurl itself that writes to a socket for these TLS libraries, and it
 * asks each time for no SIGPIPE. Before, and for others, the library may write. */
bool cba_libcurl_raises_sigpipe(void) {
#ifdef MSG_NOSIGNAL
    enum { WRITES_ITSELF = 0x075800 };
    return curl_version_info(CURLVERSION_NOW)->version_num < WRITES_ITSELF ||
           (version_of("OpenSSL") == NULL && version_of("GnuTLS") == NULL);
#else
    return true;
#endif
}
