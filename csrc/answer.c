#include "answer.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ascii.h"

void cba_answer_clear(struct cba_answer *answer) {
    answer->date = answer->retry_after = answer->retry_at = -1;
    answer->content_type = NULL;
    answer->has_location = answer->is_whole = false;
    answer->location[0] = '\0';
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
    return date > 0 ? (double)date : -1;
}

static double remember_date(struct cba_answer *answer, const char *text) {
    if (text[0] == '\0') {
        return -1;
    }
    if (strcmp(text, answer->date_text) != 0) {
        answer->date_parsed = parse_date(text);
        memcpy(answer->date_text, text, strlen(text) + 1); /* header_value saw that it fits */
    }
    return answer->date_parsed;
}

/* RFC 9110, section 10.2.3: seconds or a date. */
static void read_retry_after(struct cba_answer *answer, const char *value) {
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0') {
        answer->retry_after = strtod(value, NULL);
    } else {
        answer->retry_at = parse_date(value);
    }
}

/* The media type may be shown in a message, so it is one of ours or none: a server that puts a
 * secret there must not reach a log. */
static const char *known_media_type(const char *value) {
    static const char *const known[] = {"application/json", "application/problem+json",
                                        "application/xml",  "text/html",
                                        "text/plain",       "text/xml"};
    size_t length = strcspn(value, "; \t");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i]) == length && cba_ascii_same(value, known[i], length)) {
            return known[i];
        }
    }
    return NULL;
}

void cba_answer_take_line(struct cba_answer *answer, const char *line, size_t length) {
    char value[128]; /* holds a date, too */
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        cba_answer_clear(answer);
        return;
    }
    switch (length > 0 ? line[0] : '\0') { /* most lines are of no interest */
        case 'D':
        case 'd':
            if (header_value(line, length, "Date:", value, CBA_DATE_MAX)) {
                answer->date = remember_date(answer, value);
            }
            break;
        case 'R':
        case 'r':
            if (header_value(line, length, "Retry-After:", value, sizeof value)) {
                read_retry_after(answer, value);
            }
            break;
        case 'C':
        case 'c':
            if (header_value(line, length, "Content-Type:", value, sizeof value)) {
                answer->content_type = known_media_type(value);
            }
            break;
        case 'L':
        case 'l':
            if (header_value(line, length, "Location:", answer->location, CBA_LOCATION_MAX)) {
                answer->has_location = true;
            }
            break;
        case '\r':
        case '\n':
            answer->is_whole = true;
            break;
        default:
            break;
    }
}
