/* csrc/json: what it takes for a token reply, and that it writes what others read. */
#include "json/credentials.h"
#include "json/reply.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "secret/secret.h"

#define T "\"accessToken\":\"abc\","
#define LIFE "\"tokenValiditySec\":3600"
#define X10 "1234567890"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

enum { NONE = -1000 }; /* no such number in the reply */

/* A string literal's bytes, NULs included. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t length;
    enum cba_reply_status status;
    const char *token;
    double expiration, validity;
} replies[] = {
    {BYTES("{" T LIFE "}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES(" {\t" T "\r\n\"expirationTime\" : 1700000000000 } \n"), CBA_REPLY_OK, "abc",
     1700000000000, NONE},
    {BYTES("{" T "\"expirationTime\":1700000000," LIFE ",\"tokenType\":\"bearer\",\"scope\":[{}]}"),
     CBA_REPLY_OK, "abc", 1700000000, 3600},
    {BYTES("\xEF\xBB\xBF{" T LIFE "}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{\"accessToken\":\"\\u0061-._~+/9==\"," LIFE "}"), CBA_REPLY_OK, "a-._~+/9==", NONE,
     3600},

    /* documents */
    {BYTES(""), CBA_REPLY_EMPTY, NULL, 0, 0},
    {BYTES(" \n"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("<html></html>"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE "} x"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE "}{}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE ",}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE ","), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("[{" T LIFE "}]"), CBA_REPLY_NOT_OBJECT, NULL, 0, 0},
    {BYTES("null"), CBA_REPLY_NOT_OBJECT, NULL, 0, 0},
    {BYTES("\"abc\""), CBA_REPLY_NOT_OBJECT, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"x\":\"\xC3\"}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"x\":\"\xED\xA0\x80\"}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"x\":\"\\u000"), CBA_REPLY_NOT_JSON, NULL, 0, 0},

    /* what would cut a token short: no JSON, or in one of our fields no use, elsewhere no harm */
    {BYTES("{\"accessToken\":\"ab\\uZZZZcd\"," LIFE "}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"abc\0def\"," LIFE "}"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{" T LIFE "}\0"), CBA_REPLY_NOT_JSON, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"abc\\u0000def\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"abc\\u0000\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"abc\\udc00\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"tokenType\":\"Bearer\\u0000\"}"), CBA_REPLY_TOKEN_TYPE, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"9\\u0000\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{\"accessToken\\u0000\":\"abc\"," LIFE "}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\\u0000\":\"x\"," T LIFE "}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"x\":\"\\\\\\u0000\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"x\":[\"\\ud800\",\"\\udc00\\ud800\"]}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"x\":\"\\ud83d\\ude00\\u0000\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"x\":\"\\\\u0000\"}"), CBA_REPLY_OK, "abc", NONE, 3600},

    /* accessToken */
    {BYTES("{" LIFE "}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"errorCode\":\"AUTH_001\"}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":null," LIFE "}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToke\\u006e\":\"abc\"," LIFE "}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{\"accessToke\\u006E\":\"x\"," T LIFE "}"), CBA_REPLY_DUPLICATE, NULL, 0, 0},
    {BYTES("{\"accessToken\":42," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":{}," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"=\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"a=b\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"a b\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"a\\r\\nX: y\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"accessToken\":\"a\xC3\xA9\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN, NULL, 0, 0},
    {BYTES("{\"ACCESSTOKEN\":\"wrong\"," T LIFE "}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{\"ACCESSTOKEN\":\"wrong\"," LIFE "}"), CBA_REPLY_NO_ACCESS_TOKEN, NULL, 0, 0},

    /* duplicates, one of them spelled with an escape */
    {BYTES("{" T T LIFE "}"), CBA_REPLY_DUPLICATE, NULL, 0, 0},
    {BYTES("{" T LIFE "," LIFE "}"), CBA_REPLY_DUPLICATE, NULL, 0, 0},
    {BYTES("{" T "\"\\u0061ccessToken\":\"def\"," LIFE "}"), CBA_REPLY_DUPLICATE, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"tokenType\":null,\"tokenType\":null}"), CBA_REPLY_DUPLICATE, NULL, 0, 0},

    /* tokenType */
    {BYTES("{" T LIFE ",\"tokenType\":\"BEARER\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"tokenType\":null}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"tokenType\":\"mac\"}"), CBA_REPLY_TOKEN_TYPE, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"tokenType\":\"Bearer \"}"), CBA_REPLY_TOKEN_TYPE, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"tokenType\":\"Bearer\\r\\n\"}"), CBA_REPLY_TOKEN_TYPE, NULL, 0, 0},
    {BYTES("{" T LIFE ",\"tokenType\":1}"), CBA_REPLY_TOKEN_TYPE, NULL, 0, 0},

    /* numbers */
    {BYTES("{" T "\"tokenValiditySec\":0}"), CBA_REPLY_OK, "abc", NONE, 0},
    {BYTES("{" T "\"tokenValiditySec\":-1}"), CBA_REPLY_OK, "abc", NONE, -1},
    {BYTES("{" T "\"tokenValiditySec\":59.9}"), CBA_REPLY_OK, "abc", NONE, 59},
    {BYTES("{" T "\"tokenValiditySec\":\"3600\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T "\"tokenValiditySec\":9007199254740991}"), CBA_REPLY_OK, "abc", NONE,
     9007199254740991.0},
    {BYTES("{" T "\"tokenValiditySec\":9007199254740992}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":1e309}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"" X100 "\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\" \"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"-1\"}"), CBA_REPLY_OK, "abc", NONE, -1},
    {BYTES("{" T "\"tokenValiditySec\":\"1e3\"}"), CBA_REPLY_OK, "abc", NONE, 1000},
    {BYTES("{" T "\"tokenValiditySec\":\"3600.0\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T "\"tokenValiditySec\":\" \\t+03.6E+3\\r\\n \"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T "\"tokenValiditySec\":\"3600s\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"36 00\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"3600.\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"3,600\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"0xE10\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"NaN\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"Infinity\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"1e309\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"[9]\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":\"true\"}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":true}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":[1]}"), CBA_REPLY_TOKEN_VALIDITY, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":null}"), CBA_REPLY_NO_LIFETIME, NULL, 0, 0},
    {BYTES("{" T "\"tokenValiditySec\":null,\"expirationTime\":9}"), CBA_REPLY_OK, "abc", 9, NONE},

    /* one that can be used is enough */
    {BYTES("{" T LIFE ",\"expirationTime\":\"2026-12-01T10:00:00Z\"}"), CBA_REPLY_OK, "abc", NONE,
     3600},
    {BYTES("{" T LIFE ",\"expirationTime\":false}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"expirationTime\":0}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"expirationTime\":\"-1\"}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"expirationTime\":1e400}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T LIFE ",\"expirationTime\":{\"x\":[1]}}"), CBA_REPLY_OK, "abc", NONE, 3600},
    {BYTES("{" T "\"expirationTime\":\"17e8\",\"tokenValiditySec\":\"PT1H\"}"), CBA_REPLY_OK, "abc",
     1700000000, NONE},
    {BYTES("{" T "\"expirationTime\":9,\"tokenValiditySec\":[]}"), CBA_REPLY_OK, "abc", 9, NONE},
    {BYTES("{" T "\"expirationTime\":9,\"tokenValiditySec\":0}"), CBA_REPLY_OK, "abc", 9, 0},
    {BYTES("{" T "\"expirationTime\":\"soon\"}"), CBA_REPLY_EXPIRATION_TIME, NULL, 0, 0},
    {BYTES("{" T "\"expirationTime\":\"soon\",\"tokenValiditySec\":null}"),
     CBA_REPLY_EXPIRATION_TIME, NULL, 0, 0},
    {BYTES("{" T "\"expirationTime\":0}"), CBA_REPLY_NO_LIFETIME, NULL, 0, 0},
    {BYTES("{" T "\"expirationTime\":0,\"tokenValiditySec\":true}"), CBA_REPLY_TOKEN_VALIDITY, NULL,
     0, 0},
    {BYTES("{" T "\"x\":1}"), CBA_REPLY_NO_LIFETIME, NULL, 0, 0},
};

