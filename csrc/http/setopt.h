/* How options of a libcurl handle are set. A rejected option must never be missing silently, so a
 * struct cba_failure records the first one. */
#ifndef CBA_SETOPT_H
#define CBA_SETOPT_H

#include <curl/curl.h>

#include "http/outcome.h"

static inline void cba_note_setopt(struct cba_failure *failure, CURLcode code) {
    if (code != CURLE_OK && failure->outcome == CBA_PENDING) {
        failure->outcome = code == CURLE_OUT_OF_MEMORY ? CBA_NO_MEMORY : CBA_UNSUPPORTED;
    }
}

/* For use where the handle is called `easy`, and its failure `failure`. */
#define CBA_SET(option, value) cba_note_setopt(failure, curl_easy_setopt(easy, option, value))

/* For what is off where it is missing. */
#define CBA_SET_IF_BUILT_IN(option, value)                                                         \
    do {                                                                                           \
        CURLcode code = curl_easy_setopt(easy, option, value);                                     \
        cba_note_setopt(failure, code == CURLE_NOT_BUILT_IN ? CURLE_OK : code);                    \
    } while (0)

/* The size of the buffer for what arrives. libcurl refuses while a handle still has its last
 * buffer, as after a stream of HTTP/2 on a connection that others use. That buffer is a large one.
 */
#define CBA_SET_BUFFER_SIZE(size)                                                                  \
    do {                                                                                           \
        CURLcode code = curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)(size));                  \
        cba_note_setopt(failure, code == CURLE_BAD_FUNCTION_ARGUMENT ? CURLE_OK : code);           \
    } while (0)

#endif
