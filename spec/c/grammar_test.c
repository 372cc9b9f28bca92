/* csrc/json/grammar.c: what is JSON, as RFC 8259 has it, and which escapes are odd. What another
 * reader says of the same bytes is compared by spec/json/grammar_spec.lua and fuzz_grammar.c. */
#include "json/grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "secret/secret.h"

/* Looks at a copy with nothing behind it. */
static bool accepts(const char *bytes, size_t length) {
    char *copy = bare_copy(bytes, length);
    bool accepted = cba_grammar_accepts(copy, length);
    cba_guarded_free(copy);
    return accepted;
}

static void test_what_is_json(void) {
    static const char *const texts[] = {
        "{}",
        "[]",
        " {\t} \r\n",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "10.250e+07",
        "1E400",
        "-1e-1",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\x7f\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8F\xA6\"",
        "[1,[2,{\"a\":[]},{}],\"x\"]",
        "{\"a\":{\"b\":[{}]},\"a\":1}",
        "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check(accepts(texts[i], strlen(texts[i])), "refused: %s", texts[i]);
    }
}

static void test_what_is_none(void) {
    static const char *const texts[] = {
        /* documents */
        "",
        " ",
        "\xEF\xBB\xBF",
        "\xEF\xBB",
        "\xEF\xBB\xBF\xEF\xBB\xBF{}",
        " \xEF\xBB\xBF{}",
        "{}{}",
        "{} x",
        "1 2",
        "nul",
        "nulll",
        "True",
        "undefined",
        "NaN",
        "Infinity",
        "-Infinity",
        "'a'",
        "// x\n{}",
        "{}/**/",
        "\f{}",
        "{}\v",
        "\xC2\xA0{}",
        /* brackets */
        "[",
        "]",
        "{",
        "}",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "[[]",
        "[]]",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "[\f]",
        "{\"a\"::1}",
        "[:]",
        /* numbers */
        "01",
        "-01",
        "00",
        "-",
        "+1",
        ".5",
        "2.",
        "2.e1",
        "1e",
        "1e+",
        "1e+-1",
        "0x1",
        "1_0",
        "1.2.3",
        "--1",
        "-a",
        "1a",
        "0 1",
        /* strings */
        "\"",
        "\"a",
        "\"a\tb\"",
        "\"a\nb\"",
        "\"a\rb\"",
        "\"\x1f\"",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\'\"",
        "\"\\0\"",
        "\"\\U0041\"",
        "\"\\u\"",
        "\"\\u004\"",
        "\"\\u004g\"",
        "\"\\uZZZZ\"",
        "\"\\u 041\"",
        "\"\\u+041\"",
        "\"\\u0x41\"",
        "\"\\u004",
        "\"\\ud800\\u\"",
        /* UTF-8 */
        "\"\xC3\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xFF\"",
        "\"\x80\"",
        "\"\xE2\x82",
        "\xC3\xA9",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check(!accepts(texts[i], strlen(texts[i])), "accepted: %s", texts[i]);
    }
    check(!accepts("{}\0", 3), "a NUL behind");
    check(!accepts("\"a\0b\"", 5), "a NUL within");
    check(!accepts("\0", 1), "a NUL");
}

static void test_every_control_character(void) {
    for (int c = 0; c < 0x80; c++) {
        char text[] = {'"', 'a', (char)c, 'b', '"'};
        bool plain = c >= ' ' && c != '"' && c != '\\';
        check(accepts(text, sizeof text) == (plain || c == '\\'), "character %d in a string", c);
        char between[] = {'[', (char)c, ']'};
        check(accepts(between, sizeof between) ==
                  (c == ' ' || c == '\t' || c == '\n' || c == '\r' || (c >= '0' && c <= '9')),
              "character %d between brackets", c);
    }
}

static void test_depth(void) {
    enum { MANY = 5000000 };
    char *text = malloc(MANY);
    if (text == NULL) {
        abort();
    }
    for (size_t depth = CBA_JSON_DEPTH_MAX - 9; depth < CBA_JSON_DEPTH_MAX + 9; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        check(accepts(text, 2 * depth) == (depth <= CBA_JSON_DEPTH_MAX), "%zu levels", depth);
    }
    memset(text, '[', MANY);
    check(!accepts(text, MANY), "five million brackets");
    free(text);
}

static void test_odd_escapes(void) {
    static const struct {
        const char *text;
        long first; /* where, or -1 */
    } rows[] = {
        {"\"\"", -1},
        {"\"\\u0001\\\\u0000\\n\"", -1},
        {"\"\\u0000\"", 1},
        {"\"\\\\\\u0000\"", 3},
        {"\"a\\ud83d\\ude00\"", -1},
        {"\"a\\uD83D\\uDE00\\ud83d\"", 14},
        {"\"\\ud83d\\n\\ude00\"", 1},
        {"\"\\ud83d\\ud83d\\ude00\"", 1},
        {"\"\\ude00\\ud83d\"", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = rows[i].text;
        const char *odd = cba_grammar_odd_escape(text, text + strlen(text));
        check((odd == NULL ? -1 : odd - text) == rows[i].first, "in %s", text);
    }
}

#ifdef __OPTIMIZE__
static const double least_most = 1e-3; /* seconds */
#else
static const double least_most = 1e-2;
#endif

/* An emulated machine has more: CBA_SLOWDOWN is for specs in C, too. */
static double most_seconds(void) {
    const char *slowdown = getenv("CBA_SLOWDOWN");
    return slowdown == NULL ? least_most : least_most * strtod(slowdown, NULL);
}

/* What an answer can be at most, in well under a millisecond: the best of some, since a machine may
 * be busy; a build that is not optimized, for a sanitizer, has more. */
static void measure(const char *what, const char *piece) {
    enum { SIZE = 64 * 1024, RUNS = 40 };
    size_t length = strlen(piece);
    size_t at = 1;
    char *text = malloc(SIZE);
    if (text == NULL) {
        abort();
    }
    text[0] = '[';
    for (; at + length < SIZE; at += length) {
        for (size_t i = 0; i < length; i++) {
            text[at + i] = piece[i];
        }
    }
    memset(text + at - 1, ' ', SIZE - at + 1); /* the last piece's comma, too */
    text[SIZE - 1] = ']';
    double most = most_seconds(), best = most;
    for (int run = 0; run < RUNS; run++) {
        clock_t began = clock();
        check(cba_grammar_accepts(text, SIZE), "%s", what);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        best = took < best ? took : best;
    }
    check(best < most, "64 KiB of %s: %.0f us", what, best * 1e6);
    free(text);
}

static void test_speed(void) {
    measure("letters", "\"the quick brown fox jumps over the lazy dog, again and again\",");
    measure("escapes", "\"\\u00e9\\n\\\"\",");
    measure("other letters", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8F\xA6\",");
    measure("numbers", "-1.5e3,");
    measure("brackets", "[[[{\"\":[]}]]],");
    measure("space", "1 \n\t  \n\t  \n\t  ,");
}

int main(void) {
    test_what_is_json();
    test_what_is_none();
    test_every_control_character();
    test_depth();
    test_odd_escapes();
    test_speed();
    return check_summary("grammar");
}
