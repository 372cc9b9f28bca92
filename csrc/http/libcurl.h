/* The one-time initialisation of libcurl, and the features of this build of libcurl. */
#ifndef CBA_LIBCURL_H
#define CBA_LIBCURL_H

#include <stdbool.h>

/* Initialises libcurl, once in a process and not before it is needed; false when that fails. */
bool cba_libcurl_start(void);
bool cba_libcurl_is_started(void);

/* "libcurl/7.88.1 OpenSSL/3.0.15 …" as libcurl words it. */
const char *cba_libcurl_version(void);

/* "7.88.1", and the least number that has all that this was compiled for. */
const char *cba_libcurl_number(void);
const char *cba_libcurl_least(void);

/* Whether it has HTTP/2. */
bool cba_libcurl_has_http2(void);

/* Whether GnuTLS is its TLS library. */
bool cba_libcurl_has_gnutls(void);

/* Whether it looks names up without making its caller wait. */
bool cba_libcurl_resolves_aside(void);

/* Whether it finds another OpenSSL in the process than it was built for. */
bool cba_libcurl_mixes_openssl(void);

/* Whether it may raise SIGPIPE when the other side has gone. */
bool cba_libcurl_raises_sigpipe(void);

#endif
