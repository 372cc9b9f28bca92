#include "http/url.h"

#include <string.h>

#include "text/ascii.h"

/* Copies one part; a missing part is an empty string. */
static CURLUcode get_part(CURLU *handle, CURLUPart part, unsigned flags, char *out, size_t size) {
    char *value = NULL;
    out[0] = '\0';
    CURLUcode code = curl_url_get(handle, part, &value, flags);
    if (code == CURLUE_NO_HOST || code == CURLUE_NO_PORT) {
        code = CURLUE_OK; /* as in file:///etc/passwd */
    } else if (code == CURLUE_OK) {
        size_t length = strlen(value);
        if (length < size) {
            memcpy(out, value, length + 1);
        } else {
            code = CURLUE_MALFORMED_INPUT;
        }
    }
    curl_free(value);
    return code;
}

static CURLUcode has_part(CURLU *handle, CURLUPart part, bool *present) {
    char *value = NULL;
    CURLUcode code = curl_url_get(handle, part, &value, 0);
    curl_free(value);
    *present = code == CURLUE_OK;
    return code == CURLUE_OUT_OF_MEMORY ? code : CURLUE_OK;
}

static CURLUcode read_parts(CURLU *handle, struct cba_url *url) {
    CURLUcode code;
    bool has_zone;
    if ((code = has_part(handle, CURLUPART_ZONEID, &has_zone)) ||
        (code = get_part(handle, CURLUPART_SCHEME, 0, url->scheme, sizeof url->scheme)) ||
        (code = get_part(handle, CURLUPART_HOST, 0, url->host, sizeof url->host)) ||
        (code =
             get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, url->port, sizeof url->port)) ||
        (code = has_part(handle, CURLUPART_USER, &url->has_user)) ||
        (code = has_part(handle, CURLUPART_QUERY, &url->has_query)) ||
        (code = has_part(handle, CURLUPART_FRAGMENT, &url->has_fragment)) ||
        (code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0)) ||
        (code = get_part(handle, CURLUPART_URL, 0, url->text, sizeof url->text))) {
        return code;
    }
    for (char *c = url->host; *c != '\0'; c++) {
        *c = cba_ascii_lower(*c);
    }
    /* libcurl 7.88 connects without the zone, and without it two hosts would pass for one. libcurl
     * 7.74 does not decode a host: it would look up the name as it is encoded. */
    return has_zone || strchr(url->host, '%') != NULL ? CURLUE_MALFORMED_INPUT : CURLUE_OK;
}

/* "javascript:alert(1)", which libcurl 7.74 takes for a path. */
static bool is_opaque(const char *text) {
    size_t length = strcspn(text, ":/?#"); /* RFC 3986, section 4.2: a scheme, if ':' follows */
    return text[length] == ':' && text[length + 1] != '/';
}

/* libcurl 7.74 takes white space. */
bool cba_url_is_clean(const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == '\x7F') {
            return false;
        }
    }
    return true;
}

static enum cba_url_status status_of(CURLUcode code) {
    return code == CURLUE_OK              ? CBA_URL_OK
           : code == CURLUE_OUT_OF_MEMORY ? CBA_URL_NO_MEMORY
                                          : CBA_URL_BAD;
}

enum cba_url_status cba_url_parse(const char *text, CURLU *handle) {
    return status_of(curl_url_set(handle, CURLUPART_URL, text, 0));
}

enum cba_url_status cba_url_read(const char *text, const char *base, struct cba_url *url) {
    memset(url, 0, sizeof *url);
    if (!cba_url_is_clean(text) || (base != NULL && is_opaque(text))) {
        return CBA_URL_BAD;
    }
    CURLU *handle = curl_url();
    if (handle == NULL) {
        return CBA_URL_NO_MEMORY;
    }
    CURLUcode code = base != NULL ? curl_url_set(handle, CURLUPART_URL, base, 0) : CURLUE_OK;
    if (code == CURLUE_OK) {
        /* An unknown scheme is taken apart too: a message can then say where it leads. */
        code = curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    }
    if (code == CURLUE_OK) {
        code = read_parts(handle, url);
    }
    curl_url_cleanup(handle);
    return status_of(code);
}
