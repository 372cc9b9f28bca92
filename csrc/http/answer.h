/* The header lines of an answer that this library uses. */
#ifndef CBA_ANSWER_H
#define CBA_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* Statuses of success. */
enum { CBA_SUCCESS_FIRST = 200, CBA_SUCCESS_LAST = 299 };
bool cba_is_success(long status);

enum {
    CBA_LOCATION_MAX = 2048,
    CBA_DATE_MAX = 64,
    CBA_REQUEST_ID_MAX = 128 + 1,
    CBA_FOLDED_NAME_MAX = 64,
};

struct cba_answer {
    double retry_after;       /* seconds, or -1; of several the longest, here and below */
    double retry_at;          /* epoch seconds, or -1 */
    const char *content_type; /* one of a closed list of media types, or NULL */
    bool is_whole;            /* the empty line that ends the header has come */
    bool is_compressed;       /* the body is, though nobody asks for that */
    char date[CBA_DATE_MAX];  /* as sent; see cba_answer_date */
    bool has_location;        /* with an empty `location`: one that is empty or too long */
    char location[CBA_LOCATION_MAX];
    /* By which the bank knows the request: visible ASCII, as the bank sent it; or empty. */
    char request_id[CBA_REQUEST_ID_MAX];
    size_t request_id_rank; /* of the header that it came from; the lowest counts */
    /* The name, with its colon, of a header whose value may be on the next line; or empty. */
    char folded_name[CBA_FOLDED_NAME_MAX];
};

void cba_answer_clear(struct cba_answer *answer);

/* The answer's Date in epoch seconds, or -1. It is read here and not when it comes: few ask. */
double cba_answer_date(const struct cba_answer *answer);

/* Takes one header line, a status line too: that one begins a new answer, as after a 1xx. Lines
 * behind a header that is whole, the trailer of a chunked body, are not looked at. */
void cba_answer_take_line(struct cba_answer *answer, const char *line, size_t length);

/* Whether a header of this name only numbers requests, such as X-Request-ID or Idempotency-Key. */
bool cba_numbers_requests(const char *name, size_t length);

#endif
