/* The header lines of an answer, kept for whoever wants to read all of them. */
#ifndef CBA_HEADER_LINES_H
#define CBA_HEADER_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* All zeros at first. */
struct cba_header_lines {
    char *text;
    size_t length, room;
};

/* Takes one line as libcurl gives it; a status line begins a new answer, as after a 1xx. False when
 * out of memory. */
bool cba_header_lines_add(struct cba_header_lines *lines, const char *line, size_t length);

/* Wipes them: a header may be a secret. */
void cba_header_lines_free(struct cba_header_lines *lines);

/* One header: a name, and its value without white space at the ends. */
struct cba_header {
    const char *name, *value;
    size_t name_length, value_length;
};

/* The first header at or behind `*at`, which moves on; 0 at first. False when there are no more.
 * Lines that are no header are passed over. */
bool cba_header_lines_next(const struct cba_header_lines *lines, size_t *at,
                           struct cba_header *header);

#endif
