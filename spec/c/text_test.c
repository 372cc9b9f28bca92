/* csrc/text/utf8.c and csrc/secret/redact.c. */
#include <string.h>

#include "check.h"
#include "secret/redact.h"
#include "secret/secret.h"
#include "text/utf8.h"

static const struct {
    const char *bytes;
    long characters;
} texts[] = {
    {"", 0},
    {"abc", 3},
    {"\x7F", 1},
    {"\xC2\x80\xDF\xBF", 2},
    {"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", 4},
    {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 2},
    {"a\xE2\x82\xACz", 3},
    {"\x80", -1}, /* a continuation alone */
    {"\xBF", -1},
    {"\xC0\x80", -1}, /* overlong forms */
    {"\xC1\xBF", -1},
    {"\xE0\x9F\xBF", -1},
    {"\xF0\x8F\xBF\xBF", -1},
    {"\xED\xA0\x80", -1}, /* surrogates */
    {"\xED\xBF\xBF", -1},
    {"\xF4\x90\x80\x80", -1}, /* above U+10FFFF */
    {"\xF5\x80\x80\x80", -1},
    {"\xFE", -1},
    {"\xFF", -1},
    {"\xC3", -1}, /* cut short */
    {"\xE2\x82", -1},
    {"\xF0\x9F\x8F", -1},
    {"\xC3"
     "a",
     -1},
    {"\xE2\x82"
     "a",
     -1},
    {"\xF0\x9F\x8F"
     "a",
     -1},
    {"abc\xC3", -1},
};

static void test_utf8(void) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i].bytes);
        char *copy = bare_copy(texts[i].bytes, length);
        long count = cba_utf8_count(copy, length);
        check(count == texts[i].characters, "UTF-8 row %zu: %ld", i, count);
        cba_guarded_free(copy);
    }
    check(cba_utf8_count("a\0b", 3) == 3, "a NUL is a character");
}

static const struct {
    const char *text, *value, *blanked;
} values[] = {
    {"the secret is here", "secret", "the ****** is here"},
    {"secretsecret", "secret", "************"},
    {"SECRET", "secret", "******"},
    {"secre", "secret", "secre"},
    {"", "secret", ""},
    {"{\"s\":\"a\\\"b\\\\c\"}", "a\"b\\c", "{\"s\":\"*******\"}"},
    {"raw a\"b", "a\"b", "raw ***"},
    {"tab\\t!", "tab\t!", "******"},
    {"aaaa", "aa", "****"},
    {"a\\/b", "a/b", "****"},
    {"\\u0061\\u00FC\\ud83d\\udd11!", "a\xC3\xBC\xF0\x9F\x94\x91", "************************!"},
    {"a%2Fb%c3%BC", "a/b\xC3\xBC", "***********"},
    {"100%25", "100%", "****25"},
    {"a\\\\b", "a\\\\b", "****"},
    {"50%25off", "50%25off", "********"},
    {"100%", "100%", "****"},
    {"a\\u00", "a\xC3\xBC", "a\\u00"},
    {"%4", "@", "%4"},
};

