/* Sets the client's certificate and key in libcurl. Their files may be PEM, DER or PKCS#12. */
#ifndef CBA_CLIENT_CERTIFICATE_H
#define CBA_CLIENT_CERTIFICATE_H

#include "http/endpoint.h"
#include "http/outcome.h"

/* For settings that have a certificate. Fails as cba_request_set does. */
void cba_client_certificate_apply(const struct cba_settings *settings, void *easy,
                                  struct cba_failure *failure);

#endif
