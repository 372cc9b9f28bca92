#include "http/inspect.h"

#include <stddef.h>
#include <string.h>

#include "http/libcurl.h"
#include "http/proxy.h"
#include "http/request.h"
#include "http/setopt.h"
#include "system/sigpipe.h"
#include "text/ascii.h"

/* ---- what libcurl says while it connects ---------------------------------------------------- */

/* Copies the characters of `from` that are in `allowed`. */
static void copy_span(char *to, size_t size, const char *from, const char *allowed) {
    size_t length = strspn(from, allowed);
    if (length < size) {
        memcpy(to, from, length);
        to[length] = '\0';
    }
}

static const char *after(const char *line, const char *words) {
    const char *found = strstr(line, words);
    return found == NULL ? NULL : found + strlen(words);
}

/* "Trying 192.0.2.1:443...", "Trying [2001:db8::1]:443...": also known when nobody answers there,
 * where CURLINFO_PRIMARY_IP is not. */
static void note_address(struct cba_inspection *found, const char *line) {
    const char *address = after(line, "Trying ");
    if (address == NULL) {
        return;
    }
    bool is_v6 = *address == '[';
    copy_span(found->address, sizeof found->address, address + is_v6,
              is_v6 ? "0123456789abcdefABCDEF:.%" : "0123456789.");
}

/* "SSL connection using TLSv1.3 / …" with OpenSSL and wolfSSL, "… using TLS1.3 / …" with GnuTLS,
 * "mbedTLS: TLSv1.3 Handshake complete, …" */
static void note_version(struct cba_inspection *found, const char *line) {
    const char *version = after(line, "SSL connection using TLS");
    if (version == NULL) {
        version = after(line, "mbedTLS: TLS");
    }
    if (version != NULL) {
        version += *version == 'v';
        copy_span(found->tls_version, sizeof found->tls_version, version, "0123456789.");
    }
}

static int listen_in(CURL *easy, curl_infotype kind, char *text, size_t length, void *owner) {
    (void)easy;
    if (kind == CURLINFO_TEXT) {
        char line[256];
        size_t kept = length < sizeof line - 1 ? length : sizeof line - 1;
        memcpy(line, text, kept);
        line[kept] = '\0';
        note_address(owner, line);
        note_version(owner, line);
    }
    return 0;
}

/* ---- what it says afterwards ---------------------------------------------------------------- */

static double seconds_of(CURL *easy, CURLINFO what) {
    double seconds = 0;
    bool known = curl_easy_getinfo(easy, what, &seconds) == CURLE_OK && seconds > 0;
    return known ? seconds : -1;
}

/* The first certificate is the server's own. */
static void note_certificate(struct cba_inspection *found, CURL *easy) {
    static const char label[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
        chain->num_of_certs < 1) {
        return;
    }
    for (struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
        if (cba_ascii_begins(line->data, label)) {
            copy_span(found->certificate_end, sizeof found->certificate_end,
                      line->data + strlen(label),
                      "0123456789-: ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
        }
    }
}

static void perform(const struct cba_settings *settings, long timeout_ms, CURL *easy,
                    const char *error, enum cba_way way, struct cba_inspection *found) {
    int code = (int)curl_easy_perform(easy);
    struct cba_evidence evidence = {
        .easy = easy,
        .error = error,
        .way = way,
        .connect_limited = settings->connect_timeout_ms < timeout_ms,
    };
    cba_outcome_judge(&found->failure, code, &evidence);
    found->proxied = way != CBA_DIRECTLY;
    found->resolved = seconds_of(easy, CURLINFO_NAMELOOKUP_TIME);
    found->connected = seconds_of(easy, CURLINFO_CONNECT_TIME);
    found->secured = seconds_of(easy, CURLINFO_APPCONNECT_TIME);
    note_certificate(found, easy);
}

static void inspect(const struct cba_settings *settings, const char *url, long timeout_ms,
                    struct cba_inspection *found, CURL *easy) {
    struct cba_request request = {.method = "GET", .url = url};
    struct cba_failure *failure = &found->failure;
    struct cba_borrowed borrowed = {NULL, NULL, NULL};
    char error[CURL_ERROR_SIZE] = "";
    const char *variable, *proxy = cba_proxy_of(settings, url, &variable);
    CBA_SET(CURLOPT_ERRORBUFFER, error);
    CBA_SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    CBA_SET(CURLOPT_CONNECT_ONLY, 1L);
    CBA_SET(CURLOPT_VERBOSE, 1L);
    CBA_SET(CURLOPT_DEBUGFUNCTION, listen_in);
    CBA_SET(CURLOPT_DEBUGDATA, found);
    CBA_SET_IF_BUILT_IN(CURLOPT_CERTINFO, 1L); /* wolfSSL lacks it */
    cba_endpoint_apply(settings, easy, failure);
    cba_request_set(easy, settings, &request, proxy, &borrowed, failure);
    if (failure->outcome == CBA_PENDING) {
        perform(settings, timeout_ms, easy, error, cba_proxy_way(proxy), found);
    }
    curl_easy_cleanup(easy);
    cba_request_free(&borrowed);
}

void cba_inspect(const struct cba_settings *settings, const char *url, long timeout_ms,
                 struct cba_inspection *found) {
    memset(found, 0, sizeof *found);
    found->resolved = found->connected = found->secured = -1;
    CURL *easy = cba_libcurl_start() ? curl_easy_init() : NULL;
    if (easy == NULL) {
        found->failure.outcome = CBA_NO_MEMORY;
        return;
    }
    struct cba_sigpipe guard;
    cba_sigpipe_hold(&guard);
    inspect(settings, url, timeout_ms, found, easy);
    cba_sigpipe_release(&guard);
}
