/* Header lines: which ones a request may have, and how those of an answer are kept. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "http/header_lines.h"
#include "http/request.h"
#include "text/ascii.h"

static bool is_line(const char *line) {
    return cba_request_is_line(line, strlen(line));
}

static void test_lines_of_a_request(void) {
    check(is_line("Name: value") && is_line("Name:value") && is_line("Name: \xC3\xA4\tb"), "plain");
    check(is_line("Name;") && is_line("x-!#$%&'*+.^_`|~9: 1"), "empty values and odd names");
    check(!is_line("") && !is_line("Name") && !is_line(": value") && !is_line(";"), "no name");
    check(!is_line("Name:") && !is_line("Name: \t") && !is_line("Name; value"), "no value");
    check(!is_line("Na me: 1") && !is_line("N\xC3\xA4me: 1") && !is_line("Na(me): 1"), "names");
    check(!is_line("Name: 1\r\n") && !is_line("Name: 1\nOther: 2") && !is_line("Name: \x7F"),
          "controls");
    check(!cba_request_is_line("Name: 1\0002", 9), "a NUL");
}

static void test_tokens(void) {
    check(cba_ascii_is_token("GET", 3) && cba_ascii_is_token("M-SEARCH", 8), "methods");
    check(!cba_ascii_is_token("", 0) && !cba_ascii_is_token("G T", 3), "none");
    check(!cba_ascii_is_token("G\0T", 3) && !cba_ascii_is_token("G\xFFT", 3), "bytes");
}

static void add(struct cba_header_lines *lines, const char *line) {
    check(cba_header_lines_add(lines, line, strlen(line)), "it is added");
}

/* Whether the next header has this name and value; NULL: there is none. */
static bool next_is(const struct cba_header_lines *lines, size_t *at, const char *name,
                    const char *value) {
    struct cba_header header;
    if (!cba_header_lines_next(lines, at, &header)) {
        return name == NULL;
    }
    return name != NULL && strlen(name) == header.name_length &&
           memcmp(name, header.name, header.name_length) == 0 &&
           strlen(value) == header.value_length &&
           memcmp(value, header.value, header.value_length) == 0;
}

static void test_lines_of_an_answer(void) {
    struct cba_header_lines lines = {NULL, 0, 0};
    size_t at = 0;
    check(next_is(&lines, &at, NULL, NULL), "none at first");
    add(&lines, "HTTP/1.1 100 Continue\r\n");
    add(&lines, "Early: 1\r\n");
    add(&lines, "\r\n");
    add(&lines, "HTTP/1.1 200 OK\r\n");
    add(&lines, "Name: \t value \r\n");
    add(&lines, "no header\r\n");
    add(&lines, "Bad name: 1\r\n");
    add(&lines, "Folded:\r\n");
    add(&lines, "\tvalue\r\n");
    add(&lines, "Empty:\r\n");
    add(&lines, "\r\n");
    at = 0;
    check(next_is(&lines, &at, "Name", "value"), "white space is taken off");
    check(next_is(&lines, &at, "Folded", "value"), "a folded value");
    check(next_is(&lines, &at, "Empty", ""), "an empty value");
    check(next_is(&lines, &at, NULL, NULL), "no more");
    cba_header_lines_free(&lines);
    cba_header_lines_free(&lines);
}

static void test_many_lines(void) {
    struct cba_header_lines lines = {NULL, 0, 0};
    char value[592], line[600];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    (void)snprintf(line, sizeof line, "Name: %s\r\n", value);
    for (int i = 0; i < 100; i++) {
        add(&lines, line);
    }
    size_t at = 0;
    int count = 0;
    for (struct cba_header header; cba_header_lines_next(&lines, &at, &header); count++) {
        check(header.value_length == sizeof value - 1, "its value is whole");
    }
    check(count == 100, "each is there");
    cba_header_lines_free(&lines);
}

int main(void) {
    test_lines_of_a_request();
    test_tokens();
    test_lines_of_an_answer();
    test_many_lines();
    return check_summary("header lines");
}
