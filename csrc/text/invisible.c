#include "text/invisible.h"

#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

enum { NAME_SIZE = 48 }; /* the longest name below, and its number */

/* In order. Not in it: variation selectors and tags, which emoji may end in. */
static const struct {
    uint32_t first, last;
    const char *name;
} invisible[] = {
    {0x00, 0x08, "a control character"},
    {0x09, 0x09, "a tab"},
    {0x0A, 0x0A, "a line feed (LF)"},
    {0x0B, 0x0C, "a control character"},
    {0x0D, 0x0D, "a carriage return (CR)"},
    {0x0E, 0x1F, "a control character"},
    {0x20, 0x20, "a space"},
    {0x7F, 0x9F, "a control character"},
    {0xA0, 0xA0, "a no-break space"},
    {0xAD, 0xAD, "a soft hyphen"},
    {0x034F, 0x034F, "an invisible character"},
    {0x061C, 0x061C, "a direction mark"},
    {0x115F, 0x1160, "an invisible character"},
    {0x1680, 0x1680, "a space"},
    {0x17B4, 0x17B5, "an invisible character"},
    {0x180B, 0x180F, "an invisible character"},
    {0x2000, 0x200A, "a space"},
    {0x200B, 0x200B, "a zero-width space"},
    {0x200C, 0x200D, "a zero-width joiner"},
    {0x200E, 0x200F, "a direction mark"},
    {0x2028, 0x2028, "a line separator"},
    {0x2029, 0x2029, "a paragraph separator"},
    {0x202A, 0x202E, "a direction mark"},
    {0x202F, 0x202F, "a no-break space"},
    {0x205F, 0x205F, "a space"},
    {0x2060, 0x2060, "a word joiner"},
    {0x2061, 0x2065, "an invisible character"},
    {0x2066, 0x2069, "a direction mark"},
    {0x206A, 0x206F, "an invisible character"},
    {0x2800, 0x2800, "a blank"},
    {0x3000, 0x3000, "a space"},
    {0x3164, 0x3164, "an invisible character"},
    {0xFEFF, 0xFEFF, "a byte order mark (BOM)"},
    {0xFFA0, 0xFFA0, "an invisible character"},
    {0xFFF9, 0xFFFB, "an invisible character"},
};

/* The character's name, or NULL when it is visible. */
static const char *name_of(uint32_t code) {
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible; i++) {
        if (code <= invisible[i].last) {
            return code >= invisible[i].first ? invisible[i].name : NULL;
        }
    }
    return NULL;
}

/* The index of the last character. */
static size_t last_character(const char *bytes, size_t length) {
    size_t at = length - 1;
    while (at > 0 && ((unsigned char)bytes[at] & 0xC0) == 0x80) {
        at--;
    }
    return at;
}

bool cba_invisible_find(const char *bytes, size_t length, struct cba_invisible *found) {
    memset(found, 0, sizeof *found);
    if (length == 0) {
        return false;
    }
    size_t at = last_character(bytes, length);
    (void)cba_utf8_read(bytes, length, &found->first);
    (void)cba_utf8_read(bytes + at, length - at, &found->last);
    found->ends = name_of(found->last) != NULL;
    found->begins = name_of(found->first) != NULL && !(found->ends && at == 0);
    return found->begins || found->ends;
}

/* Writes "a tab (U+0009)"; a name with an abbreviation gets no number. */
static void write_name(uint32_t code, char text[NAME_SIZE]) {
    const char *name = name_of(code);
    if (strchr(name, '(') != NULL) {
        (void)snprintf(text, NAME_SIZE, "%s", name);
    } else {
        (void)snprintf(text, NAME_SIZE, "%s (U+%04X)", name, (unsigned)code);
    }
}

void cba_invisible_describe(const struct cba_invisible *found, char *text, size_t size) {
    char first[NAME_SIZE] = "", last[NAME_SIZE] = "a second line feed (LF)";
    bool both = found->begins && found->ends;
    if (found->begins) {
        write_name(found->first, first);
    }
    if (found->ends && found->last != '\n') {
        write_name(found->last, last);
    }
    (void)snprintf(text, size, "%s%s%s%s%s; remove %s", found->begins ? "begins with " : "", first,
                   both ? " and " : "", found->ends ? "ends in " : "", found->ends ? last : "",
                   both ? "both" : "it");
}

size_t cba_printable(char *text, size_t length) {
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t n = cba_utf8_read(text + at, length - at, &code);
        if (n == 0 || (code != ' ' && name_of(code) != NULL)) {
            text[kept++] = '?';
            at += n == 0 ? 1 : n;
        } else {
            memmove(text + kept, text + at, n);
            kept += n;
            at += n;
        }
    }
    return kept;
}
