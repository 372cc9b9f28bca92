/* csrc/json: any text as a tree, with its NULs and the digits of its numbers; numbers in and out; a
 * text that grows; and that what was read and written is wiped. */
#include <cjson/cJSON.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "secret/secret.h"
#include "json/decode.h"
#include "json/encode.h"
#include "json/grammar.h"
#include "json/number.h"

/* A string literal's bytes, NULs included. */
#define BYTES(literal) literal, sizeof(literal) - 1

/* ---- numbers ------------------------------------------------------------------------------- */

static void test_numbers_that_are_read(void) {
    static const struct {
        const char *text;
        bool is_whole, is_double;
        long long whole;
        double value;
    } rows[] = {
        {"0", true, true, 0, 0},
        {"-0", false, true, 0, 0},
        {"-0.0e5", false, true, 0, 0},
        {"17", true, true, 17, 17},
        {"-100.00", true, true, -100, -100},
        {"1e2", true, true, 100, 100},
        {"100e-2", true, true, 1, 1},
        {"0.1", false, true, 0, 0.1},
        {"19.950", false, true, 0, 19.95},
        {"9007199254740991", true, true, 9007199254740991, 9007199254740991.0},
        {"9007199254740992", true, true, 9007199254740992, 9007199254740992.0},
        {"9007199254740993", true, false, 9007199254740993, 0},
        {"9007199254740993.0", true, false, 9007199254740993, 0},
        {"9223372036854775807", true, false, LLONG_MAX, 0},
        {"-9223372036854775808", true, true, LLONG_MIN, -9223372036854775808.0},
        {"9223372036854775808", false, true, 0, 9223372036854775808.0},
        {"-9223372036854775809", false, false, 0, 0},
        {"1e17", false, true, 0, 1e17},
        {"18446744073709551616", false, true, 0, 18446744073709551616.0},
        {"99999999999999999999", false, false, 0, 0},
        {"12345678901234567890.12", false, false, 0, 0},
        {"1.7976931348623157e308", false, true, 0, DBL_MAX},
        {"1.7976931348623159e308", false, false, 0, 0},
        {"1e309", false, false, 0, 0},
        {"1e401", false, false, 0, 0},
        {"1e99999999999999999999999999", false, false, 0, 0},
        {"1e-99999999999999999999999999", false, false, 0, 0},
        {"0e99999999999999999999999999", true, true, 0, 0},
        {"2.2250738585072014e-308", false, true, 0, DBL_MIN},
        {"5e-324", false, true, 0, 5e-324},
        {"4.95e-324", false, false, 0, 0},
        {"1e-324", false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cba_number number;
        char *copy = bare_copy(rows[i].text, strlen(rows[i].text));
        cba_number_read(copy, strlen(rows[i].text), &number);
        check(number.is_whole == rows[i].is_whole && number.is_double == rows[i].is_double,
              "%s: %d %d", rows[i].text, number.is_whole, number.is_double);
        check(!number.is_whole || number.whole == rows[i].whole, "%s: %lld", rows[i].text,
              number.whole);
        check(!number.is_double || number.value == rows[i].value, "%s: %a", rows[i].text,
              number.value);
        cba_guarded_free(copy);
    }
}

/* The least double that is no zero has 751 digits, and twice that less one step has 767. */
static void test_a_double_in_all_its_digits(void) {
    char text[1200];
    struct cba_number number;
    double value = nextafter(DBL_MIN, 0);
    int length = snprintf(text, sizeof text, "%.766e", value);
    cba_number_read(text, (size_t)length, &number);
    check(number.is_double && number.value == value, "767 digits");
    memmove(text + 768 + 1, text + 768, (size_t)length - 768 + 1);
    text[768] = '1'; /* one more */
    cba_number_read(text, (size_t)length + 1, &number);
    check(!number.is_double, "768 digits");
    memset(text, '0', sizeof text);
    text[0] = '1';
    cba_number_read(text, 300, &number);
    check(number.is_double && number.value == 1e299, "1 and 299 zeros");
    cba_number_read(text, sizeof text, &number);
    check(!number.is_double, "1 and 1199 zeros");
}

static void test_numbers_that_are_written(void) {
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {5, "5"},
        {1e15, "1000000000000000"},
        {-9007199254740991.0, "-9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {19.95, "19.95"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e20, "1e+20"},
        {1e-7, "1e-07"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[CBA_NUMBER_SIZE];
        cba_number_write(rows[i].value, text);
        check(strcmp(text, rows[i].text) == 0, "%s: %s", rows[i].text, text);
    }
}

/* ---- documents ----------------------------------------------------------------------------- */

static void test_positions(void) {
    static const struct {
        const char *bytes;
        size_t length;
        enum cba_document_status status;
        long at; /* of the mistake */
    } rows[] = {
        {BYTES("[1]"), CBA_DOCUMENT_OK, 0},        {BYTES(""), CBA_DOCUMENT_NOT_JSON, 0},
        {BYTES("[1,]"), CBA_DOCUMENT_NOT_JSON, 3}, {BYTES("[- 1]"), CBA_DOCUMENT_NOT_JSON, 2},
        {BYTES("[1"), CBA_DOCUMENT_NOT_JSON, 2},   {BYTES("{} \0"), CBA_DOCUMENT_NOT_JSON, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cba_document document;
        char *copy = bare_copy(rows[i].bytes, rows[i].length);
        enum cba_document_status status = cba_document_open(&document, copy, rows[i].length);
        check(status == rows[i].status, "status %d of %s", (int)status, rows[i].bytes);
        check(status == CBA_DOCUMENT_OK || document.token - copy == rows[i].at, "at %td of %s",
              document.token - copy, rows[i].bytes);
        cba_document_close(&document);
        cba_document_close(&document);
        cba_guarded_free(copy);
    }
}

static void test_depth(void) {
    enum { MANY = 5000000 };
    struct cba_document document;
    char *text = malloc(MANY);
    if (text == NULL) {
        abort();
    }
    for (size_t depth = 99; depth <= 102; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        enum cba_document_status status = cba_document_open(&document, text, 2 * depth);
        check(status == (depth <= 100 ? CBA_DOCUMENT_OK : CBA_DOCUMENT_TOO_DEEP), "%zu levels",
              depth);
        check(depth <= 100 || document.token - text == 100, "at %td", document.token - text);
        cba_document_close(&document);
    }
    memset(text, '[', MANY);
    check(cba_document_open(&document, text, MANY) == CBA_DOCUMENT_TOO_DEEP,
          "five million brackets");
    free(text);
}

/* The tree and the tokens of the text go side by side. */
static void test_tokens_and_nuls(void) {
    static const char text[] =
        " {\"a\\\"1\\u0000\" : [-1.50, \"2\", true, \"\\ud800\"],\"b\":{\"c\":"
        "123456789012345678901234567890123456789012345678901234567890123e-99"
        "}}";
    static const char *const tokens[] = {
        "\"a\\\"1\\u0000\"",
        "-1.50",
        "\"2\"",
        "\"\\ud800\"",
        "\"b\"",
        "\"c\"",
        "123456789012345678901234567890123456789012345678901234567890123e-99"};
    struct cba_document document;
    check(cba_document_open(&document, text, sizeof text - 1) == CBA_DOCUMENT_OK, "opened");
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        size_t length = cba_document_token(&document);
        check(length == strlen(tokens[i]) && memcmp(document.token, tokens[i], length) == 0,
              "token %.*s", (int)length, document.token);
    }
    const struct cJSON *list = cba_json_first(document.root);
    const char *name = cba_json_name(list);
    const char *nul = cba_json_find_nul(name);
    check(nul != NULL && nul - name == 3 && memcmp(name, "a\"1", 3) == 0, "the NUL of a name");
    check(nul != NULL && nul[CBA_JSON_NUL_LENGTH] == '\0', "what follows the NUL");
    check(cba_json_kind(list) == CBA_JSON_ARRAY && cba_json_count(list) == 4, "the array");
    const struct cJSON *last = cba_json_first(list);
    while (cba_json_next(last) != NULL) {
        last = cba_json_next(last);
    }
    check(cba_json_kind(last) == CBA_JSON_STRING &&
              strcmp(cba_json_string(last), "\xEF\xBF\xBD") == 0 &&
              cba_json_find_nul(cba_json_string(last)) == NULL,
          "half of a surrogate pair");
    cba_document_close(&document);
}

/* ---- texts that grow ----------------------------------------------------------------------- */

static void test_a_text_grows(void) {
    struct cba_json_text text = {NULL, 0, 0};
    size_t length = 0;
    for (size_t i = 0; i < 5000; i++) {
        check(cba_json_put_string(&text, "\0\"x", i % 4), "put");
        length += 2 + (i % 4 > 0 ? 6 : 0) + (i % 4 > 1 ? 2 : 0) + (i % 4 > 2 ? 1 : 0);
        check(text.length == length && text.length <= text.size, "%zu bytes", text.length);
    }
    check(memcmp(text.bytes, "\"\"\"\\u0000\"\"\\u0000\\\"\"", 20) == 0, "%.20s", text.bytes);
    cba_json_text_free(&text);
    check(text.bytes == NULL && text.length == 0 && text.size == 0, "empty");
    cba_json_text_free(&text);
    check(cba_json_put(&text, "", 0) && text.bytes == NULL, "nothing is put");
}

/* ---- wiping -------------------------------------------------------------------------------- */

static void test_a_tree_is_wiped(void) {
    static const char text[] = "{\"x\":[\"canary-1\",\"\\u0000canary-2\\u0000canary-3\"]}";
    cJSON_Hooks hooks = {.malloc_fn = canary_malloc, .free_fn = canary_free};
    struct cba_document document;
    cJSON_InitHooks(&hooks);
    check(cba_document_open(&document, text, sizeof text - 1) == CBA_DOCUMENT_OK, "opened");
    cba_document_close(&document);
    check(canary_blocks_read > 1, "looked at");
    cJSON_InitHooks(NULL);
}

int main(void) {
    test_numbers_that_are_read();
    test_a_double_in_all_its_digits();
    test_numbers_that_are_written();
    test_positions();
    test_depth();
    test_tokens_and_nuls();
    test_a_text_grows();
    test_a_tree_is_wiped();
    return check_summary("value");
}