/* Reads a copy with nothing behind it, and sees that a failure leaves it as it was. */
static enum cba_reply_status read_copy(const char *bytes, size_t length) {
    struct cba_reply reply;
    char *copy = exact_copy(bytes, length);
    enum cba_reply_status status = cba_json_read_reply(copy, length, &reply);
    check(status == CBA_REPLY_OK || memcmp(copy, bytes, length) == 0,
          "changed although refused: %.60s", bytes);
    cba_guarded_free(copy);
    return status;
}

static void test_replies(void) {
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct cba_reply reply;
        char *copy = exact_copy(replies[i].bytes, replies[i].length);
        enum cba_reply_status status = cba_json_read_reply(copy, replies[i].length, &reply);
        check(status == replies[i].status, "row %zu: status %d, not %d: %s", i, (int)status,
              (int)replies[i].status, replies[i].bytes);
        if (status == CBA_REPLY_OK && replies[i].token != NULL) {
            check(reply.token == copy && reply.token_length == strlen(replies[i].token) &&
                      memcmp(copy, replies[i].token, reply.token_length) == 0,
                  "row %zu: token %.*s", i, (int)reply.token_length, reply.token);
            check((reply.has_expiration ? reply.expiration : NONE) == replies[i].expiration,
                  "row %zu: expiration %g", i, reply.expiration);
            check((reply.has_validity ? reply.validity : NONE) == replies[i].validity,
                  "row %zu: validity %g", i, reply.validity);
        }
        cba_guarded_free(copy);
        read_copy(replies[i].bytes, replies[i].length);
    }
}

