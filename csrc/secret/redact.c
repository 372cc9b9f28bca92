#include "secret/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/ascii.h"

/* The bytes that one written character stands for, and how much text it took. */
struct unit {
    char bytes[4];
    size_t length, taken;
};

static bool hex_number(const char *text, size_t digits, uint32_t *value) {
    static const char figures[] = "0123456789abcdef";
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = cba_ascii_lower(text[i]);
        const char *figure = memchr(figures, c, sizeof figures - 1);
        if (figure == NULL) {
            return false;
        }
        *value = *value * 16 + (uint32_t)(figure - figures);
    }
    return true;
}

static void put_utf8(struct unit *unit, uint32_t code) {
    static const unsigned char leads[] = {0x00, 0xC0, 0xE0, 0xF0};
    size_t following = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (size_t i = following; i > 0; i--) {
        unit->bytes[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    unit->bytes[0] = (char)(leads[following] | code);
    unit->length = following + 1;
}

/* \u and four hex digits, or two of them for a character beyond the first 65,536. */
static bool read_unicode(const char *text, size_t left, struct unit *unit) {
    uint32_t high;
    uint32_t low;
    if (left < 6 || text[1] != 'u' || !hex_number(text + 2, 4, &high)) {
        return false;
    }
    unit->taken = 6;
    if (high >= 0xD800 && high < 0xDC00 && left >= 12 && text[6] == '\\' && text[7] == 'u' &&
        hex_number(text + 8, 4, &low) && low >= 0xDC00 && low < 0xE000) {
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        unit->taken = 12;
    }
    put_utf8(unit, high);
    return true;
}

/* An escaped character; false when there is none at `text`. */
static bool read_escaped(const char *text, size_t left, struct unit *unit) {
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    if (left >= 3 && text[0] == '%' && hex_number(text + 1, 2, &code)) {
        unit->bytes[0] = (char)code;
        unit->length = 1;
        unit->taken = 3;
        return true;
    }
    if (left < 2 || text[0] != '\\') {
        return false;
    }
    const char *name = memchr(names, text[1], sizeof names - 1);
    if (name == NULL) {
        return read_unicode(text, left, unit);
    }
    unit->bytes[0] = meanings[name - names];
    unit->length = 1;
    unit->taken = 2;
    return true;
}

/* The longest way to write one character: two halves of a surrogate pair. */
enum { LONGEST_ESCAPE = 12 };

/* Whether an escape that a cut went through may begin at `text`. */
static bool is_broken_escape(const char *text, size_t left) {
    return left == 0 || (left < LONGEST_ESCAPE && (text[0] == '\\' || text[0] == '%'));
}

/* How much text at `text` spells the needle, or 0; with `cut`, also the beginning of it, when the
 * text ends there. First as it stands: the needle may hold backslashes and percent signs of its
 * own.
 */
static size_t spells(const char *text, size_t left, const char *needle, size_t needle_length,
                     bool cut) {
    size_t at = 0;
    size_t matched = 0;
    struct unit unit;
    size_t plain = cut && left < needle_length ? left : needle_length;
    if (plain <= left && cba_ascii_same(text, needle, plain)) {
        return plain;
    }
    while (matched < needle_length) {
        size_t rest = needle_length - matched;
        if (read_escaped(text + at, left - at, &unit) && unit.length <= rest &&
            cba_ascii_same(unit.bytes, needle + matched, unit.length)) {
            at += unit.taken;
            matched += unit.length;
        } else if (at < left && cba_ascii_same(text + at, needle + matched, 1)) {
            at++;
            matched++;
        } else {
            return cut && is_broken_escape(text + at, left - at) ? left : 0;
        }
    }
    return at;
}

void cba_redact_value(char *text, size_t length, const char *needle, size_t needle_length) {
    for (size_t at = 0; at < length && needle_length > 0;) {
        size_t n = spells(text + at, length - at, needle, needle_length, false);
        memset(text + at, '*', n);
        at += n > 0 ? n : 1;
    }
}

void cba_redact_end(char *text, size_t length, const char *needle, size_t needle_length) {
    size_t longest = needle_length * LONGEST_ESCAPE;
    for (size_t at = length > longest ? length - longest : 0; at < length; at++) {
        if (spells(text + at, length - at, needle, needle_length, true) == length - at) {
            memset(text + at, '*', length - at);
        }
    }
}

bool cba_redact_is_text(const char *text, size_t length) {
    static const char usual[] = {'\t', '\n', '\f', '\r'};
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' && memchr(usual, text[i], sizeof usual) == NULL) {
            return false;
        }
    }
    return true;
}

bool cba_redact_suspects(const char *text) {
    static const char *const signs[] = {"eyJ" /* a JWT: base64 of {" */, "bearer", "token",
                                        "secret", "password"};
    for (; *text != '\0'; text++) {
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
            if (cba_ascii_same(text, signs[i], strlen(signs[i]))) {
                return true;
            }
        }
    }
    return false;
}

/* How much text at `text` is a run of backslashes: one in a string of JSON, more in one that is
 * within another. */
static size_t backslashes(const char *text, size_t left) {
    size_t n = 0;
    while (n < left && text[n] == '\\') {
        n++;
    }
    return n;
}

/* How much of it is white space, plain or escaped, or 0. */
static size_t space(const char *text, size_t left) {
    size_t n = backslashes(text, left);
    if (n == left) {
        return 0;
    }
    return memchr(n > 0 ? "nrt" : " \n\r\t", text[n], n > 0 ? 3 : 4) != NULL ? n + 1 : 0;
}

/* How much of it is a quote, plain or escaped, or 0. */
static size_t quote(const char *text, size_t left) {
    static const char code[] = "u0022";
    size_t n = backslashes(text, left);
    if (n < left && text[n] == '"') {
        return n + 1;
    }
    if (n > 0 && left - n >= sizeof code - 1 && memcmp(text + n, code, sizeof code - 1) == 0) {
        return n + sizeof code - 1;
    }
    return 0;
}

static size_t skip_space(const char *text, size_t at, size_t length) {
    size_t n;
    while ((n = space(text + at, length - at)) > 0) {
        at += n;
    }
    return at;
}

/* Blanks the value at `at`; returns where it ends. */
static size_t blank_member(char *text, size_t at, size_t length) {
    if (at < length && (text[at] == '{' || text[at] == '[' || text[at] == '\\')) {
        memset(text + at, '*', length - at);
        return length;
    }
    if (at >= length || text[at] != '"') {
        return at; /* true, null, a number */
    }
    bool escaped = false;
    for (at++; at < length && (escaped || text[at] != '"'); at++) {
        escaped = !escaped && text[at] == '\\';
        text[at] = '*';
    }
    return at;
}

/* The length of the end of a name at `text`, with its quote, or 0. */
static size_t secret_name(const char *text, size_t left) {
    static const char *const ends[] = {"token", "secret"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);
        if (n <= left && cba_ascii_same(text, ends[i], n)) {
            size_t quoted = quote(text + n, left - n);
            return quoted > 0 ? n + quoted : 0;
        }
    }
    return 0;
}

void cba_redact_members(char *text, size_t length) {
    for (size_t at = 0; at < length; at++) {
        size_t n = secret_name(text + at, length - at);
        if (n == 0) {
            continue;
        }
        size_t colon = skip_space(text, at + n, length);
        if (colon < length && text[colon] == ':') {
            at = blank_member(text, skip_space(text, colon + 1, length), length);
        }
    }
}
