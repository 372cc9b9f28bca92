#include "text/ascii.h"

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