/* Without its mend of CVE-2023-26819, cJSON reads no number of 64 characters and more. */
static void test_a_long_number(void) {
    bool is_read = read_copy(BYTES("{" T LIFE ",\"more\":" X100 "}")) == CBA_REPLY_OK;
    check(read_copy(BYTES("{" T "\"tokenValiditySec\":" X100 "}")) ==
              (is_read ? CBA_REPLY_TOKEN_VALIDITY : CBA_REPLY_NOT_JSON),
          "a validity of 100 digits");
}

static void test_a_reply_cut_anywhere(void) {
    static const char whole[] = "{\"accessToken\":\"a\\u0062c\",\"tokenType\":\"Bearer\","
                                "\"expirationTime\":1700000000000,\"tokenValiditySec\":\"3600\","
                                "\"x\":[true,{\"y\":\"\xC3\xA9\\n\"},-1.5e3,null]}";
    check(read_copy(whole, sizeof whole - 1) == CBA_REPLY_OK, "the whole reply");
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        check(read_copy(whole, length) != CBA_REPLY_OK, "cut after %zu bytes", length);
    }
}

/* {"accessToken":…,"x":[[…]]}, the object counted as one level */
static enum cba_reply_status read_nested(size_t depth) {
    static const char head[] = "{" T LIFE ",\"x\":";
    size_t length = sizeof head - 1 + 2 * (depth - 1) + 1;
    char *bytes = malloc(length + 1);
    if (bytes == NULL) {
        abort();
    }
    memcpy(bytes, head, sizeof head - 1);
    memset(bytes + sizeof head - 1, '[', depth - 1);
    memset(bytes + sizeof head - 1 + depth - 1, ']', depth - 1);
    memcpy(bytes + length - 1, "}", 2);
    enum cba_reply_status status = read_copy(bytes, length);
    free(bytes);
    return status;
}

