#include "text/utf8.h"

/* RFC 3629, section 4, as a table: the lead byte decides how many bytes follow and which range the
 * first of them may lie in; all others lie in 80..BF. */
static const struct {
    unsigned char first, last, following, low, high;
} leads[] = {
    {0x00, 0x7F, 0, 0x00, 0x00}, {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
    {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF}, {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

size_t cba_utf8_character(const char *bytes, size_t length) {
    const unsigned char *s = (const unsigned char *)bytes;
    size_t i = 0;
    if (length == 0) {
        return 0;
    }
    while (i < sizeof leads / sizeof *leads && s[0] > leads[i].last) {
        i++;
    }
    if (i == sizeof leads / sizeof *leads || s[0] < leads[i].first) {
        return 0;
    }
    size_t following = leads[i].following;
    if (following == 0) {
        return 1;
    }
    if (following >= length || s[1] < leads[i].low || s[1] > leads[i].high) {
        return 0;
    }
    for (size_t k = 2; k <= following; k++) {
        if ((s[k] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return following + 1;
}

long cba_utf8_count(const char *bytes, size_t length) {
    const unsigned char *s = (const unsigned char *)bytes;
    long count = 0;
    for (size_t at = 0; at < length; count++) {
        size_t n = s[at] < 0x80 ? 1 : cba_utf8_character(bytes + at, length - at);
        if (n == 0) {
            return -1;
        }
        at += n;
    }
    return count;
}

size_t cba_utf8_write(uint32_t code, char bytes[CBA_UTF8_MAX]) {
    static const unsigned char first[] = {0x00, 0xC0, 0xE0, 0xF0};
    size_t following = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (size_t i = following; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    bytes[0] = (char)(first[following] | code);
    return following + 1;
}

size_t cba_utf8_read(const char *bytes, size_t length, uint32_t *code) {
    const unsigned char *s = (const unsigned char *)bytes;
    size_t n = cba_utf8_character(bytes, length);
    if (n == 0) {
        return 0;
    }
    /* A lead byte begins with as many ones as the character has bytes, and a zero. */
    uint32_t value = n == 1 ? s[0] : s[0] & (0x7FU >> n);
    for (size_t k = 1; k < n; k++) {
        value = value << 6 | (s[k] & 0x3FU);
    }
    *code = value;
    return n;
}
