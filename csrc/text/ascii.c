#include "text/ascii.h"

#include <string.h>

char cba_ascii_lower(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool cba_ascii_same(const char *one, const char *other, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (cba_ascii_lower(one[i]) != cba_ascii_lower(other[i])) {
            return false;
        }
        if (one[i] == '\0') {
            return true;
        }
    }
    return true;
}

bool cba_ascii_begins(const char *text, const char *start) {
    while (*start != '\0' && cba_ascii_lower(*text) == cba_ascii_lower(*start)) {
        text++;
        start++;
    }
    return *start == '\0';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = cba_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long cba_ascii_hex(const char *digits, size_t count) {
    long value = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = hex_value(digits[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

bool cba_ascii_is_token(const char *text, size_t length) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char c = cba_ascii_lower(text[i]);
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || strchr(marks, c) == NULL)) {
            return false;
        }
    }
    return length > 0;
}
