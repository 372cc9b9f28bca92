#include "redact.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "secret.h"

static void blank_all(char *text, size_t length, const char *needle, size_t needle_length) {
    if (needle_length == 0) {
        return;
    }
    for (size_t at = 0; at + needle_length <= length;) {
        if (strncasecmp(text + at, needle, needle_length) == 0) {
            memset(text + at, '*', needle_length);
            at += needle_length;
        } else {
            at++;
        }
    }
}

void cba_redact_value(char *text, size_t length, const char *needle, size_t needle_length) {
    char quoted[CBA_JSON_CREDENTIALS_MAX];
    blank_all(text, length, needle, needle_length);
    size_t n = cba_json_quote(quoted, sizeof quoted, needle);
    if (n > 2) {
        blank_all(text, length, quoted + 1, n - 2); /* without the quotes */
    }
    cba_wipe(quoted, sizeof quoted);
}

static size_t skip_space(const char *text, size_t at, size_t length) {
    while (at < length && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0') {
        at++;
    }
    return at;
}

void cba_redact_tokens(char *text, size_t length) {
    static const char name_end[] = "token\"";
    const size_t n = sizeof name_end - 1;
    for (size_t at = 0; at + n <= length; at++) {
        if (strncasecmp(text + at, name_end, n) != 0) {
            continue;
        }
        size_t value = skip_space(text, at + n, length);
        if (value >= length || text[value] != ':') {
            continue;
        }
        value = skip_space(text, value + 1, length);
        if (value >= length || text[value] != '"') {
            continue;
        }
        bool escaped = false;
        for (value++; value < length && (escaped || text[value] != '"'); value++) {
            escaped = !escaped && text[value] == '\\';
            text[value] = '*';
        }
        at = value;
    }
}
