#include "http/answer.h"

#include <curl/curl.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "text/ascii.h"

bool cba_is_success(long status) {
    return status >= CBA_SUCCESS_FIRST && status <= CBA_SUCCESS_LAST;
}

void cba_answer_clear(struct cba_answer *answer) {
    answer->retry_after = answer->retry_at = -1;
    answer->content_type = NULL;
    answer->has_location = answer->is_whole = answer->is_compressed = false;
    answer->date[0] = answer->location[0] = '\0';
    answer->request_id[0] = answer->folded_name[0] = '\0';
    answer->request_id_rank = SIZE_MAX;
}

/* If `line` is the header `name`, copies its value, trimmed, to `out` and returns true; a value
 * that does not fit leaves `out` empty. `name` carries its colon. */
static bool header_value(const char *line, size_t length, const char *name, char *out,
                         size_t size) {
    size_t n = strlen(name);
    if (length < n || !cba_ascii_same(line, name, n)) {
        return false;
    }
    const char *value = line + n;
    const char *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    size_t value_length = (size_t)(end - value);
    if (value_length >= size) {
        value_length = 0;
    }
    memcpy(out, value, value_length);
    out[value_length] = '\0';
    return true;
}

static double parse_date(const char *text) {
    time_t date = curl_getdate(text, NULL);
    if (sizeof date > sizeof(long)) {
        date = (long)date; /* libcurl may have been built with a time of 32 bits */
    }
    return date > 0 ? (double)date : -1;
}

double cba_answer_date(const struct cba_answer *answer) {
    return answer->date[0] != '\0' ? parse_date(answer->date) : -1;
}

/* ---- Retry-After --------------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Seconds, with or without a fraction; -1 when `text` is something else. Not strtod: that asks the
 * locale. */
static double parse_seconds(const char *text, size_t length) {
    double seconds = 0;
    size_t digits = 0;
    size_t at = length > 0 && text[0] == '+' ? 1 : 0;
    for (; at < length && is_digit(text[at]); at++, digits++) {
        seconds = seconds * 10 + (text[at] - '0');
    }
    if (at < length && text[at] == '.') {
        double unit = 1;
        for (at++; at < length && is_digit(text[at]); at++, digits++) {
            unit /= 10;
            seconds += unit * (text[at] - '0');
        }
    }
    return digits > 0 && at == length ? seconds : -1;
}

/* RFC 9110, section 10.2.3: seconds or a date. Banks write fractions, too. Of several headers that
 * were made one, with commas between, the longest counts; a date, which has a comma of its own, is
 * looked for behind the seconds. Nothing counts when one of them is something else. */
static void read_retry_after(struct cba_answer *answer, const char *value) {
    double longest = -1, date = -1;
    for (bool more = true; more;) {
        value += strspn(value, " \t");
        size_t length = strcspn(value, ",");
        size_t trimmed = length;
        while (trimmed > 0 && (value[trimmed - 1] == ' ' || value[trimmed - 1] == '\t')) {
            trimmed--;
        }
        double seconds = parse_seconds(value, trimmed);
        longest = seconds > longest ? seconds : longest;
        more = seconds >= 0 && value[length] == ',';
        date = seconds < 0 ? parse_date(value) : -1;
        if (seconds < 0 && date < 0) {
            return;
        }
        value += length + (more ? 1 : 0);
    }
    answer->retry_after = longest > answer->retry_after ? longest : answer->retry_after;
    answer->retry_at = date > answer->retry_at ? date : answer->retry_at;
}

/* ---- words that are known ------------------------------------------------------------------ */

/* The one of `words` that `text` is, in any case; or NULL. */
static const char *find_word(const char *const *words, size_t count, const char *text,
                             size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) == length && cba_ascii_same(text, words[i], length)) {
            return words[i];
        }
    }
    return NULL;
}

/* Also of Transfer-Encoding. Other names, such as "UTF-8", are mistakes that do no harm. */
static bool names_compression(const char *value) {
    static const char *const known[] = {"gzip",     "x-gzip",     "deflate", "br",   "zstd",
                                        "compress", "x-compress", "bzip2",   "lzma", "xz",
                                        "lz4",      "dcb",        "dcz"};
    for (value += strspn(value, ", \t"); *value != '\0'; value += strspn(value, ", \t")) {
        if (find_word(known, sizeof known / sizeof *known, value, strcspn(value, ",; \t"))) {
            return true;
        }
        value += strcspn(value, ",");
    }
    return false;
}

/* The media type may be shown in a message, so it is one of ours or none: a server that puts a
 * secret there must not reach a log. */
static const char *known_media_type(const char *value) {
    static const char *const known[] = {"application/json", "application/problem+json",
                                        "application/xml",  "text/html",
                                        "text/plain",       "text/xml"};
    return find_word(known, sizeof known / sizeof *known, value, strcspn(value, "; \t"));
}

