#include "outcome.h"

#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What libcurl's code says by itself. Codes that are not here say only that the exchange failed.
 * Numbers, because the header of an old libcurl lacks names that a new one reports. */
enum {
    CODE_PROXY = 97,          /* 7.73 */
    CODE_SSL_CLIENTCERT = 98, /* 7.77 */
};

static const struct {
    int code;
    enum cba_outcome outcome;
    enum cba_tls_fault tls_fault;
} meanings[] = {
    {CURLE_OK, CBA_ANSWERED, CBA_TLS_OTHER},
    {CURLE_COULDNT_RESOLVE_HOST, CBA_RESOLVE, CBA_TLS_OTHER},
    {CURLE_COULDNT_RESOLVE_PROXY, CBA_PROXY, CBA_TLS_OTHER},
    {CODE_PROXY, CBA_PROXY, CBA_TLS_OTHER},
    {CURLE_COULDNT_CONNECT, CBA_CONNECT, CBA_TLS_OTHER},
    {CURLE_OPERATION_TIMEDOUT, CBA_TIMEOUT, CBA_TLS_OTHER},
    {CURLE_OUT_OF_MEMORY, CBA_NO_MEMORY, CBA_TLS_OTHER},
    {CURLE_PEER_FAILED_VERIFICATION, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_ISSUER_ERROR, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_INVALIDCERTSTATUS, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_CACERT_BADFILE, CBA_TLS, CBA_TLS_TRUST_STORE},
    {CURLE_SSL_CERTPROBLEM, CBA_TLS, CBA_TLS_CLIENT},
    {CODE_SSL_CLIENTCERT, CBA_TLS, CBA_TLS_CLIENT},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, CBA_TLS, CBA_TLS_PIN},
    {CURLE_SSL_CONNECT_ERROR, CBA_TLS, CBA_TLS_OTHER},
    {CURLE_SSL_CIPHER, CBA_TLS, CBA_TLS_OTHER},
    {CURLE_USE_SSL_FAILED, CBA_TLS, CBA_TLS_OTHER},
};

static void look_up(struct cba_failure *failure, int curl_code) {
    failure->outcome = CBA_NETWORK;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].code == curl_code) {
            failure->outcome = meanings[i].outcome;
            failure->tls_fault = meanings[i].tls_fault;
        }
    }
}

static long info_long(CURL *easy, CURLINFO what) {
    long value = 0;
    return curl_easy_getinfo(easy, what, &value) == CURLE_OK ? value : 0;
}

/* OpenSSL's and GnuTLS's texts both say so. */
static bool mentions_alert(const struct cba_evidence *evidence) {
    return strstr(evidence->error, "alert") != NULL;
}

/* TLS 1.3 lets the client believe the handshake over before the server has looked at its
 * certificate. A refusal then shows as an alert to the first read or, when the server was quicker,
 * as a connection that takes not one byte. */
static bool is_late_tls_refusal(int curl_code, const struct cba_evidence *evidence) {
    double handshake = 0;
    if (evidence->begun) {
        return false;
    }
    if (mentions_alert(evidence)) {
        return true;
    }
    return curl_code == CURLE_SEND_ERROR &&
           curl_easy_getinfo(evidence->easy, CURLINFO_APPCONNECT_TIME, &handshake) == CURLE_OK &&
           handshake > 0 && info_long(evidence->easy, CURLINFO_REQUEST_SIZE) == 0;
}

/* Codes that say only "sending or receiving failed" hide a proxy that will not open the tunnel and
 * a refusal by TLS. */
static void look_into_exchange(struct cba_failure *failure, int curl_code,
                               const struct cba_evidence *evidence) {
    long connect_code = info_long(evidence->easy, CURLINFO_HTTP_CONNECTCODE);
    bool tunnel_failed = !evidence->begun && strstr(evidence->error, "CONNECT") != NULL;
    if ((connect_code != 0 && connect_code / 100 != 2) || tunnel_failed) {
        failure->outcome = CBA_PROXY;
        failure->proxy_answered = connect_code != 0;
    } else if (is_late_tls_refusal(curl_code, evidence)) {
        failure->outcome = CBA_TLS;
        failure->tls_fault = CBA_TLS_REFUSED;
    }
}

/* In a handshake: that says nothing of trust, unless an alert said something before. */
static bool is_hung_up(const struct cba_evidence *evidence) {
    long system_error = info_long(evidence->easy, CURLINFO_OS_ERRNO);
    return !mentions_alert(evidence) &&
           (system_error == ECONNRESET || system_error == EPIPE ||
            strstr(evidence->error, "SSL_ERROR_SYSCALL") != NULL ||      /* OpenSSL */
            strstr(evidence->error, "non-properly terminated") != NULL); /* GnuTLS */
}

static void set_detail(struct cba_failure *failure, const char *text) {
    size_t i = 0;
    for (; i < sizeof failure->detail - 1 && text[i] != '\0'; i++) {
        bool printable = text[i] >= ' ' && text[i] <= '~';
        failure->detail[i] = (char)(printable ? text[i] : '?');
    }
    failure->detail[i] = '\0';
}

void cba_failure_clear(struct cba_failure *failure) {
    failure->outcome = CBA_PENDING;
    failure->tls_fault = CBA_TLS_OTHER;
    failure->proxy_answered = false;
    failure->detail[0] = '\0';
}

/* Only where no text can quote an answer's body or headers. That of TLS may quote the server's
 * certificate. */
static void explain(struct cba_failure *failure, const struct cba_evidence *evidence) {
    long system_error;
    switch (failure->outcome) {
        case CBA_CONNECT:
            /* Not libcurl's text, here and below: it may quote the proxy's URL with its password.
             */
            system_error = info_long(evidence->easy, CURLINFO_OS_ERRNO);
            set_detail(failure, system_error != 0 ? strerror((int)system_error) : "");
            break;
        case CBA_PROXY:
            if (failure->proxy_answered) {
                (void)snprintf(failure->detail, sizeof failure->detail, "status %ld",
                               info_long(evidence->easy, CURLINFO_HTTP_CONNECTCODE));
            }
            break;
        case CBA_RESOLVE:
        case CBA_TLS:
            set_detail(failure, evidence->error);
            break;
        default:
            break;
    }
}

void cba_outcome_judge(struct cba_failure *failure, int curl_code,
                       const struct cba_evidence *evidence) {
    look_up(failure, curl_code);
    if (failure->outcome == CBA_NETWORK) {
        look_into_exchange(failure, curl_code, evidence);
    }
    if (failure->outcome == CBA_NO_MEMORY && evidence->begun) {
        failure->outcome = CBA_NETWORK; /* a header line beyond libcurl's own limit */
    }
    if (curl_code == CURLE_SSL_CONNECT_ERROR && is_hung_up(evidence)) {
        failure->outcome = CBA_NETWORK;
    }
    explain(failure, evidence);
    if (failure->outcome == CBA_CONNECT && evidence->proxied) {
        failure->outcome = CBA_PROXY;
    }
    if (evidence->overflow) {
        failure->outcome = CBA_TOO_LARGE;
    }
}
