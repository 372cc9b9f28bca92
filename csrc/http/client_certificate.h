/* The client's certificate and key, in whatever form their files are, told to libcurl. */
#ifndef CBA_CLIENT_CERTIFICATE_H
#define CBA_CLIENT_CERTIFICATE_H

#include "http/request.h"

/* For a request that has a certificate. CBA_PENDING: done; else as of cba_request_apply. */
void cba_client_certificate_apply(const struct cba_request *request, void *easy,
                                  struct cba_failure *failure);

#endif