/* ---- the bank's name for the request ------------------------------------------------------- */

/* How the names of headers end that number requests, hyphens aside: X-Correlation-ID,
 * X-Amzn-RequestId and so on. Those of ANSWER_ENDINGS count in an answer, the first is preferred.
 */
static const char *const id_endings[] = {"correlationid", "requestid",     "transactionid",
                                         "interactionid", "trackingid",    "traceid",
                                         "messageid",     "idempotencykey"};
enum { ANSWER_ENDINGS = 6, ID_ENDINGS = sizeof id_endings / sizeof *id_endings };

static bool ends_like(const char *name, size_t length, const char *ending) {
    size_t left = strlen(ending);
    while (length > 0 && left > 0) {
        char c = name[--length];
        if (c != '-' && c != '_' && cba_ascii_lower(c) != ending[--left]) {
            return false;
        }
    }
    return left == 0;
}

/* The index of the ending that a header's name has, or ID_ENDINGS. */
static size_t find_ending(const char *name, size_t length) {
    size_t i = 0;
    while (i < ID_ENDINGS && !ends_like(name, length, id_endings[i])) {
        i++;
    }
    return i;
}

bool cba_numbers_requests(const char *name, size_t length) {
    return find_ending(name, length) < ID_ENDINGS;
}

static bool is_visible(const char *value) {
    while (*value > ' ' && *value <= '~') {
        value++;
    }
    return *value == '\0';
}

static void read_request_id(struct cba_answer *answer, const char *line, size_t length) {
    char value[CBA_REQUEST_ID_MAX];
    const char *colon = memchr(line, ':', length);
    size_t name_length = colon != NULL ? (size_t)(colon - line) : 0;
    size_t rank = find_ending(line, name_length);
    if (rank < ANSWER_ENDINGS && rank < answer->request_id_rank &&
        header_value(colon, length - name_length, ":", value, sizeof value) && value[0] != '\0' &&
        is_visible(value)) {
        memcpy(answer->request_id, value, strlen(value) + 1);
        answer->request_id_rank = rank;
    }
}

/* ---- lines --------------------------------------------------------------------------------- */

enum { VALUE_MAX = 128 }; /* holds a date, too */

static void take_whole_line(struct cba_answer *answer, const char *line, size_t length) {
    char value[VALUE_MAX];
    if (length > 0 && (line[0] == '\r' || line[0] == '\n')) {
        answer->is_whole = true;
    } else if (header_value(line, length, "Date:", answer->date, CBA_DATE_MAX)) {
        return; /* cba_answer_date reads it */
    } else if (header_value(line, length, "Retry-After:", value, sizeof value)) {
        read_retry_after(answer, value);
    } else if (header_value(line, length, "Content-Type:", value, sizeof value)) {
        answer->content_type = known_media_type(value);
    } else if (header_value(line, length, "Content-Encoding:", value, sizeof value) ||
               header_value(line, length, "Transfer-Encoding:", value, sizeof value)) {
        answer->is_compressed |= names_compression(value);
    } else if (header_value(line, length, "Location:", answer->location, CBA_LOCATION_MAX)) {
        answer->has_location = true;
    } else {
        read_request_id(answer, line, length);
    }
}

/* RFC 9112, section 5.2: an old server may begin a header's value on the next line, after a blank.
 * Newer versions of libcurl make one line of both. */
static void take_folded_value(struct cba_answer *answer, const char *line, size_t length) {
    char whole[CBA_FOLDED_NAME_MAX + VALUE_MAX];
    size_t name_length = strlen(answer->folded_name);
    if (name_length > 0 && length <= sizeof whole - name_length) {
        memcpy(whole, answer->folded_name, name_length);
        memcpy(whole + name_length, line, length);
        take_whole_line(answer, whole, name_length + length);
    }
}

static void note_empty_value(struct cba_answer *answer, const char *line, size_t length) {
    while (length > 0 && (unsigned char)line[length - 1] <= ' ') {
        length--;
    }
    bool is_empty = length > 0 && line[length - 1] == ':' && length < CBA_FOLDED_NAME_MAX;
    memcpy(answer->folded_name, line, is_empty ? length : 0);
    answer->folded_name[is_empty ? length : 0] = '\0';
}

void cba_answer_take_line(struct cba_answer *answer, const char *line, size_t length) {
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        cba_answer_clear(answer);
        return;
    }
    if (answer->is_whole) {
        return;
    }
    if (length > 0 && (line[0] == ' ' || line[0] == '\t')) {
        take_folded_value(answer, line, length);
        answer->folded_name[0] = '\0';
        return;
    }
    take_whole_line(answer, line, length);
    note_empty_value(answer, line, length);
}
