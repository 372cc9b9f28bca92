#include "secret/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/ascii.h"
#include "text/utf8.h"

/* One character as written, escaped or not: its bytes, and how much text it takes. */
struct unit {
    char bytes[CBA_UTF8_MAX];
    size_t length, taken;
};

/* \u and four hex digits, or twice that for a surrogate pair. */
static bool read_unicode(const char *text, size_t left, struct unit *unit) {
    long code = left >= 6 && text[1] == 'u' ? cba_ascii_hex(text + 2, 4) : -1;
    if (code < 0) {
        return false;
    }
    unit->taken = 6;
    if (code >= 0xD800 && code < 0xDC00 && left >= 12 && text[6] == '\\' && text[7] == 'u') {
        long low = cba_ascii_hex(text + 8, 4);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            unit->taken = 12;
        }
    }
    unit->length = cba_utf8_write((uint32_t)code, unit->bytes);
    return true;
}

/* Reads an escaped character; false when there is none at `text`. */
static bool read_escaped(const char *text, size_t left, struct unit *unit) {
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    long code = left >= 3 && text[0] == '%' ? cba_ascii_hex(text + 1, 2) : -1;
    if (code >= 0) {
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

/* The longest way to write one character: a surrogate pair. */
enum { LONGEST_ESCAPE = 12 };

/* Whether the text may end within an escape that begins at `text`. */
static bool is_broken_escape(const char *text, size_t left) {
    return left == 0 || (left < LONGEST_ESCAPE && (text[0] == '\\' || text[0] == '%'));
}

/* Whether text that begins with `c` can spell the needle. At most places it cannot. */
static bool may_spell(char c, const char *needle) {
    return c == '\\' || c == '%' || cba_ascii_lower(c) == cba_ascii_lower(needle[0]);
}

/* How much text at `text` spells the needle, or 0. With `cut` the text may end within the needle.
 * The plain spelling is tried first: the needle may hold backslashes and percent signs itself. */
static size_t spells(const char *text, size_t left, const char *needle, size_t needle_length,
                     bool cut) {
    if (!may_spell(text[0], needle)) {
        return 0;
    }
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
            if (cba_ascii_begins(text, signs[i])) {
                return true;
            }
        }
    }
    return false;
}

/* The length of the run of backslashes at `text`: one in a JSON string, more in a JSON string that
 * is nested in another. */
static size_t backslashes(const char *text, size_t left) {
    size_t n = 0;
    while (n < left && text[n] == '\\') {
        n++;
    }
    return n;
}

/* The length of the white-space character at `text`, plain or escaped, or 0. */
static size_t space(const char *text, size_t left) {
    size_t n = backslashes(text, left);
    if (n == left) {
        return 0;
    }
    return memchr(n > 0 ? "nrt" : " \n\r\t", text[n], n > 0 ? 3 : 4) != NULL ? n + 1 : 0;
}

/* The length of the quote at `text`, plain or escaped, or 0. */
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

/* Blanks the value at `at`; returns its end. */
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

/* The length of the end of a secret's name at `text`, with its quote, or 0. */
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
