#include "http/outcome.h"

#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "http/answer.h"

/* What libcurl's code says by itself. Codes that are not here say only that the exchange failed.
 * Numbers, because the header of an old libcurl lacks names that a new one reports. */
enum {
    CODE_PROXY = 97,          /* 7.73 */
    CODE_SSL_CLIENTCERT = 98, /* 7.77 */
    CODE_TOO_LARGE = 100,     /* 8.6 */
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
    {CODE_TOO_LARGE, CBA_TOO_LARGE, CBA_TLS_OTHER},
    {CURLE_PEER_FAILED_VERIFICATION, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_ISSUER_ERROR, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_INVALIDCERTSTATUS, CBA_TLS, CBA_TLS_TRUST},
    {CURLE_SSL_CACERT_BADFILE, CBA_TLS, CBA_TLS_TRUST_STORE},
    {CURLE_SSL_CERTPROBLEM, CBA_TLS, CBA_TLS_CLIENT},
    {CODE_SSL_CLIENTCERT, CBA_TLS, CBA_TLS_CLIENT},
    {CURLE_BAD_FUNCTION_ARGUMENT, CBA_TLS, CBA_TLS_CLIENT}, /* a bad key, from 8.16 on */
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

static bool has_passed(const struct cba_evidence *evidence, CURLINFO moment) {
    double seconds = 0;
    return curl_easy_getinfo(evidence->easy, moment, &seconds) == CURLE_OK && seconds > 0;
}

static bool tunnel_is_open(const struct cba_evidence *evidence) {
    return cba_is_success(info_long(evidence->easy, CURLINFO_HTTP_CONNECTCODE));
}

/* By TCP. The time is that of all steps to one from 7.87 on. */
static bool is_connected(const struct cba_evidence *evidence) {
    return has_passed(evidence, CURLINFO_CONNECT_TIME) ||
           info_long(evidence->easy, CURLINFO_LOCAL_PORT) > 0;
}

static enum cba_step step_under_way(const struct cba_evidence *evidence) {
    if (has_passed(evidence, CURLINFO_PRETRANSFER_TIME)) {
        return CBA_STEP_ANSWER;
    }
    if (!has_passed(evidence, CURLINFO_NAMELOOKUP_TIME)) {
        return CBA_STEP_NAME;
    }
    if (!is_connected(evidence)) {
        return CBA_STEP_CONNECTION;
    }
    /* Of SOCKS nothing tells how far it came. */
    bool through = evidence->way == CBA_DIRECTLY || tunnel_is_open(evidence);
    return through ? CBA_STEP_HANDSHAKE : CBA_STEP_TUNNEL;
}

/* Whether it had not come further than the proxy, for certain. */
static bool is_at_proxy(const struct cba_evidence *evidence) {
    enum cba_step step = step_under_way(evidence);
    return evidence->way != CBA_DIRECTLY && !evidence->begun &&
           (step == CBA_STEP_NAME || step == CBA_STEP_CONNECTION ||
            (step == CBA_STEP_TUNNEL && evidence->way != CBA_BY_SOCKS_PROXY));
}

/* The texts of all TLS libraries say so. */
static bool mentions_alert(const struct cba_evidence *evidence) {
    return strstr(evidence->error, "alert") != NULL;
}

/* TLS 1.3 lets the client believe the handshake over before the server has looked at its
 * certificate. A refusal then shows as an alert to the first read or, when the server was quicker,
 * as a connection that takes not one byte. */
static bool is_late_tls_refusal(int curl_code, const struct cba_evidence *evidence) {
    bool is_unsent = curl_code == CURLE_SEND_ERROR &&
                     has_passed(evidence, CURLINFO_APPCONNECT_TIME) &&
                     info_long(evidence->easy, CURLINFO_REQUEST_SIZE) == 0;
    return !evidence->begun && (mentions_alert(evidence) || is_unsent);
}

/* Codes that say only "connecting, sending or receiving failed" hide a proxy that will not open the
 * tunnel and a refusal by TLS. */
static void look_into_exchange(struct cba_failure *failure, int curl_code,
                               const struct cba_evidence *evidence) {
    if (info_long(evidence->easy, CURLINFO_HTTP_CONNECTCODE) != 0 && !tunnel_is_open(evidence)) {
        failure->outcome = CBA_PROXY;
        failure->proxy_answered = true;
    } else if (failure->outcome == CBA_NETWORK && is_late_tls_refusal(curl_code, evidence)) {
        failure->outcome = CBA_TLS;
        failure->tls_fault = CBA_TLS_REFUSED;
    }
}

/* What TLS libraries call the end of a connection. The system has no number for it, as it has for a
 * reset. */
static bool mentions_end(const char *text) {
    static const char *const words[] = {
        "SSL_ERROR_SYSCALL",           /* OpenSSL 1.1 */
        "Connection reset by peer",    /* OpenSSL by libcurl 7.74, which keeps no number */
        "unexpected eof",              /* OpenSSL 3 */
        "non-properly terminated",     /* GnuTLS */
        "indicated an EOF",            /* mbedTLS */
        "error state on socket",       /* wolfSSL */
        "closed underlying transport", /* wolfSSL */
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* In a handshake: that says nothing of trust, unless an alert said something before. Behind an
 * https proxy OpenSSL says the same of a certificate that it does not trust. */
static bool is_hung_up(const struct cba_evidence *evidence) {
    long system_error = info_long(evidence->easy, CURLINFO_OS_ERRNO);
    bool tls_in_tls = evidence->way == CBA_BY_HTTPS_PROXY && tunnel_is_open(evidence);
    return !mentions_alert(evidence) && !tls_in_tls &&
           (system_error == ECONNRESET || system_error == EPIPE || mentions_end(evidence->error));
}

static void set_detail(struct cba_failure *failure, const char *text) {
    size_t i = 0;
    for (; i < sizeof failure->detail - 1 && text[i] != '\0'; i++) {
        bool printable = text[i] >= ' ' && text[i] <= '~';
        failure->detail[i] = (char)(printable ? text[i] : '?');
    }
    failure->detail[i] = '\0';
}

void cba_failure_of_client(struct cba_failure *failure, const char *detail) {
    failure->outcome = CBA_TLS;
    failure->tls_fault = CBA_TLS_CLIENT;
    set_detail(failure, detail);
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

/* What broke no further on than at the proxy is the proxy's. */
static void blame_proxy(struct cba_failure *failure, const struct cba_evidence *evidence) {
    failure->at_proxy = is_at_proxy(evidence);
    if (failure->at_proxy && (failure->outcome == CBA_CONNECT || failure->outcome == CBA_NETWORK)) {
        failure->outcome = CBA_PROXY;
    }
}

void cba_outcome_judge(struct cba_failure *failure, int curl_code,
                       const struct cba_evidence *evidence) {
    look_up(failure, curl_code);
    if (failure->outcome == CBA_TLS && evidence->begun &&
        step_under_way(evidence) == CBA_STEP_ANSWER) {
        failure->outcome = CBA_NETWORK; /* of a bad trailer libcurl says "a bad argument", too */
    }
    if (failure->outcome == CBA_NETWORK || failure->outcome == CBA_CONNECT) {
        look_into_exchange(failure, curl_code, evidence);
    }
    if (failure->outcome == CBA_NO_MEMORY && evidence->begun) {
        failure->outcome = CBA_NETWORK; /* a header line beyond libcurl's own limit */
    }
    if (curl_code == CURLE_SSL_CONNECT_ERROR && is_hung_up(evidence)) {
        failure->outcome = CBA_NETWORK;
    }
    if (failure->outcome == CBA_TIMEOUT) {
        failure->step = step_under_way(evidence);
        failure->connect_limited = failure->step != CBA_STEP_ANSWER && evidence->connect_limited;
    }
    explain(failure, evidence);
    blame_proxy(failure, evidence);
    if (evidence->overflow) {
        failure->outcome = CBA_TOO_LARGE;
    }
}

const char *cba_http_version_name(long version) {
    switch (version) {
        case CURL_HTTP_VERSION_1_0:
            return "1.0";
        case CURL_HTTP_VERSION_1_1:
            return "1.1";
        case CURL_HTTP_VERSION_2_0:
            return "2";
        default:
            return NULL;
    }
}
