/* How a transfer ended. Builds of libcurl report the same failure with different codes and words.
 * This file translates them, and no other room uses a code of libcurl. */
#ifndef CBA_OUTCOME_H
#define CBA_OUTCOME_H

#include <stdbool.h>

enum { CBA_DETAIL_MAX = 200 };

enum cba_outcome {
    CBA_PENDING,
    CBA_ANSWERED, /* there is a status, whatever it is */
    CBA_RESOLVE,
    CBA_CONNECT,
    CBA_PROXY,
    CBA_TLS,
    CBA_TIMEOUT,
    CBA_NETWORK,
    CBA_TOO_LARGE,
    CBA_NO_MEMORY,
    CBA_BAD_URL,
    CBA_UNSUPPORTED, /* this libcurl cannot do what an option asks for */
};

/* Which part of the TLS set-up failed, where libcurl says so. */
enum cba_tls_fault {
    CBA_TLS_OTHER,
    CBA_TLS_TRUST,       /* the server's certificate was not accepted */
    CBA_TLS_TRUST_STORE, /* caFile or caPath cannot be used */
    CBA_TLS_CLIENT,      /* clientCert, clientKey or clientKeyPassword cannot be used */
    CBA_TLS_PIN,
    CBA_TLS_REFUSED, /* by the server, after what the client took for the handshake */
};

/* What was going on when the time was over. */
enum cba_step {
    CBA_STEP_NAME,       /* looking up the name, of the proxy if there is one */
    CBA_STEP_CONNECTION, /* TCP, to the proxy if there is one */
    CBA_STEP_TUNNEL,     /* from the proxy on */
    CBA_STEP_HANDSHAKE,  /* TLS with the host itself */
    CBA_STEP_ANSWER,     /* the request, and what came back */
};

/* How a request gets to its host. */
enum cba_way { CBA_DIRECTLY, CBA_BY_HTTP_PROXY, CBA_BY_HTTPS_PROXY, CBA_BY_SOCKS_PROXY };

/* All zeros at first: none yet. */
struct cba_failure {
    enum cba_outcome outcome;
    enum cba_tls_fault tls_fault;
    enum cba_step step;   /* with CBA_TIMEOUT */
    bool connect_limited; /* with CBA_TIMEOUT: by the limit of the connection, not of the whole */
    bool at_proxy;        /* it is the proxy that it failed with */
    bool proxy_answered;  /* with CBA_PROXY: and would answer the same again */
    char detail[CBA_DETAIL_MAX]; /* printable */
};

/* What is known beside libcurl's code. */
struct cba_evidence {
    void *easy;
    const char *error; /* libcurl's error buffer */
    bool begun;        /* an answer had begun */
    bool overflow;     /* it was larger than we take */
    enum cba_way way;
    bool connect_limited; /* a connection had less time than the whole */
};

/* Notes in a failure, which is none yet, why a client certificate or key cannot be used. */
void cba_failure_of_client(struct cba_failure *failure, const char *detail);

/* "1.1" and so on, of a version as libcurl numbers them; NULL for none. */
const char *cba_http_version_name(long version);

void cba_outcome_judge(struct cba_failure *failure, int curl_code,
                       const struct cba_evidence *evidence);

#endif
