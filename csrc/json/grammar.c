#include "json/grammar.h"

#include <string.h>

#include "text/ascii.h"
#include "text/utf8.h"

struct text {
    const char *at, *end;
    size_t depth, depth_max; /* brackets that are open */
};

/* ---- bytes --------------------------------------------------------------------------------- */

static void skip_space(struct text *text) {
    while (text->at < text->end &&
           (*text->at == ' ' || *text->at == '\t' || *text->at == '\n' || *text->at == '\r')) {
        text->at++;
    }
}

static bool take(struct text *text, char c) {
    if (text->at == text->end || *text->at != c) {
        return false;
    }
    text->at++;
    return true;
}

static bool take_word(struct text *text, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0) {
        return false;
    }
    text->at += length;
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static bool take_digits(struct text *text) {
    const char *from = text->at;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9') {
        text->at++;
    }
    return text->at > from;
}

static bool take_number(struct text *text) {
    (void)take(text, '-');
    if (!take(text, '0') && !take_digits(text)) {
        return false;
    }
    if (take(text, '.') && !take_digits(text)) {
        return false;
    }
    if (take(text, 'e') || take(text, 'E')) {
        if (!take(text, '+')) {
            (void)take(text, '-');
        }
        return take_digits(text);
    }
    return true;
}

/* ---- strings ------------------------------------------------------------------------------- */

enum {
    HEX_DIGITS = 4,
    UNICODE_ESCAPE = 6, /* a backslash, u and four hex digits */
};

/* What follows a backslash. */
static bool take_escaped(struct text *text) {
    static const char names[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};
    if (take(text, 'u')) {
        if (text->end - text->at < HEX_DIGITS || cba_ascii_hex(text->at, HEX_DIGITS) < 0) {
            return false;
        }
        text->at += HEX_DIGITS;
        return true;
    }
    if (text->at == text->end || memchr(names, *text->at, sizeof names) == NULL) {
        return false;
    }
    text->at++;
    return true;
}

static bool take_string(struct text *text) {
    if (!take(text, '"')) {
        return false;
    }
    while (text->at < text->end) {
        unsigned char c = (unsigned char)*text->at;
        if (c < ' ') {
            return false;
        }
        if (c >= 0x80) {
            size_t n = cba_utf8_character(text->at, (size_t)(text->end - text->at));
            if (n == 0) {
                return false;
            }
            text->at += n;
            continue;
        }
        text->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\' && !take_escaped(text)) {
            return false;
        }
    }
    return false;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool take_name(struct text *text) {
    skip_space(text);
    if (!take_string(text)) {
        return false;
    }
    skip_space(text);
    return take(text, ':');
}

static bool take_value(struct text *text);

/* The rest of an array or object, to its closing bracket. */
static bool take_items(struct text *text, char close) {
    if (++text->depth > text->depth_max) {
        return false;
    }
    skip_space(text);
    if (!take(text, close)) {
        do {
            if ((close == '}' && !take_name(text)) || !take_value(text)) {
                return false;
            }
        } while (take(text, ','));
        if (!take(text, close)) {
            return false;
        }
    }
    text->depth--;
    return true;
}

static bool take_bare_value(struct text *text) {
    switch (text->at < text->end ? *text->at : '\0') {
        case '{':
            text->at++;
            return take_items(text, '}');
        case '[':
            text->at++;
            return take_items(text, ']');
        case '"':
            return take_string(text);
        case 't':
            return take_word(text, "true");
        case 'f':
            return take_word(text, "false");
        case 'n':
            return take_word(text, "null");
        default:
            return take_number(text);
    }
}

/* A value, and the space around it. */
static bool take_value(struct text *text) {
    skip_space(text);
    if (!take_bare_value(text)) {
        return false; /* `at` stays where the mistake is */
    }
    skip_space(text);
    return true;
}

enum cba_grammar_verdict cba_grammar_judge(const char *bytes, size_t length, size_t depth_max,
                                           size_t *at) {
    struct text text = {.at = bytes, .end = bytes + length, .depth_max = depth_max};
    (void)take_word(&text, "\xEF\xBB\xBF");
    bool taken = take_value(&text);
    *at = (size_t)(text.at - bytes);
    if (text.depth > depth_max) {
        --*at; /* the bracket */
        return CBA_GRAMMAR_TOO_DEEP;
    }
    return taken && text.at == text.end ? CBA_GRAMMAR_JSON : CBA_GRAMMAR_NOT_JSON;
}

bool cba_grammar_accepts(const char *bytes, size_t length) {
    size_t at;
    return cba_grammar_judge(bytes, length, CBA_JSON_DEPTH_MAX, &at) == CBA_GRAMMAR_JSON;
}

/* ---- strings and numbers ------------------------------------------------------------------- */

const char *cba_grammar_token(const char *at, const char *end, const char **after) {
    struct text text = {.at = at, .end = end};
    for (; text.at < end; text.at++) {
        const char *from = text.at;
        if (*from == '"' ? take_string(&text) : take_number(&text)) {
            *after = text.at;
            return from;
        }
    }
    return NULL;
}

/* ---- escapes ------------------------------------------------------------------------------- */

/* The code of the \u escape at `at`, or -1 when there is none. */
static long unicode_escape(const char *at, const char *end) {
    bool is_one = end - at >= UNICODE_ESCAPE && at[0] == '\\' && at[1] == 'u';
    return is_one ? cba_ascii_hex(at + 2, HEX_DIGITS) : -1;
}

static bool is_high(long code) {
    return code >= 0xD800 && code <= 0xDBFF;
}

static bool is_low(long code) {
    return code >= 0xDC00 && code <= 0xDFFF;
}

const char *cba_grammar_odd_escape(const char *at, const char *end) {
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        long code = unicode_escape(at, end);
        if (is_high(code) && is_low(unicode_escape(at + UNICODE_ESCAPE, end))) {
            at += UNICODE_ESCAPE + UNICODE_ESCAPE;
        } else if (code == 0 || is_high(code) || is_low(code)) {
            return at;
        } else {
            at += code >= 0 ? UNICODE_ESCAPE : 2;
        }
    }
    return NULL;
}
