/* csrc/http/answer.c: header lines, as libcurl hands them over: each with its end of line and no
 * NUL. */
#include "http/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "secret/secret.h"

static struct cba_answer *answer;

static void take(const char *line) {
    size_t length = strlen(line);
    char *copy = bare_copy(line, length);
    cba_answer_take_line(answer, copy, length);
    cba_guarded_free(copy);
}

static void test_each_header(void) {
    take("HTTP/1.1 503 Busy\r\n");
    take("Retry-After: 17\r\n");
    check(answer->retry_after == 17, "seconds");
    take("retry-after:\t 18 \t\r\n");
    check(answer->retry_after == 18, "in any case, trimmed; the longest");
    take("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    check(answer->retry_at == 784111777, "a date");
    take("DATE: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    check(cba_answer_date(answer) == 784111777, "the bank's clock");
    take("Content-Type: text/html; charset=utf-8\r\n");
    check(answer->content_type != NULL && strcmp(answer->content_type, "text/html") == 0, "a type");
    take("Location: /elsewhere\r\n");
    check(answer->has_location && strcmp(answer->location, "/elsewhere") == 0, "a target");
}

static bool is_clear(void) {
    return cba_answer_date(answer) == -1 && answer->retry_after == -1 && answer->retry_at == -1 &&
           answer->content_type == NULL && !answer->has_location && answer->location[0] == '\0';
}

static void test_a_new_answer_has_nothing_of_the_old(void) {
    test_each_header();
    take("HTTP/1.1 200 OK\r\n");
    check(is_clear(), "after a status line");
    test_each_header();
    cba_answer_clear(answer);
    check(is_clear(), "for another request");
}

static void test_values_on_the_next_line(void) {
    take("HTTP/1.1 307 Moved\r\n");
    take("Location: \r\n");
    take(" /elsewhere\r\n");
    check(strcmp(answer->location, "/elsewhere") == 0, "a folded value");
    take("\tfurther\r\n");
    check(strcmp(answer->location, "/elsewhere") == 0, "no more than that");
    take("Retry-After: 17\r\n");
    take(" 99\r\n");
    check(answer->retry_after == 17, "not behind a value");
    take("Retry-After:\r\n");
    take("HTTP/1.1 200 OK\r\n");
    take(" 99\r\n");
    take(" ");
    check(is_clear(), "not of the answer before");
}

/* A date is parsed when it is another one than the last. */
static void test_dates_that_are_none(void) {
    take("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    take("Date: tomorrow\r\n");
    check(cba_answer_date(answer) == -1, "no date");
    take("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    check(cba_answer_date(answer) == 784111778, "the next second");
    take("Date:\r\n");
    check(cba_answer_date(answer) == -1, "an empty one");
    take("Date:");
    check(cba_answer_date(answer) == -1, "a line that ends there");
    take("Dated: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    take("D\r\n");
    check(cba_answer_date(answer) == -1, "another header");
}

/* "Location: xx…\r\n" with a value of so many bytes. */
static void take_location(size_t length) {
    static const char head[] = "Location: ";
    char *line = malloc(sizeof head + length + 2);
    if (line == NULL) {
        abort();
    }
    memcpy(line, head, sizeof head - 1);
    memset(line + sizeof head - 1, 'x', length);
    memcpy(line + sizeof head - 1 + length, "\r\n", 3);
    take(line);
    free(line);
}

static void test_values_that_are_too_long(void) {
    take_location(CBA_LOCATION_MAX - 1);
    check(strlen(answer->location) == CBA_LOCATION_MAX - 1, "the longest target");
    char behind = answer->request_id[0];
    for (size_t length = CBA_LOCATION_MAX; length < CBA_LOCATION_MAX + 2; length++) {
        take_location(length);
        check(answer->has_location && answer->location[0] == '\0', "a target of %zu", length);
        check(answer->request_id[0] == behind, "what is behind it");
    }
}

static void test_retry_after(void) {
    static const struct {
        const char *value;
        double seconds, date;
    } rows[] = {
        {"30", 30, -1},
        {"30.0", 30, -1},
        {"1.5", 1.5, -1},
        {"+30", 30, -1},
        {".5", .5, -1},
        {"30.", 30, -1},
        {"007", 7, -1},
        {"9e9", -1, -1},
        {"-5", -1, -1},
        {"+", -1, -1},
        {".", -1, -1},
        {"", -1, -1},
        {"30s", -1, -1},
        {"30, 40", 40, -1},
        {"40,30", 40, -1},
        {"30,", -1, -1},
        {"30 , x", -1, -1},
        {"soon", -1, -1},
        {"1.2.3", -1, -1},
        {"++1", -1, -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", -1, 784111777},
        {"30, Sun, 06 Nov 1994 08:49:37 GMT", 30, 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", -1, 784111777},
        {"Sun Nov  6 08:49:37 1994", -1, 784111777},
    };
    char line[128];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        take("HTTP/1.1 503 Busy\r\n");
        (void)snprintf(line, sizeof line, "Retry-After: %s\r\n", rows[i].value);
        take(line);
        check(answer->retry_after == rows[i].seconds && answer->retry_at == rows[i].date,
              "'%s': %g %g", rows[i].value, answer->retry_after, answer->retry_at);
    }
}

static void test_compression(void) {
    static const char *const compressed[] = {
        "Content-Encoding: gzip",
        "content-encoding:\tX-GZIP ",
        "Content-Encoding: br",
        "Content-Encoding: zstd;q=1",
        "Content-Encoding: identity, deflate",
        "Transfer-Encoding: gzip,chunked",
        "Content-Encoding: ,, compress",
    };
    static const char *const plain[] = {
        "Content-Encoding: identity",
        "Content-Encoding:",
        "Content-Encoding: utf-8",
        "Transfer-Encoding: chunked",
        "Accept-Encoding: gzip",
        "Content-Encoding: gzipped",
        "Vary: gzip",
        "X-Content-Encoding: gzip",
        "Content-Encoding: ,",
    };
    take("HTTP/1.1 200 OK\r\n");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        take(plain[i]);
        check(!answer->is_compressed, "%s", plain[i]);
    }
    for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++) {
        take("HTTP/1.1 200 OK\r\n");
        take(compressed[i]);
        take("Content-Encoding: identity\r\n");
        check(answer->is_compressed, "%s", compressed[i]);
    }
}

static void test_request_id(void) {
    take("HTTP/1.1 403 No\r\n");
    take("Set-Cookie: sessionid=canary\r\n");
    take("X-Session-ID: canary\r\n");
    take("Id: canary\r\n");
    take("X-Request-ID: two words\r\n");
    take("X-Request-ID: \x1b[31m\r\n");
    take("X-Request-ID:\r\n");
    check(answer->request_id[0] == '\0', "none: %s", answer->request_id);
    take("x-b3-traceid: trace\r\n");
    check(strcmp(answer->request_id, "trace") == 0, "a trace");
    take("X-Amzn-RequestId:  request \r\n");
    check(strcmp(answer->request_id, "request") == 0, "a request");
    take("X-B3-TraceId: other\r\n");
    take("X-Request-ID: other\r\n");
    check(strcmp(answer->request_id, "request") == 0, "the first of its kind");
    take("X_CORRELATION_ID: correlation\r\n");
    check(strcmp(answer->request_id, "correlation") == 0, "a correlation");
    take("HTTP/1.1 403 No\r\n");
    check(answer->request_id[0] == '\0', "a new answer has none");
    for (int length = CBA_REQUEST_ID_MAX - 2; length < CBA_REQUEST_ID_MAX + 2; length++) {
        char line[2 * CBA_REQUEST_ID_MAX];
        (void)snprintf(line, sizeof line, "Request-Id: %0*d\r\n", length, 1);
        take("HTTP/1.1 403 No\r\n");
        take(line);
        check(strlen(answer->request_id) ==
                  (length < CBA_REQUEST_ID_MAX ? (size_t)length : (size_t)0),
              "%d characters", length);
    }
}

static void test_a_trailer_is_not_read(void) {
    take("HTTP/1.1 503 Busy\r\n");
    take("\r\n");
    take("Retry-After: 30\r\n");
    take("X-Request-ID: later\r\n");
    check(answer->is_whole && answer->retry_after == -1 && answer->request_id[0] == '\0',
          "a trailer");
}

int main(void) {
    answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        abort();
    }
    cba_answer_clear(answer);
    test_a_new_answer_has_nothing_of_the_old();
    test_values_on_the_next_line();
    test_dates_that_are_none();
    test_values_that_are_too_long();
    test_retry_after();
    test_compression();
    test_request_id();
    test_a_trailer_is_not_read();
    free(answer);
    return check_summary("answer");
}
