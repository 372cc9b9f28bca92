/* Any bytes as header lines: those that a request may have cannot be split, and what is kept of an
 * answer's gives names that are tokens and values without white space at their ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/header_lines.h"
#include "http/request.h"
#include "text/ascii.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts are what libFuzzer takes for a finding. */
static void must(int holds) {
    if (!holds) {
        abort();
    }
}

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void check_request_line(const char *line, size_t length) {
    if (!cba_request_is_line(line, length)) {
        return;
    }
    size_t name = 0;
    while (line[name] != ':' && line[name] != ';') {
        name++;
    }
    must(name < length && cba_ascii_is_token(line, name));
    for (size_t i = 0; i < length; i++) {
        must((unsigned char)line[i] >= ' ' || line[i] == '\t');
    }
}

static void check_header(const struct cba_header_lines *lines, const struct cba_header *header) {
    const char *end = lines->text + lines->length;
    must(header->name >= lines->text && header->name + header->name_length < end);
    must(cba_ascii_is_token(header->name, header->name_length));
    must(header->value > header->name && header->value + header->value_length <= end);
    must(memchr(header->value, '\n', header->value_length) == NULL);
    if (header->value_length > 0) {
        must(!is_blank(header->value[0]) && !is_blank(header->value[header->value_length - 1]));
    }
}

/* As libcurl gives them: each with its line feed, the last one perhaps without. */
static void take_lines(const char *bytes, size_t size, struct cba_header_lines *lines,
                       struct cba_answer *answer) {
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end != NULL ? (size_t)(end - bytes) + 1 : size;
        check_request_line(bytes, length);
        check_request_line(bytes, length - 1);
        must(cba_header_lines_add(lines, bytes, length));
        cba_answer_take_line(answer, bytes, length);
        bytes += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cba_header_lines lines = {NULL, 0, 0};
    struct cba_answer answer;
    struct cba_header header;
    cba_answer_clear(&answer);
    char *bytes = malloc(size + 1);
    must(bytes != NULL);
    memcpy(bytes, data, size);
    take_lines(bytes, size, &lines, &answer);
    size_t at = 0;
    while (cba_header_lines_next(&lines, &at, &header)) {
        check_header(&lines, &header);
    }
    must(at == lines.length);
    must(memchr(answer.location, '\0', sizeof answer.location) != NULL);
    must(memchr(answer.request_id, '\0', sizeof answer.request_id) != NULL);
    cba_header_lines_free(&lines);
    free(bytes);
    return 0;
}
