/* Parses and resolves URLs with libcurl's own parser, so that libcurl uses exactly the parts that
 * were checked. */
#ifndef CBA_URL_H
#define CBA_URL_H

#include <curl/curl.h>
#include <stdbool.h>

enum { CBA_URL_MAX = 2048 };

struct cba_url {
    char text[CBA_URL_MAX]; /* the whole, without fragment */
    char scheme[16];
    char host[256]; /* lower case; an IPv6 address in brackets */
    char port[8];   /* always there for http and https */
    bool has_user, has_query, has_fragment;
};

enum cba_url_status { CBA_URL_OK, CBA_URL_BAD, CBA_URL_NO_MEMORY };

/* Whether a URL has no white space or control character, which would break a request's line in two.
 */
bool cba_url_is_clean(const char *text);

/* Parses a URL for libcurl to send. Without this libcurl would guess a scheme that is missing. */
enum cba_url_status cba_url_parse(const char *text, CURLU *handle);

/* Takes `text` apart; with a `base`, resolves it as a reference against that first (RFC 3986). */
enum cba_url_status cba_url_read(const char *text, const char *base, struct cba_url *url);

#endif