static const struct {
    const char *text, *blanked;
} tokens[] = {
    {"{\"accessToken\":\"abc\"}", "{\"accessToken\":\"***\"}"},
    {"{\"refresh_TOKEN\" :\n\"a\\\"b\", \"x\":\"y\"}",
     "{\"refresh_TOKEN\" :\n\"****\", \"x\":\"y\"}"},
    {"{\"token\":\"cut sho", "{\"token\":\"*******"},
    {"{\"token\":\"a\\", "{\"token\":\"**"},
    {"{\"token\":12,\"x\":\"y\"}", "{\"token\":12,\"x\":\"y\"}"},
    {"{\"clientSecret\":\"s\",\"x\":\"y\"}", "{\"clientSecret\":\"*\",\"x\":\"y\"}"},
    {"{\"token\":{\"value\":\"s\"}}", "{\"token\":**************"},
    {"{\"token\":[\"s\"]}", "{\"token\":******"},
    {"{\"hasToken\":false,\"x\":\"y\"}", "{\"hasToken\":false,\"x\":\"y\"}"},
    {"{\"tokenType\":\"Bearer\"}", "{\"tokenType\":\"Bearer\"}"},
    {"{\"token\"", "{\"token\""},
    {"{\"token\":", "{\"token\":"},
    {"{\"token\":\"", "{\"token\":\""},
    {"\"token\":\"a\",\"token\":\"b\"", "\"token\":\"*\",\"token\":\"*\""},
    /* JSON in a JSON string, once and twice */
    {"{\"b\":\"{\\\"aToken\\\":\\\"x\\\"}\"}", "{\"b\":\"{\\\"aToken\\\":********"},
    {"\"{\\\\\\\"token\\\\\\\" : \\\\\\\"x", "\"{\\\\\\\"token\\\\\\\" : *****"},
    {"\\u0022secret\\u0022:\\u0022x", "\\u0022secret\\u0022:*******"},
    {"\\\"token\\\"\\n:\\t\\\\r\\\"x", "\\\"token\\\"\\n:\\t\\\\r***"},
    {"\\\"token\\\":{\\\"x\\\"", "\\\"token\\\":******"},
    {"\\\"hasToken\\\":true,\\\"x\\\"", "\\\"hasToken\\\":true,\\\"x\\\""},
    {"{\"token\\", "{\"token\\"},
    {"{\"token\\u002", "{\"token\\u002"},
    {"{\"token", "{\"token"},
    {"{\"token\\\"", "{\"token\\\""},
    {"{\"token\\\":", "{\"token\\\":"},
    {"{\"token\\\":\\", "{\"token\\\":*"},
    {"\"token\\\"\\", "\"token\\\"\\"},
    {"tokenu0022:\"x\"", "tokenu0022:\"x\""},
    {"a secret\\n:\\\"x", "a secret\\n:\\\"x"},
};

static void test_redact_end(void) {
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"you sent secret", "you sent ******"},
        {"you sent secre", "you sent *****"},
        {"you sent SEC", "you sent ***"},
        {"you sent s", "you sent *"},
        {"you sent \\u0073ec\\u00", "you sent *************"},
        {"you sent %73%6", "you sent *****"},
        {"you sent se\\", "you sent ***"},
        {"se", "**"},
        {"secret, no", "secret, no"},
        {"you sent sex", "you sent sex"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].text);
        char *copy = bare_copy(rows[i].text, length);
        cba_redact_end(copy, length, "secret", 6);
        check(memcmp(copy, rows[i].shown, length) == 0, "%s: %.*s", rows[i].text, (int)length,
              copy);
        cba_guarded_free(copy);
    }
}

static void test_what_is_shown_at_all(void) {
    check(cba_redact_is_text("{\t\"a\":\r\n\f\"\xC3\xA9\xE9\"}", 14), "text");
    check(cba_redact_is_text("", 0), "no text is text");
    check(!cba_redact_is_text("a\0", 2) && !cba_redact_is_text("\x1F\x8B\x08", 3), "no text");
    check(!cba_redact_suspects("7f3c-11ee") && !cba_redact_suspects(""), "ids");
    check(cba_redact_suspects("Bearer-x") && cba_redact_suspects("x-eyJhbGciOiJI") &&
              cba_redact_suspects("my_TOKEN_1"),
          "no ids");
}

static void test_redact(void) {
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t length = strlen(values[i].text);
        char *copy = bare_copy(values[i].text, length);
        cba_redact_value(copy, length, values[i].value, strlen(values[i].value));
        check(memcmp(copy, values[i].blanked, length) == 0, "value row %zu: %.*s", i, (int)length,
              copy);
        cba_guarded_free(copy);
    }
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        size_t length = strlen(tokens[i].text);
        char *copy = bare_copy(tokens[i].text, length);
        cba_redact_members(copy, length);
        check(memcmp(copy, tokens[i].blanked, length) == 0, "token row %zu: %.*s", i, (int)length,
              copy);
        cba_guarded_free(copy);
    }
    char binary[] = "a\0secret\0b";
    cba_redact_value(binary, sizeof binary - 1, "secret", 6);
    check(memcmp(binary, "a\0******\0b", sizeof binary) == 0, "a value behind a NUL");
}

int main(void) {
    test_utf8();
    test_redact();
    test_redact_end();
    test_what_is_shown_at_all();
    return check_summary("text");
}
