/* csrc/answer.c: header lines, as libcurl hands them over: each with its end of line and no NUL. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "secret.h"

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
    check(answer->retry_after == 18, "in any case, trimmed");
    take("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    check(answer->retry_at == 784111777, "a date");
    take("DATE: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    check(answer->date == 784111777, "the bank's clock");
    take("Content-Type: text/html; charset=utf-8\r\n");
    check(answer->content_type != NULL && strcmp(answer->content_type, "text/html") == 0, "a type");
    take("Location: /elsewhere\r\n");
    check(answer->has_location && strcmp(answer->location, "/elsewhere") == 0, "a target");
}

static bool is_clear(void) {
    return answer->date == -1 && answer->retry_after == -1 && answer->retry_at == -1 &&
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

/* A date is parsed when it is another one than the last. */
static void test_dates_that_are_none(void) {
    take("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    take("Date: tomorrow\r\n");
    check(answer->date == -1, "no date");
    take("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    check(answer->date == 784111778, "the next second");
    take("Date:\r\n");
    check(answer->date == -1, "an empty one");
    take("Date:");
    check(answer->date == -1, "a line that ends there");
    take("Dated: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    take("D\r\n");
    check(answer->date == -1, "another header");
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
    char behind = answer->date_text[0];
    for (size_t length = CBA_LOCATION_MAX; length < CBA_LOCATION_MAX + 2; length++) {
        take_location(length);
        check(answer->has_location && answer->location[0] == '\0', "a target of %zu", length);
        check(answer->date_text[0] == behind, "what is behind it");
    }
}

int main(void) {
    answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        abort();
    }
    cba_answer_clear(answer);
    test_a_new_answer_has_nothing_of_the_old();
    test_dates_that_are_none();
    test_values_that_are_too_long();
    free(answer);
    return check_summary("answer");
}
