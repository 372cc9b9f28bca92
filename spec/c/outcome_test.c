/* csrc/http/outcome.c: codes and texts of libcurls and TLS libraries that are not all at hand. */
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "http/outcome.h"

/* What libcurl tells beside its code. */
struct told {
    long connect_status, system_error, request_size;
    double resolved, connected, secured, sent; /* seconds from the start */
};

static struct told told;

/* In place of libcurl's. */
#undef curl_easy_getinfo
CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...) {
    va_list arguments;
    (void)curl;
    va_start(arguments, info);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    switch (info) {
        case CURLINFO_HTTP_CONNECTCODE:
            *(long *)value = told.connect_status;
            break;
        case CURLINFO_OS_ERRNO:
            *(long *)value = told.system_error;
            break;
        case CURLINFO_REQUEST_SIZE:
            *(long *)value = told.request_size;
            break;
        case CURLINFO_LOCAL_PORT:
            *(long *)value = told.connected > 0 ? 40000 : 0;
            break;
        case CURLINFO_NAMELOOKUP_TIME:
            *(double *)value = told.resolved;
            break;
        case CURLINFO_CONNECT_TIME:
            *(double *)value = told.connected;
            break;
        case CURLINFO_APPCONNECT_TIME:
            *(double *)value = told.secured;
            break;
        case CURLINFO_PRETRANSFER_TIME:
            *(double *)value = told.sent;
            break;
        default:
            return CURLE_UNKNOWN_OPTION;
    }
    return CURLE_OK;
}

static const struct told in_handshake = {.resolved = 1, .connected = 2};
static const struct told sent = {
    .resolved = 1, .connected = 2, .secured = 3, .sent = 4, .request_size = 300};

static struct cba_failure judge(int code, const char *text, enum cba_way way) {
    struct cba_failure failure = {.outcome = CBA_PENDING};
    struct cba_evidence evidence = {.easy = &told, .error = text, .way = way};
    cba_outcome_judge(&failure, code, &evidence);
    return failure;
}

static void expect(int code, const char *text, enum cba_outcome outcome,
                   enum cba_tls_fault tls_fault) {
    struct cba_failure failure = judge(code, text, CBA_DIRECTLY);
    check(failure.outcome == outcome, "%d, %s: outcome %d", code, text, (int)failure.outcome);
    check(outcome != CBA_TLS || failure.tls_fault == tls_fault, "%d, %s: fault %d", code, text,
          (int)failure.tls_fault);
}

/* The code is 56 before libcurl 8.20, and 7 from there on. */
static void a_proxy_that_refuses(void) {
    static const int codes[] = {CURLE_COULDNT_CONNECT, CURLE_RECV_ERROR};
    told = in_handshake;
    told.connect_status = 403;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct cba_failure failure =
            judge(codes[i], "CONNECT tunnel failed, response 403", CBA_BY_HTTP_PROXY);
        check(failure.outcome == CBA_PROXY && failure.proxy_answered, "%d is the proxy's",
              codes[i]);
        check(strcmp(failure.detail, "status 403") == 0, "%d: %s", codes[i], failure.detail);
    }
}

/* The code is 58 before libcurl 8.16, and may be 43 from there on. */
static void a_key_that_cannot_be_used(void) {
    told = in_handshake;
    expect(58, "unable to set private key file: 'key.pem' type PEM", CBA_TLS, CBA_TLS_CLIENT);
    expect(43, "unable to set private key file: 'key.pem' type PEM", CBA_TLS, CBA_TLS_CLIENT);
    expect(58,
           "mbedTLS: error reading private key key.pem: (-0x3B80) PK - Given private key "
           "password does not allow for correct decryption",
           CBA_TLS, CBA_TLS_CLIENT);
}

static void a_server_that_hangs_up_in_the_handshake(void) {
    static const char *const texts[] = {
        "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to localhost:1",
        "OpenSSL SSL_connect: Connection reset by peer in connection to localhost:1",
        "error:0A000126:SSL routines::unexpected eof while reading",
        "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading",
        "GnuTLS, handshake failed: The TLS connection was non-properly terminated.",
        "ssl_handshake returned: (-0x7280) SSL - The connection indicated an EOF",
        "SSL_connect failed with error -308: error state on socket",
        "SSL_connect failed with error -397: Peer closed underlying transport Error",
    };
    told = in_handshake;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect(CURLE_SSL_CONNECT_ERROR, texts[i], CBA_NETWORK, CBA_TLS_OTHER);
    }
    /* Behind an https proxy some of these stand for a certificate that is not trusted. */
    told.connect_status = 200;
    check(judge(CURLE_SSL_CONNECT_ERROR, texts[0], CBA_BY_HTTPS_PROXY).outcome == CBA_TLS, "tls");
    told = in_handshake;
    told.system_error = ECONNRESET; /* whatever the text is */
    expect(CURLE_SSL_CONNECT_ERROR, "", CBA_NETWORK, CBA_TLS_OTHER);
    told.system_error = EPIPE;
    expect(CURLE_SSL_CONNECT_ERROR, "a text of another library", CBA_NETWORK, CBA_TLS_OTHER);
}

static void a_handshake_that_fails(void) {
    static const char *const texts[] = {
        "error:0A00010B:SSL routines::wrong version number",
        "error:0A00042E:SSL routines::tlsv1 alert protocol version",
        "GnuTLS, handshake failed: A TLS fatal alert has been received.",
        "ssl_handshake returned: (-0x7780) SSL - A fatal alert message was received from our peer",
        "SSL_connect failed with error -313: received alert fatal error",
    };
    told = in_handshake;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect(CURLE_SSL_CONNECT_ERROR, texts[i], CBA_TLS, CBA_TLS_OTHER);
    }
    told.system_error = ECONNRESET; /* an alert, and then a reset */
    expect(CURLE_SSL_CONNECT_ERROR, texts[1], CBA_TLS, CBA_TLS_OTHER);
}

/* In TLS 1.3 the client has sent its request by then. */
static void a_client_certificate_that_is_missing(void) {
    told = sent;
    expect(CURLE_RECV_ERROR,
           "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert "
           "certificate required, errno 0",
           CBA_TLS, CBA_TLS_REFUSED);
    expect(CURLE_RECV_ERROR,
           "ssl_read returned: (-0x7780) SSL - A fatal alert message was "
           "received from our peer",
           CBA_TLS, CBA_TLS_REFUSED);
    expect(CURLE_RECV_ERROR, "Connection reset by peer", CBA_NETWORK, CBA_TLS_OTHER);
}

int main(void) {
    a_proxy_that_refuses();
    a_key_that_cannot_be_used();
    a_server_that_hangs_up_in_the_handshake();
    a_handshake_that_fails();
    a_client_certificate_that_is_missing();
    return check_summary("outcome_test");
}
