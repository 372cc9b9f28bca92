/* What all requests to one URL share: a copy of the settings that were made from a caller's checked
 * options. Sets them in libcurl. */
#ifndef CBA_ENDPOINT_H
#define CBA_ENDPOINT_H

#include <stdbool.h>

struct cba_endpoint;
struct cba_failure;
struct cba_secret;

/* NULL: not set. */
struct cba_settings {
    long connect_timeout_ms;
    bool tls13_only;
    const char *ca_file, *ca_path;
    const char *client_cert, *client_key;
    const struct cba_secret *client_key_password;
    const char *pinned_key;
    const char *proxy, *proxy_ca_file, *no_proxy;
    const char *const *headers; /* "Name: value" or, for an empty one, "Name;"; NULL at the end */
};

/* Bytes that libcurl reads at once; see endpoint.c. */
enum { CBA_BUFFER_USUAL = 1024 };

/* Copies the settings; NULL when out of memory. The caller has the first reference. */
struct cba_endpoint *cba_endpoint_new(const struct cba_settings *settings);

/* Another reference. */
struct cba_endpoint *cba_endpoint_hold(struct cba_endpoint *endpoint);

/* One reference less; the last one wipes the copy. NULL is fine. */
void cba_endpoint_release(struct cba_endpoint *endpoint);

/* The caller has no other use for it: nothing that is set up for it is kept from now on. Gives up
 * the caller's reference. */
void cba_endpoint_close(struct cba_endpoint *endpoint);
bool cba_endpoint_is_closed(const struct cba_endpoint *endpoint);

const struct cba_settings *cba_endpoint_settings(const struct cba_endpoint *endpoint);

/* Sets them on a new easy handle, with what is a matter of safety. The failure's outcome stays
 * CBA_PENDING; or it says why the handle cannot be used: CBA_NO_MEMORY or CBA_UNSUPPORTED. */
void cba_endpoint_apply(const struct cba_settings *settings, void *easy,
                        struct cba_failure *failure);

#endif
