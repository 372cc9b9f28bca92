#include "http/header_lines.h"

#include <stdlib.h>
#include <string.h>

#include "secret/secret.h"
#include "text/ascii.h"

enum { ROOM_AT_FIRST = 1024 };

static bool make_room(struct cba_header_lines *lines, size_t wanted) {
    size_t room = lines->room > 0 ? 2 * lines->room : ROOM_AT_FIRST;
    room = room > wanted ? room : wanted;
    char *text = malloc(room);
    if (text == NULL) {
        return false;
    }
    if (lines->text != NULL) {
        memcpy(text, lines->text, lines->length);
        cba_wipe(lines->text, lines->length);
        free(lines->text);
    }
    lines->text = text;
    lines->room = room;
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cba_header_lines_add(struct cba_header_lines *lines, const char *line, size_t length) {
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        lines->length = 0;
        return true;
    }
    size_t wanted = lines->length + length;
    if (wanted > lines->room && !make_room(lines, wanted)) {
        return false;
    }
    /* RFC 9112, section 5.2: a line that begins with a blank goes on with the value before it. */
    if (length > 0 && lines->length > 0 && (line[0] == ' ' || line[0] == '\t')) {
        while (lines->length > 0 && is_blank(lines->text[lines->length - 1])) {
            lines->length--;
        }
    }
    memcpy(lines->text + lines->length, line, length);
    lines->length += length;
    return true;
}

void cba_header_lines_free(struct cba_header_lines *lines) {
    if (lines->text != NULL) {
        cba_wipe(lines->text, lines->room);
        free(lines->text);
        lines->text = NULL;
    }
}

static bool split(const char *line, size_t length, struct cba_header *header) {
    const char *colon = memchr(line, ':', length);
    if (colon == NULL || !cba_ascii_is_token(line, (size_t)(colon - line))) {
        return false;
    }
    const char *value = colon + 1, *end = line + length;
    while (value < end && is_blank(*value)) {
        value++;
    }
    while (end > value && is_blank(end[-1])) {
        end--;
    }
    *header = (struct cba_header){line, value, (size_t)(colon - line), (size_t)(end - value)};
    return true;
}

bool cba_header_lines_next(const struct cba_header_lines *lines, size_t *at,
                           struct cba_header *header) {
    while (*at < lines->length) {
        const char *line = lines->text + *at;
        size_t left = lines->length - *at;
        const char *end = memchr(line, '\n', left);
        size_t length = end != NULL ? (size_t)(end - line) + 1 : left;
        *at += length;
        if (split(line, length, header)) {
            return true;
        }
    }
    return false;
}