static void test_depth(void) {
    enum { MANY = 5000000 };
    check(read_nested(1000) == CBA_REPLY_OK, "1000 levels");
    check(read_nested(1001) == CBA_REPLY_NOT_JSON, "1001 levels");
    char *brackets = malloc(MANY);
    if (brackets == NULL) {
        abort();
    }
    memset(brackets, '[', MANY);
    check(read_copy(brackets, MANY) == CBA_REPLY_NOT_JSON, "five million brackets");
    free(brackets);
}

/* What is written fits exactly, is refused when one byte is missing, and is read back as it was. */
static void test_credentials_come_back(const char *id, const char *secret) {
    char whole[CBA_JSON_CREDENTIALS_MAX];
    size_t length = cba_json_write_credentials(whole, sizeof whole, id, secret);
    cJSON *read = cJSON_ParseWithLength(whole, length);
    const char *id_read = cJSON_GetStringValue(cJSON_GetObjectItem(read, "clientId"));
    const char *secret_read = cJSON_GetStringValue(cJSON_GetObjectItem(read, "clientSecret"));
    check(length > 0 && length == strlen(whole) && id_read != NULL && secret_read != NULL &&
              strcmp(id_read, id) == 0 && strcmp(secret_read, secret) == 0,
          "written: %s", whole);
    cJSON_Delete(read);
    size_t fitted = 0;
    for (size_t size = 1; size < length + 16; size++) {
        char *exact = cba_guarded_new(size);
        size_t written = cba_json_write_credentials(exact, size, id, secret);
        check(written == 0 || (written == length && strcmp(exact, whole) == 0), "into %zu bytes",
              size);
        fitted += written != 0;
        cba_guarded_free(exact);
    }
    check(fitted > 0, "%zu bytes and a little are not enough", length);
}

static void test_credentials(void) {
    char worst[101] = {0};
    memset(worst, 1, 100); /* six bytes each */
    test_credentials_come_back("client", "secret");
    test_credentials_come_back("a\"b\\c/d", "tab\tnewline\nbell\a\x7f");
    test_credentials_come_back("\xC3\xA9\xE2\x82\xAC", "\xF0\x9F\x8F\xA6 \\u0041 {}");
    test_credentials_come_back(worst, worst);
}

static void test_what_was_read_is_wiped(void) {
    static const struct {
        const char *bytes;
        size_t length;
        enum cba_reply_status status;
    } canaries[] = {
        {BYTES("{\"accessToken\":\"canary-1\"," LIFE "}"), CBA_REPLY_OK},
        {BYTES("{\"accessToken\":\"\\u0063anary-1\"," LIFE ",\"x\":{\"y\":[1,\"canary-2\"]}}"),
         CBA_REPLY_OK},
        {BYTES("{" T "\"accessToken\":\"canary-1\"," LIFE "}"), CBA_REPLY_DUPLICATE},
        {BYTES("{\"accessToken\":\"canary 1\"," LIFE "}"), CBA_REPLY_ACCESS_TOKEN},
        {BYTES("[\"canary-1\"]"), CBA_REPLY_NOT_OBJECT},
        {BYTES("{\"accessToken\":\"canary-1\"," LIFE ",\"x\":\"\\u0000canary-2\"}"), CBA_REPLY_OK},
    };
    cJSON_Hooks hooks = {.malloc_fn = canary_malloc, .free_fn = canary_free};
    cJSON_InitHooks(&hooks);
    for (size_t i = 0; i < sizeof canaries / sizeof *canaries; i++) {
        canary_blocks_read = 0;
        check(read_copy(canaries[i].bytes, canaries[i].length) == canaries[i].status, "read: %s",
              canaries[i].bytes);
        check(canary_blocks_read > 1, "looked at");
    }
    cJSON_InitHooks(NULL);
}

int main(void) {
    test_replies();
    test_what_was_read_is_wiped();
    test_a_long_number();
    test_a_reply_cut_anywhere();
    test_depth();
    test_credentials();
    return check_summary("json");
}
